"""How a LabelTable is stored: a Zarr group of two 1-D arrays, which any reader of Zarr 3 understands."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import zarr
from zarr.errors import GroupNotFoundError
from zarr.storage import StoreLike

from fastremap import LabelTable

from .volumes import settle

FORMAT = "fastremap-label-table"
VERSION = 1
COLUMNS = ("old", "new")
CHUNK_LENGTH = 2**20  # labels; at most 8 MB, so that a reader can take part of a table of 1e8 labels


def save_table(table: LabelTable, store: StoreLike, *, overwrite: bool = False) -> None:
    """
    Save a table as a Zarr group.

    Parameters
    ----------
    table : LabelTable
        The table.
    store : path, URL or zarr store
        Where the group is to lie. Nothing may lie there, unless `overwrite`.
    overwrite : bool
        Replace a table that lies there; anything else is refused all the same.

    Raises
    ------
    FileExistsError
        If something lies there that may not be replaced; nothing is written.

    See Also
    --------
    open_table : Read it back.

    Notes
    -----
    The group holds the arrays `old`, ascending, and `new`, both of shape (n_labels,) and in chunks of 2**20 labels, and
    the attributes `format`, `version`, `n_labels` and `digest`. These are written last: a group without them is no
    table. Extra memory: a few chunks. To have a table mapped into memory instead, use ``LabelTable.save``.

    Examples
    --------
    >>> import fastremap_dask, zarr
    >>> store = zarr.storage.MemoryStore()
    >>> fastremap_dask.save_table(fastremap_dask.LabelTable.from_dict({5: 1}), store)
    >>> dict(zarr.open_group(store).attrs)["n_labels"]
    1
    """
    existing = _existing_group(store)
    if existing is not None:
        if not overwrite:
            raise FileExistsError(f"{store} exists: choose another place, or overwrite=True to replace a table")
        if existing.attrs.get("format") != FORMAT:
            raise FileExistsError(f"{store} holds a Zarr group that is no label table: it is not overwritten")
        existing.attrs.put({})
        for name in COLUMNS:
            if name in existing:
                del existing[name]
    try:
        _write(table, zarr.create_group(store) if existing is None else existing)
    except BaseException:
        settle()
        raise


def _write(table: LabelTable, group: zarr.Group) -> None:
    """Write the columns, and then what says that they are whole."""
    for name in COLUMNS:
        column = getattr(table, name)
        chunk_length = min(max(1, column.size), CHUNK_LENGTH)
        group.create_array(name, shape=column.shape, dtype=column.dtype, chunks=(chunk_length,))[:] = column
    group.attrs.put({"format": FORMAT, "version": VERSION, "n_labels": len(table), "digest": table.digest})


def open_table(store: StoreLike) -> LabelTable:
    """
    Read a table that `save_table` wrote.

    Parameters
    ----------
    store : path, URL or zarr store
        Where the group lies.

    Returns
    -------
    LabelTable
        The table, in memory, equal to the one saved.

    Raises
    ------
    FileNotFoundError
        If there is no Zarr group.
    ValueError
        If the group is no table, of a version that is not known, or damaged.

    See Also
    --------
    save_table : Write it.

    Notes
    -----
    Memory: the table and as much again while it is built.

    Examples
    --------
    >>> import fastremap_dask, zarr
    >>> store = zarr.storage.MemoryStore()
    >>> fastremap_dask.save_table(fastremap_dask.LabelTable.from_dict({5: 1}), store)
    >>> fastremap_dask.open_table(store).to_dict()
    {5: 1}
    """
    try:
        group = zarr.open_group(store, mode="r")
    except (FileNotFoundError, GroupNotFoundError) as error:
        raise FileNotFoundError(f"there is no label table at {store}: no Zarr group lies there") from error
    except ValueError as error:  # an array, or a damaged document
        raise ValueError(f"{store} holds no label table: {error}") from error
    head = dict(group.attrs)
    if head.get("format") != FORMAT:
        raise ValueError(f'{store} holds no label table: its attribute "format" is not "{FORMAT}", or it is unfinished')
    if head.get("version") != VERSION:
        raise ValueError(
            f"the label table at {store} has version {head.get('version')!r}, and version {VERSION} is what can be read"
        )
    try:
        table = LabelTable.from_arrays(*(np.asarray(group[name][:]) for name in COLUMNS))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # codecs raise RuntimeError
        raise ValueError(f"the label table at {store} is damaged: {error}") from error
    if table.digest != head.get("digest"):  # absent chunks read as zeros, and bits flip
        raise ValueError(f"the label table at {store} is damaged: its contents differ from its digest")
    return table


def _existing_group(store: StoreLike) -> zarr.Group | None:
    """Return the group at a place, None if nothing lies there; refuse all else."""
    try:
        return zarr.open_group(store, mode="r+")
    except (FileNotFoundError, GroupNotFoundError) as error:
        if isinstance(store, str | os.PathLike) and _holds_anything(Path(store)):
            raise FileExistsError(f"{store} exists and is no label table: it is not overwritten") from error
        return None
    except ValueError as error:  # an array, or a damaged document
        raise FileExistsError(f"{store} holds no label table, and is not overwritten: {error}") from error


def _holds_anything(path: Path) -> bool:
    """Tell whether a path is anything but absent or an empty folder."""
    return path.exists() and not (path.is_dir() and next(path.iterdir(), None) is None)
