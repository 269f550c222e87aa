"""Mapping labels through a table that has been taken apart: what `remap`, `mask` and their kin share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _kernels
from ._arrays import as_array, bits, can_write, supported_dtype, walk
from ._pairs import Columns, Pairs, positions, read_values
from .dtypes import require_fit, widened
from .labels import unique

_SMALL_NBYTES = 1 << 20  # of an array that is mapped into another before it is changed


def apply(
    arr: ArrayLike,
    table: Columns,
    keep: bool,
    in_place: bool,
    fill_value: int | float | None = None,
    dtype: DTypeLike | None = None,
) -> np.ndarray:
    """Map the labels of an array by a table."""
    if keep and fill_value is not None:
        raise ValueError(f"preserve_missing_labels=True keeps what fill_value={fill_value} would replace: choose one")
    array = as_array(arr)
    way = walk(array)
    label_dtype, wanted = way.flat.dtype, None if dtype is None else supported_dtype(dtype)
    if not array.size:
        out_dtype = _out_dtype_of_empty(label_dtype, table, fill_value, wanted)
        in_place = in_place and can_write(arr, out_dtype, stacklevel=4)
        return array if in_place else way.shaped(np.empty(0, out_dtype))
    pairs = table.pairs(label_dtype)
    fill = None if fill_value is None else read_values([fill_value], label_dtype)
    out_dtype = _out_dtype(label_dtype, pairs.bounds, fill, wanted)
    into = way.flat if in_place and can_write(arr, out_dtype, stacklevel=4) else None
    integers = "f" not in (label_dtype.kind, out_dtype.kind)
    by_kernel = integers and (not keep or label_dtype == out_dtype or np.can_cast(label_dtype, out_dtype))
    flat = (_map_by_kernel if by_kernel else _map_by_position)(way.flat, pairs, keep, fill, out_dtype, into)
    if into is None:
        return way.shaped(flat)
    if not np.may_share_memory(flat, array):  # of a strided view `flat` is a copy
        np.copyto(array, way.shaped(flat))
    return array


def _out_dtype(dtype: np.dtype, values: np.ndarray, fill: np.ndarray | None, wanted: np.dtype | None) -> np.dtype:
    """The dtype of the result, from the table alone."""
    both = [some for some in (values, fill) if some is not None and some.size]
    if wanted is None:
        return widened(dtype, *both)
    for some in both:
        require_fit(some, wanted)
    return wanted


def _out_dtype_of_empty(dtype: np.dtype, table: Columns, fill_value: Any, wanted: np.dtype | None) -> np.dtype:
    """The dtype of an empty result, which no table can make an error."""
    try:
        fill = None if fill_value is None else read_values([fill_value], dtype)
        return _out_dtype(dtype, table.values(dtype), fill, wanted)
    except (TypeError, ValueError):
        return wanted or dtype


def _map_by_kernel(
    flat: np.ndarray,
    pairs: Pairs,
    keep: bool,
    fill: np.ndarray | None,
    out_dtype: np.dtype,
    into: np.ndarray | None,
) -> np.ndarray:
    """Integers to integers; labels that are kept must fit."""
    if keep and out_dtype != flat.dtype:
        flat = into = flat.astype(out_dtype)
    lookup = pairs.lookup(flat.dtype, out_dtype)
    labels = bits(flat)
    out = np.empty(flat.size, out_dtype) if into is None else into
    if keep:
        lookup.keep(labels, out)
    elif fill is not None:
        lookup.fill(labels, out, int(fill[0]) % 2**64)
    else:
        if into is not None and flat.nbytes <= _SMALL_NBYTES:
            out = np.empty(flat.size, out_dtype)  # to copy costs less than to look for missing labels first
        undo = None if into is None or out is not into else _undo(flat, labels, pairs, lookup)
        done = lookup.strict(labels, out)
        if done < labels.size:
            if undo is not None:
                undo.strict(labels[:done], out[:done])
            raise _missing_error(flat, pairs.keys)
    if into is not None and out is not into:
        np.copyto(into, out)
        return into
    return out


def _undo(flat: np.ndarray, labels: np.ndarray, pairs: Pairs, lookup: _kernels.Lookup) -> _kernels.Lookup | None:
    """What takes a mapping in place back; where that is no table, or a large one, look for missing labels first."""
    undo = pairs.undo(flat.dtype) if flat.size >= 8 * pairs.keys.size else None
    if undo is None and lookup.strict(labels, None) < labels.size:
        raise _missing_error(flat, pairs.keys)
    return undo


def _map_by_position(
    flat: np.ndarray,
    pairs: Pairs,
    keep: bool,
    fill: np.ndarray | None,
    out_dtype: np.dtype,
    into: np.ndarray | None,
) -> np.ndarray:
    """Any dtype to any dtype, through the place of each label among the keys."""
    at = positions(flat, pairs.keys)
    found = at >= 0
    if keep:
        require_fit(unique(flat[~found]), out_dtype, "kept label")
    elif fill is None and not found.all():
        raise _missing_error(flat, pairs.keys)
    otherwise = flat if keep else np.zeros(1, out_dtype) if fill is None else fill
    values = flat if pairs.values is None else np.append(pairs.values, pairs.values.dtype.type(0))[at]
    with np.errstate(invalid="ignore"):  # casts of what is not chosen
        out = np.where(found, values.astype(out_dtype), otherwise.astype(out_dtype))
    if into is None:
        return out
    np.copyto(into, out)
    return into


def _missing_error(flat: np.ndarray, keys: np.ndarray) -> KeyError:
    present = unique(flat)
    missing = present[positions(present, keys) < 0]
    some = ", ".join(str(label) for label in missing[:5]) + (", ..." if missing.size > 5 else "")
    return KeyError(
        f"{missing.size} label(s) of the array are not in the table: {some}; preserve_missing_labels=True keeps such "
        "labels, fill_value= replaces them"
    )
