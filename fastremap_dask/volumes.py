"""Volumes in stores: opening, reading and writing blocks of arrays, and which of their blocks are stored."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import zarr
from zarr.core.sync import sync
from zarr.errors import NodeNotFoundError
from zarr.storage import StorePath

import fastremap

from .blocksets import BlockSet
from .objects import access, at_once, is_local, list_under, make_durable, patiently
from .places import Location, Options, locate, show
from .plan import Block, Grid, Volume

LABEL_KINDS = "biu"
DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zmetadata", ".zgroup")


@dataclass(frozen=True)
class Stored:
    """
    Hold what a task needs to open an array, whether or not its metadata document is in the store.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The array's place.
    document : dict
        Its metadata document.
    """

    place: StorePath
    document: dict[str, Any]

    def open(self) -> zarr.Array:
        """Return the array, without asking the store."""
        return self._array

    @cached_property
    def _array(self) -> zarr.Array:
        return zarr.Array(zarr.AsyncArray(metadata=self.document, store_path=self.place))

    def __reduce__(self) -> tuple:  # without the open array
        return Stored, (self.place, self.document)


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
    """

    stored: Stored
    offset: tuple[int, ...]
    shape: tuple[int, ...]
    reverse: bool = False
    begin: int = 0

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


def open_source(where: Location, storage_options: Options = None) -> Stored:
    """
    Open a volume of labels for reading.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath or zarr.Array
        The volume.
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
    place = locate(where, read_only=True, storage_options=storage_options)
    try:
        array = where if isinstance(where, zarr.Array) else at_once(lambda: zarr.open(place, mode="r"))
    except NodeNotFoundError as error:
        raise FileNotFoundError(f"there is no Zarr array at {show(place)}") from error
    if not isinstance(array, zarr.Array):
        names = ", ".join(sorted(array.array_keys())[:5]) or "none"
        raise TypeError(f"{show(place)} is a group, not an array; its arrays: {names}")
    if array.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"{show(place)} holds {array.dtype}; labels are bool or integers of 8 to 64 bits")
    return Stored(place, array.metadata.to_dict())


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
    voxels = np.asarray(access(lambda: opened.getitem(box)))
    native = np.require(voxels, voxels.dtype.newbyteorder("="), ["C", "W"])
    return fastremap.transpose(native) if source.reverse else native


def _check_shards(stored: Stored, array: zarr.Array, box: tuple[slice, ...]) -> None:
    """Refuse shards that are empty objects."""
    ranges = (range(at.start // unit, -(-at.stop // unit)) for at, unit in zip(box, array.shards, strict=True))
    for coords in product(*ranges):
        key = array.metadata.encode_chunk_key(coords)
        if stored_size(stored.place / key) == 0:
            raise ValueError(f"the shard {key} of {show(stored.place)} is an empty object")


def write_block(target: Stored, block: Block, voxels: np.ndarray, *, durable: bool = False) -> list[int]:
    """
    Write a block of an array.

    Parameters
    ----------
    target : Stored
        The array; its metadata document need not be in the store.
    block : Block
        Which voxels: whole stored units, but at the far borders of the volume.
    voxels : numpy.ndarray
        Their values, in the array's dtype.
    durable : bool
        On this machine, return only when the disk has them.

    Returns
    -------
    list of int
        The bytes of each stored unit, in C order; -1 where a unit is nothing but fill value and is not stored.

    Notes
    -----
    Returns or raises when every unit is written or has failed. zarr itself raises at the first that fails, while
    others are still on their way, and would write them into what has been removed meanwhile.

    zarr reads a shard before it writes it. One that was torn by an earlier crash cannot be read: it is removed, and
    written anew.
    """
    array = target.open().async_array
    units = list(units_of(target, block))
    sync(_write_units(array, target.place, units, block, voxels))
    places = [target.place / array.metadata.encode_chunk_key(coords) for coords, _ in units]
    if durable:
        for place in places:
            make_durable(place)
    return [-1 if (size := stored_size(place)) is None else size for place in places]


def units_of(target: Stored, block: Block) -> Iterator[tuple[tuple[int, ...], Block]]:
    """
    Generate the stored units of a block.

    Parameters
    ----------
    target : Stored
        The array.
    block : Block
        A box of whole units of it.

    Yields
    ------
    tuple of int, Block
        Position of the unit in the array's grid, and the unit as a block within the block.
    """
    array = target.open()
    shape = array.shards or array.chunks
    first = [start // length for start, length in zip(block.offset, shape, strict=True)]
    for unit in Grid(block.shape, shape).blocks():
        inside = (start // length for start, length in zip(unit.offset, shape, strict=True))
        yield tuple(a + b for a, b in zip(first, inside, strict=True)), unit


async def _write_units(array: zarr.AsyncArray, place: StorePath, units: list, block: Block, voxels: np.ndarray) -> None:
    """Write each stored unit of a block with a call of its own."""
    concurrency = asyncio.Semaphore(zarr.config.get("async.concurrency"))

    async def write(coords: tuple[int, ...], unit: Block) -> None:
        box = tuple(
            slice(start + at, start + at + length)
            for start, at, length in zip(block.offset, unit.offset, unit.shape, strict=True)
        )
        async with concurrency:
            await _write_unit(array, place / array.metadata.encode_chunk_key(coords), box, voxels[unit.slices])

    for outcome in await asyncio.gather(*(write(*unit) for unit in units), return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _write_unit(array: zarr.AsyncArray, key: StorePath, box: tuple[slice, ...], voxels: np.ndarray) -> None:
    """Write one unit, in place of a shard that cannot be read if one lies there."""

    async def write() -> None:
        await array.setitem(box, voxels)

    try:
        await patiently(write)
    except (ValueError, RuntimeError):
        if array.shards is None or not await patiently(lambda: key.store.exists(key.path)):
            raise
        await patiently(lambda: key.store.delete(key.path))
        await patiently(write)


def stored_size(place: StorePath) -> int | None:
    """
    Return the bytes of an object.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The object.

    Returns
    -------
    int or None
        None if there is none.
    """
    try:
        if is_local(place):
            return at_once(lambda: os.path.getsize(place.store.root / place.path))
        return access(lambda: place.store.getsize(place.path))
    except FileNotFoundError:
        return None


def stored_units(stored: Stored) -> Iterator[tuple[int, ...]]:
    """
    List the units, shards or chunks, that an array has in its store.

    Parameters
    ----------
    stored : Stored
        The array.

    Yields
    ------
    tuple of int
        The position of a unit in the array's grid. Other objects under the array are passed over.
    """
    array = stored.open()
    parse = _parser(array)
    for name in list_under(stored.place):
        coords = parse(name)
        if coords is not None:
            yield coords


def foreign_names(stored: Stored) -> Iterator[str]:
    """
    List what lies under an array and is no part of it.

    Parameters
    ----------
    stored : Stored
        The array.

    Yields
    ------
    str
        Names within the array; neither documents nor stored units.
    """
    parse = _parser(stored.open())
    return (name for name in list_under(stored.place) if name not in DOCUMENTS and parse(name) is None)


def _parser(array: zarr.Array) -> Any:
    """Return the inverse of an array's chunk-key encoding: from a name to a position in the grid, or to None."""
    unit = array.shards or array.chunks
    counts = tuple(-(-extent // max(1, length)) for extent, length in zip(array.shape, unit, strict=True))
    sample = array.metadata.encode_chunk_key((1,) * len(counts))
    prefix, separator = sample.partition("1")[0], "/" if "/" in sample else "."

    def parse(name: str) -> tuple[int, ...] | None:
        if not name.startswith(prefix):
            return None
        parts = name[len(prefix) :].split(separator)
        if not counts:
            return () if name == sample else None
        if len(parts) != len(counts) or not all(part.isdecimal() for part in parts):
            return None
        coords = tuple(map(int, parts))
        return coords if all(at < count for at, count in zip(coords, counts, strict=True)) else None

    return parse


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


def settle() -> None:
    """
    Wait until no access to a store that zarr has begun in this process is under way.

    Notes
    -----
    zarr raises at the first access of a call that fails, or when it is interrupted, while others of the same call go
    on: a document could appear in a folder that has been cleared meanwhile.
    """
    sync(_others_end())


async def _others_end() -> None:
    """Wait for all tasks of zarr's event loop that exist now."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


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
