"""The functions of `fastremap` for Dask arrays: one pass over the blocks, or a pass for the table and one that maps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import fastremap
from fastremap import LabelTable

from . import blocks
from .graphs import LazyTable, boxed_table, column, exact_table, map_table, no_voxels, read_apart, require_positions
from .reductions import FAN_IN, reduce_blocks, unbox
from .states import labels_in_order, merge


def unique(
    labels: da.Array,
    *,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    split_every: int = FAN_IN,
) -> da.Array | tuple[da.Array, ...]:
    """
    Find the distinct labels of a Dask array.

    Parameters
    ----------
    labels : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown unless `return_index` is asked for.
    return_index : bool
        Also return the C-order index of the first voxel of each label.
    return_inverse : bool
        Also return for each voxel the position of its label among the distinct ones.
    return_counts : bool
        Also return the number of voxels of each label.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    values : dask.array.Array, shape (nan,)
        Distinct labels, ascending, in one chunk, in the dtype of `labels`; NaNs are one label.
    index : dask.array.Array of intp, shape (nan,)
        If asked for.
    inverse : dask.array.Array of intp, shape and chunks of `labels`
        If asked for.
    counts : dask.array.Array of intp, shape (nan,)
        If asked for.

    Raises
    ------
    TypeError
        If `labels` is no Dask array, or its dtype none of those above; nothing is computed.
    ValueError
        If `return_index` is asked of unknown chunk sizes; nothing is computed.
    NotImplementedError
        If `return_inverse` is asked in Dask's array-expression mode; nothing is computed.

    See Also
    --------
    fastremap.unique : The same in memory.

    Notes
    -----
    Lazy. Time is that of `fastremap.unique` on each block, one task a block, and a tree of merges. A merge holds at
    most `split_every` states of 8 to 24 bytes a label, and while it runs 32 to 56 bytes a label more. With
    `return_inverse` the source is computed twice, so that it need not be kept between the two passes.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> values, counts = fastremap_dask.unique(da.from_array([7, 0, 7], chunks=2), return_counts=True)
    >>> print(values.compute(), counts.compute())
    [0 7] [1 2]
    """
    values_dtype = fastremap.unique(no_voxels(labels)).dtype
    if return_index:
        require_positions(labels, "return_index=True")
    parts = reduce_blocks(
        read_apart(labels, "return_inverse=True") if return_inverse else labels,
        blocks.state_of_block,
        merge,
        finish=partial(blocks.parts_of_unique, inverse=return_inverse),
        split_every=split_every,
        counts=return_counts,
        first=return_index,
    )
    asked = {"values": True, "index": return_index, "inverse": return_inverse, "counts": return_counts}
    results = [
        map_table(blocks.inverse_of_block, labels, parts, np.dtype(np.intp))
        if name == "inverse"
        else column(parts, name, values_dtype if name == "values" else np.dtype(np.intp))
        for name, wanted in asked.items()
        if wanted
    ]
    return results[0] if len(results) == 1 else tuple(results)


def renumber(
    arr: da.Array,
    *,
    start: int = 1,
    preserve_zero: bool = True,
    order: str = "first",
    dtype: DTypeLike | None = None,
    split_every: int = FAN_IN,
) -> tuple[da.Array, LabelTable | LazyTable]:
    """
    Give the labels of a Dask array new ids without gaps.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown with ``order="sorted"``.
    start : int
        The first id.
    preserve_zero : bool
        Keep 0 as 0; the table then holds 0 whether or not it occurs.
    order : {"first", "sorted"}
        Give out ids by C-order index of the first voxel, or by label.
    dtype : dtype, optional
        Dtype of the result. Without it, the labels are computed once, at once, to choose the dtype.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    array : dask.array.Array, shape and chunks of `arr`
        The ids, lazily; `dtype`, or the smallest dtype of the kind of `arr` whose maximum is greater than every id.
    table : LabelTable
        Old label to id; if `dtype` is given, an object whose `compute()` returns it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array, or its dtype none of those above; nothing is computed.
    ValueError
        If positions are needed and chunk sizes unknown; nothing is computed. If an id does not fit 64 bits or
        `dtype`, is negative for unsigned labels, or is 0 while 0 is kept: at once without `dtype`, else when the
        result is computed; nothing is written.
    NotImplementedError
        If `dtype` is given in Dask's array-expression mode; nothing is computed.

    See Also
    --------
    fastremap.renumber : The same in memory.

    Notes
    -----
    The source is computed twice, once for the table and once to be mapped, so that it need not be kept between.
    Per block, time and memory are those of `fastremap.unique` with the index and of `fastremap.remap`. A merge holds
    at most `split_every` states of up to 16 bytes a label, and while it runs 48 bytes a label more. The table reaches
    each worker of a cluster about once; the multiprocessing scheduler sends it with each task.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> array, table = fastremap_dask.renumber(da.from_array([70, 0, 70, 9], chunks=2))
    >>> print(array.compute(), array.dtype, table.to_dict())
    [1 0 1 2] int8 {0: 0, 9: 2, 70: 1}
    """
    rules = {"start": start, "preserve_zero": preserve_zero, "order": order, "dtype": dtype}
    ids, _ = fastremap.renumber(no_voxels(arr), **rules)
    if order == "first":
        require_positions(arr, 'order="first"')
    states = {"make": blocks.state_of_block, "merge": merge, "split_every": split_every, "first": order == "first"}
    if dtype is not None:
        boxed = reduce_blocks(read_apart(arr, "dtype="), finish=partial(blocks.table_of_state, **rules), **states)
        table = LazyTable(boxed)
    else:
        state = unbox(reduce_blocks(arr, **states).compute())
        ids, table = fastremap.renumber(labels_in_order(state, order), **rules, mapping="table")
        boxed = boxed_table(table)
    return map_table(partial(blocks.ids_of_block, dtype=ids.dtype), arr, boxed, ids.dtype), table


def remap(
    arr: da.Array,
    table: Mapping[Any, Any] | tuple[ArrayLike, ArrayLike],
    *,
    preserve_missing_labels: bool = False,
    fill_value: Any = None,
    dtype: DTypeLike | None = None,
) -> da.Array:
    """
    Replace the labels of a Dask array by a table.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    table : Mapping, LabelTable, or pair of arrays (keys, values)
        Old label to new.
    preserve_missing_labels : bool
        Keep labels that are not in the table.
    fill_value : scalar, optional
        What labels that are not in the table become.
    dtype : dtype, optional
        Dtype of the result.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The new labels, lazily; `dtype`, or that of `arr`, widened within its kind if a value of the table needs it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array, or its dtype none of those above; nothing is computed.
    ValueError
        If both `preserve_missing_labels` and `fill_value` are given, or a value fits neither `dtype` nor any dtype of
        the kind; nothing is computed.
    KeyError
        When the result is computed, by the first block that holds a label absent from the table, if neither way out
        is chosen; it counts the missing labels of that block; nothing is written.

    See Also
    --------
    fastremap.remap : The same in memory.

    Notes
    -----
    Per block, time and memory are those of `fastremap.remap`. The table reaches each worker of a cluster about once;
    the multiprocessing scheduler sends it with each task. A large one is best given as ``LabelTable.open(folder)``,
    the folder being seen by all workers: then only its path travels.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.remap(da.from_array([1, 2, 2], chunks=2), {1: 5, 2: 6}).compute()
    array([5, 6, 6])
    """
    rules = {"preserve_missing_labels": preserve_missing_labels, "fill_value": fill_value}
    ways_out = rules if fill_value is not None else {"preserve_missing_labels": True}
    probe = no_voxels(arr)
    if arr.size > 0:  # not so for unknown sizes, which are nan
        probe = np.zeros(1, arr.dtype)
    dtype = fastremap.remap(probe, table, **ways_out, dtype=dtype).dtype  # of the table alone, whatever the voxels
    relabel = partial(blocks.relabel_block, **rules, dtype=dtype)
    return map_table(relabel, arr, boxed_table(exact_table(table, arr)), dtype)


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
    extremes = reduce_blocks(arr, blocks.extremes_of_block, blocks.merge_extremes, split_every=split_every)
    dtype = arr.dtype.newbyteorder("=")
    lowest, highest = (
        da.map_blocks(blocks.extreme, extremes, which=which, dtype=dtype, meta=np.empty((), dtype)) for which in (0, 1)
    )
    return lowest, highest
