"""Options, hypothesis settings and the real volume."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples in every run, and no time limit: machines differ.
settings.register_profile("plain", deadline=None, derandomize=True, max_examples=150, database=None)
settings.register_profile("long", deadline=None, max_examples=2000, database=None)
settings.load_profile(os.environ.get("FASTREMAP_HYPOTHESIS", "plain"))

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--slow`."""
    parser.addoption("--slow", action="store_true", help="also run the tests that are marked slow")


def pytest_configure() -> None:
    """Have programs that tests begin end at Ctrl-C, which those of a shell's background job would ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the slow tests unless `--slow`, or `-m` with an expression, asks for them."""
    if config.getoption("--slow") or config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(scope="session")
def real_volume_path() -> Path:
    """Return where the real label volume lies (512³ uint32, Zarr), or skip."""
    path = Path(os.environ.get("FASTREMAP_REAL_VOLUME") or ROOT.parent / "shared" / "data" / "pinky40.zarr")
    if not path.is_dir():
        pytest.skip(f"the real volume is not at {path}: set FASTREMAP_REAL_VOLUME to a Zarr array of labels")
    return path


@pytest.fixture(scope="session")
def real_corner(real_volume_path: Path) -> np.ndarray:
    """Return the first 256³ corner of the real volume, C-ordered and read-only."""
    zarr = pytest.importorskip("zarr")
    corner = zarr.open_array(real_volume_path, mode="r")[:256, :256, :256]
    corner.flags.writeable = False
    return corner


@pytest.fixture(scope="session")
def real_volume(real_volume_path: Path) -> np.ndarray:
    """Return the whole real volume, C-ordered and read-only."""
    zarr = pytest.importorskip("zarr")
    volume = zarr.open_array(real_volume_path, mode="r")[...]
    volume.flags.writeable = False
    return volume
