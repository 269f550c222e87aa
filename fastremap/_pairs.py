"""Reading tables, label lists and values exactly: integers never pass through float64."""

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from . import _kernels
from ._arrays import NUMBERS, as_array, bits, integer_array, is_supported, native
from .dtypes import bounds, ladder
from .table import LabelTable


class Pairs(NamedTuple):
    """A table as arrays: keys of the labels' dtype, and the value of each."""

    keys: np.ndarray  # (k,) of the labels' dtype; keys that this dtype cannot hold are left out
    values: np.ndarray  # (k,) integers, or floats where the labels are floats
    extremes: tuple  # of all values, those of left-out keys included; (0, 0) if there are none
    cache: dict  # what was built from the table, kept with a LabelTable

    def lookup(self, dtype: np.dtype, out_dtype: np.dtype) -> _kernels.Lookup:
        """The kernel's table for labels and values cast to these dtypes; of equal keys the last counts."""
        name = (dtype.str, out_dtype.str)
        if name not in self.cache:
            # The kernel keeps the first of equal keys.
            keys, values = (
                np.ascontiguousarray(array[::-1].astype(to, copy=False))
                for array, to in ((self.keys, dtype), (self.values, out_dtype))
            )
            self.cache[name] = _kernels.Lookup(bits(keys), values)
        return self.cache[name]


def read_pairs(table: Any, dtype: np.dtype) -> Pairs:
    """Read a Mapping, a LabelTable or a pair (keys, values) for labels of a dtype.

    Raises
    ------
    TypeError
        If the table is none of these, or a key or value is no number.
    ValueError
        If keys and values differ in number, or a value is fractional, or fits no 64-bit integer, for integer labels.
    """
    cache: dict = {}
    if isinstance(table, LabelTable):
        old, new = table.old, table.new
        cache = table._built.setdefault(dtype.str, {})
    elif isinstance(table, Mapping):
        old, new = list(table.keys()), list(table.values())
    elif isinstance(table, tuple | list) and len(table) == 2:
        old, new = table
    else:
        raise TypeError(
            f"a table is a mapping, a LabelTable or a pair of arrays (keys, values); got {type(table).__name__}"
        )
    if "pairs" not in cache:
        keys, kept = read_keys(old, dtype)
        values = read_values(new, dtype)
        if kept.size != values.size:
            raise ValueError(f"a table needs as many values as keys; got {kept.size} keys and {values.size} values")
        extremes = (values.min().item(), values.max().item()) if values.size else (0, 0)
        cache["pairs"] = Pairs(keys, values if kept.all() else values[kept], extremes, {})
    return cache["pairs"]


def read_keys(items: Any, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Read labels as an array of a dtype, without those that it cannot hold; and which were kept.

    For a float dtype labels are rounded to it; for an integer dtype an integral float counts as its integer.
    """
    array = _plain_array(items, "a label")
    if dtype.kind == "f":
        return _rounded(array, dtype), np.ones(array.size, bool)
    low, high = bounds(dtype)
    if array.dtype.kind == "O":
        kept = np.array([label == math.floor(label) and low <= label <= high for label in map(_finite, array)], bool)
        return np.array([int(label) for label in array[kept]], dtype=_wide(dtype)).astype(dtype), kept
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            # 2.0**63 and 2.0**64 are no labels, and the float next to `high` may be either.
            kept = (array == np.floor(array)) & (array >= float(low)) & (array < float(high + 1))
    else:
        kept = (array >= low) & (array <= high)
    return (array if kept.all() else array[kept]).astype(dtype, copy=False), kept


def read_values(items: Any, dtype: np.dtype) -> np.ndarray:
    """Read new labels for labels of a dtype: integers exactly, floats only where the labels are floats."""
    array = _plain_array(items, "a value")
    if dtype.kind == "f" or array.dtype.kind in "iu":
        return array.astype(np.float64) if array.dtype.kind == "O" else array
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    numbers = array.tolist()
    for value in numbers:
        if not math.isfinite(value) or value != math.floor(value):
            raise ValueError(f"the value {value} is no integer, and the labels are of dtype {dtype}")
    return integer_array([int(value) for value in numbers], "the values")


def _plain_array(items: Any, what: str) -> np.ndarray:
    """A flat array of bools, integers or floats; of Python numbers (dtype object) where they mix or exceed 64 bits."""
    if isinstance(items, np.ndarray):
        array = native(as_array(items, kinds=None)).reshape(-1)
        if is_supported(array.dtype, NUMBERS):
            return array
        items = array.tolist()
    elif isinstance(items, str | bytes):
        raise TypeError(f"{what} must be a number; got the text {items!r}")
    elif not isinstance(items, Iterable):
        items = [items]
    items = list(items)
    try:
        return np.fromiter(map(operator.index, items), np.int64, len(items))
    except (TypeError, OverflowError):
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


def _finite(label: int | float) -> int | float:
    """A label, or a fraction (which no integer array holds) in place of NaN and infinities."""
    return label if isinstance(label, int) or math.isfinite(label) else 0.5


def _rounded(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype)


def _wide(dtype: np.dtype) -> np.dtype:
    return ladder(dtype)[-1]
