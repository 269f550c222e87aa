"""The check of the demonstration: what numpy alone says that a renumbered volume must be, voxel by voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from . import executors, stages
from .comparison import FAN_IN, Images, compare, first_of_runs
from .given import open_sources
from .options import Options
from .plan import Block, Grid
from .stages import Progress, counter

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
    volumes = [open_sources(path, Options())[0] for path in (source, target)]
    shapes = [volume.volume_shape for volume in volumes]
    if shapes[0] != shapes[1]:
        return Verdict(0, math.prod(shapes[1]), f"the shape is {shapes[1]}, expected {shapes[0]}")
    grid = Grid(shapes[0], volumes[0].volume.unit)
    with executors.threads(threads) as executor:
        find = partial(_first_voxels, array=volumes[0].stored.open())
        done = counter(progress, "expect ids", grid)
        known, first = stages.reduce(executor, find, grid.blocks(), merge_first, merge_first, FAN_IN, done)
    images = Images(known, expected_ids(known, first))
    n_wrong, wrong = compare(*volumes, images, threads=threads, progress=progress)
    return Verdict(len(known), n_wrong, "" if wrong is None else str(wrong))


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


def _first_voxels(block: Block, *, array: zarr.Array[Any]) -> LabelsAndFirst:
    """Find the labels of a block and the index, in the whole volume, of the first voxel of each: a task."""
    starts, labels = first_of_runs(array[block.slices])
    known, at = np.unique(labels, return_index=True)
    return known, _in_volume(starts[at], block, array.shape)


def _in_volume(flat: np.ndarray, block: Block, shape: tuple[int, ...]) -> np.ndarray:
    """Turn flat indices into a block into flat indices into the volume."""
    inside = np.unravel_index(flat, block.shape)
    return np.ravel_multi_index([at + start for at, start in zip(inside, block.offset, strict=True)], shape)
