"""Listing: the distinct labels of a volume counted, the largest of them named, and all put into a table or file."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
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
    """

    report: Report
    labels: tuple[int, ...]
    counts: tuple[int, ...]
    first: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report and the labels as JSON has them."""
        found = zip(self.labels, self.counts, self.first, strict=True)
        largest = [{"label": label, "voxels": n, "first": list(index)} for label, n, index in found]
        return {**self.report.to_dict(), "largest": largest}

    def __str__(self) -> str:
        shares = [f"{100 * n / max(1, self.report.n_voxels):.3g} %" for n in self.counts]
        columns = [
            ["label", *(f"{label:,}" for label in self.labels)],
            ["voxels", *(f"{n:,}" for n in self.counts)],
            ["share", *shares],
            ["first voxel", *map(str, self.first)],
        ]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "   ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in zip(*columns, strict=True)
        ]
        of = f"the largest {len(self.labels)} of {human_count(self.report.n_labels or 0)} labels:"
        return "\n".join([str(self.report), "", of, *lines] if self.labels else [str(self.report)])


def list_labels(source: str, table: str | None, n_largest: int, common: dict[str, Any]) -> Listing | Forecast:
    """
    Find the distinct labels of a volume.

    Parameters
    ----------
    source : str
        The volume.
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
        report = fastremap_dask.unique_zarr(source, place, **common)
        if isinstance(report, Forecast):
            return report
        group, _ = open_head(as_root(locate(place, read_only=True, storage_options=common["storage_options"])))
        found = largest({name: group[name] for name in COLUMNS}, n_largest)
    begin = [part.start or 0 for part in common["region"] or ()]
    begin += [0] * (len(report.shapes[0]) - len(begin))
    coords = np.unravel_index(found["first"], report.shapes[0]) if found["first"].size else ()
    first = np.stack(coords, axis=-1) + begin if len(coords) else np.empty((found["first"].size, 0), np.int64)
    return Listing(
        replace(report, table=table or ""),
        tuple(found["old"].tolist()),
        tuple(found["counts"].tolist()),
        tuple(map(tuple, first.tolist())),
    )


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
