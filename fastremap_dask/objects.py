"""Objects: how a job reads and writes stores, with bounded patience, and the folder of small objects that it keeps."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import zarr
from zarr.abc.store import RangeByteRequest
from zarr.buffer import cpu, default_buffer_prototype
from zarr.core.sync import sync  # stores have no other way to be asked from code that is not async
from zarr.storage import LocalStore, MemoryStore, StorePath

Result = TypeVar("Result")

# A failure that may pass is tried again after these pauses: networks and servers are busy for seconds, not for hours.
PAUSES_S = (0.1, 1.0, 5.0)
# An access that gives no sign for so long has failed. zarr's own setting `async.timeout` goes before.
STALLED_S = 300.0
# What no second attempt mends: zarr and its codecs say by the others that data or arguments are wrong.
LASTING = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    NotImplementedError,
    AttributeError,
)
LASTING_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.ENAMETOOLONG)

_opening = threading.Lock()

# What is begun in zarr's event loop for a task gets the task's own counter, for it takes over the context.
_retries: ContextVar[list[int]] = ContextVar("retries")


def access(attempt: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """
    Access a store, again after a pause where the failure may pass.

    Parameters
    ----------
    attempt : callable
        Returns a fresh coroutine for each attempt; a second one must do no harm.

    Returns
    -------
    object
        What the coroutine returns.

    Raises
    ------
    TimeoutError
        If each attempt stalled.
    Exception
        What the last attempt raised.
    """
    return sync(patiently(attempt))


def run_at(place: StorePath, coroutine: Coroutine[Any, Any, Result]) -> Result:
    """
    Run what moves voxels from or to a store: in this thread, where the store does not need zarr's event loop.

    Parameters
    ----------
    place : zarr.storage.StorePath
        What is accessed.
    coroutine : coroutine
        The access.

    Returns
    -------
    object
        What the coroutine returns.

    Notes
    -----
    zarr's one event loop copies the chunks of all threads, and each chunk goes from thread to thread six times: two
    threads that read a volume get no further than one and a half. Here chunks of one call come one after the other, so
    that a call never holds more than one of them beside its result.
    """
    if isinstance(place.store, LocalStore | MemoryStore):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            with asyncio.Runner(loop_factory=_ThisThread) as runner:
                return runner.run(_when_open(place.store, coroutine))
    return sync(coroutine)  # in a notebook's own thread too: it has a loop, beside which no other can run


async def _when_open(store: LocalStore | MemoryStore, coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Open a store at its first use, for one thread alone: of two that do it at once, zarr lets one raise."""
    with closing(coroutine):
        if not store._is_open:
            with _opening:
                await patiently(store._ensure_open)
        return await coroutine


