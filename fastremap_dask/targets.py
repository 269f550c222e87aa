"""Targets: places that a job takes for what it writes, which exist only when they are done, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zarr.core.sync import sync  # stores have no other way to be asked from code that is not async
from zarr.storage import LocalStore, MemoryStore, StorePath, ZipStore

from .volumes import Stored, settle, show


def publish(stored: Stored) -> None:
    """
    Write the metadata document of an array, by which it comes into existence.

    Parameters
    ----------
    stored : Stored
        The array.
    """
    stored.open().update_attributes({})  # of zarr's public functions the one that writes the document, and only that


def check_apart(source: StorePath, target: StorePath) -> None:
    """
    Refuse a target that lies inside its source.

    Parameters
    ----------
    source, target : zarr.storage.StorePath
        The places; links are followed.

    Raises
    ------
    ValueError
        If it does. Nothing is written.
    """
    if isinstance(source.store, LocalStore) and isinstance(target.store, LocalStore):
        outer, inner = (Path(os.path.realpath(show(place))) for place in (source, target))
        within = outer in inner.parents
    else:
        within = source.store == target.store and target.path.startswith(f"{source.path}/".lstrip("/"))
    if within:
        raise ValueError(f"the target {show(target)} lies inside the source {show(source)}, which is never written")


def check_shared(*places: StorePath) -> None:
    """
    Refuse stores that worker processes cannot see.

    Parameters
    ----------
    *places : zarr.storage.StorePath
        The places that workers are to read and write.

    Raises
    ------
    ValueError
        If one is in a memory or zip store, wrapped or not. Nothing is written.
    """
    for place in places:
        store = place.store
        while hasattr(store, "_store"):
            store = store._store
        if isinstance(store, MemoryStore | ZipStore):
            raise ValueError(f"{show(place)} is in a {type(store).__name__}, which only threads of this process share")


@contextmanager
def claimed(*places: StorePath) -> Iterator[None]:
    """
    Keep places for what a job writes, and remove all of it if the job fails.

    Parameters
    ----------
    *places : zarr.storage.StorePath
        Where nothing may lie yet. On this machine their folders are made at once, so that a place where the job may
        not write is known before it begins.

    Yields
    ------
    None
        To the job.

    Raises
    ------
    FileExistsError
        If any object lies at or under a place. Nothing is written.
    OSError
        If a folder cannot be made. Nothing is left of it.
    """
    for place in places:
        _check_free(place)
    made: list[Path] = []
    try:
        for place in places:
            if isinstance(place.store, LocalStore):
                _make_folders(Path(show(place)), made)
        yield
    except BaseException as error:
        try:
            settle()
            for place in places:
                _remove(place)
        except Exception as reason:
            error.add_note(f"and not all that was written could be removed: {reason}")
        for folder in reversed(made):
            with suppress(OSError):  # not empty: it holds what somebody else has put there, or the note says it
                folder.rmdir()
        raise


def _check_free(place: StorePath) -> None:
    """Refuse a place at or under which an object lies."""
    if sync(place.store.exists(place.path)) or not sync(place.store.is_empty(place.path)):
        raise FileExistsError(f"{show(place)} exists and is left as it is: remove it, or choose another name")


def _make_folders(path: Path, made: list[Path]) -> None:
    """Make a folder and its parents, and note those that were not there."""
    for folder in reversed([path, *path.parents]):
        if folder.is_dir():
            continue
        if folder.exists():
            raise NotADirectoryError(f"{folder} is a file: {path} cannot lie under it")
        folder.mkdir()
        made.append(folder)


def _remove(place: StorePath) -> None:
    """Remove everything under a place, but not a local folder itself, which may have been there before."""
    if not isinstance(place.store, LocalStore):
        sync(place.store.delete_dir(place.path))
        return
    folder = Path(show(place))
    for entry in folder.iterdir() if folder.is_dir() else ():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
