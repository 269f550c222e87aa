"""Places: where volumes lie, as users name them, and what may lie at a place that a job wants."""

from __future__ import annotations

import os
import posixpath
import socket
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import fsspec
import zarr
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ObjectStore, StorePath, ZipStore

from .npyfiles import NpyStore
from .objects import access, list_under

Location: TypeAlias = "str | os.PathLike[str] | Store | StorePath | zarr.Array[Any] | zarr.Group"
Options = Mapping[str, Any] | None


def locate(where: Location, *, read_only: bool, storage_options: Options = None) -> StorePath:
    """
    Turn what users give as a place into a store and a path in it.

    Parameters
    ----------
    where : str, path-like, zarr store, zarr.storage.StorePath, zarr.Array or zarr.Group
        The place. Paths on this machine are made absolute; of a URL the last part becomes the path. A .npy file is
        seen as a Zarr array.
    read_only : bool
        Whether the store refuses to write.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    zarr.storage.StorePath
        For a local path the store is its parent folder, for a URL all but its last part.

    Raises
    ------
    TypeError
        If `where` is none of these.
    ValueError
        If a URL has no path, or a .npy file is to be written.
    FileNotFoundError
        If there is no such .npy file.
    ImportError
        If what reads such URLs is not installed.
    """
    if isinstance(where, zarr.Array | zarr.Group):
        where = where.store_path
    if isinstance(where, Store):
        where = StorePath(where)
    if isinstance(where, StorePath) and type(where.store) is LocalStore:
        where = Path(where.store.root) / where.path
    if isinstance(where, StorePath):
        return where
    if not isinstance(where, str | os.PathLike):
        raise TypeError(
            f"a volume is given as a path, a URL, a zarr store or a zarr.Array, not as {type(where).__name__}"
        )
    text = os.fspath(where)
    if "://" in text and not text.startswith("file://"):
        return _locate_url(text, read_only, dict(storage_options or {}))
    path = Path(os.path.abspath(text.removeprefix("file://")))
    if path.suffix == ".npy" and not path.is_dir():
        if not read_only:
            raise ValueError(f"{path} names a .npy file, which is only read: choose a name that ends in .zarr")
        return StorePath(NpyStore(path))
    return StorePath(LocalStore(path.parent, read_only=read_only), path.name)


def _locate_url(url: str, read_only: bool, options: dict[str, Any]) -> StorePath:
    """Open the store of a URL: by fsspec, or by obstore where only that knows the protocol."""
    root, _, name = url.rstrip("/").rpartition("/")
    protocol = url.partition("://")[0]
    if root.endswith(("/", ":")) and protocol != "memory":
        raise ValueError(f"{url} names no array inside a bucket or server: add its path")
    try:
        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ImportError:
            raise ImportError(f"{url} cannot be opened: {error} (or install obstore)") from error
        try:
            store = from_url(root, **options)
        except BaseError as other:  # its other lines are for those who write it
            reason = str(other).partition("\n")[0]
            raise ImportError(f"{url} cannot be opened: {error}; and with obstore: {reason}") from error
        return StorePath(ObjectStore(store, read_only=read_only), name)
    return StorePath(FsspecStore.from_url(root, storage_options=options, read_only=read_only), name)


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


def above(place: StorePath) -> StorePath | None:
    """
    Return the folder that a place lies in.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    zarr.storage.StorePath or None
        Of paths on this machine, and of URLs that fsspec opened, also where it is outside of the store.
    """
    store, parent = place.store, place.path.rpartition("/")[0]
    if place.path:
        return StorePath(store, parent)
    if isinstance(store, LocalStore) and store.root.name:
        return StorePath(LocalStore(store.root.parent, read_only=store.read_only))
    if type(store) is FsspecStore and "/" in store.path.strip("/"):
        path = store.path.rstrip("/").rpartition("/")[0]
        return StorePath(FsspecStore(store.fs, path=path, read_only=store.read_only))
    return None


def last_name(place: StorePath) -> str:
    """
    Return the last part of the name of a place.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    str
        Empty at the root of a machine, of a bucket, or of a store that has no name.
    """
    store = place.store
    if place.path:
        whole = place.path
    elif isinstance(store, LocalStore):
        whole = store.root.name
    elif type(store) is FsspecStore:
        whole = store.path
    else:
        whole = getattr(getattr(store, "store", None), "prefix", None) or ""  # a bucket of obstore
    return str(whole).rstrip("/").rpartition("/")[2]


