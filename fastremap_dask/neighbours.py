"""Counting over pairs of voxels that follow each other in C order, wherever the chunks are cut."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import dask.array as da
import numpy as np

from .graphs import unmasked, without_empty_chunks
from .reductions import box, reduce_blocks

Test = Callable[[np.ndarray, np.ndarray], np.ndarray]


def count_following(arr: da.Array, test: Test, split_every: int) -> list[da.Array]:
    """
    Count the pairs of a voxel and the one after it, in C order, for which a test holds.

    Of two such voxels the last k indices of the first are at their ends and those of the second at 0, and the index
    before these grows by 1. So for each k there is an array of all first and one of all second voxels, `arr` without
    its last k axes, and the pairs are neighbours along the last axis that is left: within a block, or across two.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array, in known chunk sizes.
    test : callable
        Elementwise test of two arrays of one shape.
    split_every : int
        The most states that one task merges.

    Returns
    -------
    list of dask.array.Array of object, shape ()
        Boxed numbers; their sum is that of the pairs.
    """
    counts = []
    if arr.size > 1:
        ends = begins = without_empty_chunks(arr)
        while ends.ndim:
            counts += _along_last_axis(ends, begins, test, split_every)
            ends, begins = ends[..., -1], begins[..., 0]
    return counts or [reduce_blocks(arr, _no_pairs, sum)]


def _along_last_axis(ends: da.Array, begins: da.Array, test: Test, split_every: int) -> list[da.Array]:
    """Count the pairs (ends[..., i], begins[..., i + 1]): within blocks, and across the borders of blocks."""
    within = partial(_count_within, test=test)
    counts = [reduce_blocks(ends, within, sum, begins, split_every=split_every)]
    if ends.numblocks[-1] > 1:
        faces = (*ends.chunks[:-1], (1,) * ends.numblocks[-1])
        before, after = (
            da.map_blocks(
                _face, side, dtype=side.dtype, chunks=faces, meta=np.empty((0,) * side.ndim, side.dtype), at=at
            )
            for side, at in ((ends, -1), (begins, 0))
        )
        across = partial(_count_across, test=test)
        counts.append(reduce_blocks(before[..., :-1], across, sum, after[..., 1:], split_every=split_every))
    return counts


def equal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell where two arrays hold the same label; NaN is one label."""
    same = one == other
    return same | (np.isnan(one) & np.isnan(other)) if one.dtype.kind == "f" else same


def above(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell where the first of two arrays is above the second; NaN is above all."""
    larger = one > other
    return larger | (np.isnan(one) & ~np.isnan(other)) if one.dtype.kind == "f" else larger


def below(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell where the first of two arrays is below the second; NaN is above all."""
    return above(other, one)


def _count_within(ends: np.ndarray, begins: np.ndarray, *, test: Test) -> np.ndarray:
    ends, begins = unmasked(ends), unmasked(begins)
    return box(int(np.count_nonzero(test(ends[..., :-1], begins[..., 1:]))), ends.ndim)


def _count_across(before: np.ndarray, after: np.ndarray, *, test: Test) -> np.ndarray:
    return box(int(np.count_nonzero(test(before, after))), before.ndim)


def _face(block: np.ndarray, *, at: int) -> np.ndarray:
    """Copy one of the two ends of a block along its last axis, so that the block itself may go."""
    return np.take(block, [at], axis=-1)


def _no_pairs(block: np.ndarray) -> np.ndarray:
    return box(0, unmasked(block).ndim)
