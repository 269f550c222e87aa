"""Every function on a read-only memory mapping, in a child process, which a write, even for a moment, would kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import CASES

CHILD = """
import sys, warnings
import numpy as np
from cases import CASES

warnings.simplefilter("ignore")  # of in_place=True, which such an array cannot have
labels = np.load(sys.argv[1], mmap_mode="r")
for array in (labels, labels.T, labels[::2, 1:], labels[::-1]):
    for name, case in CASES.items():
        if case.needs_array:
            print(name, flush=True)
            for in_place in (False, True) if case.in_place else (None,):
                more = {} if in_place is None else {"in_place": in_place}
                case.call(case.function, array, next(iter(case.variants)), **more)
"""


def run(code: str, labels: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    return subprocess.run([sys.executable, "-c", code, str(labels)], capture_output=True, text=True, env=environment)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path / "labels.npy"
    np.save(path, np.repeat(rng.integers(-(2**62), 2**62, 40)[rng.integers(0, 40, 3000)], 8).reshape(120, 20, 10))
    return path


def test_no_function_writes(labels: Path) -> None:
    result = run(CHILD, labels)
    names = [name for name, case in CASES.items() if case.needs_array]
    assert result.stdout.split() == names * 4, f"killed in the last of these: {result.stderr[-2000:]}"
    assert result.returncode == 0


def test_a_write_would_be_fatal(labels: Path) -> None:
    """The test above can fail: the same mapping does not bear a write."""
    write = "import ctypes, sys, numpy as np; ctypes.memset(np.load(sys.argv[1], mmap_mode='r').ctypes.data, 0, 1)"
    assert run(write, labels).returncode == -signal.SIGSEGV
