"""Casting a Dask array to the smallest dtype that holds it."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import DTypeLike

import fastremap

from .graphs import map_same, no_voxels
from .reductions import FAN_IN, box, reduce_blocks, unbox


def refit(
    arr: da.Array,
    *,
    value: Any = None,
    increase_only: bool = False,
    exotics: bool = False,
    dtype: DTypeLike | None = None,
    split_every: int = FAN_IN,
) -> da.Array:
    """
    Cast a Dask array to the smallest dtype of its kind that holds it.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers, floats or complex numbers, N-d
        The array. Its chunk sizes may be unknown.
    value : number, optional
        Fit this value instead of the array's extremes; then nothing is computed yet.
    increase_only : bool
        Never narrow.
    exotics : bool
        Admit float16 and complex128.
    dtype : dtype, optional
        Cast to this one, which must be of the kind of `arr`; then nothing is computed yet, and the other rules are not
        asked.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The cast array, lazily; `arr` itself if it has the dtype. bool stays bool; an empty array takes the smallest
        dtype, or that of `value`.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, its dtype none of those above, `value` no number, or `dtype` of
        another kind; nothing is computed.
    ValueError
        If no dtype of the kind holds `value`; nothing is computed. If a voxel does not fit the dtype for `value`, or
        `dtype`: when computed.

    See Also
    --------
    fastremap.refit : The same in memory.

    Notes
    -----
    Without `value` and `dtype` the array is computed once, at once, to find its extremes: in one task a block, as
    `fastremap.refit` does, and a tree of merges of a few bytes each.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.refit(da.from_array([1, 300], chunks=1)).dtype
    dtype('int16')
    """
    empty = no_voxels(arr)
    rules = {"value": value, "increase_only": increase_only, "exotics": exotics}
    if dtype is not None:
        rules = {"value": _greatest(empty.dtype, np.dtype(dtype)), "exotics": True}
    wanted = fastremap.refit(empty, **rules).dtype
    if arr.dtype.kind == "b":
        return arr
    if rules["value"] is None:
        found = reduce_blocks(arr, _dtype_of_block, _widest, split_every=split_every, rules=rules)
        wanted = unbox(found.compute())
        if wanted == arr.dtype:
            return arr
        return map_same(partial(_cast, to=wanted), arr, dtype=wanted)
    return map_same(partial(fastremap.refit, **rules), arr, dtype=wanted)


def _greatest(of: np.dtype, dtype: np.dtype) -> Any:
    """Return the greatest number of a dtype, which that dtype alone fits best; it must be of the kind of another."""
    if dtype.kind != of.kind:
        raise TypeError(f"dtype={dtype} is of another kind than the array, which is {of}: refit keeps the kind")
    if dtype.kind == "b":
        return True
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type(np.finfo(dtype).max).item()


def _dtype_of_block(block: np.ndarray, *, rules: dict[str, Any]) -> np.ndarray:
    return box(fastremap.refit(block, **rules).dtype.newbyteorder("="), block.ndim)


def _widest(dtypes: list[np.dtype]) -> np.dtype:
    """Merge: what holds one block's extremes and another's holds those of both."""
    return max(dtypes, key=lambda dtype: dtype.itemsize)


def _cast(block: np.ndarray, *, to: np.dtype) -> np.ndarray:
    return block.astype(to, copy=False)
