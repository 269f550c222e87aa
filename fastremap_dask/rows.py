"""The distinct slices of a Dask array along an axis, such as the edges of an edge list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import dask.array as da
import numpy as np

import fastremap

from .graphs import Corners, column, read_apart, require_positions, without_empty_chunks
from .reductions import box, reduce_blocks, unbox


@dataclass(frozen=True, slots=True, eq=False)
class RowState:
    """
    Hold the distinct rows of a part of an array.

    Parameters
    ----------
    rows : numpy.ndarray, shape (K, ...)
        Distinct rows, ascending.
    counts : numpy.ndarray of int64, shape (K,)
        How often each occurs.
    first : numpy.ndarray of int64, shape (K,)
        Where, in the whole array, each occurs first.
    """

    rows: np.ndarray
    counts: np.ndarray
    first: np.ndarray

    @classmethod
    def from_block(cls, block: np.ndarray, begin: int) -> RowState:
        """
        Make the state of one block.

        Parameters
        ----------
        block : numpy.ndarray of bool or integers, shape (N, ...)
            The rows.
        begin : int
            Where in the whole array the first of them is.

        Returns
        -------
        RowState
            Its arrays are fresh.

        Notes
        -----
        Time and extra memory are those of `fastremap.unique` along an axis.
        """
        rows, first, counts = fastremap.unique(block, return_index=True, return_counts=True, axis=0)
        return cls(rows, counts.astype(np.int64), first.astype(np.int64) + begin)

    @classmethod
    def merge(cls, states: Sequence[RowState]) -> RowState:
        """Merge states of disjoint parts: counts are added, the least place stays."""
        rows, places = fastremap.unique(np.concatenate([state.rows for state in states]), return_inverse=True, axis=0)
        counts, first = np.zeros(len(rows), np.int64), np.full(len(rows), np.iinfo(np.int64).max)
        np.add.at(counts, places, np.concatenate([state.counts for state in states]))
        np.minimum.at(first, places, np.concatenate([state.first for state in states]))
        return cls(rows, counts, first)

    def by_first(self) -> RowState:
        """Return the state with the rows in the order of their first places."""
        order = np.argsort(self.first)
        return RowState(self.rows[order], self.counts[order], self.first[order])

    @property
    def nbytes(self) -> int:
        """Return the bytes that the arrays hold."""
        return self.rows.nbytes + self.counts.nbytes + self.first.nbytes

    def __sizeof__(self) -> int:
        """Return the size that Dask sees."""
        return object.__sizeof__(self) + self.nbytes


def unique_slices(
    labels: da.Array, axis: int, wanted: Sequence[str], in_order: bool, split_every: int
) -> list[da.Array]:
    """
    Find the distinct slices of an array along an axis.

    Parameters
    ----------
    labels : dask.array.Array of bool or integers, N-d
        The array, in known chunk sizes.
    axis : int
        The axis along which the slices lie.
    wanted : sequence of {"values", "index", "inverse", "counts"}
        Which parts to return, in this order.
    in_order : bool
        Ascending slices; otherwise pairs, the rows of an edge list, come in the order of their first places.
    split_every : int
        The most states that one task merges.

    Returns
    -------
    list of dask.array.Array
        The parts.
    """
    if labels.dtype.kind not in "biu":
        raise NotImplementedError(
            f"axis={axis} of a Dask array of dtype {labels.dtype}: slices are found of bool and integers alone; "
            "where they fit memory use fastremap.unique(labels.compute(), axis=...)"
        )
    if hasattr(labels, "expr"):
        raise NotImplementedError(
            f"axis={axis} gives an array of an unknown number of slices, and in Dask's array-expression mode compute() "
            "fails for it: set the configuration array.query-planning to False"
        )
    require_positions(labels, f"axis={axis}")
    others = [other for other in range(labels.ndim) if other != axis]
    rows = without_empty_chunks(labels).transpose([axis, *others])
    rows = rows.rechunk(dict.fromkeys(range(1, rows.ndim), -1))
    # As in memory, where all others are sorted in any case.
    edges = labels.dtype.kind in "iu" and labels.ndim == 2 and axis == 0 and labels.shape[1] == 2
    boxed = reduce_blocks(
        read_apart(rows, "return_inverse=True") if "inverse" in wanted else rows,
        _rows_of_block,
        RowState.merge,
        finish=RowState.by_first if edges and not in_order else None,
        split_every=split_every,
        corners=Corners.of(rows),
    )
    intp = np.dtype(np.intp)
    parts = {
        "values": lambda: _distinct_slices(boxed, rows, axis),
        "index": lambda: column(attrgetter("first"), boxed, intp),
        "inverse": lambda: _places(rows, boxed),
        "counts": lambda: column(attrgetter("counts"), boxed, intp),
    }
    return [parts[name]() for name in wanted]


def _distinct_slices(boxed: da.Array, rows: da.Array, axis: int) -> da.Array:
    dtype = rows.dtype.newbyteorder("=")
    chunks = list(rows.chunks[1:])
    return da.map_blocks(
        partial(_slices_of_box, axis=axis),
        boxed,
        new_axis=list(range(rows.ndim)),
        chunks=(*chunks[:axis], (np.nan,), *chunks[axis:]),
        dtype=dtype,
        meta=np.empty((0,) * rows.ndim, dtype),
    )


def _places(rows: da.Array, boxed: da.Array) -> da.Array:
    """Give each row its place among the distinct ones."""
    intp = np.dtype(np.intp)
    axes = tuple(range(rows.ndim))
    return da.blockwise(
        _places_of_block, (0,), rows, axes, boxed, (), concatenate=True, dtype=intp, meta=np.empty((0,), intp)
    )


def _rows_of_block(block: np.ndarray, *, corners: Corners, block_id: tuple[int, ...]) -> np.ndarray:
    return box(RowState.from_block(block, corners.offset(block_id)[0]), block.ndim)


def _slices_of_box(boxed: np.ndarray, *, axis: int) -> np.ndarray:
    return np.moveaxis(unbox(boxed).rows, 0, axis)


def _places_of_block(block: np.ndarray, boxed: np.ndarray) -> np.ndarray:
    """Find the rows of a block among the distinct ones, of which it has no others."""
    known = unbox(boxed).rows
    both = np.concatenate([known, block])
    _, places = fastremap.unique(both, return_inverse=True, axis=0)
    order = np.empty(len(known), np.intp)
    order[places[: len(known)]] = np.arange(len(known))
    return order[places[len(known) :]]
