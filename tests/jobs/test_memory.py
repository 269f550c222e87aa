"""The memory that a plan projects is held against what the operating system counts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

SHAPE, CHUNK, SHARD = (256, 256, 256), (32, 32, 32), (128, 128, 256)
SCRIPT = """
import sys
from fastremap_dask import renumber_zarr
from fastremap_dask.plan import Volume, make_plan
shape, unit, limit = (256, 256, 256), (128, 128, 256), int(sys.argv[3])
source, target = (Volume(shape, unit, 8),), (Volume(shape, unit, 4),)
job = make_plan(source, target, n_threads=8, memory_limit_nbytes=limit)
report = renumber_zarr(sys.argv[1], sys.argv[2], threads=8, memory_limit=limit)
print(report.peak_nbytes[0], job.process_nbytes, job.n_threads, report.stages[0].n_blocks)
"""


@pytest.fixture
def source(tmp_path) -> Path:
    """Return a volume of random labels, whose blocks compress badly: then their compressed bytes count too."""
    path = tmp_path / "a.zarr"
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2**63, 50_000, dtype=np.uint64)
    array = zarr.create_array(path, shape=SHAPE, dtype=np.uint64, chunks=CHUNK, shards=SHARD)
    for x, y in np.ndindex(2, 2):
        array[x * 128 : (x + 1) * 128, y * 128 : (y + 1) * 128] = rng.choice(labels, SHARD)
    return path


def test_peak_is_within_the_projection(source, tmp_path):
    limit_nbytes = 450_000_000
    arguments = [sys.executable, "-c", SCRIPT, source, tmp_path / "b.zarr", str(limit_nbytes)]
    output = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    peak_nbytes, projected_nbytes, n_threads, n_blocks = map(int, output.split())
    assert (n_threads, n_blocks) == (2, 4)
    assert peak_nbytes <= projected_nbytes <= limit_nbytes
