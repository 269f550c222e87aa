"""Tasks that merge the states of all blocks, in groups of states and then in ranges of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from zarr.storage import StorePath

from .columns import Columns
from .scratch import Item, Scratch
from .shuffle import Split
from .states import begins_label
from .tableformat import CHUNK_LENGTH, open_column, write_rows

# How the values of equal labels become one. A parent goes with the last voxel.
REDUCE = {"first": np.minimum, "counts": np.add, "last": np.maximum}
# What a label that no voxel holds brings along, and what is told of it in the end.
ABSENT = {"first": (np.iinfo(np.int64).max, -1), "counts": (0, 0)}
Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Schema:
    """
    Describe the rows that are merged.

    Parameters
    ----------
    key : numpy.dtype
        Of the labels; wide enough for all sources, and no bool.
    values : dict of str to numpy.dtype
        Of the other columns.
    """

    key: np.dtype
    values: dict[str, np.dtype]


@dataclass(frozen=True)
class Group(Item):
    """
    Name consecutive states that are merged into one source of the shuffle.

    Parameters
    ----------
    names : sequence of str
        Of the states.
    extra : dict of str to list of int
        Rows beside those of the states, by column.
    """

    names: Sequence[str] = ()
    extra: dict[str, list[int]] = field(default_factory=dict)

    def __str__(self) -> str:
        ends = f" (states {self.names[0]} to {self.names[-1]})" if self.names else ""
        return f"{super().__str__()}{ends}"


def group_states(group: Group, *, scratch: Scratch, schema: Schema) -> dict[str, Any]:
    """
    Merge the states of a group into sorted columns: a task.

    Parameters
    ----------
    group : Group
        Which; its `n_rows` is that of the states.
    scratch : Scratch
        Where the columns go: the labels into ``keys``, the others into ``values``.
    schema : Schema
        What to read of the states.

    Returns
    -------
    dict
        Facts: index, n_rows.

    Raises
    ------
    ValueError
        If a state is damaged, or has not as many rows as it was said to have.
    """
    n_extra = len(group.extra.get("labels", ()))
    rows = {n: np.empty(group.n_rows + n_extra, d) for n, d in {"labels": schema.key, **schema.values}.items()}
    at = 0
    for name in group.names:
        state = Columns.open(scratch.folder, f"states/{name}")
        stop = at + state.length("labels")
        for column, whole in rows.items():
            if stop > group.n_rows:
                raise ValueError(f"the states of {group} have more than the {group.n_rows} rows that were counted")
            np.copyto(whole[at:stop], state.read(column), casting="safe")
        at = stop
    if at != group.n_rows:
        raise ValueError(f"the states of {group} have {at} rows, and {group.n_rows} were counted")
    for column, whole in rows.items():
        whole[at:] = group.extra.get(column, [])
    labels, values, _ = combine(rows.pop("labels"), rows)
    scratch.write(values, "values", group.index)
    return scratch.write({"labels": labels}, "keys", group.index, index=group.index, n_rows=labels.size)


def combine(labels: np.ndarray, values: Values) -> tuple[np.ndarray, Values, np.ndarray]:
    """
    Merge the rows of equal labels.

    Parameters
    ----------
    labels : numpy.ndarray of integers, shape (N,)
        In any order; ascending runs are merged faster.
    values : dict of str to numpy.ndarray, shape (N,)
        Columns, which are taken out of the dict one by one.

    Returns
    -------
    labels : numpy.ndarray, shape (K,)
        Distinct, ascending.
    values : dict of str to numpy.ndarray, shape (K,)
        Counts added, least first index, parent at the greatest last index.
    inverse : numpy.ndarray of uint32, shape (N,)
        The place of each row's label among the distinct ones.
    """
    order = np.argsort(labels, kind="stable")
    labels = labels[order]
    begins = begins_label(labels)
    starts = np.flatnonzero(begins)
    labels = labels[starts]
    places = np.cumsum(begins, dtype=np.uint32)
    places -= np.uint32(1)
    merged = {}
    parents = values.pop("parents", None)
    if parents is not None:
        last = values["last"][order]
        latest = last == np.maximum.reduceat(last, starts)[places]
        merged["parents"] = np.empty(labels.size, parents.dtype)
        merged["parents"][places[latest]] = parents[order[latest]]
    for name in list(values):
        merged[name] = REDUCE[name].reduceat(values.pop(name)[order], starts)
    inverse = np.empty_like(places)
    inverse[order] = places
    return labels, merged, inverse


def merge_part(
    part: Item, *, split: Split, schema: Schema, n_groups: int, columns: Sequence[str], by_first: bool
) -> dict[str, Any]:
    """
    Merge all rows of a range of labels: a task.

    Parameters
    ----------
    part : Item
        Which part of the split.
    split : Split
        Of the groups, and after them the sources of known labels.
    schema : Schema
        The rows.
    n_groups : int
        Number of groups.
    columns : sequence of str
        Which of the values to keep.
    by_first : bool
        Also write the new labels in the order of their first voxels, into ``firsts``.

    Returns
    -------
    dict
        Facts: index; n_rows, n_present and n_new, the numbers of labels, of those that voxels hold, and of those that
        are not known; lowest and highest label, or None; has_zero, whether a voxel holds 0; parents, their extremes.
    """
    scratch = split.sources.scratch
    rows, starts, known_ids = _read_part(part, split, schema, n_groups)
    labels, values, inverse = combine(rows.pop("labels"), rows)
    n_state_rows = starts[n_groups]
    present, is_new = np.zeros(labels.size, bool), np.ones(labels.size, bool)
    present[inverse[:n_state_rows]] = True
    known_at = inverse[n_state_rows:]
    is_new[known_at] = False
    facts = {
        "index": part.index,
        "n_rows": labels.size,
        "n_present": int(present.sum()),
        "n_new": int(is_new.sum()),
        "labels": _extremes(labels),
        "parents": _extremes(values.get("parents", labels)),
        "has_zero": bool(present[labels == 0].any()),
    }
    if by_first:
        at = np.flatnonzero(is_new).astype(np.uint32)
        at = at[np.argsort(values["first"][at])]
        scratch.write({"first": values["first"][at], "at": at}, "firsts", part.index)
    absent = np.flatnonzero(~present).astype(np.uint32)
    kept = {name: values[name] for name in columns}
    for name in ABSENT.keys() & kept.keys():
        kept[name][absent] = ABSENT[name][1]
    routes = {"starts": starts, "inverse": inverse, "known_at": known_at, "known_ids": known_ids, "absent": absent}
    return scratch.write({**routes, "labels": labels, **kept}, "parts", part.index, **facts)


def _read_part(part: Item, split: Split, schema: Schema, n_groups: int) -> tuple[Values, np.ndarray, np.ndarray]:
    """Read the rows of a part, where those of each source begin, and the ids of those that are known."""
    scratch = split.sources.scratch
    rows = {n: np.empty(part.n_rows, d) for n, d in {"labels": schema.key, **schema.values}.items()}
    starts, known = np.zeros(split.sources.n + 1, np.int64), [np.empty(0, np.int64)]
    for source, start, stop in split.pieces(part.index):
        here = slice(starts[source], starts[source] + stop - start)
        starts[source + 1] = here.stop
        if start == stop:
            continue
        rows["labels"][here] = scratch.open("keys", source).read("labels", start, stop)
        values = scratch.open("values", source)
        for name in schema.values:
            rows[name][here] = values.read(name, start, stop) if source < n_groups else ABSENT[name][0]
        if source >= n_groups:
            known.append(values.read("ids", start, stop))
    return rows, starts, np.concatenate(known[1:] or known)


def _extremes(labels: np.ndarray) -> list[int] | None:
    return [int(labels.min()), int(labels.max())] if labels.size else None


@dataclass(frozen=True)
class Rows(Item):
    """
    Name rows of the table: whole chunks, but at its end.

    Parameters
    ----------
    parts : tuple of (int, int)
        The parts that hold them, and the row of the table at which each begins.
    """

    parts: tuple[tuple[int, int], ...] = ()


def write_table_rows(
    rows: Rows, *, scratch: Scratch, table: StorePath, columns: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """
    Write rows of the table: a task.

    Parameters
    ----------
    rows : Rows
        Which.
    scratch : Scratch
        Where the parts are.
    table : zarr.storage.StorePath
        The table; its arrays are there.
    columns : mapping of str to (str, str)
        For each column of the table the objects and the column that hold it.

    Returns
    -------
    dict
        Facts: index; digests, those of the chunks of each column.
    """
    digests: dict[str, list[str]] = {name: [] for name in columns}
    for name, (prefix, column) in columns.items():
        array = open_column(table, name)
        for start in range(rows.base, rows.base + rows.n_rows, CHUNK_LENGTH):
            stop = min(start + CHUNK_LENGTH, rows.base + rows.n_rows)
            chunk = np.empty(stop - start, array.dtype)
            for part, begin in rows.parts:
                source = scratch.open(prefix, part)
                low, high = max(start, begin), min(stop, begin + source.length(column))
                if low < high:
                    chunk[low - start : high - start] = source.read(column, low - begin, high - begin)
            digests[name] += write_rows(array, start, chunk, durable=scratch.folder.durable)
    return scratch.write({}, "table", rows.index, index=rows.index, digests=digests)
