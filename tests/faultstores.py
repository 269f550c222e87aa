"""Stores in which something goes wrong: worker processes can import this module."""

import asyncio
import os
import re
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zarr.storage import LocalStore, StorePath, WrapperStore


def kill(key: str) -> None:
    """End this process as the system does for want of memory: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


def disconnect(key: str) -> None:
    raise ConnectionError(f"connection reset while {key} was on its way")


def time_out(key: str) -> None:
    raise TimeoutError(f"no answer for {key}")


def deny(key: str) -> None:
    raise PermissionError(13, "Permission denied", key)


def stall(key: str) -> float:
    """Answer after an hour."""
    return 3600.0


def take_memory(key: str) -> None:
    """Take memory until the process is stopped for it."""
    held = []
    while True:
        held.append(b"x" * 2**24)


@dataclass(frozen=True)
class Fault:
    """
    Say what goes wrong, at which keys, and how often.

    Parameters
    ----------
    do : callable
        Given the key. What it returns is slept.
    keys : str
        Pattern of the keys that are meant.
    notes : pathlib.Path
        A folder in which each occurrence leaves a file, so that all processes count together.
    times : int
        How often.
    method : {"set", "get"}
        Which accesses.
    when : {"before", "during", "after"}
        Of the access; "during" leaves half of what was to be written in a file of zarr's for such.
    passed : int
        Accesses that are let pass before.
    spared : int
        A process in which nothing goes wrong.
    armed : pathlib.Path, optional
        Nothing goes wrong unless this file exists; it goes with the first time.
    """

    do: Callable[[str], float | None]
    keys: str
    notes: Path
    times: int = 1
    method: str = "set"
    when: str = "before"
    passed: int = 0
    spared: int = 0
    armed: Path | None = None

    def is_due(self, method: str, when: str, key: str) -> bool:
        """Tell whether it is to happen now, and note that it does."""
        if (method, when) != (self.method, self.when) or self.spared == os.getpid() or not re.search(self.keys, key):
            return False
        if self.armed is not None:
            try:
                self.armed.unlink()
            except FileNotFoundError:
                return False
        for n in range(self.passed + self.times):
            try:
                os.close(os.open(self.notes / str(n), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            return n >= self.passed
        return False

    def n_happened(self) -> int:
        """Return how often it has."""
        return max(0, len(list(self.notes.iterdir())) - self.passed)


class FaultyStore(WrapperStore):
    """A store with a fault, which notes all keys that are read of it in a file."""

    def __init__(self, store: LocalStore, fault: Fault | None = None, log: Path | None = None):
        super().__init__(store)
        self.fault, self.log = fault, log

    def _with_store(self, store):
        return type(self)(store, self.fault, self.log)

    async def _meet(self, method: str, when: str, key: str) -> None:
        if self.fault is not None and self.fault.is_due(method, when, key):
            if when == "during":
                half = self._store.root / f"{key}.{uuid.uuid4().hex}.partial"
                half.parent.mkdir(parents=True, exist_ok=True)
                half.write_bytes(b"half")
            await asyncio.sleep(self.fault.do(key) or 0)

    async def set(self, key: str, value: Any) -> None:
        await self._meet("set", "before", key)
        await self._meet("set", "during", key)
        await super().set(key, value)
        await self._meet("set", "after", key)

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        if self.log is not None:
            with open(self.log, "a") as log:  # a line of this length is written in one piece
                log.write(f"{key}\n")
        await self._meet("get", "before", key)
        return await super().get(key, prototype, byte_range)


class ElsewhereStore(WrapperStore):
    """A store that is another folder in a process whose environment says so."""

    def _with_store(self, store):
        return type(self)(store)

    def __reduce__(self):
        return _elsewhere, (str(self._store.root), self.read_only)


def _elsewhere(root: str, read_only: bool) -> ElsewhereStore:
    return ElsewhereStore(LocalStore(root + os.environ.get("TEST_ELSEWHERE", ""), read_only=read_only))


def faulty(folder: Path, name: str, fault: Fault | None = None, log: Path | None = None) -> StorePath:
    """Return a place in a faulty store over a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return StorePath(FaultyStore(LocalStore(folder), fault, log), name)


def chunks_read(log: Path) -> list[str]:
    """Return the keys of chunks that were read since the last time."""
    keys = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return [key for key in keys if not key.endswith(("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"))]
