"""The bound on scratch, in child processes whose address space is limited."""

import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and RLIMIT_AS")

# The child lets the address space grow by `allowed` bytes beyond what the array and numpy need, transposes and prints
# whether the array is as wanted. The sums along every axis tell that without a second array.
CHILD = """
import resource, sys
import numpy as np
import fastremap

allowed, item, *shape = map(int, sys.argv[1:])
array = (np.arange(np.prod(shape), dtype=np.uint64) * 2654435761 >> 7).astype(f"u{item}").reshape(shape)
small = np.arange(6, dtype=f"u{item}").reshape(2, 3)
fastremap.transpose(small)

def digests(a):
    axes = set(range(a.ndim))
    return [a.sum(axis=tuple(axes - {axis}), dtype=np.uint64).tolist() for axis in range(a.ndim)]

before, flat = digests(array), array.reshape(-1)
edges = flat[:4096].tobytes() + flat[-4096:].tobytes()
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (in_use + allowed, limits[1]))
try:
    result = fastremap.transpose(array)
except MemoryError:
    resource.setrlimit(resource.RLIMIT_AS, limits)
    same = digests(array) == before and flat[:4096].tobytes() + flat[-4096:].tobytes() == edges
    print("untouched" if same else "scrambled")
else:
    resource.setrlimit(resource.RLIMIT_AS, limits)
    print("right" if digests(result.T) == before else "wrong")
"""
BOUND = 16 * 2**20  # the arrays below are smaller than 800 MiB, of which this is 2 %


def outcome(allowed: int, item_nbytes: int, shape: tuple[int, ...], isa: str = "") -> str:
    """What a child that may take `allowed` more bytes makes of a transposition."""
    command = [sys.executable, "-c", CHILD, *map(str, (allowed, item_nbytes, *shape))]
    environment = {**os.environ, "FASTREMAP_ISA": isa}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


@pytest.mark.parametrize(
    ("item_nbytes", "shape"),
    [(4, (4096, 3000)), (8, (2039, 2003)), (1, (512, 500, 200)), (2, (64, 512, 500, 3)), (4, (200, 300, 210)),
     (8, (1500, 1500))],
)  # fmt: skip
def test_scratch_is_within_its_bound(item_nbytes: int, shape: tuple[int, ...]) -> None:
    assert outcome(BOUND, item_nbytes, shape) == "right"


@pytest.mark.parametrize(("item_nbytes", "shape"), [(4, (4096, 3000)), (1, (512, 500, 200))])
def test_nothing_is_written_when_scratch_cannot_be_had(item_nbytes: int, shape: tuple[int, ...]) -> None:
    assert outcome(0, item_nbytes, shape) == "untouched"


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
def test_every_instruction_set(isa: str) -> None:
    assert outcome(BOUND, 2, (1030, 2, 2051), isa) == "right"
