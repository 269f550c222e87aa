"""Exporting: the tables of jobs as files of CSV, npz or Parquet, which need no more memory than a chunk."""

from __future__ import annotations

import csv
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.lib import format as npy_format

from .frames import REPORT_SUFFIX
from .places import as_root, beside, locate, show
from .tablefiles import Columns, import_parquet, rows
from .tableformat import open_head


@contextmanager
def table_for(table: str, common: dict[str, Any]) -> Iterator[str]:
    """
    Have a job write a table, and put that into a file where its name asks for one.

    Parameters
    ----------
    table : str
        A Zarr table, whose name ends in .zarr, or a file whose name ends in one of `WRITERS`.
    common : dict
        Keywords of the job.

    Yields
    ------
    str
        Where the job is to write its Zarr table. For a file this lies beside it, so that the job can be resumed, and
        is removed when the file is there.

    Raises
    ------
    ValueError
        If the name ends otherwise. Nothing is written.
    FileExistsError
        If the file exists and is not to be overwritten. Nothing is written.
    """
    if table.rstrip("/").endswith(".zarr"):
        yield table
        return
    path = Path(table)
    check_writable(path, overwrite=common["overwrite"] or common["dry_run"])
    place = locate(f"{table}.zarr", read_only=False)
    yield f"{table}.zarr"
    if not common["dry_run"]:
        group, head = open_head(as_root(place))
        write_columns({name: group[name] for name in head["columns"]}, path)
        shutil.rmtree(show(place))
        Path(show(beside(place, REPORT_SUFFIX))).unlink()


def check_writable(path: Path, *, overwrite: bool) -> None:
    """
    Refuse a file that cannot be written, before there is any work on it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    overwrite : bool
        It may exist.

    Raises
    ------
    ValueError
        If tables are not written in its format, or it is at a URL.
    FileExistsError
        If it exists and may not.
    FileNotFoundError
        If there is no folder for it.
    ImportError
        If a package is missing for its format.
    """
    if path.suffix.lower() not in WRITERS or ":/" in str(path):
        raise ValueError(f"{path}: tables are written as Zarr, or as files on this machine in {', '.join(WRITERS)}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists and is left as it is: remove it, choose another name, or overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    if path.suffix.lower() == ".parquet":
        import_parquet()


def write_columns(columns: Columns, path: Path) -> None:
    """
    Write the columns of a Zarr table into one file, which appears whole or not at all.

    Parameters
    ----------
    columns : mapping of str to zarr.Array
        Arrays of one length.
    path : pathlib.Path
        The file; its ending is one of .npz, .csv and .parquet. If it exists, it is replaced.

    Notes
    -----
    Memory: a chunk of each column.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        WRITERS[path.suffix.lower()](columns, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(columns: Columns, path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for part in rows(columns):
            writer.writerows(zip(*(column.tolist() for column in part.values()), strict=True))


def _write_npz(columns: Columns, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, column in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                descr = npy_format.dtype_to_descr(column.dtype)
                npy_format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": column.shape})
                for part in rows({name: column}):
                    file.write(part[name].tobytes())


def _write_parquet(columns: Columns, path: Path) -> None:
    pyarrow, parquet = import_parquet()
    fields = [(name, pyarrow.from_numpy_dtype(column.dtype)) for name, column in columns.items()]
    with parquet.ParquetWriter(path, pyarrow.schema(fields)) as writer:
        for part in rows(columns):
            writer.write_table(pyarrow.table(part))


WRITERS: dict[str, Callable[[Columns, Path], None]] = {
    ".csv": _write_csv,
    ".npz": _write_npz,
    ".parquet": _write_parquet,
}
