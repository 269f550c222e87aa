"""The demonstration: a synthetic label volume, renumbered by worker processes, and checked with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from dask.utils import parse_bytes

from . import executors, stages
from .check import Verdict, verify
from .jobs import renumber_zarr
from .plan import Block, Grid
from .report import Report, human_count, human_nbytes, human_peaks, human_rows, stage_rows
from .stages import Progress, counter

SHARD = (128, 128, 128)
CHUNK = (64, 64, 64)
# Cells of 9 voxels a side are small against a shard, so that most shards share labels with their neighbours; smaller
# volumes get smaller cells, to have as many labels.
CELL_LENGTH = 9
N_CELLS = 130_000
# One cell in 8 is background.
BACKGROUND_SHARE = 8
MASK_63 = np.uint64(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    Tell what the demonstration did.

    Parameters
    ----------
    report : Report
        What the job did.
    verdict : Verdict
        Whether it did right.
    source_stored_nbytes, target_stored_nbytes : int
        Bytes of the two volumes on disk.
    allowed_nbytes : int
        Memory that all workers together may use.
    """

    report: Report
    verdict: Verdict
    source_stored_nbytes: int
    target_stored_nbytes: int
    allowed_nbytes: int

    @property
    def fault(self) -> str:
        """Return what is wrong in one line; empty if nothing is."""
        verdict = self.verdict
        return f"wrong voxels: {verdict.n_wrong:,}; the first: {verdict.first_wrong}" if verdict.n_wrong else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        report, verdict = self.report, self.verdict
        read, written = human_nbytes(report.source_nbytes), human_nbytes(report.target_nbytes)
        stored = [human_nbytes(nbytes) for nbytes in (self.source_stored_nbytes, self.target_stored_nbytes)]
        right = "every voxel is right" if not verdict.n_wrong else f"wrong voxels: {verdict.n_wrong:,}"
        allowed, ids = human_nbytes(self.allowed_nbytes), f"now ids {report.lowest_id:,} to {report.highest_id:,}"
        rows = {
            "volume": f"{human_count(report.n_voxels)} voxels of shape {report.shapes[0]}, {report.source_dtype}",
            "labels": f"{human_count(verdict.n_labels)} over 63 bits, {ids}",
            "dtype": f"{report.source_dtype} to {report.target_dtype}",
            "bytes": f"{read} to {written} in memory, {stored[0]} to {stored[1]} on disk",
        }
        last = {
            "memory": f"{human_peaks(report.peak_nbytes)}; {allowed} allowed, {read} in the volume",
            "check": f"{right}, by numpy alone",
        }
        return human_rows([*rows.items(), *stage_rows(report.stages), *last.items()])


def demonstrate(
    folder: Path, *, size_nbytes: int, workers: int, memory_limit: int | str, threads: int, progress: Progress
) -> Outcome:
    """
    Make a volume, renumber it, and check every voxel.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``labels.zarr``, ``ids.zarr`` and ``ids.table.zarr`` are written.
    size_nbytes : int
        About how large the volume is in memory.
    workers : int
        Processes that renumber it.
    memory_limit : int or str
        Memory of each of them.
    threads : int
        Threads of this process that make the volume and check the result.
    progress : callable
        Called as ``progress(stage, n_done, n_blocks)``.

    Returns
    -------
    Outcome
        The numbers.
    """
    source, target = folder / "labels.zarr", folder / "ids.zarr"
    make_volume(source, size_nbytes, threads, progress)
    report = renumber_zarr(source, target, workers=workers, memory_limit=memory_limit, progress=progress)
    verdict = verify(source, target, threads, progress)
    stored_nbytes = (zarr.open_array(path, mode="r").nbytes_stored() for path in (source, target))
    return Outcome(report, verdict, *stored_nbytes, workers * parse_bytes(memory_limit))


def make_volume(path: Path, size_nbytes: int, threads: int, progress: Progress) -> None:
    """
    Write a volume of warped cells: uint64 labels spread over 63 bits, Zarr format 3, in shards.

    Parameters
    ----------
    path : pathlib.Path
        Where; nothing may lie there.
    size_nbytes : int
        About how large the volume is to be in memory.
    threads : int
        Threads that make it.
    progress : callable
        Called as ``progress(stage, n_done, n_blocks)``.

    Notes
    -----
    The same size gives the same volume, whatever the threads: a voxel's label follows from its coordinates.
    """
    n_voxels = max(1, size_nbytes // 8)
    edge = max(1, round(n_voxels ** (1 / 3)))
    shape = (max(1, n_voxels // edge**2), edge, edge)
    array = zarr.create_array(path, shape=shape, dtype=np.uint64, chunks=CHUNK, shards=SHARD, dimension_names="xyz")
    cell_length = min(CELL_LENGTH, max(1, int((n_voxels / N_CELLS) ** (1 / 3))))
    grid = Grid(shape, SHARD)
    with executors.threads(threads) as executor:
        make = partial(_make_block, array=array, cell_length=cell_length)
        stages.run(executor, make, grid.blocks(), counter(progress, "make volume", grid))


def cell_labels(block: Block, cell_length: int) -> np.ndarray:
    """
    Compute the labels of a block from its coordinates.

    Parameters
    ----------
    block : Block
        Which voxels.
    cell_length : int
        Voxels along the side of a cell.

    Returns
    -------
    numpy.ndarray of uint64, the block's shape
        Boxes of `cell_length`, shifted by waves along the two other axes; each has a label of its own, or is 0.
    """
    axes = [np.arange(start, start + n, dtype=np.int32) for start, n in zip(block.offset, block.shape, strict=True)]
    place = np.zeros(block.shape, np.int32)
    ranges = []
    for axis, coordinate in enumerate(axes):
        shifted = coordinate.reshape([-1 if other == axis else 1 for other in range(3)])
        for other in range(3):
            if other != axis:
                wave = cell_length * (2 + np.sin(axes[other] / (3.1 * cell_length) + axis + 2 * other))
                shifted = shifted + wave.astype(np.int32).reshape([-1 if at == other else 1 for at in range(3)])
        cell = shifted // np.int32(cell_length)
        lowest, highest = int(cell.min()), int(cell.max())
        place *= np.int32(highest - lowest + 1)
        place += cell - np.int32(lowest)
        ranges.append(np.arange(lowest, highest + 1, dtype=np.uint64))
    return _spread(ranges).ravel()[place]


def _spread(ranges: Sequence[np.ndarray]) -> np.ndarray:
    """Number the cells of a box of cells and scramble the numbers: a bijection of 63 bits, as each step is one."""
    x, y, z = np.ix_(*ranges)
    number = ((x + np.uint64(1)) << np.uint64(42)) | (y << np.uint64(21)) | z
    for factor, shift in ((0x9E3779B97F4A7C15, 32), (0xBF58476D1CE4E5B9, 29)):
        number = (number * np.uint64(factor)) & MASK_63
        number ^= number >> np.uint64(shift)
    number[number % np.uint64(BACKGROUND_SHARE) == 0] = 0
    return number


def _make_block(block: Block, *, array: zarr.Array[Any], cell_length: int) -> None:
    """Compute a block and write it: a task."""
    array[block.slices] = cell_labels(block, cell_length)
