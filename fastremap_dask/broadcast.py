"""How a label table reaches the tasks that map blocks: each worker about once, or as a folder mapped into memory."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections import deque
from functools import partial
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import dask.array as da
import numpy as np

from fastremap import LabelTable

from .reductions import box, reduce_blocks

# A table of more bytes, or of more than this share of a worker's memory, is not sent: it lies in a folder that all
# workers map. Both as the design has them; 64 MB are about 8 million labels.
MOST_SENT_NBYTES = 64 * 10**6
MOST_SENT_SHARE = 0.05


class SentTable:
    """
    Hold a table on its way to tasks: pickled once and unpickled once in a process, however many tasks need it.

    Dask's multiprocessing scheduler pickles all that a task needs with each task. What it finds here are bytes that
    are there already, and a process that has the table does not read them again; so what `remap` builds from the
    table is also built once in a process.

    Parameters
    ----------
    table : LabelTable
        The table.
    """

    __slots__ = ("__weakref__", "_pickled", "table")

    def __init__(self, table: LabelTable) -> None:
        self.table = table
        self._pickled: bytes | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        with _LOCK:
            if self._pickled is None:
                pickled = pickle.dumps(self.table)
                if len(pickled) > MOST_SENT_NBYTES:
                    raise _too_large(len(pickled), MOST_SENT_NBYTES)
                self._pickled = pickled
                _keep(self)
        return _received, (self.table.digest, self._pickled)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + sys.getsizeof(self.table)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return "fastremap_dask.SentTable", self.table.digest


_LOCK = Lock()
_BY_DIGEST: WeakValueDictionary[str, SentTable] = WeakValueDictionary()
# Between two tasks nothing else in a process of a pool holds the table. Two, so that two passes may alternate.
_LATEST: deque[SentTable] = deque(maxlen=2)


def _keep(sent: SentTable) -> None:
    """Let the process know a table that it will meet again."""
    _BY_DIGEST[sent.table.digest] = sent
    _LATEST.append(sent)


def _received(digest: str, pickled: bytes) -> SentTable:
    """Unpickle a table, unless this process has it."""
    with _LOCK:
        sent = _BY_DIGEST.get(digest)
        if sent is None:
            sent = SentTable(pickle.loads(pickled))
            _keep(sent)
        return sent


def packed(table: LabelTable, scratch: str | os.PathLike[str] | None) -> SentTable:
    """
    Make a table ready to be sent.

    Parameters
    ----------
    table : LabelTable
        The table.
    scratch : path-like or None
        A folder that all workers see. If given, the table is written there and mapped into memory from there, so that
        only its path is sent. The folder of a table is named by its digest, and one that is there already serves.

    Returns
    -------
    SentTable
        Holds the table.

    Raises
    ------
    ValueError
        If the table would have to be sent to workers, and is too large for that.
    """
    if scratch is not None:
        return SentTable(_in_folder(table, os.fspath(scratch)))
    nbytes, most_nbytes = table.old.nbytes + table.new.nbytes, _most_sent_nbytes()
    if nbytes > most_nbytes and not _is_mapped(table):
        raise _too_large(nbytes, most_nbytes)
    return SentTable(table)


def checked_scratch(scratch: str | os.PathLike[str] | None) -> str | None:
    """Return a scratch folder as an absolute path, which is the same wherever a worker was started."""
    if scratch is None:
        return None
    path = os.fspath(scratch)
    if "://" in path:
        raise ValueError(
            f"scratch={path!r} is a URL, and tables are mapped into memory from files: "
            "name a folder on storage that all workers see"
        )
    return os.path.abspath(path)


def boxed_table(table: LabelTable, scratch: str | None = None) -> da.Array:
    """Put a table into a graph, in a task of its own, under a name made of its contents."""
    # Not by from_array: Dask names an object array of no axes by the repr of its element, which tables share.
    sent = packed(table, scratch)
    return reduce_blocks(da.zeros(1, chunks=1), partial(_box_of_table, sent=sent), only)


def only(states: list[Any]) -> Any:
    """Merge one state."""
    (state,) = states
    return state


def _box_of_table(block: np.ndarray, *, sent: SentTable) -> np.ndarray:
    return box(sent, block.ndim)


def _in_folder(table: LabelTable, scratch: str) -> LabelTable:
    os.makedirs(scratch, exist_ok=True)
    folder = os.path.join(scratch, f"{table.digest}.table")
    try:
        table.save(folder)
    except OSError:  # it is there already, or another task has just put it there
        if not os.path.isdir(folder):
            raise
    kept = LabelTable.open(folder)
    if kept.digest != table.digest or len(kept) != len(table):
        raise ValueError(f"{folder} does not hold the table that its name stands for: remove it")
    return kept


def _is_mapped(table: LabelTable) -> bool:
    return isinstance(table.old.base, np.memmap)


def _most_sent_nbytes() -> float:
    """Return the size up to which a table may be sent from here; without end where tasks share this process."""
    limits = _worker_limits_nbytes()
    if limits is None:
        # Of what pools of processes may use nothing is known.
        return MOST_SENT_NBYTES if multiprocessing.parent_process() is not None else float("inf")
    return min([MOST_SENT_NBYTES, *(MOST_SENT_SHARE * limit for limit in limits if limit)])


def _worker_limits_nbytes() -> list[int] | None:
    """Return the memory limits (0: none) of this worker, or of those of the client in use; None without a cluster."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return [distributed.get_worker().memory_manager.memory_limit or 0]
    except ValueError:
        pass
    try:
        client = distributed.default_client()
    except ValueError:
        return None
    return [worker["memory_limit"] or 0 for worker in client.scheduler_info(n_workers=-1)["workers"].values()]


def _too_large(nbytes: float, most_nbytes: float) -> ValueError:
    return ValueError(
        f"the table has {nbytes / 1e6:.1f} MB, and no more than {most_nbytes / 1e6:.1f} MB are sent to workers: "
        "scratch=FOLDER, on storage that all workers see, has them map it into memory instead"
    )
