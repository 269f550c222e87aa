"""The demonstration: a synthetic label volume, renumbered by worker processes, and checked with numpy alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import zarr

from . import executors, stages
from .jobs import renumber_zarr
from .plan import Block, Grid
from .report import Report

SHARD = (128, 128, 128)
CHUNK = (64, 64, 64)
# Cells of 9 voxels a side are small against a shard, so that most shards share labels with their neighbours; smaller
# volumes get smaller cells, to have as many labels.
CELL_LENGTH = 9
N_CELLS = 130_000
# One cell in 8 is background.
BACKGROUND_SHARE = 8
MASK_63 = np.uint64(2**63 - 1)
FAN_IN = 8

Progress = Callable[[str, int, int], None]
LabelsAndFirst = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Tell how a renumbered volume compares with what numpy says it should be.

    Parameters
    ----------
    n_labels : int
        Distinct labels of the source, 0 included where it occurs.
    n_wrong : int
        Voxels of the target that are not what they should be.
    first_wrong : str
        The first of them in C order: where, and what was expected and found.
    """

    n_labels: int
    n_wrong: int
    first_wrong: str


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
    """

    report: Report
    verdict: Verdict
    source_stored_nbytes: int
    target_stored_nbytes: int


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
    return Outcome(report, verdict, *stored_nbytes)


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
        stages.run(executor, make, grid.blocks(), _counter(progress, "make volume", grid))


def verify(source: Path, target: Path, threads: int, progress: Progress) -> Verdict:
    """
    Compare a volume with the renumbering of another that numpy finds, voxel by voxel.

    Parameters
    ----------
    source, target : pathlib.Path
        The two Zarr arrays.
    threads : int
        Threads that read and compare.
    progress : callable
        Called as ``progress(stage, n_done, n_blocks)``.

    Returns
    -------
    Verdict
        How many voxels of the target are not the rank of their label by first appearance in C order, 0 kept.

    Notes
    -----
    Nothing of `fastremap` takes part, nor the table that the job wrote. Two passes: one finds each label's first
    voxel, from which its id follows; one compares. Memory: a block for each thread, and 24 bytes a label.
    """
    labels, ids = zarr.open_array(source, mode="r"), zarr.open_array(target, mode="r")
    if labels.shape != ids.shape:
        return Verdict(0, ids.size, f"the shape is {ids.shape}, expected {labels.shape}")
    grid = Grid(labels.shape, SHARD)
    with executors.threads(threads) as executor:
        find = partial(_first_voxels, array=labels)
        done = _counter(progress, "expect ids", grid)
        known, first = stages.reduce(executor, find, grid.blocks(), merge_first, merge_first, FAN_IN, done)
        compare = partial(_compare_block, source=labels, target=ids, known=known, expected=expected_ids(known, first))
        done = _counter(progress, "compare", grid)
        wrong = stages.reduce(executor, compare, grid.blocks(), _merge_wrong, _merge_wrong, FAN_IN, done)
    return Verdict(len(known), wrong[0], wrong[2])


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


def first_of_runs(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Find the runs of equal neighbours, in C order.

    Parameters
    ----------
    block : numpy.ndarray
        At least one voxel.

    Returns
    -------
    starts, labels : numpy.ndarray
        Flat index of the first voxel of each run, and its label.
    """
    flat = block.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    return starts, flat[starts]


def merge_first(states: Sequence[LabelsAndFirst]) -> LabelsAndFirst:
    """
    Merge what is known of first voxels.

    Parameters
    ----------
    states : sequence of (labels, first)
        Labels, and the C-order index of the first voxel of each, of parts of a volume.

    Returns
    -------
    labels, first : numpy.ndarray
        The same of the whole; labels ascending.
    """
    labels, first = (np.concatenate(part) for part in zip(*states, strict=True))
    by_place = np.argsort(first)
    known, at = np.unique(labels[by_place], return_index=True)
    return known, first[by_place][at]


def expected_ids(labels: np.ndarray, first: np.ndarray) -> np.ndarray:
    """
    Give out ids as the job should have.

    Parameters
    ----------
    labels, first : numpy.ndarray
        Ascending labels, and the index of the first voxel of each.

    Returns
    -------
    numpy.ndarray of uint64
        0 for the label 0, and 1, 2, ... for the others in the order of their first voxels.
    """
    ids = np.zeros(labels.shape, np.uint64)
    by_place = np.argsort(first)
    by_place = by_place[labels[by_place] != 0]
    ids[by_place] = np.arange(1, len(by_place) + 1)
    return ids


def _make_block(block: Block, *, array: zarr.Array, cell_length: int) -> None:
    """Compute a block and write it: a task."""
    array[block.slices] = cell_labels(block, cell_length)


def _first_voxels(block: Block, *, array: zarr.Array) -> LabelsAndFirst:
    """Find the labels of a block and the index, in the whole volume, of the first voxel of each: a task."""
    starts, labels = first_of_runs(array[block.slices])
    known, at = np.unique(labels, return_index=True)
    return known, _in_volume(starts[at], block, array.shape)


def _compare_block(
    block: Block, *, source: zarr.Array, target: zarr.Array, known: np.ndarray, expected: np.ndarray
) -> tuple[int, int, str]:
    """Count the wrong voxels of a block, and describe the first: a task."""
    starts, labels = first_of_runs(source[block.slices])
    ids = expected[np.searchsorted(known, labels)]
    found = target[block.slices].ravel()
    wrong = np.flatnonzero(np.repeat(ids, np.diff(starts, append=found.size)) != found)
    if not wrong.size:
        return 0, math.prod(source.shape), ""
    run = np.searchsorted(starts, wrong[0], side="right") - 1
    index = _in_volume(wrong[:1], block, source.shape)[0]
    where = tuple(int(axis) for axis in np.unravel_index(index, source.shape))
    text = f"voxel {where} with the label {labels[run]} has the id {found[wrong[0]]}, expected {ids[run]}"
    return wrong.size, int(index), text


def _merge_wrong(states: Sequence[tuple[int, int, str]]) -> tuple[int, int, str]:
    """Add up wrong voxels; keep the first."""
    _, index, text = min(states, key=lambda state: state[1])
    return sum(state[0] for state in states), index, text


def _in_volume(flat: np.ndarray, block: Block, shape: tuple[int, ...]) -> np.ndarray:
    """Turn flat indices into a block into flat indices into the volume."""
    inside = np.unravel_index(flat, block.shape)
    return np.ravel_multi_index([at + start for at, start in zip(inside, block.offset, strict=True)], shape)


def _counter(progress: Progress, name: str, grid: Grid) -> Callable[[int], None]:
    """Return what tells the progress of a pass over a grid."""
    progress(name, 0, grid.n_blocks)
    return lambda n: progress(name, n, grid.n_blocks)
