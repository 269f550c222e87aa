"""Replacing the labels of a Dask array by others through a table that all blocks share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import fastremap
from fastremap import LabelTable

from .broadcast import SentTable, boxed_table, checked_scratch
from .graphs import map_boxed, no_voxels
from .listed import listed, read_once


def remap(
    arr: da.Array,
    table: Mapping[Any, Any] | tuple[ArrayLike, ArrayLike],
    *,
    preserve_missing_labels: bool = False,
    fill_value: Any = None,
    dtype: DTypeLike | None = None,
    scratch: str | os.PathLike[str] | None = None,
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
    scratch : path-like, optional
        A folder that all workers see, from which they map the table into memory. Needed where the table is larger than
        64 MB or 5 % of a worker's memory; it stays there.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The new labels, lazily; `dtype`, or that of `arr`, widened within its kind if a value of the table needs it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, a dtype none of those above, or a key or value no number; nothing is
        computed.
    ValueError
        If both `preserve_missing_labels` and `fill_value` are given, a value fits neither `dtype` nor any dtype of the
        kind, or the table is too large to be sent and there is no `scratch`; nothing is computed.
    KeyError
        When the result is computed, by the first block that holds a label absent from the table, if neither way out
        is chosen. Its count and its labels are those of that block alone: others may lack more.

    See Also
    --------
    fastremap.remap : The same in memory.

    Notes
    -----
    Per block, time and memory are those of `fastremap.remap`. The table is read once, into a LabelTable, and reaches
    each worker of a cluster about once; the multiprocessing scheduler sends its bytes with each task. With `scratch`,
    or as ``LabelTable.open(folder)`` of a folder that all workers see, only its path travels; Dask's warning of graphs
    of more than 10 MB, or about a million labels, does not come up then.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.remap(da.from_array([1, 2, 2], chunks=2), {1: 5, 2: 6}).compute()
    array([5, 6, 6])
    """
    rules = {"preserve_missing_labels": preserve_missing_labels, "fill_value": fill_value}
    return _remapped(arr, table, dtype, scratch, rules)


def remap_from_array(arr: da.Array, vals: ArrayLike, *, scratch: str | os.PathLike[str] | None = None) -> da.Array:
    """
    Replace every label of a Dask array by the item of an array at its place.

    Parameters
    ----------
    arr : dask.array.Array of bool or integers, N-d
        The array. Its chunk sizes may be unknown.
    vals : array_like of bool or integers, shape (K,)
        New labels. Labels that are negative or not below K are kept.
    scratch : path-like, optional
        As for `remap`.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The new labels, lazily; dtype of `arr`, widened within its kind if an item of `vals` needs it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or a dtype none of those above; nothing is computed.
    ValueError
        If `vals` is not one-dimensional, an item fits no dtype of the kind of `arr`, or `vals` is too large to be sent
        and there is no `scratch`; nothing is computed.

    See Also
    --------
    fastremap.remap_from_array : The same in memory, by default in place.

    Notes
    -----
    As `remap` with the labels 0 to K - 1 as keys.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.remap_from_array(da.from_array([0, 2, 1, 9], chunks=2), [10, 20, 30]).compute()
    array([10, 30, 20,  9])
    """
    apply = partial(fastremap.remap_from_array, vals=vals, in_place=False)
    return _mapped(arr, apply, np.arange(np.size(vals)), preserve_missing_labels=True, scratch=scratch)


def remap_from_array_kv(
    arr: da.Array,
    keys: ArrayLike,
    vals: ArrayLike,
    *,
    preserve_missing_labels: bool = True,
    fill_value: Any = None,
    scratch: str | os.PathLike[str] | None = None,
) -> da.Array:
    """
    Replace labels of a Dask array that are listed by the values listed beside them.

    As `remap` with the table ``(keys, vals)``, but labels that are not listed are **kept by default**.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    keys, vals : array_like, shape (K,)
        Old and new labels. Of a key that is given twice the last value counts.
    preserve_missing_labels : bool
        Keep labels that are not among the keys.
    fill_value : scalar, optional
        What labels that are not among the keys become; needs ``preserve_missing_labels=False``.
    scratch : path-like, optional
        As for `remap`.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The new labels, lazily; dtype as in `remap`.

    Raises
    ------
    TypeError, ValueError, KeyError
        As `remap`.

    See Also
    --------
    fastremap.remap_from_array_kv : The same in memory, by default in place.

    Notes
    -----
    As `remap`.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.remap_from_array_kv(da.from_array([1, 2, 3], chunks=2), [1, 3], [10, 30]).compute()
    array([10,  2, 30])
    """
    rules = {"preserve_missing_labels": preserve_missing_labels, "fill_value": fill_value}
    return _remapped(arr, (keys, vals), None, scratch, rules)


