"""The format of label tables: a Zarr group of 1-D arrays in chunks, and attributes that say that all is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from zarr.errors import GroupNotFoundError
from zarr.storage import MemoryStore, StoreLike, StorePath

from .objects import Folder, access, at_once, make_durable

FORMAT = "fastremap-label-table"
VERSION = 2
# Version 1 had these two columns always, and the digest of the LabelTable.
COLUMNS_1 = ("old", "new")
CHUNK_LENGTH = 2**20  # labels; at most 8 MB, so that a reader can take part of a table of 1e8 labels


def create_columns(group: zarr.Group, dtypes: Mapping[str, np.dtype], n_labels: int) -> None:
    """
    Make the arrays of a table that is yet to be written.

    Parameters
    ----------
    group : zarr.Group
        The table's group.
    dtypes : mapping of str to numpy.dtype
        Of each column.
    n_labels : int
        The length of all.
    """
    for name, dtype in dtypes.items():
        group.create_array(name, shape=(n_labels,), dtype=dtype, chunks=(min(max(1, n_labels), CHUNK_LENGTH),))


def create_table(table: StorePath, dtypes: Mapping[str, np.dtype], n_labels: int) -> zarr.Group:
    """
    Make an unfinished table where none is, and nothing above it: zarr would make every folder of the store a group.

    Parameters
    ----------
    table : zarr.storage.StorePath
        Its place. What an earlier attempt has left there remains.
    dtypes : mapping of str to numpy.dtype
        Of each column.
    n_labels : int
        The length of all.

    Returns
    -------
    zarr.Group
        The table, whose rows are to be written.
    """
    model, folder = StorePath(MemoryStore()), Folder(table)
    create_columns(zarr.create_group(model), dtypes, n_labels)
    for name in Folder(model).names():
        if not folder.has(name):
            folder.put(name, Folder(model).get(name))
    return at_once(lambda: zarr.open_group(table, mode="r+"))


def open_column(table: StorePath, name: str) -> zarr.Array[Any]:
    """
    Open a column of a table that may be unfinished.

    Parameters
    ----------
    table : zarr.storage.StorePath
        The table.
    name : str
        The column.

    Returns
    -------
    zarr.Array
        The column.
    """
    return zarr.Array(access(lambda: zarr.AsyncArray.open(table / name)))


def write_rows(array: zarr.Array[Any], start: int, rows: np.ndarray, *, durable: bool = False) -> list[str]:
    """
    Write a part of a column: whole chunks, but at the end of the table.

    Parameters
    ----------
    array : zarr.Array
        The column.
    start : int
        The first row, a multiple of the chunks' length.
    rows : numpy.ndarray, 1-D
        Their values, in the array's dtype.
    durable : bool
        On this machine, return only when the disk has them.

    Returns
    -------
    list of str
        The digest of each chunk.
    """
    access(lambda: array.async_array.setitem(slice(start, start + rows.size), rows))
    if durable:
        for at in range(start, start + rows.size, CHUNK_LENGTH):
            make_durable(array.store_path / array.metadata.encode_chunk_key((at // CHUNK_LENGTH,)))
    return chunk_digests(rows)


def chunk_digests(rows: np.ndarray) -> list[str]:
    """
    Return the digests of the chunks of a column, or of a part of it that begins where a chunk does.

    Parameters
    ----------
    rows : numpy.ndarray, 1-D
        The values.

    Returns
    -------
    list of str
        Hexadecimal, one for each 2**20 rows.
    """
    little = np.ascontiguousarray(rows, rows.dtype.newbyteorder("<"))
    return [_digest(little[at : at + CHUNK_LENGTH].data) for at in range(0, rows.size, CHUNK_LENGTH)]


def column_digest(array: zarr.Array[Any], chunks: list[str]) -> str:
    """
    Return the digest of a column.

    Parameters
    ----------
    array : zarr.Array
        The column.
    chunks : list of str
        The digests of its chunks, in order: no one has to hold the column.

    Returns
    -------
    str
        Hexadecimal.
    """
    head = f"{array.dtype.newbyteorder('<').str} {array.size} "
    return _digest((head + "".join(chunks)).encode())


def seal(group: zarr.Group, chunks: Mapping[str, list[str]]) -> str:
    """
    Write the attributes that make a group a whole table.

    Parameters
    ----------
    group : zarr.Group
        Its arrays are written.
    chunks : mapping of str to list of str
        For each column, "old" first, the digests of its chunks in order.

    Returns
    -------
    str
        The digest of the table.
    """
    columns = {name: column_digest(group[name], digests) for name, digests in chunks.items()}
    digest = _digest("".join(f"{name} {column} " for name, column in columns.items()).encode())
    head = {"format": FORMAT, "version": VERSION, "n_labels": group["old"].size, "columns": columns, "digest": digest}
    group.attrs.put(head)
    return digest


def open_head(store: StoreLike) -> tuple[zarr.Group, dict[str, Any]]:
    """
    Open a table without reading its rows.

    Parameters
    ----------
    store : path, URL or zarr store
        Where the group lies.

    Returns
    -------
    group : zarr.Group
        Of the arrays.
    head : dict
        The attributes; "columns" holds the digest of each column, or None in version 1.

    Raises
    ------
    FileNotFoundError
        If there is no Zarr group.
    ValueError
        If the group is no table, or of a version that is not known.
    """
    try:
        group = at_once(lambda: zarr.open_group(store, mode="r"))
    except (FileNotFoundError, GroupNotFoundError) as error:
        raise FileNotFoundError(f"there is no label table at {store}: no Zarr group lies there") from error
    except ValueError as error:  # an array, or a damaged document
        raise ValueError(f"{store} holds no label table: {error}") from error
    head = dict(group.attrs)
    if head.get("format") != FORMAT:
        raise ValueError(f'{store} holds no label table: its attribute "format" is not "{FORMAT}", or it is unfinished')
    if head.get("version") not in (1, VERSION):
        raise ValueError(
            f"the label table at {store} has version {head.get('version')!r}, and versions up to {VERSION} can be read"
        )
    return group, {"columns": dict.fromkeys(COLUMNS_1), **head}


def _digest(data: Any) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
