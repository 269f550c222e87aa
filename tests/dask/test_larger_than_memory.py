"""A volume of more than twenty times the memory that all workers have, under a limit that the system enforces."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from workertasks import limit_memory, made_block, peak_nbytes

import fastremap_dask

N_WORKERS, WORKER_NBYTES = 2, 350 * 10**6
BLOCK_NBYTES = 8 * 128**3
N_BLOCKS = -(-21 * N_WORKERS * WORKER_NBYTES // BLOCK_NBYTES)
# Python, Dask and a worker's own, and what is stated for a task: the block, what the functions need beside it, and two
# states of a million labels for each that a merge takes.
PROCESS_NBYTES, TASK_NBYTES = 150 * 10**6, 4 * BLOCK_NBYTES + 64 * 10**6
N_LABELS = 2**20


def sink(*arrays: da.Array) -> list[da.Array]:
    """Return what takes each block when it is made, as a store would."""
    return [array.max() for array in arrays]


CALLS: dict[str, Callable[[da.Array, Path], Any]] = {
    "unique": lambda volume, scratch: fastremap_dask.unique(volume, return_index=True, return_counts=True),
    "unique, inverse": lambda volume, scratch: sink(*fastremap_dask.unique(volume, return_inverse=True)),
    "renumber": lambda volume, scratch: sink(fastremap_dask.renumber(volume, scratch=scratch)[0]),
    "renumber, lazy": lambda volume, scratch: sink(fastremap_dask.renumber(volume, dtype="u4")[0]),
    "remap": lambda volume, scratch: sink(fastremap_dask.remap(volume, {1: 2}, preserve_missing_labels=True)),
    "mask": lambda volume, scratch: sink(fastremap_dask.mask(volume, np.arange(10**5, dtype="u8") * (2**43 + 1))),
    "transpose": lambda volume, scratch: sink(
        fastremap_dask.transpose(volume), fastremap_dask.refit(volume, value=2**63)
    ),
    "measures": lambda volume, scratch: [
        *fastremap_dask.minmax(volume),
        fastremap_dask.foreground(volume),
        fastremap_dask.pixel_pairs(volume),
        fastremap_dask.is_sorted(volume),
    ],
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("name", CALLS)
def test_peak_memory_of_workers(name: str, tmp_path: Path) -> None:
    chunks = ((128,) * N_BLOCKS, (128,), (128,))
    volume = da.map_blocks(made_block, chunks=chunks, dtype=np.uint64, meta=np.empty((0,) * 3, np.uint64))
    assert volume.nbytes > 20 * N_WORKERS * WORKER_NBYTES
    with (
        LocalCluster(
            n_workers=N_WORKERS,
            threads_per_worker=1,
            memory_limit=WORKER_NBYTES,
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(limit_memory, WORKER_NBYTES)
        before = client.run(peak_nbytes)
        results = dask.compute(*CALLS[name](volume, tmp_path))
        after = client.run(peak_nbytes)
    assert before.keys() == after.keys()  # no worker had to be started anew
    print(name, [peak / 1e6 for peak in after.values()])
    assert max(after.values()) <= PROCESS_NBYTES + TASK_NBYTES
    if name == "unique":
        values, index, counts = results
        assert values.size == index.size == counts.size
        assert counts.sum() == volume.size
        assert index.min() == 0
    if name.startswith("renumber"):
        assert results[0] <= N_LABELS
