"""Arrays in stores: their documents, and the objects, chunks or shards, that they consist of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import zarr
from zarr.storage import StorePath

from .objects import access, at_once, is_local, list_under
from .plan import Block, Grid

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

    def open(self) -> zarr.Array[Any]:
        """Return the array, without asking the store."""
        return self._array

    @cached_property
    def _array(self) -> zarr.Array[Any]:
        return zarr.Array(zarr.AsyncArray(metadata=self.document, store_path=self.place))

    def __reduce__(self) -> tuple[Any, ...]:  # without the open array
        return Stored, (self.place, self.document)


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


def stored_sizes(target: Stored, block: Block) -> list[int]:
    """
    Return the bytes of the stored units of a block.

    Parameters
    ----------
    target : Stored
        The array.
    block : Block
        A box of whole units of it.

    Returns
    -------
    list of int
        In C order; -1 where a unit is nothing but fill value and is not stored.
    """
    metadata = target.open().metadata
    places = (target.place / metadata.encode_chunk_key(coords) for coords, _ in units_of(target, block))
    return [-1 if (size := stored_size(place)) is None else size for place in places]


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


def _parser(array: zarr.Array[Any]) -> Any:
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
