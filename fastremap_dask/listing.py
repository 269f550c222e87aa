"""Listing: the distinct labels of a volume counted, the largest of them named, and all put into a table or file."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

import fastremap_dask

from .exporting import table_for
from .forecasts import Forecast
from .places import as_root, locate
from .report import Report, human_count
from .tablefiles import Columns, rows
from .tableformat import open_head

COLUMNS = ("old", "counts", "first")


@dataclass(frozen=True, slots=True)
class Listing:
    """
    Tell which labels a volume has.

    Parameters
    ----------
    report : Report
        What the job did.
    labels, counts : tuple of int
        The largest labels, and the voxels of each.
    first : tuple of tuple of int
        The index of the first voxel of each.
    volumes : tuple of int
        Which of the report's shapes that voxel is in.
    n_counted : int
        Voxels of all labels.
    """

    report: Report
    labels: tuple[int, ...]
    counts: tuple[int, ...]
    first: tuple[tuple[int, ...], ...]
    volumes: tuple[int, ...]
    n_counted: int

    def to_dict(self) -> dict[str, Any]:
        """Return the report and the labels as JSON has them."""
        found = zip(self.labels, self.counts, self.volumes, self.first, strict=True)
        largest = [
            {"label": label, "voxels": n, "volume": volume, "first": list(index)} for label, n, volume, index in found
        ]
        return {**self.report.to_dict(), "largest": largest}

    def __str__(self) -> str:
        shares = [f"{100 * n / max(1, self.n_counted):.3g} %" for n in self.counts]
        pairs = zip(self.first, self.volumes, strict=True)
        first = [f"{index} of volume {volume}" if volume else str(index) for index, volume in pairs]
        columns = [
            ["label", *(f"{label:,}" for label in self.labels)],
            ["voxels", *(f"{n:,}" for n in self.counts)],
            ["share", *shares],
            ["first voxel", *first],
        ]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "   ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in zip(*columns, strict=True)
        ]
        of = f"the largest {len(self.labels)} of {human_count(self.report.n_labels or 0)} labels:"
        return "\n".join([str(self.report), "", of, *lines] if self.labels else [str(self.report)])


def list_labels(
    sources: Sequence[str], table: str | None, n_largest: int, common: dict[str, Any]
) -> Listing | Forecast:
    """
    Find the distinct labels of volumes.

    Parameters
    ----------
    sources : sequence of str
        The volumes.
    table : str or None
        Where they go: a Zarr table, or a file whose name ends in .csv, .npz or .parquet; None for nowhere.
    n_largest : int
        How many to name.
    common : dict
        Keywords for `unique_zarr`.

    Returns
    -------
    Listing or Forecast
        The labels; for a dry run what the job would do.

    Raises
    ------
    FileExistsError
        If the file exists and is not to be overwritten. Nothing is written.
    """
    with ExitStack() as stack:
        if table is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fastremap-unique-"))
            place = f"{folder}/labels.table.zarr"
        else:
            place = stack.enter_context(table_for(table, common))
        report = fastremap_dask.unique_zarr(list(sources), place, **common)
        if isinstance(report, Forecast):
            return report
        group, _ = open_head(as_root(locate(place, read_only=True, storage_options=common["storage_options"])))
        found = largest({name: group[name] for name in COLUMNS}, n_largest)
        n_counted = sum(int(part["counts"].sum()) for part in rows({"counts": group["counts"]}))
    begin = [part.start or 0 for part in common["region"] or ()]
    ends = np.cumsum([math.prod(shape) for shape in report.shapes])
    volumes = np.searchsorted(ends, found["first"], side="right").tolist()
    first = [
        _index_in(report.shapes[volume], at - (int(ends[volume - 1]) if volume else 0), begin)
        for volume, at in zip(volumes, found["first"].tolist(), strict=True)
    ]
    labels, counts = (tuple(found[name].tolist()) for name in ("old", "counts"))
    return Listing(replace(report, table=table or ""), labels, counts, tuple(first), tuple(volumes), n_counted)


def _index_in(shape: tuple[int, ...], at: int, begin: Sequence[int]) -> tuple[int, ...]:
    """Return the index of a voxel of a region, in its volume."""
    inside = np.unravel_index(at, shape) if shape else ()
    return tuple(int(i) + start for i, start in zip_longest(inside, begin, fillvalue=0))


def largest(columns: Columns, n: int) -> dict[str, np.ndarray]:
    """
    Find the rows of a table with the most voxels.

    Parameters
    ----------
    columns : mapping of str to zarr.Array
        `old`, `counts` and `first`.
    n : int
        How many rows.

    Returns
    -------
    dict of str to numpy.ndarray
        The rows, largest first; of equally large ones the lower label first. Memory: a chunk of the table.
    """
    best = {name: np.empty(0, column.dtype) for name, column in columns.items()}
    for part in rows(columns):
        joined = {name: np.concatenate([best[name], part[name]]) for name in columns}
        order = np.lexsort((joined["old"], -joined["counts"]))[:n]
        best = {name: column[order] for name, column in joined.items()}
    return best
