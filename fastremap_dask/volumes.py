"""Volumes in stores: where they lie, opening and reading them, and targets that exist only when they are done."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.core.sync import sync  # stores have no other way to be asked from code that is not async
from zarr.errors import NodeNotFoundError
from zarr.storage import LocalStore, StorePath

from .plan import Block, Grid, Volume

Location = str | os.PathLike | Store | StorePath | zarr.Array
LABEL_KINDS = "biu"


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
        return zarr.Array(self.open_async())

    def open_async(self) -> zarr.AsyncArray:
        """Return the array for code that is async."""
        return zarr.AsyncArray(metadata=self.document, store_path=self.place)


def locate(where: Location, *, read_only: bool) -> StorePath:
    """
    Turn what users give as a place into a store and a path in it.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath or zarr.Array
        The place. Paths on this machine are made absolute.
    read_only : bool
        Whether the store refuses to write.

    Returns
    -------
    zarr.storage.StorePath
        For a local path the store is its parent folder.

    Raises
    ------
    TypeError
        If `where` is none of these.
    ValueError
        If it is a URL. Nothing is written.
    """
    if isinstance(where, zarr.Array):
        where = where.store_path
    if isinstance(where, Store):
        where = StorePath(where)
    if isinstance(where, StorePath) and type(where.store) is LocalStore:
        where = Path(where.store.root) / where.path
    if isinstance(where, StorePath):
        return where
    if not isinstance(where, str | os.PathLike):
        raise TypeError(f"a volume is given as a path, a zarr store or a zarr.Array, not as {type(where).__name__}")
    if "://" in str(where):
        raise ValueError(f"{where} is a URL: open it as a zarr store (zarr.storage.FsspecStore.from_url) and give that")
    path = Path(os.path.abspath(where))
    return StorePath(LocalStore(path.parent, read_only=read_only), path.name)


def beside(place: StorePath, suffix: str) -> StorePath:
    """
    Return the place beside another whose name ends in `suffix` instead of .zarr.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The other.
    suffix : str
        The new end of the name.

    Returns
    -------
    zarr.storage.StorePath
        In the same store.

    Raises
    ------
    ValueError
        If `place` is the root of its store. Nothing is written.
    """
    if not place.path:
        raise ValueError(f"the target must have a path inside {place.store}: what belongs to it is written beside it")
    return StorePath(place.store, place.path.removesuffix(".zarr") + suffix)


def as_root(place: StorePath) -> StorePath:
    """
    Return the same place as the root of a store, where it is on this machine.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    zarr.storage.StorePath
        For zarr's functions that make groups: they make each folder between the store's root and the place a group.
    """
    return StorePath(LocalStore(show(place))) if isinstance(place.store, LocalStore) else place


def show(place: StorePath) -> str:
    """
    Name a place as users know it.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    str
        A path on this machine, or a URL.
    """
    return str(place.store.root / place.path) if isinstance(place.store, LocalStore) else str(place)


def open_labels(where: Location) -> Stored:
    """
    Open a volume of labels for reading.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath or zarr.Array
        The volume.

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
    place = locate(where, read_only=True)
    try:
        array = where if isinstance(where, zarr.Array) else zarr.open(place, mode="r")
    except NodeNotFoundError as error:
        raise FileNotFoundError(f"there is no Zarr array at {show(place)}") from error
    if not isinstance(array, zarr.Array):
        names = ", ".join(sorted(array.array_keys())[:5]) or "none"
        raise TypeError(f"{show(place)} is a group, not an array; its arrays: {names}")
    if array.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"{show(place)} holds {array.dtype}; labels are bool or integers of 8 to 64 bits")
    return Stored(place, array.metadata.to_dict())


def volume_of(stored: Stored, dtype: np.dtype | None = None) -> Volume:
    """
    Return what a plan needs to know of an array.

    Parameters
    ----------
    stored : Stored
        The array.
    dtype : numpy.dtype, optional
        Another dtype that it is to have.

    Returns
    -------
    Volume
        Shape, unit of writing and bytes of a voxel.
    """
    array = stored.open()
    unit = tuple(max(1, length) for length in array.shards or array.chunks)
    return Volume(array.shape, unit, (dtype or array.dtype).itemsize)


def read_block(stored: Stored, block: Block) -> np.ndarray:
    """
    Read a block of an array.

    Parameters
    ----------
    stored : Stored
        The array.
    block : Block
        Which voxels.

    Returns
    -------
    numpy.ndarray
        The voxels, in an array that nobody else holds.

    Raises
    ------
    ValueError
        If a shard is an empty object, as a crash leaves them: zarr would read it as fill value. Also whatever
        the store and the codecs raise.
    """
    array = stored.open()
    if array.shards is not None:
        ranges = zip(block.offset, block.shape, array.shards, strict=True)
        for coords in product(*(range(start // unit, -(-(start + n) // unit)) for start, n, unit in ranges)):
            key = array.metadata.encode_chunk_key(coords)
            if _size(stored.place / key) == 0:
                raise ValueError(f"the shard {key} of {show(stored.place)} is an empty object")
    return np.asarray(array[block.slices])


def write_block(stored: Stored, block: Block, voxels: np.ndarray) -> None:
    """
    Write a block of an array.

    Parameters
    ----------
    stored : Stored
        The array; its metadata document need not be in the store.
    block : Block
        Which voxels: whole stored units, but at the far borders of the volume.
    voxels : numpy.ndarray
        Their values, in the array's dtype.

    Notes
    -----
    Returns or raises when every unit is written or has failed. zarr itself raises at the first that fails, while
    others are still on their way, and would write them into what has been removed meanwhile.
    """
    sync(_write_units(stored.open_async(), block, voxels))


async def _write_units(array: zarr.AsyncArray, block: Block, voxels: np.ndarray) -> None:
    """Write each stored unit of a block with a call of its own."""
    concurrency = asyncio.Semaphore(zarr.config.get("async.concurrency"))

    async def write(unit: Block) -> None:
        offset = tuple(start + inside for start, inside in zip(block.offset, unit.offset, strict=True))
        async with concurrency:
            await array.setitem(Block(unit.index, offset, unit.shape).slices, voxels[unit.slices])

    units = Grid(block.shape, array.shards or array.chunks).blocks()
    for outcome in await asyncio.gather(*map(write, units), return_exceptions=True):
        if outcome is not None:
            raise outcome


def _size(place: StorePath) -> int | None:
    """Return the bytes of an object, or None if there is none."""
    try:
        return sync(place.store.getsize(place.path))
    except FileNotFoundError:
        return None


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
