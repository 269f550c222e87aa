"""Tasks that give ids to merged labels, and bring them back to the states that the labels came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from zarr.storage import StorePath

from .columns import Columns, pack
from .merging import Group
from .scratch import Item, Scratch
from .shuffle import Split, gather
from .tableformat import chunk_digests, open_column


def known_labels(rows: Item, *, scratch: Scratch, table: StorePath, key: np.dtype, ids: np.dtype) -> dict[str, Any]:
    """
    Read known labels, as one more source of the shuffle: a task.

    Parameters
    ----------
    rows : Rows
        Which rows of the table: whole chunks.
    scratch : Scratch
        Where they go: labels into ``keys``, ids into ``values``.
    table : zarr.storage.StorePath
        The table of known labels.
    key, ids : numpy.dtype
        For its columns.

    Returns
    -------
    dict
        Facts: index; ids, the least and the greatest; zero_from, a label other than 0 whose id is 0, and zero_to, the
        id of 0, if there are such; digests, those of the chunks of each column.
    """
    old, new = (open_column(table, name)[rows.base : rows.base + rows.n_rows] for name in ("old", "new"))
    zero_from, zero_to = old[(new == 0) & (old != 0)][:1].tolist(), new[old == 0].tolist()
    scratch.write({"ids": new.astype(ids)}, "values", rows.index)
    return scratch.write(
        {"labels": old.astype(key)},
        "keys",
        rows.index,
        index=rows.index,
        n_rows=rows.n_rows,
        ids=[int(new.min()), int(new.max())],
        zero_from=zero_from,
        zero_to=zero_to,
        digests={"old": chunk_digests(old), "new": chunk_digests(new)},
    )


def rank(part: Item, *, split: Split) -> dict[str, Any]:
    """
    Rank a range of first voxels: a task.

    Parameters
    ----------
    part : Item
        Which part of the split, and how many labels come before it.
    split : Split
        Of the new labels of each range of labels, by first voxel.

    Returns
    -------
    dict
        Facts: index; base, that of the part.
    """
    scratch = split.sources.scratch
    first, starts = np.empty(part.n_rows, np.int64), np.zeros(split.sources.n + 1, np.int64)
    for source, start, stop in split.pieces(part.index):
        starts[source + 1] = starts[source] + stop - start
        if start < stop:
            first[starts[source] : starts[source + 1]] = scratch.open("firsts", source).read("first", start, stop)
    ranks = np.empty(part.n_rows, np.uint32)
    ranks[np.argsort(first, kind="stable")] = np.arange(part.n_rows, dtype=np.uint32)
    facts = {"index": part.index, "base": part.base}
    return scratch.write({"starts": starts, "ranks": ranks}, "ranks", part.index, **facts)


def number_part(
    part: Item,
    *,
    scratch: Scratch,
    next_id: int,
    n_ranges: int,
    n_groups: int,
    dtype: np.dtype,
    ask: Sequence[int],
) -> dict[str, Any]:
    """
    Give ids to a range of labels, and answer the groups that they came from: a task.

    Parameters
    ----------
    part : Item
        Which, and how many new labels come before it by label.
    scratch : Scratch
        Where all is.
    next_id : int
        The first id that is given.
    n_ranges : int
        Number of parts that ranked first voxels; 0 to number by label.
    n_groups : int
        Number of groups that are answered.
    dtype : numpy.dtype
        Of the ids.
    ask : sequence of int
        Labels whose ids are wanted.

    Returns
    -------
    dict
        Facts: index; ids, the least and the greatest of labels that voxels hold; asked, the ids of those labels asked
        for that are here, by their place in `ask`.
    """
    columns = scratch.open("parts", part.index)
    labels, starts = columns.read("labels"), columns.read("starts")[: n_groups + 1]
    known_at, known_ids = columns.read("known_at"), columns.read("known_ids")
    is_new = np.ones(labels.size, bool)
    is_new[known_at] = False
    if n_ranges:
        new = _ranks(scratch, part.index, n_ranges, labels.size)[is_new]
    else:
        new = np.arange(int(is_new.sum()), dtype=np.uint64) + np.uint64(part.base)
    ids = np.empty(labels.size, dtype)
    new += np.uint64(next_id % 2**64)  # modulo 2**64, as two's complement is: negative ids come out right
    ids[is_new] = new.astype(dtype)
    ids[known_at] = known_ids.astype(dtype)
    present = np.delete(ids, columns.read("absent"))
    facts = {
        "index": part.index,
        "ids": [int(present.min()), int(present.max())] if present.size else None,
        "asked": _answers(ask, labels, ids),
    }
    answers = ids[columns.read("inverse", 0, int(starts[-1]))]
    return scratch.write({"starts": starts, "answers": answers, "ids": ids}, "numbers", part.index, **facts)


def _answers(ask: Sequence[int], labels: np.ndarray, ids: np.ndarray) -> list[list[int]]:
    """Return the place in `ask` and the id of each label asked for that is among ascending labels."""
    low, high = (int(labels[0]), int(labels[-1])) if labels.size else (1, 0)
    asked = [(i, label) for i, label in enumerate(ask) if low <= label <= high]
    wanted = np.array([label for _, label in asked], labels.dtype)
    at = np.searchsorted(labels, wanted)
    return [[asked[i][0], int(ids[at[i]])] for i in np.flatnonzero(labels[at] == wanted).tolist()]


def _ranks(scratch: Scratch, part: int, n_ranges: int, n_labels: int) -> np.ndarray:
    """Return the ranks of new labels by first voxel, in the order of labels; undefined for those that are known."""
    at, ranks, begin = scratch.open("firsts", part).read("at"), np.empty(n_labels, np.uint64), 0
    for facts, some in gather(scratch, "ranks", part, n_ranges, "ranks"):
        ranks[at[begin : begin + some.size]] = some + np.uint64(facts["base"])
        begin += some.size
    return ranks


def route(group: Group, *, scratch: Scratch, n_parts: int, dtype: np.dtype) -> dict[str, Any]:
    """
    Write the ids of each state of a group, in the order of its labels: a task.

    Parameters
    ----------
    group : Group
        Which.
    scratch : Scratch
        Where the answers are.
    n_parts : int
        Number of parts that answer.
    dtype : numpy.dtype
        Of the ids.

    Returns
    -------
    dict
        Facts: index.
    """
    keys = scratch.open("keys", group.index).read("labels")
    ids, at = np.empty(keys.size, dtype), 0
    for _, some in gather(scratch, "numbers", group.index, n_parts, "answers"):
        ids[at : at + some.size] = some
        at += some.size
    for name in group.names:
        labels = Columns.open(scratch.folder, f"states/{name}").read("labels").astype(keys.dtype, copy=False)
        has_all = labels.size == keys.size  # as blocks of labels without locality do
        scratch.folder.put(f"ids/{name}", pack({"ids": ids if has_all else ids[np.searchsorted(keys, labels)]}))
    return scratch.write({}, "route", group.index, index=group.index)
