"""The one table that all tasks of a job map by: left in the job's folder, and held once in each process."""

from __future__ import annotations

from threading import Lock

from fastremap import LabelTable

from .columns import Columns, pack
from .objects import Folder

_TABLES: dict[str, LabelTable] = {}
_TABLES_LOCK = Lock()


def save_table(work: Folder, table: LabelTable) -> None:
    """
    Leave a table for the tasks of a job.

    Parameters
    ----------
    work : Folder
        The job's.
    table : LabelTable
        The table.
    """
    work.put("table", pack({"old": table.old, "new": table.new}))


def load_table(work: Folder, digest: str) -> LabelTable:
    """
    Return the table of a job, read from its store once in each process.

    Parameters
    ----------
    work : Folder
        The job's.
    digest : str
        The table's.

    Returns
    -------
    LabelTable
        The table; all threads share it.
    """
    with _TABLES_LOCK:  # two threads would each read it
        loaded = _TABLES.get(digest)
        if loaded is None:
            columns = Columns.open(work, "table")
            loaded = _TABLES[digest] = LabelTable.from_arrays(columns.read("old"), columns.read("new"))
        return loaded


def forget_tables() -> None:
    """Free the tables that `load_table` holds in this process."""
    with _TABLES_LOCK:
        _TABLES.clear()
