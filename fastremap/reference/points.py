"""Twins of `point_cloud` and `tobytes`."""

import itertools
import operator
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _inputs as inputs
from ._inputs import Number


def point_cloud(arr: Any, shell: bool = False) -> dict[Number, np.ndarray]:
    """Twin of `fastremap.point_cloud`."""
    array = inputs.label_array(arr)
    if array.ndim == 0:
        raise ValueError("a 0-d array has no coordinates: point_cloud takes arrays of one dimension or more")
    coordinate = np.uint16 if max(array.shape) <= 65536 else np.uint32
    labels, _, ranks = inputs.distinct(array)
    visible = array != 0
    if shell:
        visible &= surface(ranks)
    points, of = np.argwhere(visible).astype(coordinate), ranks[visible]
    by_label = np.argsort(of, kind="stable")
    present, first = np.unique(of[by_label], return_index=True)
    clouds = np.split(points[by_label], first[1:])
    return {labels[rank]: cloud.copy() for rank, cloud in zip(present.tolist(), clouds, strict=False)}


def surface(ranks: np.ndarray) -> np.ndarray:
    """Tell for each voxel whether it lies on the image border or has a face neighbour of another label."""
    found = np.zeros(ranks.shape, dtype=bool)
    for axis in range(ranks.ndim):
        along, edge = np.moveaxis(ranks, axis, 0), np.moveaxis(found, axis, 0)
        edge[:1] = edge[-1:] = True
        differs = along[1:] != along[:-1]
        edge[1:] |= differs
        edge[:-1] |= differs
    return found


def tobytes(image: Any, chunk_size: Sequence[int], order: Literal["C", "F"] = "C") -> list[bytes]:
    """Twin of `fastremap.tobytes`."""
    array = inputs.as_array(image)
    if array.dtype.hasobject:
        raise TypeError(f"dtype {array.dtype} is not supported: its items are not plain bytes")
    sizes = [operator.index(size) for size in chunk_size]
    if order not in ("C", "F"):
        raise ValueError(f"order is 'C' or 'F', got {order!r}")
    if len(sizes) != array.ndim:
        raise ValueError(f"chunk_size {tuple(sizes)} must have one item for each of the {array.ndim} axes")
    if any(size < 1 or length % size for length, size in zip(array.shape, sizes, strict=True)):
        raise ValueError(f"chunk_size {tuple(sizes)} does not divide the shape {array.shape}")
    slices = [
        [slice(start, start + size) for start in range(0, length, size)]
        for length, size in zip(array.shape, sizes, strict=True)
    ]
    cutouts = itertools.product(*slices[::-1])  # the last of a product goes fastest: here the first axis
    return [array[cutout[::-1]].tobytes(order) for cutout in cutouts]
