"""What the tasks of Dask arrays run: a block or boxed states in, a block or a box out."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastremap
from fastremap import LabelTable

from .reductions import box, unbox
from .states import LabelState, labels_in_order

# What holds every id that labels of a kind can be given, exactly.
WIDEST = {"b": np.uint64, "u": np.uint64, "i": np.int64, "f": np.float64}


def state_of_block(
    block: np.ndarray, *, counts: bool = False, first: bool = False, block_info: dict[Any, Any]
) -> np.ndarray:
    """Box the LabelState of a block."""
    place = block_info[0]
    offset = [begin for begin, _ in place["array-location"]]
    return box(LabelState.from_block(block, offset, place["shape"], counts=counts, first=first), block.ndim)


def extremes_of_block(block: np.ndarray) -> np.ndarray:
    """Box (lowest, highest) of a block, or None if it is empty."""
    extremes = np.array(fastremap.minmax(block), block.dtype.newbyteorder("=")) if block.size else None
    return box(extremes, block.ndim)


def merge_extremes(states: list[np.ndarray]) -> np.ndarray:
    """Merge pairs (lowest, highest)."""
    lowest, highest = np.transpose(states)
    return np.array([lowest.min(), highest.max()])


def extreme(extremes: np.ndarray, *, which: int) -> np.ndarray:
    """Take the lowest or highest value out of its box."""
    pair = unbox(extremes)
    if pair is None:
        raise ValueError("an array without voxels has no extremes; its chunk sizes were unknown until now")
    return pair[which : which + 1].reshape(())


def parts_of_unique(state: LabelState, *, inverse: bool) -> dict[str, Any]:
    """Name the parts of `unique`'s result; the inverse as the table from label to rank."""
    ranks = LabelTable.from_arrays(state.labels, np.arange(len(state.labels))) if inverse else None
    return {"values": state.labels, "index": state.first, "inverse": ranks, "counts": state.counts}


def column_of_parts(parts: np.ndarray, *, name: str, dtype: np.dtype) -> np.ndarray:
    """Take one array out of the boxed parts of `unique`."""
    return unbox(parts)[name].astype(dtype, copy=False)


def inverse_of_block(block: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Map a block to ranks."""
    return _ids(block, unbox(parts)["inverse"], np.dtype(np.intp))


def table_of_state(state: LabelState, *, order: str, **rules: Any) -> LabelTable:
    """Give out ids."""
    return fastremap.renumber(labels_in_order(state, order), order=order, mapping="table", **rules)[1]


def box_of_table(block: np.ndarray, *, table: Any) -> np.ndarray:
    """Box a table that is known already."""
    return box(table, block.ndim)


def only(states: list[Any]) -> Any:
    """Merge one state."""
    (state,) = states
    return state


def ids_of_block(block: np.ndarray, table: np.ndarray, *, dtype: np.dtype) -> np.ndarray:
    """Map a block to the ids of the boxed table."""
    return _ids(block, unbox(table), dtype)


def relabel_block(block: np.ndarray, table: np.ndarray, **rules: Any) -> np.ndarray:
    """Map a block by the boxed table."""
    return fastremap.remap(block, unbox(table), **rules)


def _ids(block: np.ndarray, table: LabelTable, dtype: np.dtype) -> np.ndarray:
    """Map to ids that are known to fit; `remap` keeps integers integers and floats floats, ids may cross over."""
    if (block.dtype.kind == "f") == (dtype.kind == "f"):
        return fastremap.remap(block, table, dtype=dtype)
    return fastremap.remap(block, table, dtype=WIDEST[block.dtype.kind]).astype(dtype)
