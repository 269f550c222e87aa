"""Measures of a Dask array: extremes, counts, and whether a rule holds throughout."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np

import fastremap

from .graphs import no_voxels, require_positions, scalar
from .neighbours import above, below, count_following, equal
from .reductions import FAN_IN, box, reduce_blocks


def minmax(arr: da.Array, *, split_every: int = FAN_IN) -> tuple[da.Array, da.Array] | tuple[None, None]:
    """
    Find the extremes of a Dask array.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    lowest : dask.array.Array, shape ()
        The least label, lazily, in the dtype of `arr`; NaN if there is one. None if `arr` is empty.
    highest : dask.array.Array, shape ()
        The greatest, likewise.

    Raises
    ------
    TypeError
        If `arr` is no Dask array, or its dtype none of those above; nothing is computed.
    ValueError
        When computed, if chunk sizes were unknown and there turn out to be no voxels.

    See Also
    --------
    fastremap.minmax : The same in memory.

    Notes
    -----
    Lazy. One pass over each block, no extra memory beyond a few hundred bytes a block.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> lowest, highest = fastremap_dask.minmax(da.from_array([3, 9, 4], chunks=2))
    >>> print(lowest.compute(), highest.compute())
    3 9
    """
    fastremap.minmax(no_voxels(arr))
    if 0 in arr.shape:
        return None, None
    extremes = reduce_blocks(arr, _extremes_of_block, _merge_extremes, split_every=split_every)
    dtype = arr.dtype.newbyteorder("=")
    lowest, highest = (scalar(partial(_extreme, which=which), extremes, dtype=dtype) for which in (0, 1))
    return lowest, highest


def foreground(arr: da.Array, *, split_every: int = FAN_IN) -> da.Array:
    """
    Count the voxels of a Dask array that are not background, which is 0.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown. -0.0 is background, NaN is not.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array of intp, shape ()
        The number of voxels that are not 0, lazily.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its dtype none of those above; nothing is computed.

    See Also
    --------
    fastremap.foreground : The same in memory.

    Notes
    -----
    Lazy. One pass over each block, no extra memory beyond a few hundred bytes a block.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> print(fastremap_dask.foreground(da.from_array([0, 7, 7, 0, 1], chunks=2)).compute())
    3
    """
    fastremap.foreground(no_voxels(arr))
    counts = reduce_blocks(arr, _foreground_of_block, sum, split_every=split_every)
    return scalar(int, counts, dtype=np.dtype(np.intp))


def pixel_pairs(labels: da.Array, *, split_every: int = FAN_IN) -> da.Array:
    """
    Count the neighbours in C order that have the same label.

    Parameters
    ----------
    labels : dask.array.Array of bool, integers or floats, N-d
        The array, in known chunk sizes.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array of intp, shape ()
        The number of voxels that have the label of the voxel after them, lazily; across the borders of chunks and from
        the end of a line to the beginning of the next as well.

    Raises
    ------
    TypeError
        If `labels` is no Dask array of numpy chunks, or its dtype none of those above; nothing is computed.
    ValueError
        If chunk sizes are unknown; nothing is computed.

    See Also
    --------
    fastremap.pixel_pairs : The same in memory.

    Notes
    -----
    Lazy. One pass over each block with 1 extra byte a voxel (3 for floats), and where the last axis is chunked two
    faces of each block: up to five tasks a block, and trees of merges of a few bytes each.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> print(fastremap_dask.pixel_pairs(da.from_array([7, 7, 7, 1, 1], chunks=2)).compute())
    3
    """
    fastremap.pixel_pairs(no_voxels(labels))
    require_positions(labels, "pixel_pairs")
    return scalar(_total, *count_following(labels, equal, split_every), dtype=np.dtype(np.intp))


def is_solid(arr: da.Array, value: Any = None, *, split_every: int = FAN_IN) -> da.Array:
    """
    Tell whether all voxels of a Dask array have one value.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    value : int or float, optional
        This value; default: whichever the first voxel has.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array of bool, shape ()
        Lazily; True for an empty array.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, its dtype none of those above, or the value no number; nothing is
        computed.

    See Also
    --------
    fastremap.is_solid : The same in memory.

    Notes
    -----
    Lazy. A pass over each block that ends at the first voxel that differs; but every block is made. No extra memory
    beyond a few hundred bytes a block.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> print(fastremap_dask.is_solid(da.from_array([3, 3, 3], chunks=2)).compute())
    True
    """
    fastremap.is_solid(no_voxels(arr), value)
    states = reduce_blocks(arr, _solid_of_block, _merge_solid, split_every=split_every, value=value)
    return scalar(_is_solid, states, dtype=np.dtype(bool))


def is_sorted(arr: da.Array, *, asc: bool = True, split_every: int = FAN_IN) -> da.Array:
    """
    Tell whether the voxels of a Dask array are sorted, in C order.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array, in known chunk sizes.
    asc : bool
        Ascending; otherwise descending. NaN is above all, as `numpy.sort` has it.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array of bool, shape ()
        True if no voxel is above (below) the next one, lazily.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its dtype none of those above; nothing is computed.
    ValueError
        If chunk sizes are unknown; nothing is computed.

    See Also
    --------
    fastremap.is_sorted : The same in memory.

    Notes
    -----
    As `pixel_pairs`: every block is made and passed over.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> print(fastremap_dask.is_sorted(da.from_array([1, 2, 2, 9], chunks=3)).compute())
    True
    """
    fastremap.is_sorted(no_voxels(arr), asc)
    require_positions(arr, "is_sorted")
    return scalar(_none, *count_following(arr, above if asc else below, split_every), dtype=np.dtype(bool))


def _extremes_of_block(block: np.ndarray) -> np.ndarray:
    """Box (lowest, highest) of a block, or None if it is empty."""
    extremes = np.array(fastremap.minmax(block), block.dtype.newbyteorder("=")) if block.size else None
    return box(extremes, block.ndim)


def _merge_extremes(states: list[np.ndarray]) -> np.ndarray:
    lowest, highest = np.transpose(states)
    return np.array([lowest.min(), highest.max()])


def _extreme(extremes: np.ndarray | None, *, which: int) -> np.generic:
    if extremes is None:
        raise ValueError("an array without voxels has no extremes; its chunk sizes were unknown until now")
    return extremes[which]


def _foreground_of_block(block: np.ndarray) -> np.ndarray:
    return box(fastremap.foreground(block), block.ndim)


def _total(*counts: int) -> int:
    return sum(counts)


def _none(*counts: int) -> bool:
    return not any(counts)


def _solid_of_block(block: np.ndarray, *, value: Any) -> np.ndarray:
    """Box whether a block is solid, and its first label if it has one."""
    return box((fastremap.is_solid(block, value), block.reshape(-1)[:1]), block.ndim)


def _merge_solid(states: list[tuple[bool, np.ndarray]]) -> tuple[bool, np.ndarray]:
    firsts = np.concatenate([first for _, first in states])
    return all(solid for solid, _ in states) and fastremap.is_solid(firsts), firsts[:1]


def _is_solid(state: tuple[bool, np.ndarray]) -> bool:
    return state[0]