class _ThisThread(asyncio.SelectorEventLoop):
    """An event loop that calls in its own thread what it is asked to call in another."""

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Call the function at once."""
        done = self.create_future()
        try:
            done.set_result(function(*args))
        except Exception as error:
            done.set_exception(error)
        return done


async def patiently(attempt: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """
    Access a store as `access` does, from code that is async.

    Parameters
    ----------
    attempt : callable
        Returns a fresh coroutine for each attempt; a second one must do no harm.

    Returns
    -------
    object
        What the coroutine returns.

    Raises
    ------
    TimeoutError
        If each attempt stalled.
    Exception
        What the last attempt raised.
    """
    limit_s = zarr.config.get("async.timeout") or STALLED_S
    for pause_s in (*PAUSES_S, None):
        try:
            return await asyncio.wait_for(attempt(), limit_s)
        except Exception as error:
            if pause_s is None or not may_pass(error):
                stalled = isinstance(error, TimeoutError) and not str(error)
                raise (TimeoutError(f"the store gave no answer for {limit_s:g} s") if stalled else error) from None
        if (counter := _retries.get(None)) is not None:
            counter[0] += 1
        await asyncio.sleep(pause_s)
    raise AssertionError("unreachable: the last attempt returns or raises")


def at_once(attempt: Callable[[], Result]) -> Result:
    """
    Access a store whose methods are not async, again after a pause where the failure may pass.

    Parameters
    ----------
    attempt : callable
        The access; a second one must do no harm.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    Exception
        What the last attempt raised.

    Notes
    -----
    For files of this machine: to ask zarr's event loop takes ten times as long as to read one. No access is given up
    as stalled, for the system cannot stop one.
    """
    for pause_s in (*PAUSES_S, None):
        try:
            return attempt()
        except Exception as error:
            if pause_s is None or not may_pass(error):
                raise
        if (counter := _retries.get(None)) is not None:
            counter[0] += 1
        time.sleep(pause_s)
    raise AssertionError("unreachable: the last attempt returns or raises")


def may_pass(error: Exception) -> bool:
    """
    Tell whether a second attempt may succeed.

    Parameters
    ----------
    error : Exception
        What an access to a store raised.

    Returns
    -------
    bool
        False for what is lasting: no permission, no space, damaged data, wrong arguments.
    """
    return not (isinstance(error, LASTING) or getattr(error, "errno", None) in LASTING_ERRNOS)


@contextmanager
def counted_retries() -> Iterator[list[int]]:
    """
    Count how often accesses of this thread are tried again within a `with` block.

    Yields
    ------
    list of one int
        The number so far.
    """
    counter = [0]
    token = _retries.set(counter)
    try:
        yield counter
    finally:
        _retries.reset(token)


@dataclass(frozen=True)
class Folder:
    """
    Hold small immutable objects under one place of a store.

    Parameters
    ----------
    place : zarr.storage.StorePath
        Where; its store can be written.
    durable : bool
        On this machine, return from writing only when the disk has the object.
    """

    place: StorePath
    durable: bool = False

    def _at(self, name: str) -> StorePath:
        return self.place / name if name else self.place

    def put(self, name: str, data: bytes) -> None:
        """Write an object, in one piece or not at all."""
        at, buffer = self._at(name), cpu.Buffer.from_bytes(data)
        if is_local(at):
            at_once(lambda: at.store.set_sync(at.path, buffer))
        else:
            access(lambda: at.store.set(at.path, buffer))
        if self.durable:
            make_durable(at)

    def put_new(self, name: str, data: bytes) -> bool:
        """Write an object unless there is one; tell whether what lies there now is this one."""
        at = self._at(name)
        access(lambda: at.store.set_if_not_exists(at.path, cpu.Buffer.from_bytes(data)))
        return self.get(name) == data

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """Read an object, or the bytes from `start` to `stop` of it."""
        at = self._at(name)
        wanted = None if stop is None else RangeByteRequest(start, stop)
        if is_local(at):
            found = at_once(lambda: at.store.get_sync(at.path, byte_range=wanted))
        else:
            found = access(lambda: at.store.get(at.path, default_buffer_prototype(), wanted))
        if found is None:
            raise FileNotFoundError(f"{at} is not there")
        return found.to_bytes()

    def has(self, name: str) -> bool:
        """Tell whether there is an object of that name."""
        at = self._at(name)
        return access(lambda: at.store.exists(at.path))

    def names(self, prefix: str = "") -> Iterator[str]:
        """Generate the names of all objects under a prefix that ends where a name's part ends."""
        return list_under(self._at(prefix), self.place)

    def delete(self, name: str) -> None:
        """Remove an object, which need not be there."""
        at = self._at(name)
        access(lambda: at.store.delete(at.path))

    def clear(self) -> None:
        """Remove all objects, and the folder itself where it is one on this machine."""
        access(lambda: self.place.store.delete_dir(self.place.path))


def is_local(place: StorePath) -> bool:
    """
    Tell whether a place is a file or folder of this machine.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    bool
        False for a store that only wraps one of such files.
    """
    return isinstance(place.store, LocalStore)


def list_under(place: StorePath, root: StorePath | None = None) -> Iterator[str]:
    """
    Generate the names of all objects under a place.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.
    root : zarr.storage.StorePath, optional
        Where names begin. Default: at the place.

    Yields
    ------
    str
        One name after the other, in the order of the store; names of files that a dead process left half-written
        are among them, they end in ``.partial``.
    """
    begin = len((root or place).path) + 1 if (root or place).path else 0
    if is_local(place):  # zarr's own list holds a path object for each file
        top = place.store.root / place.path
        for folder, _, files in os.walk(top):
            inside = os.path.relpath(folder, place.store.root)
            for file in files:
                yield (file if inside == "." else f"{inside}/{file}".replace(os.sep, "/"))[begin:]
        return
    listed = place.store.list_prefix(f"{place.path}/" if place.path else "")
    while True:
        batch = sync(_some(listed, 10_000))
        yield from (key[begin:] for key in batch)
        if not batch:
            return


async def _some(items: Any, n: int) -> list[str]:
    """Take up to `n` items from an asynchronous iterator."""
    batch: list[str] = []
    async for item in items:
        batch.append(item)
        if len(batch) == n:
            break
    return batch


def make_durable(place: StorePath) -> None:
    """
    Have the disk of this machine hold an object, and its folder the name of it.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The object. In stores that are no folders of this machine nothing is done: a put that returned is there.
    """
    if not is_local(place):
        return
    path = Path(place.store.root) / place.path
    for at in (path, *path.parents[: len(Path(place.path).parts)]):
        try:
            handle = os.open(at, os.O_RDONLY)
        except FileNotFoundError:  # a chunk of nothing but fill value is not stored
            continue
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