def mask(
    arr: da.Array, labels: Iterable[Any], *, value: Any = 0, scratch: str | os.PathLike[str] | None = None
) -> da.Array:
    """
    Set the listed labels of a Dask array to a value.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    labels : array_like or iterable
        The labels, read exactly; those outside the dtype of `arr` are absent from it.
    value : int or float
        What they become.
    scratch : path-like, optional
        As for `remap`.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The array with the labels replaced, lazily; dtype of `arr`, widened within its kind if `value` needs it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or a label or the value no number; nothing is computed.
    ValueError
        If the value fits no dtype of the kind of `arr`, or the labels are too many to be sent and there is no
        `scratch`; nothing is computed.

    See Also
    --------
    mask_except : Set all labels but the listed ones.
    fastremap.mask : The same in memory.

    Notes
    -----
    As `remap`.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.mask(da.from_array([1, 2, 3, 2], chunks=2), [2, 3]).compute()
    array([1, 0, 0, 0])
    """
    labels = read_once(labels if isinstance(labels, Iterable) else [labels])
    apply = partial(fastremap.mask, labels=labels, value=value)
    return _mapped(arr, apply, labels, preserve_missing_labels=True, scratch=scratch)


def mask_except(
    arr: da.Array, labels: Iterable[Any], *, value: Any = 0, scratch: str | os.PathLike[str] | None = None
) -> da.Array:
    """
    Set all labels of a Dask array but the listed ones to a value.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array. Its chunk sizes may be unknown.
    labels : array_like or iterable
        The labels that stay, read exactly; those outside the dtype of `arr` are absent from it.
    value : int or float
        What all others become.
    scratch : path-like, optional
        As for `remap`.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The array with the labels replaced, lazily; dtype of `arr`, widened within its kind if `value` needs it.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or a label or the value no number; nothing is computed.
    ValueError
        If the value fits no dtype of the kind of `arr`, or the labels are too many to be sent and there is no
        `scratch`; nothing is computed.

    See Also
    --------
    mask : Set the listed labels.
    fastremap.mask_except : The same in memory.

    Notes
    -----
    As `remap`.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.mask_except(da.from_array([1, 2, 3, 2], chunks=2), [2, 3]).compute()
    array([0, 2, 3, 2])
    """
    labels = read_once(labels if isinstance(labels, Iterable) else [labels])
    apply = partial(fastremap.mask_except, labels=labels, value=value)
    return _mapped(arr, apply, labels, fill_value=value, scratch=scratch)


def _remapped(
    arr: da.Array, table: Any, dtype: DTypeLike | None, scratch: str | os.PathLike[str] | None, rules: dict[str, Any]
) -> da.Array:
    """Map by a table as `remap` takes it; the rules are those for labels that are not in it."""
    if isinstance(table, tuple | list) and len(table) == 2:
        table = tuple(map(read_once, table))
    elif isinstance(table, Mapping) and not isinstance(table, LabelTable):
        table = list(table.keys()), list(table.values())
    # Where labels may be missing the table is tried out in a way in which they are no error.
    rule = rules if rules["fill_value"] is not None else {"preserve_missing_labels": True}
    apply = partial(fastremap.remap, table=table, dtype=dtype, **rule)
    keys = table if isinstance(table, LabelTable) else table[0] if isinstance(table, tuple) else ()
    return _mapped(arr, apply, keys, scratch=scratch, **rules)


def _mapped(
    arr: da.Array,
    apply: Callable[[np.ndarray], np.ndarray],
    keys: Any,
    *,
    scratch: str | os.PathLike[str] | None,
    **rules: Any,
) -> da.Array:
    """
    Map each block by one LabelTable.

    `apply` is the function of `fastremap` with its arguments, and `keys` the labels that they list, or the LabelTable
    that they are. What `apply` says to a voxel decides the dtype, whatever the other voxels are, and what it says to
    the keys is the table: so all rules for reading tables and values lie in `fastremap`.
    """
    voxel = no_voxels(arr)
    voxel = np.zeros(1, voxel.dtype) if arr.size else voxel
    dtype = apply(voxel).dtype
    if isinstance(keys, LabelTable):
        table = keys
    else:
        labels = listed(keys, arr.dtype) if arr.size else voxel
        table = LabelTable.from_arrays(labels, apply(labels))
    relabel = partial(_relabel_block, dtype=dtype, **rules)
    return map_boxed(relabel, arr, boxed_table(table, checked_scratch(scratch)), dtype)


def _relabel_block(block: np.ndarray, sent: SentTable, **rules: Any) -> np.ndarray:
    try:
        return fastremap.remap(block, sent.table, **rules)
    except KeyError as error:
        raise KeyError(f"in one block, and others may hold more: {error.args[0]}") from None
