"""Where voxels of a Dask array lie: the coordinates of each label, the indices of a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

import fastremap

from .graphs import Corners, column, no_voxels, require_positions, without_empty_chunks
from .lazy import Lazy
from .reductions import FAN_IN, box, reduce_blocks, unbox
from .states import begins_label, volume_index


def indices(arr: da.Array, value: Any, *, split_every: int = FAN_IN) -> da.Array:
    """
    Find the flat C-order indices of the voxels of a Dask array that have a value.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        The array, in known chunk sizes.
    value : int or float
        A value outside the dtype of `arr` is found nowhere.
    split_every : int
        The most states that one task merges, at least 2.

    Returns
    -------
    dask.array.Array of intp, shape (nan,)
        Indices, ascending, lazily; one chunk for each chunk of the first axis of `arr`, or a single one.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, its dtype none of those above, or the value no number; nothing is
        computed.
    ValueError
        If chunk sizes are unknown; nothing is computed.

    See Also
    --------
    fastremap.indices : The same in memory.

    Notes
    -----
    Lazy. One task a block, as `fastremap.indices`, and for each chunk of the first axis a tree of merges: its last one
    holds three times the 8 bytes for each index in that slab, and no task holds the indices of two slabs; but in
    Dask's array-expression mode, which cannot join chunks of unknown sizes, all of them.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.indices(da.from_array([[0, 5], [5, 1]], chunks=1), 5).compute()
    array([1, 2])
    """
    fastremap.indices(no_voxels(arr), value)
    require_positions(arr, "indices")
    arr = arr if arr.ndim else arr[None]
    joins_no_unknown = hasattr(arr, "expr")  # in array-expression mode compute() fails for several chunks of size nan
    boxed = reduce_blocks(
        arr,
        _indices_of_block,
        _merge_indices,
        n_kept=0 if joins_no_unknown else 1,
        split_every=split_every,
        value=value,
        corners=Corners.of(arr),
    )
    intp = np.dtype(np.intp)
    if joins_no_unknown:
        return column(_itself, boxed, intp)
    return da.map_blocks(unbox, boxed, dtype=intp, chunks=((np.nan,) * arr.numblocks[0],), meta=np.empty((0,), intp))


def point_cloud(arr: da.Array, *, shell: bool = False) -> Lazy:
    """
    List the coordinates of the voxels of each label of a Dask array.

    Parameters
    ----------
    arr : dask.array.Array of bool, integers or floats, N-d
        One or more dimensions, in known chunk sizes.
    shell : bool
        Only voxels on the border of the image, or with a face neighbour of another label.

    Returns
    -------
    Lazy
        An object whose `compute()` returns the dict label to (N, ndim) coordinates in C order, labels ascending,
        background 0 left out. Coordinates are uint16 while every axis is at most 65,536 long, then uint32.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its dtype none of those above; nothing is computed.
    ValueError
        If the array has no dimension, an axis longer than 2**32, or unknown chunk sizes; nothing is computed.

    See Also
    --------
    fastremap.point_cloud : The same in memory.

    Notes
    -----
    Lazy. One task a block, as `fastremap.point_cloud`; for `shell` each block is first given a border of one voxel of
    its neighbours, by 12 tasks in 3-d. The clouds of the blocks are joined where `compute` is called, since there the
    dict must fit: it and twice as much, and 32 bytes a point to put them in order.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.point_cloud(da.from_array([[0, 5], [5, 1]], chunks=1)).compute()
    {1: array([[1, 1]], dtype=uint16), 5: array([[0, 1],
           [1, 0]], dtype=uint16)}
    """
    empty = no_voxels(arr)
    fastremap.point_cloud(empty if arr.ndim else np.zeros((), empty.dtype), shell)
    require_positions(arr, "point_cloud")
    if max(arr.shape) > 2**32:
        raise ValueError(f"an axis of {max(arr.shape)} voxels is too long for coordinates of 32 bits")
    arr = without_empty_chunks(arr)
    corners = Corners.of(arr)
    if shell and arr.size:
        for axis in range(arr.ndim):  # one after another: 13 tasks a block in 3-d, and 25 all at once
            depth = {other: int(other == axis) for other in range(arr.ndim)}
            arr = da.overlap.overlap(arr, depth, "none", allow_rechunk=False)
    boxed = da.map_blocks(
        partial(_cloud_of_block, shell=shell),
        arr,
        corners=corners,
        dtype=object,
        chunks=tuple((1,) * n_blocks for n_blocks in arr.numblocks),
        meta=np.empty((0,) * arr.ndim, object),
    )
    return Lazy(boxed, partial(_joined, shape=corners.shape), "dict")


def _indices_of_block(block: np.ndarray, *, value: Any, corners: Corners, block_id: tuple[int, ...]) -> np.ndarray:
    at = fastremap.indices(block, value)
    return box(volume_index(at, block.shape, corners.offset(block_id), corners.shape), block.ndim)


def _itself(places: np.ndarray) -> np.ndarray:
    return places


def _merge_indices(states: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(states))


@dataclass(frozen=True, slots=True, eq=False)
class CloudState:
    """
    Hold the coordinates of the voxels of each label of a part of a volume.

    Parameters
    ----------
    labels : numpy.ndarray, shape (K,)
        Distinct labels, ascending, without 0.
    counts : numpy.ndarray of int64, shape (K,)
        Points of each label.
    points : numpy.ndarray of uint16 or uint32, shape (N, ndim)
        Coordinates in the whole volume: those of the first label, in C order, then those of the next.
    """

    labels: np.ndarray
    counts: np.ndarray
    points: np.ndarray

    @classmethod
    def from_block(
        cls,
        block: np.ndarray,
        core: Sequence[slice],
        offset: Sequence[int],
        shape: Sequence[int],
        *,
        shell: bool,
    ) -> CloudState:
        """
        Make the state of one block.

        Parameters
        ----------
        block : numpy.ndarray of bool, integers or floats, N-d
            The voxels, for `shell` with those around them.
        core : sequence of N slices
            Which of them the block has itself.
        offset, shape : sequences of N integers
            The core's corner in the volume, and the volume's shape.
        shell : bool
            Only voxels on the border of `block`, or with a face neighbour of another label.

        Returns
        -------
        CloudState
            Its arrays are fresh.

        Notes
        -----
        Time and extra memory are those of `fastremap.point_cloud`, and once more the points.
        """
        cloud = fastremap.point_cloud(block, shell)
        points = np.concatenate([np.empty((0, block.ndim), np.uint16), *cloud.values()])
        labels = np.array(list(cloud), block.dtype.newbyteorder("="))
        owner = np.repeat(np.arange(labels.size), [len(some) for some in cloud.values()])
        inside = np.ones(len(points), bool)
        for places, own in zip(points.T, core, strict=True):
            inside &= (places >= own.start) & (places < own.stop)
        counts = np.bincount(owner[inside], minlength=labels.size)
        shift = [corner - own.start for corner, own in zip(offset, core, strict=True)]
        wide = points[inside].astype(np.int64) + shift
        kept = counts > 0
        return cls(labels[kept], counts[kept], wide.astype(_coordinate_dtype(shape)))

    @classmethod
    def merge(cls, states: Sequence[CloudState], shape: Sequence[int]) -> CloudState:
        """Merge states of disjoint parts of a volume of this shape."""
        points = np.concatenate([state.points for state in states])
        labels = np.concatenate([np.repeat(state.labels, state.counts) for state in states])
        order = np.lexsort((np.ravel_multi_index(tuple(points.T), shape), labels))
        labels = labels[order]
        begins = np.flatnonzero(begins_label(labels))
        return cls(labels[begins], np.diff(np.append(begins, labels.size)), points[order])

    def finalize(self) -> dict[Any, Any]:
        """Return label to coordinates; the arrays are views of one."""
        keys = self.labels.astype(np.uint8) if self.labels.dtype.kind == "b" else self.labels
        ends = np.cumsum(self.counts)
        return dict(zip(keys.tolist(), np.split(self.points, ends[:-1]), strict=False))

    @property
    def nbytes(self) -> int:
        """Return the bytes that the arrays hold."""
        return self.labels.nbytes + self.counts.nbytes + self.points.nbytes

    def __sizeof__(self) -> int:
        """Return the size that Dask sees."""
        return object.__sizeof__(self) + self.nbytes


def _coordinate_dtype(shape: Sequence[int]) -> np.dtype:
    return np.dtype(np.uint16 if max(shape) <= 65536 else np.uint32)


def _cloud_of_block(block: np.ndarray, *, corners: Corners, block_id: tuple[int, ...], shell: bool) -> np.ndarray:
    """Box the cloud of a block; for `shell` it comes with a border of one voxel where it has neighbours."""
    core = []
    for length, place, begins in zip(block.shape, block_id, corners.begins, strict=True):
        before, after = (place > 0, place + 1 < len(begins)) if shell else (False, False)
        core.append(slice(int(before), length - int(after)))
    return box(CloudState.from_block(block, core, corners.offset(block_id), corners.shape, shell=shell), block.ndim)


def _joined(grid: np.ndarray, *, shape: tuple[int, ...]) -> dict[Any, Any]:
    states = list(grid.flat)
    return (states[0] if len(states) == 1 else CloudState.merge(states, shape)).finalize()
