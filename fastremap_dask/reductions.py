"""Trees of states: one state a block, merged by tasks of a stated fan-in until one is left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

# A merge holds this many states and makes one. In 3-d that is a cube of 2 x 2 x 2 neighbours, which share most of
# their labels, so that what is merged shrinks; the tree adds 1/7 task a block. 16 would save half of those tasks for
# twice the memory of each.
FAN_IN = 8


def box(value: Any, ndim: int = 0) -> np.ndarray:
    """
    Put a value into an array of one element, so that Dask passes it around as a block.

    Parameters
    ----------
    value : object
        Whatever can be pickled; None is kept for "no value yet".
    ndim : int
        Number of axes, each of length 1.

    Returns
    -------
    numpy.ndarray of object, shape (1,) * ndim
        The box.
    """
    boxed = np.empty((1,) * ndim, object)
    boxed[(0,) * ndim] = value
    return boxed


def unbox(boxed: np.ndarray) -> Any:
    """
    Take the value out of a box.

    Parameters
    ----------
    boxed : numpy.ndarray of object, one element
        What `box` returned.

    Returns
    -------
    object
        The value.
    """
    return boxed.item()


def reduce_blocks(
    arr: da.Array,
    make: Callable[..., np.ndarray],
    merge: Callable[[list[Any]], Any],
    *others: da.Array,
    finish: Callable[[Any], Any] | None = None,
    n_kept: int = 0,
    split_every: int = FAN_IN,
    **arguments: Any,
) -> da.Array:
    """
    Reduce an array to one value: a state of each block, merged in a tree.

    Parameters
    ----------
    arr : dask.array.Array, N-d
        The array; chunk sizes may be unknown if `make` does not need them.
    make : callable
        ``make(block, **arguments)`` returns ``box(state, block.ndim)``; it may ask for Dask's `block_info`.
    merge : callable
        Turns a list of states into one; associative and commutative.
    *others : dask.array.Array
        More arrays, in the same chunks, of which `make` is given the blocks at the same place.
    finish : callable, optional
        Turns the last state into the value, in the task of the last merge. By default the state is the value.
    n_kept : int
        Number of axes, from the first on, along which blocks are not merged.
    split_every : int
        Fan-in: the most states that one task merges, at least 2.
    **arguments
        Passed on to `make`.

    Returns
    -------
    dask.array.Array of object
        The boxed value, in shape (), or the boxed values along the axes kept. They are never fused into the tasks that
        read them, so each is made once.

    Raises
    ------
    ValueError
        If `split_every` is no integer of at least 2.

    Notes
    -----
    One task a block and at most 1 / (f - 1) more, f being the states that a merge takes: `split_every`, or the
    largest power of a whole number below it that suits the number of chunked axes (4 of 8 in 2-d).
    """
    if not isinstance(split_every, int | np.integer) or split_every < 2:
        raise ValueError(f"split_every must be an integer of at least 2, not {split_every!r}")
    # A reduction needs an axis, and its last task is the one never fused.
    arr, *others = (each if each.ndim else each[None] for each in (arr, *others))
    chunks = tuple((1,) * n_blocks for n_blocks in arr.numblocks)
    meta = np.empty((0,) * arr.ndim, object)
    states = da.map_blocks(make, arr, *others, dtype=object, chunks=chunks, meta=meta, **arguments)
    axes_a_round = int(split_every).bit_length() - 1  # Dask merges at least 2 along each axis of a reduction
    while states.ndim > n_kept:
        axes = tuple(range(max(n_kept, states.ndim - axes_a_round), states.ndim))
        last = len(axes) == states.ndim - n_kept
        n_chunked = max(1, sum(states.numblocks[axis] > 1 for axis in axes))
        combine = partial(_merge_boxes, merge=merge, finish=None)
        states = da.reduction(
            states,
            chunk=_as_it_is,
            combine=combine,
            aggregate=partial(_merge_boxes, merge=merge, finish=finish) if last else combine,
            axis=axes,
            dtype=object,
            split_every=dict.fromkeys(axes, max(2, int(split_every ** (1 / n_chunked)))),
            concatenate=False,
            name="merge-states",
        )
    return states


def _as_it_is(boxed: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """Return the box; `da.reduction` insists on a step before the merges."""
    return boxed


def _merge_boxes(
    boxes: list[Any] | np.ndarray,
    axis: tuple[int, ...],
    keepdims: bool,
    *,
    merge: Callable[[list[Any]], Any],
    finish: Callable[[Any], Any] | None,
) -> np.ndarray:
    """Merge boxed states, given in lists nested as deep as there are axes."""
    leaves = _leaves(boxes)
    ndim = leaves[0].ndim - (0 if keepdims else len(axis))
    states = [state for leaf in leaves for state in leaf.flat if state is not None]
    if not states:
        return np.empty((0,) * ndim, object)  # Dask asks what an empty array gives, to know the type
    merged = merge(states)
    return box(merged if finish is None else finish(merged), ndim)


def _leaves(boxes: list[Any] | np.ndarray) -> list[np.ndarray]:
    """Flatten nested lists of boxes."""
    if not isinstance(boxes, list):
        return [boxes]
    return [leaf for part in boxes for leaf in _leaves(part)]
