"""How the twins read arrays, numbers and tables, and how they hand results back."""

import math
import operator
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from .._warnings import InPlaceWarning

Number = int | float

LADDERS = {
    "b": ["?", "u1", "u2", "u4", "u8"],  # bool counts as the narrowest unsigned integer
    "u": ["u1", "u2", "u4", "u8"],
    "i": ["i1", "i2", "i4", "i8"],
    "f": ["f2", "f4", "f8"],
}

INTEGER_LIMITS = {
    np.dtype(code): (int(np.iinfo(code).min), int(np.iinfo(code).max)) for code in LADDERS["i"] + LADDERS["u"]
}


def refuse_masked(*values: Any) -> None:
    """Raise TypeError for a masked array, whose mask would be lost."""
    if any(isinstance(value, np.ma.MaskedArray) for value in values):
        raise TypeError("masked arrays are not taken: their mask would be ignored; pass arr.filled(value) instead")


def as_array(arr: Any) -> np.ndarray:
    """Take anything as numpy takes it, but lists of integers exactly: numpy rounds some to float64."""
    refuse_masked(arr)
    array = np.asarray(arr)
    if hasattr(arr, "__array__") or array.dtype.kind not in "fO":
        return array
    items = [item[()] if isinstance(item, np.ndarray) else item for item in np.array(arr, dtype=object).flat]
    if not items or not all(isinstance(number, (int, np.integer, np.bool_)) for number in items):
        return array
    integers = [int(number) for number in items]
    # Numpy joins these only through float64, so no signed type was asked for by itself: uint64 unless one is negative.
    dtype = np.dtype("i8" if min(integers) < 0 else "u8")
    for number in integers:
        if not fits(number, dtype):
            raise ValueError(f"no 64-bit integer dtype holds this list: {number} does not fit {dtype}")
    return np.array(integers, dtype=dtype).reshape(array.shape)


def label_array(arr: Any, kinds: str = "biuf") -> np.ndarray:
    """Take `arr` as an array of labels in native byte order, or raise TypeError that names its dtype."""
    array = as_array(arr)
    require_kind(array.dtype, kinds)
    return array.astype(array.dtype.newbyteorder("="), order="K", copy=False)


def require_kind(dtype: np.dtype, kinds: str = "biuf") -> None:
    """Raise TypeError unless `dtype` is a bool, integer or float16/32/64 of one of `kinds`."""
    if dtype.kind not in kinds or dtype.itemsize > 8:
        raise TypeError(f"dtype {dtype} is not supported here, kinds {kinds!r} of at most 64 bits are")


def memory_order(array: np.ndarray) -> Literal["C", "F"]:
    """Return "F" for an array that is F- and not C-contiguous, else "C"."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def plain(array: np.ndarray) -> list[Number]:
    """Return the items in C order as Python numbers: bool as 0 and 1, one NaN object, no -0.0."""
    items = array.astype(np.uint8) if array.dtype.kind == "b" else array
    return [math.nan if item != item else item + 0 for item in items.ravel().tolist()]


def distinct(array: np.ndarray, order: Literal["C", "F"] = "C") -> tuple[list[Number], np.ndarray, np.ndarray]:
    """Return the distinct labels ascending, each one's first index along the walk, and each voxel's rank."""
    _, first, inverse = np.unique(array.ravel(order=order), return_index=True, return_inverse=True)
    return plain(array.ravel(order=order)[first]), first, inverse.reshape(array.shape, order=order)


def exact(value: Any) -> Number:
    """Return a number as a Python int or float, bit for bit; TypeError for anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (float, np.floating)):
        return math.nan if value != value else float(value)
    if isinstance(value, np.bool_):
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"labels must be integers or floats, got {value!r} of type {type(value).__name__}") from None


def numbers(values: Any) -> list[Number]:
    """Return the items of any array or iterable as exact Python numbers."""
    refuse_masked(values)
    if isinstance(values, (str, bytes)):
        raise TypeError(f"labels must be numbers, got the text {values!r}")
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"labels must be numbers, got an array of dtype {array.dtype}")
        values = array.ravel().tolist()
    return [exact(value) for value in values]


def columns(table: Any) -> tuple[list[Any], list[Any]]:
    """Return the keys and the values of a table of any accepted form, unread."""
    refuse_masked(table)
    if hasattr(table, "old") and hasattr(table, "new"):
        return table.old.tolist(), table.new.tolist()
    if isinstance(table, Mapping):
        return list(table.keys()), list(table.values())
    if isinstance(table, (tuple, list)) and len(table) == 2:
        return pair(*table)
    raise TypeError(f"a table is a mapping, a LabelTable or a pair of arrays, got {type(table).__name__}")


