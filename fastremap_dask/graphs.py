"""What the functions for Dask arrays check before they build a graph, and how tables and results are put into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.base import DaskMethodsMixin, clone_key, tokenize
from dask.graph_manipulation import clone
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from fastremap import LabelTable

from . import blocks
from .reductions import reduce_blocks, unbox


class LazyTable(DaskMethodsMixin):
    """
    Stand for a LabelTable that is not computed yet; `compute()` returns it.

    It is optimised as the array in which the table is boxed, so that ``dask.compute(array, table)`` finds the labels
    once for both; a `dask.delayed.Delayed` would find them again.

    Parameters
    ----------
    boxed : dask.array.Array of object, shape ()
        The boxed table.
    """

    def __init__(self, boxed: da.Array) -> None:
        self._boxed = boxed
        self.__dask_optimize__ = boxed.__dask_optimize__
        self.__dask_scheduler__ = boxed.__dask_scheduler__

    def __repr__(self) -> str:
        return f"<LazyTable {self._boxed.name}: compute() returns the LabelTable>"

    def __dask_tokenize__(self) -> str:
        return tokenize(type(self).__name__, self._boxed)

    def __dask_graph__(self) -> Any:
        return self._boxed.__dask_graph__()

    def __dask_keys__(self) -> list[Any]:
        return self._boxed.__dask_keys__()

    def __dask_layers__(self) -> Any:
        return self._boxed.__dask_layers__()

    def __dask_postcompute__(self) -> tuple[Callable[..., LabelTable], tuple]:
        finish, arguments = self._boxed.__dask_postcompute__()
        return (lambda *results: unbox(finish(*results))), arguments

    def __dask_postpersist__(self) -> tuple[Callable[..., LazyTable], tuple]:
        rebuild, arguments = self._boxed.__dask_postpersist__()
        return (lambda *graph, **names: LazyTable(rebuild(*graph, **names))), arguments


def no_voxels(arr: da.Array) -> np.ndarray:
    """Return an empty array of the same dtype: what `fastremap` says to it, errors included, it says to each block."""
    if not isinstance(arr, da.Array):
        raise TypeError(
            f"expected a dask.array.Array, not {type(arr).__name__}: "
            "use fastremap for an array in memory, or dask.array.from_array"
        )
    return np.empty((0,) * max(arr.ndim, 1), arr.dtype)


def require_positions(arr: da.Array, why: str) -> None:
    """Refuse unknown chunk sizes where the position of a chunk matters."""
    unknown = [axis for axis, length in enumerate(arr.shape) if np.isnan(length)]
    if unknown:
        raise ValueError(
            f"{why} needs the position of each chunk, and chunk sizes are unknown (nan) along axes {unknown}: "
            "call compute_chunk_sizes() on the array first"
        )


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
    return da.Array(graph, apart.name, apart.chunks, meta=apart._meta)


def _renamed(task: Any, key: Any, new_keys: dict[Any, Any]) -> Any:
    """Return a task under its new key, with what it needs under theirs; data and futures as they are."""
    knows_its_keys = hasattr(task, "dependencies") and hasattr(task, "substitute")
    return task.substitute(new_keys, key=key) if knows_its_keys else task


def exact_table(table: Any, arr: da.Array) -> Any:
    """Return the table as a LabelTable, which is built once for all blocks, where that keeps its exact meaning."""
    if isinstance(table, LabelTable):
        return table
    table = dict(table) if isinstance(table, Mapping) else table
    try:
        built = LabelTable.from_dict(table) if isinstance(table, dict) else LabelTable.from_arrays(*table)
    except (TypeError, ValueError):  # say a key that no dtype holds, and that is just absent from every block
        return table
    # Floats in a table are compared as the dtype of the blocks has it; a LabelTable would round them first.
    whole = all(labels.dtype.kind in "iu" for labels in (built.old, built.new))
    return built if whole and arr.dtype.kind in "biu" else table


def boxed_table(table: Any) -> da.Array:
    """Put a table into a graph, in a task of its own, under a name made of its contents."""
    # Not by from_array: Dask names an object array of no axes by the repr of its element, which tables share.
    return reduce_blocks(da.zeros(1, chunks=1), partial(blocks.box_of_table, table=table), blocks.only)


def map_table(function: Callable[..., np.ndarray], arr: da.Array, table: da.Array, dtype: np.dtype) -> da.Array:
    """Map each block by a boxed table to a block of the same shape."""
    return da.map_blocks(function, arr, table, dtype=dtype, meta=np.empty((0,) * arr.ndim, dtype))


def column(parts: da.Array, name: str, dtype: np.dtype) -> da.Array:
    """Make one of the arrays that `unique` returns; its length is known when computed."""
    return da.map_blocks(
        partial(blocks.column_of_parts, name=name, dtype=dtype),
        parts,
        new_axis=0,
        chunks=((np.nan,),),
        dtype=dtype,
        meta=np.empty((0,), dtype),
    )