def relative_from(path: str, old: StorePath, new: StorePath) -> str | None:
    """
    Rewrite a relative path so that it leads to the same from another place.

    Parameters
    ----------
    path : str
        Relative to `old`.
    old, new : zarr.storage.StorePath
        The places.

    Returns
    -------
    str or None
        Relative to `new`; None if that is in another store.
    """
    (root, begin), (new_root, end) = _spelled(old), _spelled(new)
    if root != new_root:
        return None
    leads_to = posixpath.normpath("/".join((*begin, path)))
    return posixpath.relpath(leads_to, "/".join(end))


def as_root(place: StorePath) -> StorePath:
    """
    Return the same place as the root of a store, where such stores can be made.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    zarr.storage.StorePath
        For zarr's functions that make groups: they make each folder between the store's root and the place a group.
    """
    store = place.store
    if isinstance(store, LocalStore):
        return StorePath(LocalStore(show(place), read_only=store.read_only))
    if type(store) is FsspecStore:
        return StorePath(FsspecStore(store.fs, path=f"{store.path}/{place.path}", read_only=store.read_only))
    if isinstance(store, ObjectStore) and hasattr(store.store, "config"):  # a bucket
        held = store.store
        given = ("config", "client_options", "retry_config", "credential_provider")
        prefix = "/".join(part for part in (held.prefix, place.path) if part)
        inside = type(held)(prefix=prefix, **{name: getattr(held, name) for name in given})
        return StorePath(ObjectStore(inside, read_only=store.read_only))
    return place


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
    store = place.store
    if isinstance(store, LocalStore):
        return str(store.root / place.path)
    if type(store) is FsspecStore:
        return store.fs.unstrip_protocol(f"{store.path}/{place.path}".rstrip("/"))
    return str(place)


def is_free(place: StorePath) -> bool:
    """
    Tell whether no object lies at or under a place.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    bool
        Empty folders are free.
    """
    store, path = place.store, place.path
    return not access(lambda: store.exists(path)) and next(list_under(place), None) is None


def check_apart(source: StorePath, target: StorePath) -> None:
    """
    Refuse a target that is its source, lies inside it, or holds it.

    Parameters
    ----------
    source, target : zarr.storage.StorePath
        The places; links are followed, and spellings of URLs made one.

    Raises
    ------
    ValueError
        If it does. Nothing is written.
    """
    one, other = (_spelled(place) for place in (source, target))
    if one[0] != other[0]:
        return
    if one[1] == other[1]:
        raise ValueError(f"the target {show(target)} is the source itself, which is never written")
    if other[1][: len(one[1])] == one[1]:
        raise ValueError(f"the target {show(target)} lies inside the source {show(source)}, which is never written")
    if one[1][: len(other[1])] == other[1]:
        raise ValueError(f"the source {show(source)} lies inside the target {show(target)}: choose another target")


def check_disjoint(targets: Sequence[StorePath]) -> None:
    """
    Refuse targets of which one is another, or lies in another.

    Parameters
    ----------
    targets : sequence of zarr.storage.StorePath
        The places.

    Raises
    ------
    ValueError
        If it does. Nothing is written.
    """
    spelled = sorted((str(root), parts, show(place)) for place in targets for root, parts in [_spelled(place)])
    for (root, parts, name), (other_root, other_parts, other) in pairwise(spelled):
        if root == other_root and other_parts[: len(parts)] == parts:
            raise ValueError(
                "two targets are the same place" if parts == other_parts else f"the target {other} lies in {name}"
            )


def _spelled(place: StorePath) -> tuple[object, tuple[str, ...]]:
    """Return what two spellings of one place have in common: a file system, and the parts of a path."""
    store = place.store
    if isinstance(store, LocalStore):
        return "file", Path(os.path.realpath(show(place))).parts
    if type(store) is FsspecStore:
        parts = [part for part in f"{store.path}/{place.path}".split("/") if part not in ("", ".")]
        return (store.fs.protocol, str(store.fs.storage_options.get("endpoint_url"))), tuple(parts)
    return str(store), tuple(part for part in place.path.split("/") if part)


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
        store = innermost(place.store)
        if isinstance(store, MemoryStore | ZipStore) or getattr(getattr(store, "fs", None), "protocol", "") == "memory":
            raise ValueError(f"{show(place)} is in a {type(store).__name__}, which only threads of this process share")


def innermost(store: Store) -> Store:
    """
    Return the store that another wraps.

    Parameters
    ----------
    store : zarr.abc.store.Store
        Any store.

    Returns
    -------
    zarr.abc.store.Store
        The store itself, if it wraps none.
    """
    while hasattr(store, "_store"):
        store = store._store
    return store


def this_machine() -> str:
    """
    Return a name of this machine since it was started.

    Returns
    -------
    str
        Its host name, and where Linux tells it the number of the start.
    """
    boot = Path("/proc/sys/kernel/random/boot_id")
    return socket.gethostname() + (f"/{boot.read_text().strip()}" if boot.exists() else "")
