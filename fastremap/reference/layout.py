"""Twins of the functions that move bytes within their buffer."""

from typing import Any, Literal

import numpy as np

from . import _inputs as inputs


def transpose(arr: Any) -> np.ndarray:
    """Twin of `fastremap.transpose`: the reversed shape in the input's memory order, so bytes move."""
    array = fixed_size_array(arr)
    return laid_out(array, array.T, inputs.memory_order(array))


def asfortranarray(arr: Any) -> np.ndarray:
    """Twin of `fastremap.asfortranarray`."""
    array = fixed_size_array(arr)
    return laid_out(array, np.asfortranarray(array), "F")


def ascontiguousarray(arr: Any) -> np.ndarray:
    """Twin of `fastremap.ascontiguousarray`."""
    array = fixed_size_array(arr)
    return laid_out(array, np.ascontiguousarray(array), "C")


def fixed_size_array(arr: Any) -> np.ndarray:
    """Take an array of any dtype whose items are plain bytes."""
    array = inputs.as_array(arr)
    if array.dtype.hasobject:
        raise TypeError(f"dtype {array.dtype} is not supported: its items are not plain bytes")
    return array


def laid_out(array: np.ndarray, wanted: np.ndarray, order: Literal["C", "F"]) -> np.ndarray:
    """Return the wanted array in the given memory order: in the buffer of `array` if that is whole and writeable."""
    fresh = np.array(wanted, order=order, copy=True, subok=False)
    if not array.flags.writeable or not array.flags.forc:
        return fresh
    buffer = array.reshape(-1, order=inputs.memory_order(array))  # a view, since the array is contiguous
    buffer[...] = fresh.reshape(-1, order=order)
    return buffer.reshape(fresh.shape, order=order)
