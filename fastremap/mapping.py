"""Replacing labels by others through a table."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _kernels
from ._apply import apply
from ._arrays import LABELS, as_array
from ._pairs import Columns, table_columns

Table = Mapping[Any, Any] | tuple[ArrayLike, ArrayLike]


def remap(
    arr: ArrayLike,
    table: Table,
    preserve_missing_labels: bool = False,
    in_place: bool = False,
    *,
    fill_value: int | float | None = None,
    dtype: DTypeLike | None = None,
) -> np.ndarray:
    """Replace every label of an array by the value that a table gives it.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    table : Mapping, LabelTable or (keys, values)
        Old label to new label. Labels are read exactly; those outside the array's dtype are absent from it. Of a
        key that is given twice the last value counts. A LabelTable is built once and used for many arrays.
    preserve_missing_labels : bool
        Keep labels that are not in the table.
    in_place : bool
        Write into `arr`; where that cannot be, an `InPlaceWarning` tells why and a new array is returned.
    fill_value : int or float, optional
        Set labels that are not in the table to this.
    dtype : dtype, optional
        Of the result. Default: that of `arr`, widened within its kind if a value of the table or `fill_value` needs
        it, whatever the voxels hold.

    Returns
    -------
    numpy.ndarray
        The new labels, in the shape and memory order of the input; `arr` itself if written in place.

    Raises
    ------
    KeyError
        If labels are missing from the table, and neither to be kept nor filled. Nothing is written.
    TypeError
        If a dtype is not supported, or a key or value is no number. Nothing is written.
    ValueError
        If a value does not fit the dtype, if both rules for missing labels are given, or if keys and values differ in
        number. Nothing is written.

    Notes
    -----
    Time: O(n) expected for n voxels, and O(k) for k keys. Peak extra bytes: the result unless in place, and 16 to
    128 a key; a copy of the input if it is strided, unaligned or byte-swapped, and 17 a voxel for floats. Holds no
    lock. In place a missing label may be met half-way; what was written until then is taken back before the error
    (arrays of up to 1 MiB are mapped into another one first).

    Examples
    --------
    >>> import fastremap
    >>> fastremap.remap([[1, 1, 5], [0, 5, 9]], {1: 10, 5: 50}, preserve_missing_labels=True)
    array([[10, 10, 50],
           [ 0, 50,  9]])
    """
    return apply(arr, table_columns(table), preserve_missing_labels, in_place, fill_value, dtype)


def remap_from_array(arr: ArrayLike, vals: ArrayLike, in_place: bool = True) -> np.ndarray:
    """Replace every label by the item of an array at its place: ``arr[i] = vals[arr[i]]``.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool or integer dtype.
    vals : array_like
        (k,) new labels, of bool or integer dtype. Labels that are negative or not below k are kept.
    in_place : bool
        Write into `arr`, which is the default; where that cannot be, an `InPlaceWarning` tells why and a new array is
        returned.

    Returns
    -------
    numpy.ndarray
        The new labels; dtype of `arr`, widened within its kind if an item of `vals` needs it.

    Raises
    ------
    TypeError
        If a dtype is not supported. Nothing is written.
    ValueError
        If `vals` is not one-dimensional, or an item fits no dtype of the kind of `arr`. Nothing is written.

    Notes
    -----
    Time: O(n + k). Peak extra bytes: 10 to 17 for each item of `vals`, and the result unless in place; a copy of the
    input if it is strided, unaligned, byte-swapped or widened. Holds no lock.

    Examples
    --------
    >>> import fastremap, numpy as np
    >>> fastremap.remap_from_array(np.array([0, 2, 1, 9]), [10, 20, 30])
    array([10, 30, 20,  9])
    """
    if in_place and _kernels.take(arr, vals):
        return arr
    as_array(arr, LABELS)
    values = as_array(vals, LABELS) if np.size(vals) else np.empty(0, np.uint8)
    if values.ndim != 1:
        raise ValueError(f"vals must be one-dimensional; got the shape {values.shape}")
    return apply(arr, Columns(np.arange(values.size), values, {}), True, in_place)


def remap_from_array_kv(
    arr: ArrayLike,
    keys: ArrayLike,
    vals: ArrayLike,
    preserve_missing_labels: bool = True,
    in_place: bool = True,
    *,
    fill_value: int | float | None = None,
) -> np.ndarray:
    """Replace labels that are listed by the values listed beside them.

    As `remap` with the table ``(keys, vals)``, but labels that are not listed are **kept by default**, and the
    default is to write in place.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    keys, vals : array_like
        (k,) old and new labels. Of a key that is given twice the last value counts.
    preserve_missing_labels : bool
        Keep labels that are not among the keys.
    in_place : bool
        Write into `arr`; where that cannot be, an `InPlaceWarning` tells why and a new array is returned.
    fill_value : int or float, optional
        Set labels that are not among the keys to this; needs ``preserve_missing_labels=False``.

    Returns
    -------
    numpy.ndarray
        The new labels; dtype as in `remap`.

    Raises
    ------
    KeyError, TypeError, ValueError
        As `remap`. Nothing is written.

    Notes
    -----
    Time, memory and threads as `remap`.

    Examples
    --------
    >>> import fastremap, numpy as np
    >>> fastremap.remap_from_array_kv(np.array([1, 2, 3]), [1, 3], [10, 30])
    array([10,  2, 30])
    """
    if in_place and preserve_missing_labels and fill_value is None and _kernels.replace(arr, keys, vals):
        return arr
    return apply(arr, table_columns((keys, vals)), preserve_missing_labels, in_place, fill_value)


def mask(arr: ArrayLike, labels: Iterable[Any], in_place: bool = False, value: int | float = 0) -> np.ndarray:
    """Set the listed labels to a value.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    labels : array_like or iterable
        The labels, read exactly; those outside the array's dtype are absent from it.
    in_place : bool
        Write into `arr`; where that cannot be, an `InPlaceWarning` tells why and a new array is returned.
    value : int or float
        What they become.

    Returns
    -------
    numpy.ndarray
        The array with the labels replaced; dtype of `arr`, widened within its kind if `value` needs it.

    Raises
    ------
    TypeError, ValueError
        If a label or the value is no number, or the value fits no dtype of the kind of `arr`. Nothing is written.

    See Also
    --------
    mask_except : Set all labels but the listed ones.

    Notes
    -----
    Time, memory and threads as `remap`.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.mask([1, 2, 3, 2], [2, 3])
    array([1, 0, 0, 0])
    """
    return apply(arr, Columns(labels, [value], {}), True, in_place)


def mask_except(arr: ArrayLike, labels: Iterable[Any], in_place: bool = False, value: int | float = 0) -> np.ndarray:
    """Set all labels but the listed ones to a value.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    labels : array_like or iterable
        The labels that stay, read exactly; those outside the array's dtype are absent from it.
    in_place : bool
        Write into `arr`; where that cannot be, an `InPlaceWarning` tells why and a new array is returned.
    value : int or float
        What all others become.

    Returns
    -------
    numpy.ndarray
        The array with the labels replaced; dtype of `arr`, widened within its kind if `value` needs it.

    Raises
    ------
    TypeError, ValueError
        If a label or the value is no number, or the value fits no dtype of the kind of `arr`. Nothing is written.

    See Also
    --------
    mask : Set the listed labels.

    Notes
    -----
    Time, memory and threads as `remap`.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.mask_except([1, 2, 3, 2], [2, 3])
    array([0, 2, 3, 2])
    """
    return apply(arr, Columns(labels, None, {}), False, in_place, value)
