"""The check of the demonstration: what numpy alone says that a renumbered volume must be, voxel by voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import zarr

from . import executors, stages
from .plan import Block, Grid
from .stages import Progress, counter

FAN_IN = 8
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
    grid = Grid(labels.shape, labels.shards or labels.chunks)
    with executors.threads(threads) as executor:
        find = partial(_first_voxels, array=labels)
        done = counter(progress, "expect ids", grid)
        known, first = stages.reduce(executor, find, grid.blocks(), merge_first, merge_first, FAN_IN, done)
        compare = partial(_compare_block, source=labels, target=ids, known=known, expected=expected_ids(known, first))
        done = counter(progress, "compare", grid)
        wrong = stages.reduce(executor, compare, grid.blocks(), _merge_wrong, _merge_wrong, FAN_IN, done)
    return Verdict(len(known), wrong[0], wrong[2])


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
