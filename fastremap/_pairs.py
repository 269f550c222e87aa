"""Reading tables, label lists and values exactly: integers never pass through float64."""

import operator
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from . import _kernels
from ._arrays import NUMBERS, as_array, bits, cast, integer_array, is_supported, native
from .dtypes import all_fit, bounds, extremes, fits, ladder, require_fit
from .labels import unique
from .table import LabelTable

_NOTHING = np.empty(0, np.int64)


class Pairs(NamedTuple):
    """A table as arrays: keys of the labels' dtype, and the value of each."""

    keys: np.ndarray  # (k,) of the labels' dtype; keys that this dtype cannot hold are left out
    values: np.ndarray | None  # (k,) integers, or floats where the labels are floats; None: the keys themselves
    bounds: np.ndarray  # the values that decide the dtype of the result, those of left-out keys included
    cache: dict[Any, Any]  # what was built from the table, kept with a LabelTable

    def lookup(self, dtype: np.dtype, out_dtype: np.dtype) -> _kernels.Lookup:
        """The kernel's table for labels and values cast to these dtypes; of equal keys the last counts."""
        lookup: _kernels.Lookup | None = self.cache.get((dtype, out_dtype))
        if lookup is None:
            values = self.keys if self.values is None else self.values
            lookup = _kernels.Lookup(bits(cast(self.keys, dtype)), cast(values, out_dtype))
            self.cache[dtype, out_dtype] = lookup
        return lookup

    def undo(self, dtype: np.dtype) -> _kernels.Lookup | None:
        """The kernel's table from values back to labels of this dtype, or None where two labels share a value."""
        name = (dtype, "undo")
        if name not in self.cache:
            values = cast(self.keys if self.values is None else self.values, dtype)
            is_one_to_one = unique(values).size == values.size
            self.cache[name] = _kernels.Lookup(bits(values), bits(cast(self.keys, dtype))) if is_one_to_one else None
        undo: _kernels.Lookup | None = self.cache[name]
        return undo


