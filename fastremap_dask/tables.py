"""How tables of labels are stored: a Zarr group of 1-D arrays, one a column, which any reader of Zarr 3 understands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.errors import GroupNotFoundError
from zarr.storage import StorePath

from fastremap import LabelTable

from .tableformat import (
    COLUMNS_1,
    FORMAT,
    chunk_digests,
    column_digest,
    create_columns,
    create_table,
    open_head,
    seal,
    write_rows,
)
from .writing import settle

# What zarr calls a StoreLike, without its types that have no stubs.
TableStore = str | Path | Store | StorePath


def save_table(table: LabelTable, store: TableStore, *, overwrite: bool = False) -> None:
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
    the attributes `format`, `version` (2), `n_labels`, `columns` (the digest of each) and `digest` (of these). A job's
    table may hold the columns `counts` and `first` too, or lack `new`. The attributes are written last: a group without
    them is no table. Extra memory: a few chunks. To have a table mapped into memory instead, use ``LabelTable.save``.

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
        columns = existing.attrs.get("columns", COLUMNS_1)
        existing.attrs.put({})
        for name in columns:
            if name in existing:
                del existing[name]
    try:
        _write(table, store, existing)
    except BaseException:
        settle()
        raise


def _write(table: LabelTable, store: TableStore, existing: zarr.Group | None) -> None:
    """Write the columns, and then what says that they are whole."""
    columns = {"old": table.old, "new": table.new}
    dtypes = {name: column.dtype for name, column in columns.items()}
    if isinstance(store, StorePath):
        group = create_table(store, dtypes, len(table))
    else:
        group = zarr.create_group(store) if existing is None else existing
        create_columns(group, dtypes, len(table))
    seal(group, {name: write_rows(group[name], 0, column) for name, column in columns.items()})


def open_table(store: TableStore) -> LabelTable:
    """
    Read a table that `save_table`, or a job, wrote.

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
        If the group is no table, has no new labels, is of a version that is not known, or damaged.

    See Also
    --------
    save_table : Write it.
    open_columns : Read tables of any columns.

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
    group, head = open_head(store)
    if "new" not in head["columns"]:
        raise ValueError(
            f"the table at {store} maps nothing: it has the columns {', '.join(head['columns'])} and no new labels; "
            "read it with open_columns"
        )
    return _as_table(_read(store, group, head, list(COLUMNS_1)))


def open_columns(store: TableStore) -> dict[str, np.ndarray]:
    """
    Read all columns of a table that `save_table`, or a job, wrote.

    Parameters
    ----------
    store : path, URL or zarr store
        Where the group lies.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n_labels,)
        "old", the labels, ascending; then, as far as the table has them, "new", their new labels, "counts", their
        voxels (int64), and "first", the C-order index of the first voxel (int64; -1 of a label that no voxel holds).

    Raises
    ------
    FileNotFoundError
        If there is no Zarr group.
    ValueError
        If the group is no table, of a version that is not known, or damaged.

    See Also
    --------
    open_table : Read what maps labels.

    Notes
    -----
    Memory: the columns.

    Examples
    --------
    >>> import fastremap_dask, zarr
    >>> store = zarr.storage.MemoryStore()
    >>> fastremap_dask.save_table(fastremap_dask.LabelTable.from_dict({5: 1}), store)
    >>> fastremap_dask.open_columns(store)
    {'old': array([5], dtype=uint8), 'new': array([1], dtype=uint8)}
    """
    group, head = open_head(store)
    return _read(store, group, head, list(head["columns"]))


def _read(store: TableStore, group: zarr.Group, head: dict[str, Any], names: list[str]) -> dict[str, np.ndarray]:
    """Read columns, and compare them with their digests."""
    try:
        columns = {name: np.asarray(group[name][:]) for name in names}
        if head["version"] == 1:
            whole = _as_table(columns).digest == head.get("digest")
        else:
            whole = all(column_digest(group[n], chunk_digests(columns[n])) == head["columns"][n] for n in names)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # codecs raise RuntimeError
        raise ValueError(f"the label table at {store} is damaged: {error}") from error
    if not whole:  # absent chunks read as zeros, and bits flip
        raise ValueError(f"the label table at {store} is damaged: its contents differ from its digest")
    return columns


def _as_table(columns: Mapping[str, np.ndarray]) -> LabelTable:
    return LabelTable.from_arrays(*(columns[name] for name in COLUMNS_1))


def _existing_group(store: TableStore) -> zarr.Group | None:
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
