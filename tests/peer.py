"""The package whose place this one takes, loaded from a folder of its own under another name."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

NAME = "peer_fastremap"
REQUIREMENT = "fastremap==1.21.0"


def load_peer(folder: Path) -> ModuleType:
    """Import the peer that `pip install --no-deps --target folder REQUIREMENT` has put there."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    package = folder / "fastremap"
    if not (package / "__init__.py").is_file():
        raise FileNotFoundError(f"no peer in {folder}: pip install --no-deps --target {folder} {REQUIREMENT}")
    spec = importlib.util.spec_from_file_location(
        NAME, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module
