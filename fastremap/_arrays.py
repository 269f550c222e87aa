"""The one prologue of every function: from what the caller passed to flat, contiguous, native arrays and back."""

import operator
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _kernels
from ._warnings import InPlaceWarning

LABELS = "biu"  # numpy's kind letters for labels: bool and integers
NUMBERS = "biuf"

_NAMES = {
    LABELS: "bool, int8 to int64 or uint8 to uint64",
    NUMBERS: "bool, int8 to int64, uint8 to uint64, float16, float32 or float64",
}
FEW_ITEMS = 1024  # which numpy has copied before a kernel is called
_BITS = {nbytes: np.dtype(f"u{nbytes}") for nbytes in (1, 2, 4, 8)}


def is_supported(dtype: np.dtype, kinds: str) -> bool:
    """Tell whether kernels take a dtype: one of these kinds, of at most 8 bytes."""
    return dtype.kind in kinds and dtype.itemsize <= 8


def supported_dtype(dtype: DTypeLike) -> np.dtype:
    """Read a `dtype` argument, in native byte order."""
    wanted = np.dtype(dtype)
    if not is_supported(wanted, NUMBERS):
        raise TypeError(f"dtype={wanted} is not supported; expected {_NAMES[NUMBERS]}")
    return wanted.newbyteorder("=")


def as_array(arr: ArrayLike, kinds: str | None = NUMBERS) -> np.ndarray:
    """Take an array as numpy does, refusing a mask that would be ignored and dtypes outside `kinds`.

    The result is a plain ndarray, which may be a view of the input, in any byte order. Lists that mix integer types
    are read exactly, where numpy would make them float64.
    """
    if type(arr) is np.ndarray:
        array = arr
    elif isinstance(arr, np.ma.MaskedArray):
        raise TypeError("a masked array is not supported, since its mask would be ignored; pass arr.filled(label)")
    else:
        array = np.asarray(arr)
        if array.dtype.kind in "fO" and not hasattr(arr, "__array__"):
            array = _exact_list(arr, array)
    if kinds is not None and not is_supported(array.dtype, kinds):
        raise TypeError(f"dtype {array.dtype} is not supported; expected {_NAMES[kinds]}")
    return array


def _exact_list(items: Any, as_numpy_has_it: np.ndarray) -> np.ndarray:
    """Read a (nested) list anew if numpy turned its integers into floats or objects."""
    objects = np.asarray(items, dtype=object)
    flat = [item[()] if isinstance(item, np.ndarray) else item for item in objects.flat]
    if not flat or not all(isinstance(item, int | np.integer | np.bool_) for item in flat):
        return as_numpy_has_it
    integers = integer_array([int(item) for item in flat])
    if not (integers < 0).any():
        integers = integers.astype(np.uint64)  # numpy joins int64 and uint64 through float64; here the latter stands
    return integers.reshape(objects.shape)


def integer_array(items: Iterable[Any], what: str = "the list") -> np.ndarray:
    """Make an int64 array of integers, or uint64 where int64 does not hold them.

    Raises
    ------
    TypeError
        If an item is no integer.
    ValueError
        If no 64-bit integer dtype holds all items.
    """
    items = items if isinstance(items, list) else list(items)
    for unsigned in (False, True):
        try:
            return _kernels.integers(items, unsigned)
        except OverflowError:
            pass
    integers = [operator.index(item) for item in items]
    raise ValueError(f"no 64-bit integer dtype holds both {min(integers)} and {max(integers)}, which {what} contains")


def native(array: np.ndarray) -> np.ndarray:
    """The array itself, or a copy of it, in native byte order and at addresses that its item size divides."""
    if array.dtype.isnative and array.flags.aligned:
        return array
    return array.astype(array.dtype.newbyteorder("="), order="K")


def cast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The array itself if it has the dtype, else a cast copy."""
    return array if array.dtype == dtype else array.astype(dtype)


class Walk(NamedTuple):
    """An array as kernels see it: its items one after the other, in the order in which they are walked."""

    flat: np.ndarray  # 1-D, contiguous, native; a view of the array where its layout allows
    array: np.ndarray
    fortran: bool  # walked in Fortran order: the array is F- and not C-contiguous

    def shaped(self, flat: np.ndarray) -> np.ndarray:
        """Give a flat result the shape and the memory order of the array."""
        if self.array.ndim == 1:
            return flat
        if self.fortran:
            return flat.reshape(self.array.shape[::-1]).T
        result = flat.reshape(self.array.shape)
        if self.array.flags.c_contiguous:
            return result
        ordered = np.empty_like(self.array, dtype=flat.dtype, subok=False)
        if ordered.flags.c_contiguous:
            return result
        np.copyto(ordered, result)
        return ordered


def walk(array: np.ndarray) -> Walk:
    """Walk an array in memory order where it is contiguous, else in C order through a copy."""
    as_it_lies = _kernels.flat_view(array)
    if as_it_lies is not None:
        return Walk(as_it_lies[0], array, as_it_lies[1])
    flags = array.flags
    if flags.f_contiguous and not flags.c_contiguous:
        return Walk(native(array).T.reshape(-1), array, True)
    ordered = native(array)
    return Walk((ordered if ordered.flags.c_contiguous else c_copy(ordered)).reshape(-1), array, False)


def c_copy(array: np.ndarray) -> np.ndarray:
    """Copy an array of any strides into one in C order, in tiles where its axes lie in another order."""
    if array.size <= FEW_ITEMS:
        return array.copy()
    steps = [abs(step) for step, n in zip(array.strides, array.shape, strict=True) if n > 1]
    if steps == sorted(steps, reverse=True):
        return np.array(array, order="C", copy=True)  # numpy is as fast
    out = np.empty(array.shape, dtype=array.dtype)
    _kernels.copy_axes(array, out)
    return out


def bits(flat: np.ndarray) -> np.ndarray:
    """View labels as unsigned integers that are equal where the labels are: -0.0 is 0.0, and all NaNs are one."""
    dtype = flat.dtype
    if dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # signalling NaNs
            flat = flat + dtype.type(0)
        flat[np.isnan(flat)] = np.nan
    return flat if dtype.kind == "u" else flat.view(_BITS[dtype.itemsize])


def can_write(arr: ArrayLike, dtype: np.dtype, stacklevel: int = 3) -> bool:
    """Tell whether an in-place result of this dtype can go into `arr`; warn with the reason if it cannot."""
    if not isinstance(arr, np.ndarray):
        reason = f"the input is no numpy array but {type(arr).__name__}"
    elif not arr.flags.writeable:
        reason = "the array is read-only"
    elif not arr.dtype.isnative:
        reason = f"the array is byte-swapped ({arr.dtype.str})"
    elif arr.dtype != dtype:
        reason = f"the result needs {dtype}, and the array is {arr.dtype}"
    else:
        return True
    warnings.warn(
        f"in_place=True, but {reason}: a new array is returned, the input is untouched", InPlaceWarning, stacklevel
    )
    return False