def pair(keys: Iterable[Any], values: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Return two columns as lists."""
    refuse_masked(keys, values)
    keys, values = (np.asarray(part).tolist() if hasattr(part, "__array__") else list(part) for part in (keys, values))
    return keys, values


def key_of(value: Any, dtype: np.dtype) -> Number | None:
    """Return the label of `dtype` that a key names, or None if no voxel of this dtype can be it."""
    number = exact(value)
    if dtype.kind == "f":
        rounded = rounded_to(dtype, number)
        return None if math.isinf(rounded) and not math.isinf(number) else rounded
    if isinstance(number, float):
        if not number.is_integer():
            return None
        number = int(number)
    return number if fits(number, dtype) else None


def rounded_to(dtype: np.dtype, number: Number) -> float:
    """Return a number as a float dtype has it: infinite beyond its range, one NaN object, no -0.0."""
    if number != number or (dtype.itemsize == 8 and isinstance(number, float)):
        return math.nan if number != number else number + 0
    try:
        with np.errstate(over="ignore"):
            return float(np.asarray(number).astype(dtype)) + 0
    except OverflowError:  # an integer beyond float64
        return math.inf if number > 0 else -math.inf


def value_of(value: Any, dtype: np.dtype) -> Number:
    """Return a new label for an array of `dtype`; ValueError if integers are wanted and it is none."""
    number = exact(value)
    if dtype.kind != "f" and isinstance(number, float):
        if not number.is_integer():
            raise ValueError(f"the value {value!r} is no integer, as the labels of dtype {dtype} must be")
        return int(number)
    return number


def fits(number: Number, dtype: np.dtype) -> bool:
    """Tell whether `dtype` holds `number`: integers exactly, floats without becoming infinite."""
    if dtype.kind == "b":
        return number in (0, 1)
    if dtype.kind in "iu":
        lowest, highest = INTEGER_LIMITS[dtype]
        return lowest <= number <= highest and number == int(number)
    rounded = rounded_to(dtype, number)
    if isinstance(number, int):
        return math.isfinite(rounded) and int(rounded) == number
    return math.isfinite(rounded) or not math.isfinite(number)


def require_fit(number: Number, dtype: np.dtype) -> None:
    """Raise ValueError that names the number and the dtype unless it fits."""
    if not fits(number, dtype):
        raise ValueError(f"{number} does not fit dtype {dtype}")


def widened(dtype: np.dtype, values: Iterable[Number]) -> np.dtype:
    """Return the first dtype of the kind, from `dtype` upwards, that holds every value."""
    ladder = [np.dtype(code) for code in LADDERS[dtype.kind]]
    values = list(values)
    for candidate in ladder[ladder.index(dtype) :]:
        if all(fits(value, candidate) for value in values):
            return candidate
    misfit = next(value for value in values if not fits(value, ladder[-1]))
    raise ValueError(f"{misfit} fits no dtype of the kind of {dtype}, the widest is {ladder[-1]}")


def asked_dtype(dtype: Any) -> np.dtype | None:
    """Read a `dtype` argument; TypeError if no label can have it."""
    if dtype is None:
        return None
    asked = np.dtype(dtype)
    require_kind(asked)
    native: np.dtype = asked.newbyteorder("=")
    return native


def filled_like(array: np.ndarray, dtype: np.dtype, values: np.ndarray) -> np.ndarray:
    """Return a fresh array in the memory order of `array` with the given values."""
    result = np.empty_like(array, dtype=dtype, order="K", subok=False)
    result[...] = values
    return result


def no_way_in(arr: Any) -> str | None:
    """Return why nothing can be written into `arr`, or None if it can."""
    if not isinstance(arr, np.ndarray):
        return f"the input is a {type(arr).__name__}, not a numpy array"
    if not arr.flags.writeable:
        return "the array is read-only"
    if not arr.dtype.isnative:
        return "the array is byte-swapped"
    return None


def warn_not_in_place(reason: str) -> None:
    """Warn the caller of a public function that only the returned array holds the result."""
    warnings.warn(f"not done in place, use the returned array: {reason}", InPlaceWarning, stacklevel=4)


def deliver(arr: Any, result: np.ndarray, in_place: bool) -> np.ndarray:
    """Return the result, written into the given buffer if that is asked for and possible."""
    if not in_place:
        return result
    reason = no_way_in(arr)
    if reason is None and arr.dtype != result.dtype:
        reason = f"the result needs dtype {result.dtype}, the array has {arr.dtype}"
    if reason is not None:
        warn_not_in_place(reason)
        return result
    buffer = np.asarray(arr)
    buffer[...] = result
    return buffer
