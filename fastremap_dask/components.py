"""Relating two labelings of one volume that are Dask arrays: components and the parents that they lie in."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

import fastremap

from .graphs import Corners, no_voxels, require_positions, unmasked
from .lazy import Lazy
from .reductions import FAN_IN, box, reduce_blocks, unbox
from .relations import PairState, PartnerState


def component_map(component_labels: da.Array, parent_labels: da.Array, *, split_every: int = FAN_IN) -> Lazy:
    """
    Map each component of a Dask array to the parent that it lies in.

    Parameters
    ----------
    component_labels, parent_labels : dask.array.Array of bool, integers or floats, N-d
        Two labelings of one shape; their chunks may differ, and their sizes are known.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    Lazy
        An object whose `compute()` returns the dict component to parent, components ascending. A component under two
        parents has the one of its last voxel in C order. Empty for empty arrays.

    Raises
    ------
    TypeError
        If an argument is no Dask array of numpy chunks, or a dtype none of those above; nothing is computed.
    ValueError
        If the shapes differ, or chunk sizes are unknown; nothing is computed.

    See Also
    --------
    inverse_component_map : All components of each parent.
    fastremap.component_map : The same in memory.

    Notes
    -----
    Lazy. One task a block, in time and memory as `fastremap.unique` with the index and a copy of the components, and a
    tree of merges of at most `split_every` states of up to 24 bytes a component. Where chunks differ the parents are
    rechunked. The dict takes about 200 bytes a component where `compute` is called.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> components, parents = da.from_array([1, 1, 2, 3], chunks=2), da.from_array([7, 7, 7, 8], chunks=3)
    >>> fastremap_dask.component_map(components, parents).compute()
    {1: 7, 2: 7, 3: 8}
    """
    fastremap.component_map(no_voxels(component_labels), no_voxels(parent_labels))
    for labels in (component_labels, parent_labels):
        require_positions(labels, "component_map")
    components, parents = _in_the_same_chunks(component_labels, parent_labels)
    corners = Corners.of(components if components.ndim else components[None])
    boxed = reduce_blocks(
        components, _partners_of_block, PartnerState.merge, parents, split_every=split_every, corners=corners
    )
    return Lazy(boxed, _finalized, "dict")


def inverse_component_map(parent_labels: da.Array, component_labels: da.Array, *, split_every: int = FAN_IN) -> Lazy:
    """
    Map each parent in a Dask array to the components that lie in it.

    Parameters
    ----------
    parent_labels, component_labels : dask.array.Array of bool, integers or floats, N-d
        Two labelings of one shape; their chunks may differ where their sizes are known.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    Lazy
        An object whose `compute()` returns the defaultdict of lists, parent to its components, both ascending. Empty
        for empty arrays.

    Raises
    ------
    TypeError
        If an argument is no Dask array of numpy chunks, or a dtype none of those above; nothing is computed.
    ValueError
        If the shapes differ; nothing is computed, unless sizes are unknown: then when computed.

    See Also
    --------
    component_map : The parent of each component.
    fastremap.inverse_component_map : The same in memory.

    Notes
    -----
    Lazy. One task a block, in time and memory as `fastremap.inverse_component_map`, and a tree of merges of at most
    `split_every` states of up to 16 bytes a pair. Where chunks differ the components are rechunked. The lists take
    about 200 bytes a pair where `compute` is called.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> parents, components = da.from_array([7, 7, 7, 8], chunks=3), da.from_array([1, 1, 2, 3], chunks=2)
    >>> dict(fastremap_dask.inverse_component_map(parents, components).compute())
    {7: [1, 2], 8: [3]}
    """
    fastremap.inverse_component_map(no_voxels(parent_labels), no_voxels(component_labels))
    parents, components = _in_the_same_chunks(parent_labels, component_labels)
    boxed = reduce_blocks(parents, _pairs_of_block, PairState.merge, components, split_every=split_every)
    return Lazy(boxed, _finalized, "defaultdict")


def _in_the_same_chunks(one: da.Array, other: da.Array) -> tuple[da.Array, da.Array]:
    """Rechunk the second as the first; where sizes are unknown the blocks are compared when computed."""
    if np.isnan((*one.shape, *other.shape)).any():
        if one.numblocks != other.numblocks:
            raise ValueError(
                f"chunk sizes are unknown (nan), and the two labelings have {one.numblocks} and {other.numblocks} "
                "chunks: call compute_chunk_sizes() on both first"
            )
        return one, other
    if one.shape != other.shape:
        raise ValueError(f"two labelings of one volume have one shape; got {one.shape} and {other.shape}")
    return one, other if one.chunks == other.chunks else other.rechunk(one.chunks)


def _partners_of_block(
    components: np.ndarray, parents: np.ndarray, *, corners: Corners, block_id: tuple[int, ...]
) -> np.ndarray:
    state = PartnerState.from_block(components, unmasked(parents), corners.offset(block_id), corners.shape)
    return box(state, components.ndim)


def _pairs_of_block(parents: np.ndarray, components: np.ndarray) -> np.ndarray:
    return box(PairState.from_block(parents, components), parents.ndim)


def _finalized(boxed: np.ndarray) -> dict[Any, Any]:
    return unbox(boxed).finalize()
