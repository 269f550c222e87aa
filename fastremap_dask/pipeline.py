"""The pipeline from the states of all blocks to a table of all labels, in memory that is bounded."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from zarr.storage import StorePath

from fastremap.dtypes import bounds, ladder

from .merging import Group, Rows, Schema, group_states, merge_part, write_table_rows
from .objects import Folder, at_once, make_durable
from .places import as_root
from .scratch import Item, Perform, Scratch
from .shuffle import Sources, split
from .tableformat import CHUNK_LENGTH, create_table, seal

# A task that sorts a row holds, beside it, its place in the order.
PLACE_NBYTES = 8
# States that one task merges and answers at most: its argument names them all.
GROUP_STATES = 1024
# What the names of all objects begin with that only the job itself needs, whatever its memory.
PLANS = "plans"


@dataclass(frozen=True)
class Merge:
    """
    Say how states become parts of a table.

    Parameters
    ----------
    perform : Perform
        Runs the tasks.
    scratch : Scratch
        Holds what they write.
    schema : Schema
        The rows.
    capacity : int
        Rows that one task takes.
    names : sequence of str
        Of the states.
    groups : list of (int, int)
        For each group of states the end of its names, and its rows.
    extra : dict of str to list of int
        Rows beside those of the states.
    """

    perform: Perform
    scratch: Scratch
    schema: Schema
    capacity: int
    names: Sequence[str]
    groups: list[tuple[int, int]]
    extra: dict[str, list[int]]

    def items(self) -> Iterator[Group]:
        """Generate the groups."""
        start = 0
        for index, (stop, n_rows) in enumerate(self.groups):
            yield Group("group", index, n_rows, 0, self.names[start:stop], {} if index else self.extra)
            start = stop

    def step(
        self, step: str, function: Callable[[Any], Any], items: Iterable[Any], indices: range, prefix: str = ""
    ) -> list[dict[str, Any]]:
        """Run a task for each item, and return their facts in order."""

        def compute() -> list[dict[str, Any]]:
            facts: list[Any] = [None] * len(indices)

            def take(index: int, fact: dict[str, Any]) -> None:
                facts[index - indices.start] = fact

            self.scratch.each(self.perform, step, function, items, indices, take, prefix=prefix)
            return facts

        return self.scratch.once(step, compute)


def plan(
    perform: Perform,
    folder: Folder,
    names: Sequence[str],
    sizes: Iterable[int],
    schema: Schema,
    budget_nbytes: int,
    request: str,
    extra: Mapping[str, Sequence[int]] | None,
) -> Merge:
    """Plan the merge: as `number`, with a text that says what is wanted."""
    row_nbytes = schema.key.itemsize + sum(dtype.itemsize for dtype in schema.values.values()) + PLACE_NBYTES
    capacity = min(max(1, budget_nbytes // row_nbytes), 2**31)
    groups = list(group_sizes(sizes, capacity)) or [(0, 0)]
    if groups[-1][0] != len(names):
        raise ValueError(f"there are {len(names)} states, and the sizes of {groups[-1][0]}")
    scratch = Scratch(folder, f"{PLANS}/{request_digest(request, capacity, groups)}")
    rows = {name: [int(number) for number in column] for name, column in (extra or {}).items()}
    return Merge(perform, scratch, schema, capacity, names, groups, rows)


def group_sizes(sizes: Iterable[int], capacity: int) -> Iterator[tuple[int, int]]:
    """
    Group consecutive states of at most `capacity` rows together, or of one state.

    Parameters
    ----------
    sizes : iterable of int
        Rows of each state.
    capacity : int
        Rows of a group.

    Yields
    ------
    stop, n_rows : int
        The end of the group, and its rows.
    """
    start = stop = n_rows = 0
    for size in map(int, sizes):
        if stop > start and (n_rows + size > capacity or stop - start == GROUP_STATES):
            yield stop, n_rows
            start, n_rows = stop, 0
        stop, n_rows = stop + 1, n_rows + size
    if stop > start:
        yield stop, n_rows


def drop_plans(folder: Folder, but: str = "") -> None:
    """Remove what other plans have left: runs with other memory that came to no end."""
    for name in {"/".join(name.split("/")[:2]) for name in folder.names(PLANS)} - {but}:
        Scratch(folder, name).drop()


def merge_all(merge: Merge, known: Sequence[int], columns: Sequence[str], by_first: bool) -> list[dict[str, Any]]:
    """
    Merge all states into parts of the table.

    Parameters
    ----------
    merge : Merge
        The plan.
    known : sequence of int
        Rows of each source of known labels, which follow the groups.
    columns : sequence of str
        Columns that the parts are to have beside the labels.
    by_first : bool
        Whether first voxels will be ranked.

    Returns
    -------
    list of dict
        The facts of each part.
    """
    scratch, n_groups = merge.scratch, len(merge.groups)
    grouping = partial(group_states, scratch=scratch, schema=merge.schema)
    groups = merge.step("group", grouping, merge.items(), range(n_groups), "keys")
    n_rows = sum(fact["n_rows"] for fact in groups) + sum(known)
    sources = Sources(scratch, "keys", "labels", n_groups + len(known))
    cuts, counts = split(merge.perform, "cut-labels", sources, n_rows, merge.capacity, merge.schema.key)
    options = {"schema": merge.schema, "n_groups": n_groups, "columns": tuple(columns), "by_first": by_first}
    merging = partial(merge_part, split=cuts, **options)
    items = (Item("part", part, count) for part, count in enumerate(counts))
    facts = merge.step("parts", merging, items, range(len(counts)))
    scratch.drop("values")
    cuts.forget()
    return facts


def write_table(
    merge: Merge,
    parts: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    dtypes: Mapping[str, np.dtype],
    table: StorePath,
) -> dict[str, Any]:
    """
    Write the table.

    Parameters
    ----------
    merge : Merge
        The plan.
    parts : sequence of mapping
        The facts of each part.
    columns : mapping of str to (str, str)
        For each column of the table the objects and the column that hold it.
    dtypes : mapping of str to numpy.dtype
        Of columns that are not of 64 bits, but for the first.
    table : zarr.storage.StorePath
        Its place.

    Returns
    -------
    dict
        The digest, and how much there is.
    """
    offsets = list(accumulate((fact["n_rows"] for fact in parts), initial=0))
    n_rows = offsets[-1]
    labels = [label for fact in parts for label in fact["labels"] or ()]
    dtypes = {name: dtypes.get(name, np.dtype(np.int64)) for name in columns} | {"old": smallest_dtype(labels)}
    length = max(1, merge.capacity // CHUNK_LENGTH) * CHUNK_LENGTH

    def compute() -> str:
        group = create_table(as_root(table), dtypes, n_rows)
        writing = partial(write_table_rows, scratch=merge.scratch, table=table, columns=columns)
        starts = range(0, n_rows, length)
        items = (_rows(index, start, min(length, n_rows - start), offsets) for index, start in enumerate(starts))
        facts = merge.step("table", writing, items, range(len(starts)))
        digests = {name: [d for fact in facts for d in fact["digests"][name]] for name in columns}
        digest = at_once(lambda: seal(group, digests))
        if merge.scratch.folder.durable:
            for name in ("zarr.json", *(f"{column}/zarr.json" for column in columns)):
                make_durable(table / name)
        return digest

    return {
        "digest": merge.scratch.once("sealed", compute),
        "nbytes": n_rows * sum(dtype.itemsize for dtype in dtypes.values()),
        "n_rows": n_rows,
        "n_labels": total(parts, "n_present"),
        "n_new": total(parts, "n_new"),
    }


def _rows(index: int, start: int, n_rows: int, offsets: Sequence[int]) -> Rows:
    """Name rows of the table, and the parts that hold them."""
    parts = range(bisect_right(offsets, start) - 1, bisect_left(offsets, start + n_rows))
    return Rows("rows of the table", index, n_rows, start, tuple((part, offsets[part]) for part in parts))


def total(facts: Iterable[Mapping[str, Any]], name: str) -> int:
    """Add up a number that all facts have."""
    return sum(fact[name] for fact in facts)


def smallest_dtype(numbers: Sequence[int]) -> np.dtype:
    """
    Return the smallest integer dtype that holds some numbers, unsigned where possible, as a LabelTable has it.

    Parameters
    ----------
    numbers : sequence of int
        The least and the greatest among them; possibly none.

    Returns
    -------
    numpy.dtype
        The dtype.
    """
    lowest, highest = min(numbers, default=0), max(numbers, default=0)
    rungs = ladder(np.dtype(np.int8 if lowest < 0 else np.uint8))
    return next(rung for rung in rungs if bounds(rung)[0] <= lowest and highest <= bounds(rung)[1])


def request_digest(*parts: Any) -> str:
    """Return a short name for a request: the same for the same, in any process."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
