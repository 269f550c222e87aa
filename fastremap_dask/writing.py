"""Writing blocks of arrays: whole stored units, each by a call of its own, torn shards healed."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import zarr
from zarr.core.sync import sync
from zarr.storage import StorePath

import fastremap

from .objects import make_durable, patiently, run_at
from .plan import Block, Grid
from .stored import Stored, stored_sizes, units_of


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
        The bytes of each stored unit, as `stored_sizes` gives them.

    Notes
    -----
    Returns or raises when every unit is written or has failed. zarr itself raises at the first that fails, while
    others are still on their way, and would write them into what has been removed meanwhile.

    zarr reads a shard before it writes it. One that was torn by an earlier crash cannot be read: it is removed, and
    written anew.

    zarr compares each chunk with the fill value, so as not to store what holds nothing else; in its event loop, where
    that takes longer than to encode the chunk. It is told not to where a voxel is seen that differs.
    """
    array = target.open().async_array
    unasked = array.with_config({"write_empty_chunks": True})
    places, writes = [], []
    for coords, unit in units_of(target, block):
        values = voxels[unit.slices]
        box = tuple(
            slice(start + at, start + at + length)
            for start, at, length in zip(block.offset, unit.offset, unit.shape, strict=True)
        )
        places.append(target.place / array.metadata.encode_chunk_key(coords))
        writes.append((unasked if _nowhere_empty(array, values) else array, places[-1], box, values))
    run_at(target.place, _write_units(writes))
    if durable:
        for place in places:
            make_durable(place)
    return stored_sizes(target, block)


async def _write_units(writes: list[tuple[Any, ...]]) -> None:
    """Write each stored unit of a block with a call of its own."""
    concurrency = asyncio.Semaphore(zarr.config.get("async.concurrency"))

    async def write(unit: tuple[Any, ...]) -> None:
        async with concurrency:
            await _write_unit(*unit)

    for outcome in await asyncio.gather(*map(write, writes), return_exceptions=True):
        if outcome is not None:
            raise outcome


def _nowhere_empty(array: zarr.AsyncArray[Any], values: np.ndarray) -> bool:
    """Tell whether every chunk of a unit holds something else than fill value."""
    fill = array.metadata.fill_value
    chunks = Grid(values.shape, array.chunks).blocks()
    return fill is not None and not any(fastremap.is_solid(values[chunk.slices], fill) for chunk in chunks)


async def _write_unit(array: zarr.AsyncArray[Any], key: StorePath, box: tuple[slice, ...], voxels: np.ndarray) -> None:
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
