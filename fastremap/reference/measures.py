"""Twins of the functions that only look."""

from typing import Any

import numpy as np

from . import _inputs as inputs


def minmax(arr: Any) -> tuple[Any, Any]:
    """Twin of `fastremap.minmax`."""
    array = inputs.label_array(arr)
    return (array.min().item(), array.max().item()) if array.size else (None, None)


def foreground(arr: Any) -> int:
    """Twin of `fastremap.foreground`."""
    return int(np.count_nonzero(inputs.label_array(arr)))


def pixel_pairs(labels: Any) -> int:
    """Twin of `fastremap.pixel_pairs`: ranks stand for labels, so that NaN equals NaN."""
    array = inputs.label_array(labels)
    ranks = inputs.distinct(array)[2].ravel(order=inputs.memory_order(array))
    return int(np.count_nonzero(ranks[1:] == ranks[:-1]))


def indices(arr: Any, value: Any) -> np.ndarray:
    """Twin of `fastremap.indices`."""
    return np.flatnonzero(carries(inputs.label_array(arr), value))


def is_solid(arr: Any, value: Any = None) -> bool:
    """Twin of `fastremap.is_solid`."""
    array = inputs.label_array(arr)
    if value is not None:
        return bool(carries(array, value).all())
    return len(inputs.distinct(array)[0]) <= 1


def is_sorted(arr: Any, asc: bool = True) -> bool:
    """Twin of `fastremap.is_sorted`: sorted as `numpy.sort` sorts, NaN above all."""
    array = inputs.label_array(arr)
    ranks = inputs.distinct(array)[2].ravel()
    ordered = np.sort(ranks)
    return bool(np.array_equal(ranks, ordered if asc else ordered[::-1]))


def carries(array: np.ndarray, value: Any) -> np.ndarray:
    """Tell for each voxel whether it has the label; a value outside the dtype is no voxel's."""
    key = inputs.key_of(value, array.dtype)
    if key is None:
        return np.zeros(array.shape, dtype=bool)
    found: np.ndarray = np.isnan(array) if key != key else array == array.dtype.type(key)
    return found
