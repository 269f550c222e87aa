"""What the functions for Dask arrays check before they build a graph, and how blocks and results are put into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import dask.array as da
import numpy as np
from dask.array.utils import meta_from_array
from dask.base import clone_key
from dask.graph_manipulation import clone
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

import fastremap

from .reductions import unbox


@dataclass(frozen=True, slots=True)
class Corners:
    """
    Tell where blocks lie: 8 bytes for each chunk along each axis, not for each block.

    Parameters
    ----------
    begins : tuple of tuples of int
        For each axis the first index of each chunk.
    shape : tuple of int
        Shape of the whole array.
    """

    begins: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, arr: da.Array) -> Corners:
        """Find the corners of an array of known chunk sizes."""
        return cls(tuple(tuple(accumulate(sizes[:-1], initial=0)) for sizes in arr.chunks), arr.shape)

    def offset(self, block_id: Sequence[int]) -> list[int]:
        """Return the corner of a block."""
        return [begins[at] for begins, at in zip(self.begins, block_id, strict=True)]


def no_voxels(arr: da.Array) -> np.ndarray:
    """Return an empty array of the same dtype: what `fastremap` says to it, errors included, it says to each block."""
    if not isinstance(arr, da.Array):
        raise TypeError(
            f"expected a dask.array.Array, not {type(arr).__name__}: "
            "use fastremap for an array in memory, or dask.array.from_array"
        )
    kind = type(meta_from_array(arr))
    if not issubclass(kind, np.ndarray):
        raise TypeError(
            f"the chunks are of type {kind.__module__}.{kind.__qualname__}, and the kernels read numpy arrays: "
            "convert them first, for CuPy by arr.map_blocks(cupy.asnumpy)"
        )
    if issubclass(kind, np.ma.MaskedArray):
        raise TypeError(
            "masked arrays are not supported, since their mask would be ignored; pass dask.array.ma.filled(arr, label)"
        )
    return np.empty((0,) * max(arr.ndim, 1), arr.dtype)


def unmasked(block: np.ndarray) -> np.ndarray:
    """Return a block, unless it has a mask, of which Dask need not know: `fastremap` says so then."""
    fastremap.foreground(block[..., :0])
    return block


def require_positions(arr: da.Array, why: str) -> None:
    """Refuse unknown chunk sizes where the position of a chunk matters."""
    unknown = [axis for axis, length in enumerate(arr.shape) if np.isnan(length)]
    if unknown:
        raise ValueError(
            f"{why} needs the position of each chunk, and chunk sizes are unknown (nan) along axes {unknown}: "
            "call compute_chunk_sizes() on the array first"
        )


def without_empty_chunks(arr: da.Array) -> da.Array:
    """Drop chunks of size 0, so that neighbours in the grid are neighbours in the array."""
    chunks = tuple(tuple(size for size in sizes if size) or (0,) for sizes in arr.chunks)
    return arr if chunks == arr.chunks else arr.rechunk(chunks)


def read_apart(arr: da.Array, why: str) -> da.Array:
    """Return the array under other keys, so that a second pass in the same graph does not keep its blocks."""
    if hasattr(arr, "expr"):
        raise NotImplementedError(
            f"{why} reads the array twice in one graph; in Dask's array-expression mode nothing keeps the whole array "
            "from staying in memory between: leave it out, or set the configuration array.query-planning to False"
        )
    seed = arr.name  # equal calls give equal keys, and a pass over the result of two passes is apart from both
    apart = clone(arr, seed=seed)
    # clone renames tasks, but not inside those that know their own key and those they need (dask/dask#12455).
    new_keys = {key: clone_key(key, seed) for key in arr.dask.get_all_external_keys()}
    layers = {
        name: MaterializedLayer({key: _renamed(task, key, new_keys) for key, task in layer.items()})
        if isinstance(layer, MaterializedLayer)
        else layer
        for name, layer in apart.dask.layers.items()
    }
    graph = HighLevelGraph(layers, apart.dask.dependencies)
    return da.Array(graph, apart.name, apart.chunks, meta=meta_from_array(apart))


def _renamed(task: Any, key: Any, new_keys: dict[Any, Any]) -> Any:
    """Return a task under its new key, with what it needs under theirs; data and futures as they are."""
    knows_its_keys = hasattr(task, "dependencies") and hasattr(task, "substitute")
    return task.substitute(new_keys, key=key) if knows_its_keys else task


def map_same(
    function: Callable[..., np.ndarray], arr: da.Array, *others: da.Array, dtype: np.dtype, **arguments: Any
) -> da.Array:
    """Map each block to one of the same shape, of the dtype given."""
    return da.map_blocks(function, arr, *others, dtype=dtype, meta=np.empty((0,) * arr.ndim, dtype), **arguments)


def map_boxed(function: Callable[..., np.ndarray], arr: da.Array, boxed: da.Array, dtype: np.dtype) -> da.Array:
    """Map each block, with what a box holds, to a block of the same shape."""
    return map_same(partial(_with_unboxed, function=function), arr, boxed, dtype=dtype)


def _with_unboxed(block: np.ndarray, boxed: np.ndarray, *, function: Callable[..., np.ndarray]) -> np.ndarray:
    return function(block, unbox(boxed))


def scalar(function: Callable[..., Any], *boxed: da.Array, dtype: np.dtype) -> da.Array:
    """Make an array of no axes of what boxes hold."""
    return da.map_blocks(
        partial(_scalar_of_boxes, function=function, dtype=dtype), *boxed, dtype=dtype, meta=np.empty((), dtype)
    )


def _scalar_of_boxes(*boxed: np.ndarray, function: Callable[..., Any], dtype: np.dtype) -> np.ndarray:
    return np.array(function(*map(unbox, boxed)), dtype)


def column(function: Callable[[Any], np.ndarray], boxed: da.Array, dtype: np.dtype) -> da.Array:
    """Make an array of one axis of what a box holds; its length is known when computed."""
    return da.map_blocks(
        partial(_column_of_box, function=function, dtype=dtype),
        boxed,
        new_axis=0,
        chunks=((np.nan,),),
        dtype=dtype,
        meta=np.empty((0,), dtype),
    )


def _column_of_box(boxed: np.ndarray, *, function: Callable[[Any], np.ndarray], dtype: np.dtype) -> np.ndarray:
    return function(unbox(boxed)).astype(dtype, copy=False)
