"""Numbering: from the states of all blocks to ids for each, and a table of all labels, in memory that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from zarr.storage import StorePath

from .ids import Numbering, choose_ids, key_dtype, plain, read_known
from .merging import Schema
from .objects import Folder
from .pipeline import PLANS, Merge, drop_plans, merge_all, plan, request_digest, smallest_dtype, write_table
from .routing import number_part, rank, route
from .scratch import Item, Perform, Scratch
from .shuffle import Sources, split
from .states import check_order


@dataclass(frozen=True)
class Numbered:
    """
    Tell what the driver learns of a table: numbers alone, however many labels it has.

    Parameters
    ----------
    digest : str
        Of the table.
    nbytes : int
        Bytes of its columns in memory.
    n_rows : int
        Its labels.
    n_labels : int
        Those of them that voxels hold.
    n_new : int
        Those of them that are in no known table.
    lowest_id, highest_id : int
        The extreme ids of labels that voxels hold; 0 where none are.
    dtype : str
        Dtype of the ids.
    asked : list of int or None
        The ids of the labels that were asked for; None for one that is not in the table.
    """

    digest: str
    nbytes: int
    n_rows: int
    n_labels: int
    n_new: int
    lowest_id: int = 0
    highest_id: int = 0
    dtype: str = ""
    asked: Sequence[int | None] = ()


def number(
    perform: Perform,
    folder: Folder,
    names: Sequence[str],
    sizes: Iterable[int],
    numbering: Numbering,
    table: StorePath,
    *,
    columns: Sequence[str] = (),
    budget_nbytes: int,
    extra: Mapping[str, Sequence[int]] | None = None,
    ask: Sequence[int] = (),
) -> Numbered:
    """
    Give ids to the labels of all states.

    Parameters
    ----------
    perform : Perform
        Runs the tasks.
    folder : Folder
        Holds the states, ``states/<name>``, and receives ``ids/<name>``: the column `ids`, in the order of the
        state's column `labels`.
    names : sequence of str
        Of the states; of which only slices are taken.
    sizes : iterable of int
        Rows of each state.
    numbering : Numbering
        The rules.
    table : zarr.storage.StorePath
        Where the table goes: nothing, or what an earlier run has left.
    columns : sequence of str
        Columns of the states that the table is to have too: "counts", "first".
    budget_nbytes : int
        Bytes of rows that a task takes at a time; it uses up to four times as much, or four chunks of a table.
    extra : mapping of str to sequence of int, optional
        Rows beside those of the states, by column: labels of voxels that are not stored.
    ask : sequence of int
        Labels whose ids are wanted.

    Returns
    -------
    Numbered
        What is worth knowing.

    Raises
    ------
    ValueError
        If an id does not fit its dtype or 64 bits, or would be 0 while 0 is kept, or if known labels forbid it. No id
        is written.

    Notes
    -----
    Time O(n log n) for n rows. Scratch, the states included: at most four times their bytes where each label is in two
    of them, or they hold more than labels; else five times. What has been done in an earlier run is not done again;
    with another budget, only what is final is kept. The driver holds a few numbers for each group, part and chunk of
    the table.
    """
    check_order(numbering.order)
    wanted = dict.fromkeys([*["first"] * (numbering.order == "first"), *columns], np.dtype(np.int64))
    request = repr((numbering, tuple(columns), extra, tuple(ask)))
    schema = Schema(key_dtype(numbering), wanted)
    merge = plan(perform, folder, names, sizes, schema, budget_nbytes, request, extra)
    return _finish(merge, request, partial(_number, merge, numbering, table, columns, ask))


def _number(
    merge: Merge, numbering: Numbering, table: StorePath, columns: Sequence[str], ask: Sequence[int]
) -> dict[str, Any]:
    """Do what `number` does, and return its result as JSON holds it."""
    known = read_known(merge, numbering)
    known_rows = [fact["n_rows"] for fact in known] + [1] * numbering.preserve_zero
    parts = merge_all(merge, known_rows, columns, numbering.order == "first")
    next_id, ids, dtype = choose_ids(numbering, parts, known)
    facts = _give_ids(merge, parts, numbering.order == "first", next_id, dtype, ask)
    sources = {"old": ("parts", "labels"), "new": ("numbers", "ids"), **{name: ("parts", name) for name in columns}}
    written = write_table(merge, parts, sources, {"new": smallest_dtype(ids)}, table)
    merge.scratch.drop("parts")
    routing = partial(route, scratch=merge.scratch, n_parts=len(parts), dtype=dtype)
    merge.step("route", routing, merge.items(), range(len(merge.groups)))
    held = [extreme for fact in facts for extreme in fact["ids"] or ()]
    asked = {i: found for fact in facts for i, found in fact["asked"]}
    return written | {
        "lowest_id": min(held, default=0),
        "highest_id": max(held, default=0),
        "dtype": dtype.name,
        "asked": [asked.get(i) for i in range(len(ask))],
    }


def collect(
    perform: Perform,
    folder: Folder,
    names: Sequence[str],
    sizes: Iterable[int],
    schema: Schema,
    table: StorePath,
    *,
    budget_nbytes: int,
    extra: Mapping[str, Sequence[int]] | None = None,
) -> Numbered:
    """
    Write a table of the labels of all states, with what is known of them.

    Parameters
    ----------
    perform, folder, names, sizes, table, budget_nbytes, extra
        As for `number`; no ids are written.
    schema : Schema
        Which columns of the states to merge: "counts", "first", or "last" and "parents". The table has the first two,
        and the last as its column "new".

    Returns
    -------
    Numbered
        What is worth knowing.
    """
    schema = Schema(plain(schema.key), {name: plain(dtype) for name, dtype in schema.values.items()})
    request = repr((schema, extra))
    merge = plan(perform, folder, names, sizes, schema, budget_nbytes, request, extra)
    named = {"parents": "new", "counts": "counts", "first": "first"}

    def compute() -> dict[str, Any]:
        kept = {column: name for column, name in named.items() if column in schema.values}
        parts = merge_all(merge, [], tuple(kept), False)
        sources = {name: ("parts", column) for column, name in kept.items()}
        parents = [extreme for fact in parts for extreme in fact["parents"] or ()]
        dtypes = {"new": smallest_dtype(parents)}
        return write_table(merge, parts, {"old": ("parts", "labels"), **sources}, dtypes, table)

    return _finish(merge, request, compute)


def _finish(merge: Merge, request: str, compute: Callable[[], dict[str, Any]]) -> Numbered:
    """Compute the result unless an earlier run did, and free what the plan has kept."""
    folder = merge.scratch.folder
    drop_plans(folder, but=merge.scratch.plan)
    result = Numbered(**Scratch(folder, "numbered").once(request_digest(request, len(merge.names)), compute))
    Folder(folder.place / PLANS).clear()
    return result


def _give_ids(
    merge: Merge, parts: Sequence[Mapping[str, Any]], by_first: bool, next_id: int, dtype: np.dtype, ask: Sequence[int]
) -> list[dict[str, Any]]:
    """Number the labels of each part; return the facts."""
    scratch, n_new = merge.scratch, [fact["n_new"] for fact in parts]
    numbering = partial(
        number_part,
        scratch=scratch,
        next_id=next_id,
        n_ranges=_rank(merge, n_new) if by_first else 0,
        n_groups=len(merge.groups),
        dtype=dtype,
        ask=[int(label) for label in ask],
    )
    bases = accumulate(n_new, initial=0)
    items = (Item("part", part, 0, base) for part, base in zip(range(len(parts)), bases, strict=False))
    facts = merge.step("numbers", numbering, items, range(len(parts)))
    for unneeded in ("firsts", "ranks"):
        scratch.drop(unneeded)
    return facts


def _rank(merge: Merge, n_new: Sequence[int]) -> int:
    """Rank all new labels by first voxel, in ranges of it; return their number."""
    sources = Sources(merge.scratch, "firsts", "first", len(n_new))
    cuts, counts = split(merge.perform, "cut-firsts", sources, sum(n_new), merge.capacity, np.dtype(np.int64))
    bases = accumulate(counts, initial=0)
    items = (Item("range", part, count, base) for part, (count, base) in enumerate(zip(counts, bases, strict=False)))
    merge.step("ranks", partial(rank, split=cuts), items, range(len(counts)))
    cuts.forget()
    return len(counts)
