"""The labels of a Dask array: which there are, and giving them new ids. A pass for the table, then one that maps."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Literal, TypedDict, Unpack, overload

import dask.array as da
import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import DTypeLike

import fastremap
from fastremap import LabelTable

from .broadcast import SentTable, boxed_table, checked_scratch, packed
from .distinct import boxed_state, distinct_labels, ids_of_block
from .graphs import map_boxed, no_voxels, read_apart, require_positions
from .lazy import Lazy
from .reductions import FAN_IN, unbox
from .rows import unique_slices
from .states import LabelState, labels_in_order


class _UniqueOptions(TypedDict, total=False):
    axis: int | None
    equal_nan: bool
    sorted: bool
    split_every: int
    scratch: str | os.PathLike[str] | None


class _RenumberOptions(TypedDict, total=False):
    start: int
    preserve_zero: bool
    order: str
    split_every: int
    scratch: str | os.PathLike[str] | None


_Yes = Literal[True]
_Two = tuple[da.Array, da.Array]
_Three = tuple[da.Array, da.Array, da.Array]
_Four = tuple[da.Array, da.Array, da.Array, da.Array]


@overload
def unique(labels: da.Array, **options: Unpack[_UniqueOptions]) -> da.Array: ...
@overload
def unique(labels: da.Array, *, return_index: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(labels: da.Array, *, return_inverse: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(labels: da.Array, *, return_counts: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(
    labels: da.Array, *, return_index: _Yes, return_inverse: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: da.Array, *, return_index: _Yes, return_counts: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: da.Array, *, return_inverse: _Yes, return_counts: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: da.Array,
    *,
    return_index: _Yes,
    return_inverse: _Yes,
    return_counts: _Yes,
    **options: Unpack[_UniqueOptions],
) -> _Four: ...
@overload
def unique(
    labels: da.Array,
    *,
    return_index: bool = ...,
    return_inverse: bool = ...,
    return_counts: bool = ...,
    **options: Unpack[_UniqueOptions],
) -> Any: ...
def unique(
    labels: da.Array,
    *,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    equal_nan: bool = True,
    sorted: bool = True,
    split_every: int = FAN_IN,
    scratch: str | os.PathLike[str] | None = None,
) -> Any:
    """
    Find the distinct labels of a Dask array.

    Parameters
    ----------
    labels : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown unless positions matter, which they do for `return_index`, with
        ``sorted=False``, and for the inverse of NaNs with ``equal_nan=False``.
    return_index : bool
        Also return the C-order index of the first voxel of each label.
    return_inverse : bool
        Also return for each voxel the position of its label among the distinct ones.
    return_counts : bool
        Also return the number of voxels of each label.
    axis : int, optional
        Find distinct slices along an axis instead, of an array of bool or integers in known chunk sizes. Each block
        must hold whole slices, so all other axes are joined; it is meant for lists of edges or coordinates.
    equal_nan : bool
        All NaNs are one label; otherwise each is a label of its own, in the order of their index.
    sorted : bool
        Ascending labels; otherwise they come in the order of the index of their first voxel.
    split_every : int
        The most states that one task merges, at least 2.
    scratch : path-like, optional
        For `return_inverse`: a folder that all workers see, from which they map the table label to position into
        memory. Needed where that is larger than 64 MB or 5 % of a worker's memory; it stays there.

    Returns
    -------
    values : dask.array.Array, shape (nan,)
        Distinct labels in one chunk, in the dtype of `labels`.
    index : dask.array.Array of intp, shape (nan,)
        If asked for.
    inverse : dask.array.Array of intp, shape and chunks of `labels`
        If asked for.
    counts : dask.array.Array of intp, shape (nan,)
        If asked for.

    Raises
    ------
    TypeError
        If `labels` is no Dask array of numpy chunks; nothing is computed.
    ValueError
        If positions matter and chunk sizes are unknown; nothing is computed. If the table for the inverse is too large
        to be sent and there is no `scratch`: when computed.
    NotImplementedError
        If `axis` is given for floats, if NaNs of a complex array are to be told apart, or if `axis` or `return_inverse`
        is asked in Dask's array-expression mode; nothing is computed.

    See Also
    --------
    fastremap.unique : The same in memory.

    Notes
    -----
    Lazy. Time is that of `fastremap.unique` on each block, one task a block, and a tree of merges. A merge holds at
    most `split_every` states of 8 to 24 bytes a label, and while it runs 32 to 56 bytes a label more; with
    ``equal_nan=False`` also 16 bytes for each NaN. With `return_inverse` the source is computed twice, so that it
    need not be kept between the two passes.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> values, counts = fastremap_dask.unique(da.from_array([7, 0, 7], chunks=2), return_counts=True)
    >>> print(values.compute(), counts.compute())
    [0 7] [1 2]
    """
    no_voxels(labels)
    asked = {"values": True, "index": return_index, "inverse": return_inverse, "counts": return_counts}
    wanted = [name for name, is_wanted in asked.items() if is_wanted]
    if axis is not None:
        axis = normalize_axis_index(axis, labels.ndim)
    if axis is None or labels.ndim == 1:  # the slices of a single axis are the labels themselves
        parts = distinct_labels(labels, wanted, equal_nan, sorted, split_every, checked_scratch(scratch))
    else:
        parts = unique_slices(labels, axis, wanted, in_order=sorted, split_every=split_every)
    return parts[0] if len(parts) == 1 else tuple(parts)


@overload
def renumber(
    arr: da.Array, *, dtype: None = ..., **options: Unpack[_RenumberOptions]
) -> tuple[da.Array, LabelTable]: ...
@overload
def renumber(arr: da.Array, *, dtype: DTypeLike, **options: Unpack[_RenumberOptions]) -> tuple[da.Array, Lazy]: ...
def renumber(
    arr: da.Array,
    *,
    start: int = 1,
    preserve_zero: bool = True,
    order: str = "first",
    dtype: DTypeLike | None = None,
    split_every: int = FAN_IN,
    scratch: str | os.PathLike[str] | None = None,
) -> tuple[da.Array, LabelTable | Lazy]:
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
    scratch : path-like, optional
        A folder that all workers see, from which they map the table into memory. Needed where the table is larger than
        64 MB or 5 % of a worker's memory; it stays there.

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
        `dtype`, is negative for unsigned labels, or is 0 while 0 is kept, or if the table is too large to be sent and
        there is no `scratch`: at once without `dtype`, else when the result is computed; nothing is written.
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
    each worker of a cluster about once; the multiprocessing scheduler sends its bytes, or its path in `scratch`, with
    each task.

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
    scratch = checked_scratch(scratch)
    wanted = {"split_every": split_every, "first": order == "first"}
    if dtype is not None:
        finish = partial(_table_of_state, **rules, scratch=scratch)
        boxed = boxed_state(read_apart(arr, "dtype="), finish=finish, **wanted)
        table = Lazy(boxed, _table_in_box, "LabelTable")
    else:
        state = unbox(boxed_state(arr, **wanted).compute())
        ids, table = fastremap.renumber(labels_in_order(state, order), **rules, mapping="table")
        boxed = boxed_table(table, scratch)
    return map_boxed(partial(ids_of_block, dtype=ids.dtype), arr, boxed, ids.dtype), table


def _table_of_state(state: LabelState, *, order: str, scratch: str | None, **rules: Any) -> SentTable:
    """Give out ids."""
    ordered = labels_in_order(state, order)
    return packed(fastremap.renumber(ordered, order=order, mapping="table", **rules)[1], scratch)


def _table_in_box(boxed: np.ndarray) -> LabelTable:
    return unbox(boxed).table
