"""Replacing labels by others through a table."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ._arrays import LABELS, NUMBERS, as_array, bits, can_write, is_supported, walk
from ._pairs import Pairs, read_keys, read_pairs, read_values
from .dtypes import check_fits, widened
from .labels import unique

Table = Mapping | tuple[ArrayLike, ArrayLike]


def remap(
    arr: ArrayLike,
    table: Table,
    preserve_missing_labels: bool = False,
    in_place: bool = False,
    *,
    fill_value: int | float | None = None,
    dtype: DTypeLike = None,
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
    Time: O(n) expected for n voxels, and O(k) for k keys. Peak extra bytes: the result unless in place, and 16 to 64 a key; a
    copy of the input if it is strided or byte-swapped, and 17 a voxel for floats. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.remap([[1, 1, 5], [0, 5, 9]], {1: 10, 5: 50}, preserve_missing_labels=True)
    array([[10, 10, 50],
           [ 0, 50,  9]])
    """
    return _remap(arr, table, preserve_missing_labels, in_place, fill_value, dtype)


def _remap(
    arr: ArrayLike,
    table: Table,
    keep: bool,
    in_place: bool,
    fill_value: int | float | None = None,
    dtype: DTypeLike = None,
) -> np.ndarray:
    """`remap`, for the functions that are one."""
    if keep and fill_value is not None:
        raise ValueError(f"preserve_missing_labels=True keeps what fill_value={fill_value} would replace: choose one")
    array = as_array(arr)
    way = walk(array)
    pairs = read_pairs(table, way.flat.dtype)
    fill = None if fill_value is None else read_values([fill_value], way.flat.dtype)[0].item()
    out_dtype = _out_dtype(way.flat, pairs, fill, None if dtype is None else np.dtype(dtype))
    into = way.flat if in_place and can_write(arr, out_dtype, stacklevel=4) else None
    map_labels = _map_floats if way.flat.dtype.kind == "f" else _map_integers
    flat = map_labels(way.flat, pairs, keep, fill, out_dtype, into)
    if into is None:
        return way.shaped(flat)
    if not np.may_share_memory(flat, array):  # a strided view, of which `flat` is a copy
        np.copyto(array, way.shaped(flat))
    return array


def _out_dtype(flat: np.ndarray, pairs: Pairs, fill: int | float | None, wanted: np.dtype | None) -> np.dtype:
    """The dtype of the result, from the table alone."""
    values = pairs.extremes if fill is None else (min(*pairs.extremes, fill), max(*pairs.extremes, fill))
    if wanted is None:
        if flat.dtype.kind == "f":
            return _widened_float(flat.dtype, pairs.values if fill is None else np.append(pairs.values, fill))
        try:
            return widened(flat.dtype, *values)
        except ValueError:
            if flat.size:
                raise
            return flat.dtype
    if not is_supported(wanted, NUMBERS) or (wanted.kind == "f") != (flat.dtype.kind == "f"):
        raise TypeError(f"dtype={wanted} is not supported for labels of {flat.dtype}: labels stay integers or floats")
    if wanted.kind != "f":
        check_fits(wanted, *values)
    return wanted


def _widened_float(dtype: np.dtype, values: np.ndarray) -> np.dtype:
    """The float dtype itself, or the next that holds every value within its range, and integers exactly."""
    for candidate in (dtype, np.dtype(np.float32), np.dtype(np.float64)):
        if candidate.itemsize < dtype.itemsize:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            cast = values.astype(candidate)
        lost = np.isinf(cast) & np.isfinite(values)
        if values.dtype.kind in "iu" or candidate.itemsize < 8:
            integral = values == np.floor(values)
            lost |= integral & (cast.astype(values.dtype) != values)
        if not lost.any():
            return candidate
    raise ValueError(f"the value {values[lost][0]} does not fit float64, the widest dtype of the kind of {dtype}")


def _map_integers(
    flat: np.ndarray,
    pairs: Pairs,
    keep: bool,
    fill: int | None,
    out_dtype: np.dtype,
    into: np.ndarray | None,
) -> np.ndarray:
    if keep and out_dtype != flat.dtype:
        if not np.can_cast(flat.dtype, out_dtype):
            pairs, keep = _with_missing(flat, pairs, out_dtype), False
        else:
            flat = into = flat.astype(out_dtype)
    lookup = pairs.lookup(flat.dtype, out_dtype)
    labels = bits(flat)
    if not keep and fill is None and into is not None and not lookup.covers(labels):
        raise _missing_error(flat, pairs.keys)
    out = np.empty(flat.size, out_dtype) if into is None else into
    if keep:
        lookup.keep(labels, out)
    elif fill is not None:
        lookup.fill(labels, out, fill % 2**64)
    elif not lookup.strict(labels, out):
        raise _missing_error(flat, pairs.keys)
    return out


def _map_floats(
    flat: np.ndarray,
    pairs: Pairs,
    keep: bool,
    fill: float | None,
    out_dtype: np.dtype,
    into: np.ndarray | None,
) -> np.ndarray:
    at = positions(flat, pairs.keys)
    found = at >= 0
    if not keep and fill is None and not found.all():
        raise _missing_error(flat, pairs.keys)
    otherwise = flat if keep else np.array(0 if fill is None else fill, out_dtype)
    values = np.append(pairs.values, 0).astype(out_dtype)  # one more, for the position -1
    out = np.where(found, values[at], otherwise).astype(out_dtype, copy=False)
    if into is None:
        return out
    np.copyto(into, out)
    return into


def positions(flat: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """For every label its place among the keys (the last one if it is given twice), or -1."""
    at = np.empty(flat.size, np.int64)
    identity = Pairs(keys, np.arange(keys.size), (0, 0), {})
    identity.lookup(keys.dtype, at.dtype).fill(bits(flat), at, 2**64 - 1)
    return at


def _with_missing(flat: np.ndarray, pairs: Pairs, out_dtype: np.dtype) -> Pairs:
    """The table with the array's labels that it lacks mapped to themselves, if the dtype of the result holds them."""
    missing = _missing(flat, pairs.keys)
    if missing.size:
        check_fits(out_dtype, int(missing.min()), int(missing.max()), "kept label")
    keys, values = np.append(missing, pairs.keys), np.append(missing.astype(object), pairs.values.astype(object))
    return Pairs(keys, values, pairs.extremes, {})


def _missing(flat: np.ndarray, keys: np.ndarray) -> np.ndarray:
    present = unique(flat)
    return present[positions(present, keys) < 0]


def _missing_error(flat: np.ndarray, keys: np.ndarray) -> KeyError:
    missing = _missing(flat, keys)
    some = ", ".join(str(label) for label in missing[:5]) + (", ..." if missing.size > 5 else "")
    return KeyError(
        f"{missing.size} label(s) of the array are not in the table: {some}; preserve_missing_labels=True keeps such "
        "labels, fill_value= replaces them"
    )


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
    input if it is strided, byte-swapped or widened. Holds no lock.

    Examples
    --------
    >>> import fastremap, numpy as np
    >>> fastremap.remap_from_array(np.array([0, 2, 1, 9]), [10, 20, 30])
    array([10, 30, 20,  9])
    """
    as_array(arr, LABELS)
    values = as_array(vals, LABELS) if np.size(vals) else np.empty(0, np.uint8)
    if values.ndim != 1:
        raise ValueError(f"vals must be one-dimensional; got the shape {values.shape}")
    return _remap(arr, (np.arange(values.size), values), True, in_place)


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
    return _remap(arr, (keys, vals), preserve_missing_labels, in_place, fill_value)

