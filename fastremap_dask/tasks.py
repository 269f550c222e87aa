"""Tasks of the Zarr jobs: functions of a block, or of states, that pickle to little and run on any worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from zarr.storage import StorePath

import fastremap
from fastremap import LabelTable
from fastremap.dtypes import ids_dtype

from .plan import Block
from .states import LabelState, labels_in_order, merge
from .tables import open_table, save_table
from .volumes import LABEL_KINDS, Stored, as_root, read_block, show, write_block


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Say how labels get ids.

    Parameters
    ----------
    start : int
        As for `fastremap.renumber`, and so the others.
    preserve_zero : bool
        Whether 0 stays 0.
    order : {"first", "sorted"}
        By first voxel or by label.
    dtype : numpy.dtype or None
        That of the ids, if it is not the smallest.
    """

    start: int
    preserve_zero: bool
    order: str
    dtype: np.dtype | None

    def renumber(self, labels: np.ndarray) -> tuple[np.ndarray, LabelTable]:
        """Give ids to distinct labels in the order in which they count as met."""
        start, preserve_zero, order, dtype = self.start, self.preserve_zero, self.order, self.dtype
        return fastremap.renumber(labels, start, preserve_zero, order=order, dtype=dtype, mapping="table")


@dataclass(frozen=True, slots=True)
class Saved:
    """
    Name a table in a store, as tasks know it.

    Parameters
    ----------
    place : zarr.storage.StorePath
        Where it lies.
    digest : str
        Of its contents.
    """

    place: StorePath
    digest: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """
    Tell what the driver learns of a table: numbers alone, however many labels it has.

    Parameters
    ----------
    digest : str
        Of its contents.
    nbytes : int
        Its bytes in memory.
    n_labels : int
        Distinct labels of the volume.
    lowest_id, highest_id : int
        The extreme ids of these labels.
    dtype : numpy.dtype
        Dtype for the ids.
    fill_id : int
        Id of the label that absent chunks hold, or 0 where no voxel holds it.
    """

    digest: str
    nbytes: int
    n_labels: int
    lowest_id: int
    highest_id: int
    dtype: np.dtype
    fill_id: int


_TABLES: dict[str, LabelTable] = {}
_TABLES_LOCK = Lock()


def possible_dtypes(source: Stored, rules: Rules) -> list[np.dtype]:
    """
    Return the dtypes that ids may turn out to have, before any voxel is read.

    Parameters
    ----------
    source : Stored
        The volume.
    rules : Rules
        How its labels get ids.

    Returns
    -------
    list of numpy.dtype
        From the smallest to that for as many labels as there are voxels, or values of the source's dtype.

    Raises
    ------
    TypeError
        If the rules ask for a dtype that holds no labels.
    ValueError
        If not even one label can get an id.
    """
    if rules.dtype is not None and rules.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"dtype={rules.dtype} is not supported; ids are bool or integers of 8 to 64 bits")
    array = source.open()
    least = rules.renumber(np.ones(1, array.dtype.newbyteorder("=")))[0].dtype
    if rules.dtype is not None or least.kind == "b":
        return [least]
    n_labels = min(array.size, 256**array.dtype.itemsize)
    try:
        widest = ids_dtype(least, min(0, rules.start), rules.start + n_labels).itemsize
    except ValueError:  # so many labels would not get ids, but there may be fewer
        widest = 8
    return [np.dtype(f"{least.kind}{size}") for size in (1, 2, 4, 8) if least.itemsize <= size <= widest]


def labels_of_block(block: Block, *, source: Stored, first: bool) -> LabelState:
    """
    Find the labels of a block: a task.

    Parameters
    ----------
    block : Block
        Which voxels.
    source : Stored
        The volume.
    first : bool
        Also find the index of each label's first voxel.

    Returns
    -------
    LabelState
        The block's state.
    """
    shape = source.open().shape
    return LabelState.from_block(read_block(source, block), block.offset, shape, first=first)


def table_of_states(
    states: Sequence[LabelState], *, dtype: np.dtype, fill_label: int, rules: Rules, place: StorePath
) -> TableFacts:
    """
    Give ids to the labels of the whole volume and save the table: the last task of the first pass.

    Parameters
    ----------
    states : sequence of LabelState
        Those that the tree has left; none for a volume without voxels.
    dtype : numpy.dtype
        The volume's.
    fill_label : int
        The label that absent chunks hold.
    rules : Rules
        How labels get ids.
    place : zarr.storage.StorePath
        Where the table goes.

    Returns
    -------
    TableFacts
        What the driver needs to know of it.

    Raises
    ------
    ValueError
        If an id does not fit its dtype or 64 bits, or would be 0 while 0 is kept. Nothing is written.
    """
    state = merge(states) if states else LabelState.from_block(np.empty(0, dtype), (0,), (0,), first=True)
    ids, table = rules.renumber(labels_in_order(state, rules.order))
    save_table(table, as_root(place))
    return TableFacts(
        digest=table.digest,
        nbytes=table.old.nbytes + table.new.nbytes,
        n_labels=len(state.labels),
        lowest_id=int(ids.min(initial=table.new.max(initial=0))),
        highest_id=int(ids.max(initial=0)),
        dtype=ids.dtype,
        fill_id=table.get(fill_label, 0),
    )


def write_ids_of_block(block: Block, *, source: Stored, target: Stored, table: Saved) -> None:
    """
    Write the ids of a block: a task.

    Parameters
    ----------
    block : Block
        Which voxels.
    source, target : Stored
        The volumes.
    table : Saved
        The ids of the labels.

    Raises
    ------
    ValueError
        If the block holds a label that is not in the table. Nothing is written.
    """
    voxels = read_block(source, block)
    loaded = load_table(table)
    dtype = target.open().dtype.newbyteorder("=")
    try:
        ids = fastremap.remap(voxels, loaded, dtype=dtype)
    except KeyError:
        new = [label for label in fastremap.unique(voxels).tolist() if label not in loaded]
        what = f"{len(new)} of its labels are new, among them {new[:5]}"
        raise ValueError(f"the source has changed since the labels were found: {what}") from None
    del voxels  # before the encoded ids need room
    write_block(target, block, ids)


def load_table(table: Saved) -> LabelTable:
    """
    Return a saved table, read from its store once in each process.

    Parameters
    ----------
    table : Saved
        Which.

    Returns
    -------
    LabelTable
        The table; all threads share it.

    Raises
    ------
    ValueError
        If another table lies there now.
    """
    with _TABLES_LOCK:  # two threads would each read it
        loaded = _TABLES.get(table.digest)
        if loaded is None:
            loaded = open_table(table.place)
            if loaded.digest != table.digest:
                raise ValueError(f"the table at {show(table.place)} has changed while the job runs")
            _TABLES[table.digest] = loaded
        return loaded


def forget_tables() -> None:
    """Free the tables that `load_table` holds in this process."""
    with _TABLES_LOCK:
        _TABLES.clear()
