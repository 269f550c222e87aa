"""Calls as public tools write them: they work, and mean what they mean in the package whose place this one takes.

Every public function of the modules in `SUBJECTS` is a pattern. FASTREMAP_PEER names the folder in which the peer is
installed (see `peer.load_peer`); without it only our side runs.
"""

import inspect
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fastremap
from assertions import assert_same_result
from compat import dtypes, labels, measures, tables
from peer import REQUIREMENT, load_peer

SUBJECTS = (labels, tables, measures, dtypes)
PATTERNS: dict[str, Callable[[ModuleType], Any]] = {
    name: function
    for subject in SUBJECTS
    for name, function in inspect.getmembers(subject, inspect.isfunction)
    if function.__module__ == subject.__name__ and "fr" in inspect.signature(function).parameters
}

# Where we differ, and why. A pattern that stands here without a difference fails, too.
INTENDED: dict[str, str] = {}


@pytest.fixture(scope="session")
def peer() -> ModuleType:
    """Return the peer, or skip."""
    folder = os.environ.get("FASTREMAP_PEER")
    if not folder:
        pytest.skip(f"FASTREMAP_PEER names no folder: pip install --no-deps --target FOLDER {REQUIREMENT}")
    return load_peer(Path(folder))
