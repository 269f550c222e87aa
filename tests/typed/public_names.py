"""Check by basedpyright that the types of all public names are known whole: `python tests/typed/public_names.py`."""

import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = ("fastremap", "fastremap_dask")


def symbols(package: str) -> list[dict[str, Any]]:
    """List what the checker knows of an installed package."""
    checker = str(Path(sys.executable).with_name("basedpyright"))
    command = [checker, "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix, "PATH": f"{Path(checker).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as elsewhere:  # where no source of the package lies
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=False
        )
    found: list[dict[str, Any]] = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    return found


def public_prefixes(package: str) -> Iterator[str]:
    """Yield the full names of what a package exports, by which its symbols and their members begin."""
    module = importlib.import_module(package)
    for name in module.__all__:
        yield f"{package}.{name}"
        value = getattr(module, name)
        if inspect.isclass(value):
            yield f"{value.__module__}.{value.__qualname__}"


def main() -> None:
    """Print the faults, and fail if there are any, or if the checker has not seen all names."""
    faults = []
    for package in PACKAGES:
        found = symbols(package)
        known = {symbol["name"] for symbol in found if symbol["isTypeKnown"]}
        prefixes = set(public_prefixes(package))
        names = importlib.import_module(package).__all__
        exported = {f"{package}.{name}" for name in names if not name.startswith("__")}
        faults += [f"{name}: not known whole" for name in sorted(exported - known)]
        for symbol in found:
            of_public = any(symbol["name"].startswith(prefix + ".") for prefix in prefixes)
            if of_public and not symbol["isTypeKnown"]:
                faults += [f"{symbol['name']}: {fault['message']}" for fault in symbol["diagnostics"]]
        print(f"{package}: {len(exported)} public names, {len(found)} symbols")
    if faults:
        raise SystemExit("\n".join(faults))


if __name__ == "__main__":
    main()
