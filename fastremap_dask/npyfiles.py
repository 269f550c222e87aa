"""Files of numpy's format .npy as read-only Zarr stores: jobs read them like any volume, and nothing is converted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from itertools import product
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.buffer import cpu
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import MemoryStore

# A chunk of the view has 2**18 voxels: 64 along each axis of a volume.
CHUNK_BITS = 18
DOCUMENT = "zarr.json"


class NpyStore(Store):
    """
    Show a file of format .npy as a Zarr array of format 3, without compression.

    Parameters
    ----------
    path : str
        The file. It is mapped into memory for each chunk that is read.

    Raises
    ------
    FileNotFoundError
        If there is none.
    TypeError
        If it does not hold bool or integers.
    ValueError
        If it is damaged.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, path: str | os.PathLike[str]):
        super().__init__(read_only=True)
        self.path = os.path.abspath(path)
        dtype = self._mapped().dtype
        if dtype.kind not in "biu":
            raise TypeError(f"{self.path} holds {dtype}; labels are bool or integers of 8 to 64 bits")

    def __str__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"NpyStore({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NpyStore) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def with_read_only(self, read_only: bool = False) -> NpyStore:
        """Return the store: it is always read-only."""
        if not read_only:
            raise ValueError(f"{self.path} is a .npy file, which is only read: volumes are written as Zarr arrays")
        return self

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the metadata document, or a chunk."""
        data = await asyncio.to_thread(self._object, key)
        buffer = cpu.Buffer if prototype is None else prototype.buffer
        return None if data is None else buffer.from_bytes(_part(data, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Tell whether the array has such an object."""
        return key == DOCUMENT or _coords(key, self._counts()) is not None

    async def getsize(self, key: str) -> int:
        """Return the bytes of an object."""
        data = await asyncio.to_thread(self._object, key)
        if data is None:
            raise FileNotFoundError(key)
        return len(data)

    async def getsize_prefix(self, prefix: str) -> int:
        """Return the bytes of the file, which hold all objects."""
        return os.path.getsize(self.path)

    async def list(self) -> AsyncIterator[str]:
        """Generate the names of all objects."""
        yield DOCUMENT
        for coords in product(*map(range, self._counts())):
            yield "/".join(["c", *map(str, coords)])

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Generate the names that begin so."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Generate the names right under a prefix."""
        begin = f"{prefix.rstrip('/')}/" if prefix else ""
        seen = set()
        async for key in self.list_prefix(begin):
            name = key[len(begin) :].split("/")[0]
            if name not in seen:
                seen.add(name)
                yield name

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refuse."""
        self._check_writable()

    def _mapped(self) -> np.ndarray:
        """Map the file into memory; an empty array, which cannot be mapped, is read."""
        try:
            with open(self.path, "rb") as file:
                version = np.lib.format.read_magic(file)
                read_head = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
                shape, _, dtype = read_head(file)
            return np.load(self.path, mmap_mode="r" if 0 not in shape and not dtype.hasobject else None)
        except (ValueError, EOFError, AttributeError) as error:
            raise ValueError(f"{self.path} is no .npy file of labels, or is damaged: {error}") from error

    def _counts(self) -> tuple[int, ...]:
        """Count the chunks along each axis."""
        shape = self._mapped().shape
        return tuple(-(-extent // length) for extent, length in zip(shape, chunk_shape(shape), strict=True))

    def _document(self) -> bytes:
        """Return the metadata document of the array."""
        array, store = self._mapped(), MemoryStore()
        layout: dict[str, Any] = {"compressors": None, "filters": None, "zarr_format": 3}
        dtype = array.dtype.newbyteorder("<")
        zarr.create_array(store, shape=array.shape, dtype=dtype, chunks=chunk_shape(array.shape), **layout)
        return store._store_dict[DOCUMENT].to_bytes()

    def _object(self, key: str) -> bytes | None:
        """Return the bytes of an object."""
        if key == DOCUMENT:
            return self._document()
        array = self._mapped()
        shape = chunk_shape(array.shape)
        coords = _coords(key, self._counts())
        if coords is None:
            return None
        box = tuple(slice(at * length, (at + 1) * length) for at, length in zip(coords, shape, strict=True))
        part = array[box]
        if part.shape != shape:  # chunks at the far borders are whole ones, as Zarr has them
            part = np.pad(part, [(0, whole - got) for whole, got in zip(shape, part.shape, strict=True)])
        return part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes()


def chunk_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """
    Return the chunks in which a file is seen.

    Parameters
    ----------
    shape : tuple of int
        Of the array.

    Returns
    -------
    tuple of int
        A cube, but no longer than the array along any axis.
    """
    edge = 2 ** (CHUNK_BITS // max(1, len(shape)))
    return tuple(max(1, min(edge, extent)) for extent in shape)


def _coords(key: str, counts: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the position of a chunk by its name, None if there is no such chunk."""
    prefix, *parts = key.split("/")
    if prefix != "c" or len(parts) != len(counts) or not all(part.isdecimal() for part in parts):
        return None
    coords = tuple(map(int, parts))
    return coords if all(at < count for at, count in zip(coords, counts, strict=True)) else None


def _part(data: bytes, byte_range: ByteRequest | None) -> bytes:
    """Return the bytes that are asked for."""
    match byte_range:
        case None:
            return data
        case RangeByteRequest(start=start, end=end):
            return data[start:end]
        case OffsetByteRequest(offset=offset):
            return data[offset:]
        case SuffixByteRequest(suffix=suffix):
            return data[-suffix:] if suffix else b""