def positions(labels: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """For every label its place among the keys (the last one if it is there twice), or -1."""
    at = np.empty(labels.size, np.int64)
    identity = Pairs(keys, np.arange(keys.size), at[:0], {})
    identity.lookup(keys.dtype, at.dtype).fill(bits(labels), at, 2**64 - 1)
    return at


class Columns(NamedTuple):
    """A table as it was given: old and new labels, unread, in equal number."""

    old: Any
    new: Any  # None: the old labels themselves
    cache: dict[Any, Any]

    def pairs(self, dtype: np.dtype) -> Pairs:
        """Read the table for labels of a dtype.

        Raises
        ------
        TypeError
            If a key or value is no number.
        ValueError
            If a value is fractional, or fits no 64-bit integer, for integer labels.
        """
        if dtype not in self.cache:
            keys, kept = read_keys(self.old, dtype)
            values = self.values(dtype)
            if self.new is None:
                self.cache[dtype] = Pairs(keys, None, values, {})
            else:
                bounds = values
                if dtype.kind != "f" and values.size > 2:
                    bounds = np.array(extremes(values), values.dtype)
                if values.dtype.kind == "O":  # integers among the floats
                    require_fit(values, np.dtype(np.float64))
                    values = values.astype(np.float64)
                n_read = keys.size if kept is None else kept.size
                if values.size != n_read:  # one value for all keys
                    values = values.repeat(n_read)
                if kept is not None:
                    values = values[kept]
                self.cache[dtype] = Pairs(keys, values, bounds, {})
        pairs: Pairs = self.cache[dtype]
        return pairs

    def values(self, dtype: np.dtype) -> np.ndarray:
        """Read the new labels."""
        return _NOTHING if self.new is None else read_values(self.new, dtype)


def table_columns(table: Any) -> Columns:
    """Take a Mapping, a LabelTable or a pair (keys, values) apart.

    Raises
    ------
    TypeError
        If the table is none of these.
    ValueError
        If keys and values differ in number.
    """
    if type(table) is dict:  # asked first, since to ask the others takes as long as all the rest
        return Columns(list(table.keys()), list(table.values()), {})
    if isinstance(table, LabelTable):
        return Columns(table.old, table.new, table._built)
    if isinstance(table, Mapping):
        return Columns(list(table.keys()), list(table.values()), {})
    if not (isinstance(table, tuple | list) and len(table) == 2):
        raise TypeError(
            f"a table is a mapping, a LabelTable or a pair of arrays (keys, values); got {type(table).__name__}"
        )
    old, new = (part if isinstance(part, np.ndarray) else list(part) for part in table)
    n_old, n_new = (part.size if isinstance(part, np.ndarray) else len(part) for part in (old, new))
    if n_old != n_new:
        raise ValueError(f"a table needs as many values as keys; got {n_old} keys and {n_new} values")
    return Columns(old, new, {})


def read_keys(items: Any, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray | None]:
    """Read labels as an array of a dtype, without those that it cannot hold; and which were kept, unless all were.

    For a float dtype labels are rounded to it; for an integer dtype an integral float counts as its integer.
    """
    if type(items) is list and dtype.kind in "iu":
        keys = np.empty(len(items), dtype)
        if _kernels.read_integers(items, keys):
            return keys, None
    array = _plain_array(items, "a label")
    if array.dtype.kind in "iu" and dtype.kind in "iu" and array.size and all_fit(array, dtype):
        return cast(array, dtype), None
    usable = np.ones(array.size, bool)
    if array.dtype.kind == "O":
        usable = np.array([_is_usable(label, dtype) for label in array], bool)
        read, wide = (float, np.float64) if dtype.kind == "f" else (int, ladder(dtype)[-1])
        array = np.array([read(label) for label in array[usable]], wide)
    if dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            keys = array.astype(dtype)
        kept = np.isfinite(keys) | ~np.isfinite(array)
    else:
        keys, kept = array, fits(array, dtype)
    keys = (keys if kept.all() else keys[kept]).astype(dtype, copy=False)
    usable[usable] = kept
    return keys, usable


def read_label(label: Any, dtype: np.dtype) -> int | None:
    """Read one label as the bits that it has in an array of a dtype, or None if this cannot hold it."""
    if type(label) is int and dtype.kind != "f":
        low, high = bounds(dtype)
        return label % 2 ** (8 * dtype.itemsize) if low <= label <= high else None
    keys, _ = read_keys([label], dtype)
    return int(bits(keys)[0]) if keys.size else None


def _is_usable(label: int | float, dtype: np.dtype) -> bool:
    """Tell whether a label of a mixed list can be cast to the widest dtype of a kind."""
    if dtype.kind == "f":
        return isinstance(label, float) or abs(label) <= sys.float_info.max
    low, high = bounds(dtype)
    return _is_integer(label) and low <= label <= high


def read_values(items: Any, dtype: np.dtype) -> np.ndarray:
    """Read new labels for labels of a dtype: integers exactly, floats only where the labels are floats.

    Where they mix for float labels the array has dtype object.
    """
    array = _plain_array(items, "a value")
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind in "iu" or (dtype.kind == "f" and array.dtype.kind == "f"):
        return array
    if dtype.kind == "f":
        return array
    numbers = array.tolist()
    for number in numbers:
        if not _is_integer(number):
            raise ValueError(f"the value {number} is no integer, and the labels are of dtype {dtype}")
    return integer_array([int(number) for number in numbers], "the values")


def _is_integer(number: int | float) -> bool:
    return isinstance(number, int) or number.is_integer()


def _plain_array(items: Any, what: str) -> np.ndarray:
    """A flat array of bools, integers or floats; of Python numbers (dtype object) where they mix or exceed 64 bits."""
    if isinstance(items, np.ndarray):
        array = np.ascontiguousarray(native(as_array(items, kinds=None)).reshape(-1))
        if is_supported(array.dtype, NUMBERS):
            return array
        items = array.tolist()
    elif not isinstance(items, list):
        if isinstance(items, str | bytes):
            raise TypeError(f"{what} must be a number; got the text {items!r}")
        items = list(items) if isinstance(items, Iterable) else [items]
    try:
        return integer_array(items)
    except (TypeError, ValueError):  # floats among them, or integers that no 64-bit dtype holds together
        pass
    numbers = [_number(item, what) for item in items]
    if all(isinstance(number, float) for number in numbers):
        return np.array(numbers, np.float64)
    array = np.empty(len(numbers), object)
    array[:] = numbers
    return array


def _number(item: Any, what: str) -> int | float:
    if isinstance(item, np.generic | np.ndarray) and item.ndim == 0:
        item = item.item()
    if isinstance(item, bool | int):
        return int(item)
    if isinstance(item, float):
        return item
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(f"{what} must be a number; got {item!r} of type {type(item).__name__}") from None
