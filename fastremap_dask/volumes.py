"""Volumes in stores: opening them, reading their blocks, and which of their blocks are stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import zarr
from zarr.errors import NodeNotFoundError
from zarr.storage import StorePath

import fastremap

from .blocksets import BlockSet
from .objects import at_once, patiently, run_at
from .ome import name_a_level
from .places import Location, Options, locate, show
from .plan import Block, Grid, Volume
from .stored import Stored, stored_size, stored_units

LABEL_KINDS = "biu"


@dataclass(frozen=True)
class Source:
    """
    Look at a part of an array, its axes perhaps reversed, as a volume of its own.

    Parameters
    ----------
    stored : Stored
        The array.
    offset, shape : tuple of int
        The part, along the array's axes.
    reverse : bool
        Whether the volume has the axes in reverse order.
    begin : int
        Voxels of the volumes before this one, where several share one numbering.
    counted : bool
        Whether its voxels count: of an image in several resolutions those of the highest do.
    """

    stored: Stored
    offset: tuple[int, ...]
    shape: tuple[int, ...]
    reverse: bool = False
    begin: int = 0
    counted: bool = True

    @property
    def volume_shape(self) -> tuple[int, ...]:
        """Return the shape of the volume."""
        return self.shape[::-1] if self.reverse else self.shape

    @property
    def volume(self) -> Volume:
        """Return what a plan needs to know of it."""
        array = self.stored.open()
        unit = tuple(max(1, length) for length in array.shards or array.chunks)
        return Volume(self.volume_shape, unit[::-1] if self.reverse else unit, array.dtype.itemsize)

    def box(self, block: Block) -> tuple[slice, ...]:
        """Return the selection of the array that a block of the volume is."""
        slices = block.slices[::-1] if self.reverse else block.slices
        return tuple(slice(at.start + n, at.stop + n) for at, n in zip(slices, self.offset, strict=True))

    def stored_blocks(self, grid: Grid) -> BlockSet | None:
        """
        List the blocks of a grid over the volume in which the store has anything.

        Parameters
        ----------
        grid : Grid
            The grid.

        Returns
        -------
        BlockSet or None
            None if the store cannot list: then any block may be stored. All others hold nothing but fill value.
        """
        array = self.stored.open()
        if not self.stored.place.store.supports_listing:
            return None
        unit, found = array.shards or array.chunks, BlockSet()
        for coords in stored_units(self.stored):
            begins = [max(0, at * n - first) for at, n, first in zip(coords, unit, self.offset, strict=True)]
            ends = [
                min(extent, (at + 1) * n - first)
                for at, n, first, extent in zip(coords, unit, self.offset, self.shape, strict=True)
            ]
            if any(end <= begin for begin, end in zip(begins, ends, strict=True)):
                continue
            if self.reverse:
                begins, ends = begins[::-1], ends[::-1]
            ranges = [
                range(begin // n, -(-end // n)) for begin, end, n in zip(begins, ends, grid.block_shape, strict=True)
            ]
            for corner in product(*ranges):
                found.add(grid.index_at(tuple(at * n for at, n in zip(corner, grid.block_shape, strict=True))))
        return found


def open_node(where: Location, storage_options: Options = None) -> tuple[StorePath, zarr.Array | zarr.Group]:
    """
    Open what lies at a place, for reading.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath, zarr.Array or zarr.Group
        The place.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    place : zarr.storage.StorePath
        The place.
    node : zarr.Array or zarr.Group
        What lies there.

    Raises
    ------
    FileNotFoundError
        If nothing that zarr can open lies there.
    """
    place = locate(where, read_only=True, storage_options=storage_options)
    try:
        given = isinstance(where, zarr.Array | zarr.Group)
        return place, where if given else at_once(lambda: zarr.open(place, mode="r"))
    except NodeNotFoundError as error:
        raise FileNotFoundError(f"there is no Zarr array at {show(place)}") from error


def labels_in(place: StorePath, node: zarr.Array | zarr.Group) -> Stored:
    """
    Take an array as one of labels.

    Parameters
    ----------
    place : zarr.storage.StorePath
        Where it lies.
    node : zarr.Array or zarr.Group
        The array.

    Returns
    -------
    Stored
        The array.

    Raises
    ------
    TypeError
        If it is no array, or holds no labels: bool, or signed or unsigned integers of 8 to 64 bits.
    """
    if not isinstance(node, zarr.Array):
        raise TypeError(name_a_level(place, node))
    if node.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"{show(place)} holds {node.dtype}; labels are bool or integers of 8 to 64 bits")
    return Stored(place, node.metadata.to_dict())


def open_source(where: Location, storage_options: Options = None) -> Stored:
    """
    Open an array of labels for reading.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath or zarr.Array
        The array.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    Stored
        The array.

    Raises
    ------
    FileNotFoundError
        If nothing that zarr can open lies there.
    TypeError
        If it is no array, or holds no labels: bool, or signed or unsigned integers of 8 to 64 bits.
    """
    return labels_in(*open_node(where, storage_options))


def read_block(source: Source, block: Block) -> np.ndarray:
    """
    Read a block of a volume.

    Parameters
    ----------
    source : Source
        The volume.
    block : Block
        Which voxels.

    Returns
    -------
    numpy.ndarray
        The voxels in C order, native byte order, in an array that nobody else holds.

    Raises
    ------
    ValueError
        If a shard is an empty object, as a crash leaves them: zarr would read it as fill value. Also whatever
        the store and the codecs raise.
    """
    array, box = source.stored.open(), source.box(block)
    if array.shards is not None:
        _check_shards(source.stored, array, box)
    opened = array.async_array
    voxels = np.asarray(run_at(source.stored.place, patiently(lambda: opened.getitem(box))))
    native = np.require(voxels, voxels.dtype.newbyteorder("="), ["C", "W"])
    return fastremap.transpose(native) if source.reverse else native


def _check_shards(stored: Stored, array: zarr.Array[Any], box: tuple[slice, ...]) -> None:
    """Refuse shards that are empty objects."""
    ranges = (range(at.start // unit, -(-at.stop // unit)) for at, unit in zip(box, array.shards, strict=True))
    for coords in product(*ranges):
        key = array.metadata.encode_chunk_key(coords)
        if stored_size(stored.place / key) == 0:
            raise ValueError(f"the shard {key} of {show(stored.place)} is an empty object")


def fill_label(stored: Stored) -> int:
    """
    Return the label that absent chunks hold.

    Parameters
    ----------
    stored : Stored
        The array.

    Returns
    -------
    int
        Format 2 may leave it open; zarr then reads zeros.
    """
    return int(stored.open().fill_value or 0)


def n_voxels_beyond(grid: Grid, blocks: BlockSet) -> int:
    """
    Count the voxels of a volume that no block of a set holds.

    Parameters
    ----------
    grid : Grid
        The volume's blocks.
    blocks : BlockSet
        The set.

    Returns
    -------
    int
        Voxels.
    """
    return math.prod(grid.shape) - sum(grid.block(number).n_voxels for number in blocks)
