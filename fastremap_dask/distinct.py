"""The distinct labels of a Dask array: the state of all its blocks, what `unique` returns of it, and relabelling."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import dask.array as da
import numpy as np

import fastremap
from fastremap import LabelTable

from .broadcast import SentTable, only, packed
from .graphs import Corners, column, map_boxed, map_same, no_voxels, read_apart, require_positions
from .reductions import box, reduce_blocks, unbox
from .states import LabelState, merge, volume_index

# What holds every id that labels of a kind can be given, exactly.
WIDEST = {"b": np.uint64, "u": np.uint64, "i": np.int64, "f": np.float64}


def distinct_labels(
    labels: da.Array, wanted: list[str], equal_nan: bool, in_order: bool, split_every: int, scratch: str | None
) -> list[da.Array]:
    """Make the parts that are wanted of the distinct labels."""
    nans = not equal_nan and labels.dtype.kind in "fcmM"
    if nans and labels.dtype.kind == "c":
        raise NotImplementedError("equal_nan=False of a complex Dask array: view the parts as floats, or leave it out")
    # As in memory, what the kernels do not take is numpy's, which sorts.
    by_kernel = labels.dtype.kind in "biuf" and labels.dtype.itemsize <= 8
    by_first = by_kernel and not in_order
    for needed, why in (
        ("index" in wanted, "return_index=True"),
        (by_first, "sorted=False"),
        (nans and "inverse" in wanted, "return_inverse=True with equal_nan=False"),
    ):
        if needed:
            require_positions(labels, why)
    boxed = boxed_state(
        read_apart(labels, "return_inverse=True") if "inverse" in wanted else labels,
        finish=partial(_as_asked, by_first=by_first),
        split_every=split_every,
        counts="counts" in wanted,
        first="index" in wanted or by_first,
        nans=nans,
    )
    dtype, intp = fastremap.unique(no_voxels(labels)).dtype, np.dtype(np.intp)
    parts = {
        "values": lambda: column(attrgetter("labels"), boxed, dtype),
        "index": lambda: column(attrgetter("first"), boxed, intp),
        "inverse": lambda: _inverse(labels, boxed, by_kernel, nans, scratch),
        "counts": lambda: column(attrgetter("counts"), boxed, intp),
    }
    return [parts[name]() for name in wanted]


def _inverse(labels: da.Array, boxed: da.Array, by_kernel: bool, nans: bool, scratch: str | None) -> da.Array:
    """Map each label to its place among those of a boxed state."""
    if by_kernel:
        ranks = reduce_blocks(boxed, _ranks_of_state, only, scratch=scratch)
    else:
        ranks = reduce_blocks(boxed, _labels_of_state, only)
    intp = np.dtype(np.intp)
    place = partial(ids_of_block, dtype=intp) if by_kernel else _places_of_block
    inverse = map_boxed(place, labels, ranks, intp)
    return _each_nan_apart(inverse, labels, boxed) if nans else inverse


def boxed_state(
    arr: da.Array, *, split_every: int, finish: Callable[[LabelState], Any] | None = None, **columns: bool
) -> da.Array:
    """Box the LabelState of an array, or what `finish` makes of it."""
    arr = arr if arr.ndim else arr[None]
    # Without known sizes there are no positions; then their columns are not asked for, or only their length is.
    corners = None if np.isnan(arr.shape).any() else Corners.of(arr)
    return reduce_blocks(
        arr, _state_of_block, merge, finish=finish, split_every=split_every, corners=corners, **columns
    )


def _state_of_block(
    block: np.ndarray, *, corners: Corners | None, block_id: tuple[int, ...], **columns: bool
) -> np.ndarray:
    if corners is None:
        state = LabelState.from_block(block, (0,) * block.ndim, block.shape, **columns)
    else:
        state = LabelState.from_block(block, corners.offset(block_id), corners.shape, **columns)
    return box(state, block.ndim)


def _as_asked(state: LabelState, *, by_first: bool) -> LabelState:
    """Put the labels in the order in which `unique` returns them, each NaN for itself if their indices are known."""
    if state.nans is not None and state.nans.size:
        # The last label is NaN. Where NaNs are told apart the order is ascending in any case, as numpy has it.
        n_nans = state.nans.size
        return LabelState(
            np.append(state.labels[:-1], np.repeat(state.labels[-1:], n_nans)),
            None if state.counts is None else np.append(state.counts[:-1], np.ones(n_nans, np.int64)),
            None if state.first is None else np.append(state.first[:-1], state.nans),
            state.nans,
        )
    if not by_first:
        return state
    order = np.argsort(state.first)
    counts = None if state.counts is None else state.counts[order]
    return LabelState(state.labels[order], counts, state.first[order], state.nans)


def _ranks_of_state(boxed: np.ndarray, *, scratch: str | None) -> np.ndarray:
    """Box the table from label to position."""
    labels = unbox(boxed).labels
    return box(packed(LabelTable.from_arrays(labels, np.arange(labels.size)), scratch), boxed.ndim)


def _labels_of_state(boxed: np.ndarray) -> np.ndarray:
    return box(unbox(boxed).labels, boxed.ndim)


def _places_of_block(block: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Map a block of what no kernel takes (text, times, complex numbers) to positions."""
    return np.searchsorted(labels, block)


def _each_nan_apart(inverse: da.Array, labels: da.Array, boxed: da.Array) -> da.Array:
    """Give each NaN the position of its own."""
    nans = reduce_blocks(boxed, _nans_of_state, only)
    return map_same(_inverse_of_nans, inverse, labels, nans, dtype=inverse.dtype, corners=Corners.of(labels))


def _nans_of_state(boxed: np.ndarray) -> np.ndarray:
    state = unbox(boxed)
    return box((state.nans, state.labels.size - state.nans.size), boxed.ndim)


def _inverse_of_nans(
    inverse: np.ndarray, block: np.ndarray, nans: np.ndarray, *, corners: Corners, block_id: tuple[int, ...]
) -> np.ndarray:
    places, begin = unbox(nans)
    is_nan = np.isnan(block)
    own = volume_index(np.flatnonzero(is_nan), block.shape, corners.offset(block_id), corners.shape)
    apart = inverse.copy()
    apart[is_nan] = begin + np.searchsorted(places, own)
    return apart


def ids_of_block(block: np.ndarray, sent: SentTable, dtype: np.dtype) -> np.ndarray:
    """Map to ids that are known to fit; `remap` keeps integers integers and floats floats, ids may cross over."""
    if (block.dtype.kind == "f") == (dtype.kind == "f"):
        return fastremap.remap(block, sent.table, dtype=dtype)
    return fastremap.remap(block, sent.table, dtype=WIDEST[block.dtype.kind]).astype(dtype)
