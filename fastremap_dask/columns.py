"""Columns: arrays of one length packed into one object, of which readers may take a part."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .objects import Folder

MAGIC = b"FRCOLS01"
# Most objects are smaller than this and are read at once; of the others this holds the head.
PROBE_NBYTES = 65_536


def pack(columns: dict[str, np.ndarray], **facts: Any) -> bytes:
    """
    Pack columns into bytes.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray, 1-D
        Arrays of any lengths and fixed-size dtypes, native byte order.
    **facts
        What else JSON can hold.

    Returns
    -------
    bytes
        8 bytes that name the format, the length of the head as 8 bytes, the head as JSON, and the raw columns, each
        with its CRC-32 in the head.
    """
    parts = [np.ascontiguousarray(column) for column in columns.values()]
    at, entries = 0, {}
    for name, part in zip(columns, parts, strict=True):
        entries[name] = {"dtype": part.dtype.str, "length": part.size, "at": at, "crc": zlib.crc32(part)}
        at += part.nbytes
    head = json.dumps({"columns": entries, "facts": facts}).encode()
    return b"".join([MAGIC, len(head).to_bytes(8, "little"), head, *(part.tobytes() for part in parts)])


@dataclass(frozen=True)
class Columns:
    """
    Read columns from an object.

    Parameters
    ----------
    folder : Folder
        Where the object lies.
    name : str
        Its name.
    """

    folder: Folder
    name: str
    _head: dict[str, Any]
    _begin: int
    _whole: bytes | None

    @classmethod
    def open(cls, folder: Folder, name: str) -> Columns:
        """Read the head; all of the object where it is small."""
        probe = folder.get(name, 0, PROBE_NBYTES)
        if probe[:8] != MAGIC:
            raise ValueError(f"{folder.place / name} holds no columns: it is damaged, or not of this version")
        begin = 16 + int.from_bytes(probe[8:16], "little")
        if begin > len(probe):
            probe = folder.get(name, 0, begin)
        head = json.loads(probe[16:begin])
        end = begin + sum(np.dtype(e["dtype"]).itemsize * e["length"] for e in head["columns"].values())
        return cls(folder, name, head, begin, probe if end <= len(probe) else None)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what was packed beside the columns."""
        return self._head["facts"]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(self._head["columns"])

    def length(self, name: str) -> int:
        """Return the length of a column."""
        return self._head["columns"][name]["length"]

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return a column, or the items from `start` to `stop` of it; checked where it is read whole."""
        entry = self._head["columns"][name]
        dtype = np.dtype(entry["dtype"])
        stop = entry["length"] if stop is None else stop
        begin = self._begin + entry["at"] + start * dtype.itemsize
        end = begin + (stop - start) * dtype.itemsize
        if end == begin:
            return np.empty(0, dtype)
        data = self._whole[begin:end] if self._whole is not None else self.folder.get(self.name, begin, end)
        items = np.frombuffer(data, dtype)
        if len(items) != stop - start or (len(items) == entry["length"] and zlib.crc32(items) != entry["crc"]):
            raise ValueError(f"{self.folder.place / self.name} is damaged: its column {name!r} differs from its digest")
        return items
