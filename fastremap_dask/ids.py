"""Rules of ids: which labels keep theirs, which come next, and the dtype of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import zarr
from zarr.storage import StorePath

from fastremap.dtypes import bounds, ids_dtype, ladder, require_fit
from fastremap.newids import check_new_ids

from .pipeline import Merge, total
from .places import as_root, show
from .routing import known_labels
from .scratch import Item
from .tableformat import CHUNK_LENGTH, column_digest, open_head


@dataclass(frozen=True)
class Numbering:
    """
    Say how labels get ids.

    Parameters
    ----------
    start : int
        As for `fastremap.renumber`, and so the next two.
    preserve_zero : bool
        Whether 0 stays 0.
    order : {"first", "sorted"}
        By first voxel or by label.
    dtype : numpy.dtype or None
        That of the ids, if it is not the smallest.
    label_dtype : numpy.dtype
        That of the labels: bool, or an integer dtype.
    known : zarr.storage.StorePath or None
        A table whose labels keep their ids; new labels go on after the highest of these.
    """

    start: int
    preserve_zero: bool
    order: str
    dtype: np.dtype | None
    label_dtype: np.dtype
    known: StorePath | None = None


def key_dtype(numbering: Numbering) -> np.dtype:
    """
    Return the dtype in which labels are merged: that of the volume, unless known labels need another.

    Parameters
    ----------
    numbering : Numbering
        The rules.

    Returns
    -------
    numpy.dtype
        An integer dtype.

    Raises
    ------
    ValueError
        If none holds all labels of the volume's dtype and all known ones.
    """
    own = plain(numbering.label_dtype)
    if numbering.known is None:
        return own
    old = _open_known(numbering.known)[0]["old"]
    known = [int(old[0]), int(old[-1])] if old.size else []
    held = [*bounds(own), *known]
    for dtype in (own, *ladder(own), *ladder(np.dtype(np.int8))):
        if bounds(dtype)[0] <= min(held) and max(held) <= bounds(dtype)[1]:
            return dtype
    raise ValueError(
        f"the labels of the table at {show(numbering.known)}, {known[0]} to {known[1]}, and those of a volume of {own} "
        "fit no integer dtype together"
    )


def plain(dtype: np.dtype) -> np.dtype:
    """Return the dtype of labels as numbers: bool as 0 and 1."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def read_known(merge: Merge, numbering: Numbering) -> list[dict[str, Any]]:
    """
    Make sources of known labels, which follow the groups; the last is that of 0, where it is kept.

    Parameters
    ----------
    merge : Merge
        The plan.
    numbering : Numbering
        The rules.

    Returns
    -------
    list of dict
        The facts of the known table.

    Raises
    ------
    ValueError
        If it has no ids, or differs from its digest.
    """
    scratch, index, facts = merge.scratch, len(merge.groups), []
    ids = np.dtype(np.int64)
    if numbering.known is not None:
        group, head = _open_known(numbering.known)
        ids = np.dtype(np.uint64) if group["new"].dtype == np.uint64 else ids
        length, n_rows = max(1, merge.capacity // CHUNK_LENGTH) * CHUNK_LENGTH, group["old"].size
        starts = range(0, n_rows, length)
        items = (Item("known labels", index + i, min(length, n_rows - at), at) for i, at in enumerate(starts))
        reading = partial(known_labels, scratch=scratch, table=numbering.known, key=merge.schema.key, ids=ids)
        facts = merge.step("known", reading, items, range(index, index + len(starts)), "keys")
        for name, digest in head["columns"].items():
            chunks = [chunk for fact in facts for chunk in fact["digests"].get(name, ())]
            if name in ("old", "new") and digest not in (None, column_digest(group[name], chunks)):
                raise ValueError(f"the table at {show(numbering.known)} is damaged: its column {name} has changed")
        index += len(starts)
    if numbering.preserve_zero:
        scratch.write({"ids": np.zeros(1, ids)}, "values", index)
        scratch.write({"labels": np.zeros(1, merge.schema.key)}, "keys", index)
    return facts


def _open_known(known: StorePath) -> tuple[zarr.Group, dict[str, Any]]:
    """Open a table of known labels, and refuse one that cannot serve as such."""
    group, head = open_head(as_root(known))
    if "new" not in head["columns"]:
        raise ValueError(f"the table at {show(known)} has no new labels: it knows no ids")
    for name in ("old", "new"):
        if group[name].dtype.kind == "f":
            raise ValueError(f"the table at {show(known)} holds {group[name].dtype}; labels and ids are integers here")
    return group, head


def choose_ids(
    numbering: Numbering, parts: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]
) -> tuple[int, list[int], np.dtype]:
    """
    Choose the ids of new labels, and the dtype of all.

    Parameters
    ----------
    numbering : Numbering
        The rules.
    parts, known : sequence of mapping
        The facts of the parts, and of the sources of known labels.

    Returns
    -------
    next_id : int
        The first new id.
    ids : list of int
        The extremes of all ids of the table.
    dtype : numpy.dtype
        For the ids.

    Raises
    ------
    ValueError
        As `fastremap.renumber`; also if known labels do not let 0 stay 0.
    """
    n_new, has_zero = total(parts, "n_new"), any(fact["has_zero"] for fact in parts)
    keeps_zero = numbering.preserve_zero and has_zero
    ids = [extreme for fact in known for extreme in fact["ids"]]
    next_id = max([numbering.start, *(extreme + 1 for extreme in ids)])
    for fact in known if numbering.preserve_zero else ():
        if any(fact["zero_to"]) or (has_zero and fact["zero_from"]):
            label, new = (0, fact["zero_to"][0]) if any(fact["zero_to"]) else (fact["zero_from"][0], 0)
            raise ValueError(
                f"the known table gives the id {new} to the label {label}, and preserve_zero keeps 0 for the label 0; "
                "choose preserve_zero=False, or another table"
            )
    check_new_ids(numbering.label_dtype, next_id, n_new, keeps_zero)
    last = next_id + n_new - 1
    ids += [0] * numbering.preserve_zero + [next_id, last] * (n_new > 0)
    if numbering.dtype is not None:
        high = bounds(numbering.dtype)[1]
        misfits = [high + 1] * (n_new > 0 and next_id <= high < last)
        require_fit(np.array([*misfits, *ids], object), numbering.dtype, "new id")
        return next_id, ids, numbering.dtype
    if (
        numbering.label_dtype.kind == "b"
        and numbering.start == 1
        and numbering.preserve_zero
        and numbering.known is None
    ):
        return next_id, ids, numbering.label_dtype
    return next_id, ids, ids_dtype(numbering.label_dtype, min([0, *ids]), max([0, *ids]))
