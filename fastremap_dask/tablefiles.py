"""Label tables as people keep them: Zarr groups, folders, and files of npz, CSV, JSON and Parquet."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import zarr

from fastremap import LabelTable

from .places import Location, as_root, locate
from .tableformat import CHUNK_LENGTH, open_head
from .tables import open_table

FILES = (".npz", ".csv", ".json", ".parquet")
Columns: TypeAlias = "Mapping[str, zarr.Array[Any]]"


def ending(place: Location) -> str:
    """
    Return the format of a table by the end of its name.

    Parameters
    ----------
    place : str, path-like or other location
        Where the table lies.

    Returns
    -------
    str
        One of `FILES`, or empty for a Zarr group or a folder.
    """
    suffix = Path(os.fspath(place)).suffix.lower() if isinstance(place, str | os.PathLike) else ""
    return suffix if suffix in FILES else ""


def is_group(place: str) -> bool:
    """
    Tell whether a table is a Zarr group, by its name, or by what lies there.

    Parameters
    ----------
    place : str
        Where the table lies.

    Returns
    -------
    bool
        False for a file, and a folder of ``LabelTable.save``.
    """
    return not ending(place) and not Path(place, "table.json").is_file()


def open_columns(
    place: str, storage_options: Mapping[str, Any] | None = None
) -> Mapping[str, zarr.Array[Any] | np.ndarray]:
    """
    Open the columns of a table from old to new labels without reading all of it, where its form allows that.

    Parameters
    ----------
    place : str
        As for `read_table`.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    mapping of str to zarr.Array or numpy.ndarray
        `old`, ascending, and `new`.
    """
    if not is_group(place):
        table = read_table(place, storage_options)
        return {"old": table.old, "new": table.new}
    group, head = open_head(as_root(locate(place, read_only=True, storage_options=storage_options)))
    if "new" not in head["columns"]:
        raise ValueError(f"the table at {place} has no new labels: its columns are {', '.join(head['columns'])}")
    return {name: group[name] for name in ("old", "new")}


def read_table(place: str, storage_options: Mapping[str, Any] | None = None) -> LabelTable:
    """
    Read a table in any of the forms that it may have.

    Parameters
    ----------
    place : str
        A Zarr group on this machine or at a URL, a folder that ``LabelTable.save`` wrote, or a file whose name ends in
        .npz, .csv, .json or .parquet, with columns `old` and `new`.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    LabelTable
        The table, in memory; a folder is mapped.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged, or no table.
    ImportError
        If it is a Parquet file and pyarrow is not installed.
    """
    if is_group(place):
        return open_table(as_root(locate(place, read_only=True, storage_options=storage_options)))
    if not Path(place).exists():
        raise FileNotFoundError(f"there is no table at {place}")
    try:
        table = _read_parquet(place) if ending(place) == ".parquet" else LabelTable.open(place)
    except (ValueError, TypeError, KeyError, LookupError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{place} is no table of labels with the columns old and new: {_first_line(error)}") from error
    for name, column in (("old", table.old), ("new", table.new)):
        if column.dtype.kind not in "biu":
            raise ValueError(f"{place} holds {name} labels that are no integers of 64 bits")
    return table


def rows(columns: Columns) -> Iterator[dict[str, np.ndarray]]:
    """
    Generate the rows of a table, a chunk of all its columns at a time.

    Parameters
    ----------
    columns : mapping of str to zarr.Array or numpy.ndarray
        Arrays of one length.

    Yields
    ------
    dict of str to numpy.ndarray
        A part of each column.
    """
    length = next(iter(columns.values())).shape[0]
    for at in range(0, length, CHUNK_LENGTH):
        yield {name: np.asarray(column[at : at + CHUNK_LENGTH]) for name, column in columns.items()}


def _read_parquet(path: str) -> LabelTable:
    table = import_parquet()[1].read_table(path, columns=["old", "new"])
    return LabelTable.from_arrays(*(table.column(name).to_numpy() for name in ("old", "new")))


def import_parquet() -> tuple[ModuleType, ModuleType]:
    """
    Import pyarrow, or say what to install.

    Returns
    -------
    module, module
        pyarrow and pyarrow.parquet.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError('files of Parquet need pyarrow: pip install "fastremap[parquet]"') from error
    return pyarrow, parquet


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
