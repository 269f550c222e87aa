"""The Zarr job that looks at all labels, and then writes ids in their place: renumber."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import zarr
from numpy.typing import DTypeLike
from zarr.storage import MemoryStore, StorePath

import fastremap
from fastremap import LabelTable
from fastremap.dtypes import ids_dtype

from . import tasks
from .finding import find, merging
from .forecasts import Forecast
from .frames import TABLE_SUFFIX, Facts, Frame
from .given import common_dtype, locate_targets, open_volumes
from .metadata import target_document
from .numbering import Numbering, number
from .options import Options, job
from .places import Location, as_root, beside, locate
from .report import Report
from .running import Run, execute
from .stored import Stored
from .tableformat import open_column, open_head
from .tables import save_table
from .volumes import LABEL_KINDS, Source, fill_label


@job
def renumber_zarr(
    source: Location | Sequence[Location],
    target: Location | Sequence[Location],
    *,
    start: int = 1,
    preserve_zero: bool = True,
    order: str = "first",
    dtype: DTypeLike | None = None,
    counts: bool = False,
    table: Location | LabelTable | None = None,
    options: Options,
) -> Report | Forecast:
    """
    Give the labels of a Zarr volume new ids without gaps, in a new volume.

    Parameters
    ----------
    source : str, path-like, URL, zarr store, zarr.storage.StorePath, zarr.Array, zarr.Group, or list of these
        A volume of bool or (u)int8 to (u)int64, of format 2 or 3, sharded or not; or an OME-Zarr label image. It is
        never written. Several volumes share one numbering.
    target : str, path-like, URL, zarr store, zarr.storage.StorePath, or list of these
        Where the new volume is to lie; one for each source. The table goes beside the first, with ``.table.zarr``
        instead of ``.zarr`` at the end of its name.
    start : int
        The first id.
    preserve_zero : bool
        Keep 0 as 0; the table then holds 0 whether or not it occurs.
    order : {{"first", "sorted"}}
        Give out ids by C-order index of the first voxel, or by label.
    dtype : dtype, optional
        Dtype of the target, bool or an integer one. Default: the smallest of the source's kind whose maximum is
        greater than every id.
    counts : bool
        Have the table hold the voxels of each label too, of an OME-Zarr label image those of the highest resolution.
    table : LabelTable or place of one, optional
        Labels that it holds keep their ids, and new ones go on after the highest of these. The new table holds all.
    {parameters}

    Returns
    -------
    Report or Forecast
        Labels, dtypes, bytes, seconds and blocks of each stage, peak memory, and where the table lies. For a dry run
        what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.renumber : The same in memory.
    open_table : Read the table.

    Notes
    -----
    Two passes over the source. The first leaves the labels of each block in the scratch folder, 8 to 24 bytes a label;
    these are merged, and given ids, by tasks of bounded memory however many labels there are; the second pass reads
    the ids of its own block's labels alone. A source that has changed meanwhile is noticed by a digest of each stored
    unit. The target's fill value is the id of the source's, or 0 where no voxel holds that.

    {images}

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
    >>> report = fastremap_dask.renumber_zarr(labels, zarr.storage.StorePath(place.store, "ids.zarr"))
    >>> zarr.open_array(place.store, path="ids.zarr")[:], report.n_labels
    (array([1, 0, 1, 2], dtype=int8), 3)
    """
    sources, given_images = open_volumes(source, options)
    targets, images = locate_targets(target, given_images, options)
    known = None if table is None else known_place(table, options)
    rules = Numbering(
        operator.index(start), bool(preserve_zero), order, dtype and np.dtype(dtype), common_dtype(sources), known
    )
    layouts = [options.layout(read.shape) for read in sources]
    documents = tuple(
        tuple(target_document(read.stored.document, each, 0, layout) for each in possible_dtypes(rules, sources))
        for read, layout in zip(sources, layouts, strict=True)
    )
    settings = {
        "start": rules.start,
        "preserve_zero": rules.preserve_zero,
        "order": order,
        "dtype": rules.dtype and rules.dtype.name,
        "counts": bool(counts),
        "table": known and open_head(as_root(known))[1]["digest"],
    }
    frame = Frame("renumber", options, sources, targets, documents, None, settings, passes=2, images=images)
    table_place = beside(frame.place, TABLE_SUFFIX)
    frame = replace(frame, table=table_place)
    described = [label for image in images for label in image.label_values]

    def body(run: Run) -> Facts:
        columns = (*(["first"] if order == "first" else []), *(["counts"] if counts else []))
        named = {"first": "first" in columns, "counts": bool(counts)}
        states = find(run, tasks.find_labels, columns, dtype=rules.label_dtype, **named)
        run.clear_old()
        work, given = run.journal.work, rules
        if isinstance(table, LabelTable):  # where workers see it
            given = replace(rules, known=work.place / "known")
            save_table(table, as_root(given.known), overwrite=True)
        found = number(
            merging(run),
            work,
            states,
            states.sizes,
            given,
            as_root(table_place),
            columns=["counts"] if counts else [],
            budget_nbytes=run.plan.rows_nbytes,
            extra=states.absent or None,
            ask=[*(fill_label(read.stored) for read in sources), *described],
        )
        fills, new_labels = found.asked[: len(sources)], found.asked[len(sources) :]
        written = tuple(
            Stored(place, target_document(read.stored.document, np.dtype(found.dtype), fill or 0, layout))
            for place, read, layout, fill in zip(targets, sources, layouts, fills, strict=True)
        )
        run.write("write ids", tasks.write_ids, written, states)
        new_label = dict(zip(described, new_labels, strict=True)).get
        return Facts(written, found.n_labels, found.lowest_id, found.highest_id, found.nbytes, new_label)

    return execute(frame, body)


def known_place(table: Location | LabelTable, options: Options) -> StorePath:
    """
    Return where a table of known labels lies.

    Parameters
    ----------
    table : LabelTable or place of one
        The table. One in memory is put into a store in memory.
    options : Options
        What opens URLs.

    Returns
    -------
    zarr.storage.StorePath
        The place.
    """
    if not isinstance(table, LabelTable):
        return locate(table, read_only=True, storage_options=options.storage_options)
    place = StorePath(MemoryStore(), "known")
    save_table(table, place)
    return place


def possible_dtypes(rules: Numbering, sources: Sequence[Source]) -> list[np.dtype]:
    """
    Return the dtypes that ids may turn out to have, before any voxel is read.

    Parameters
    ----------
    rules : Numbering
        How labels get ids.
    sources : sequence of Source
        The volumes.

    Returns
    -------
    list of numpy.dtype
        From the smallest to that for as many labels as there are voxels, or values of their dtype.

    Raises
    ------
    TypeError
        If the rules ask for a dtype that holds no labels.
    ValueError
        If not even one label can get an id.
    """
    if rules.dtype is not None and rules.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"dtype={rules.dtype} is not supported; ids are bool or integers of 8 to 64 bits")
    one = np.ones(1, rules.label_dtype)
    given = {"order": rules.order, "dtype": rules.dtype}
    least = fastremap.renumber(one, rules.start, rules.preserve_zero, **given)[0].dtype
    if rules.dtype is not None or (least.kind == "b" and rules.known is None):
        return [least]
    n_labels = min(sum(math.prod(read.shape) for read in sources), 256**rules.label_dtype.itemsize)
    start = rules.start
    if rules.known is not None:
        start = max(start, 1 + highest(open_column(as_root(rules.known), "new")))
    try:
        widest = ids_dtype(least, min(0, start), start + n_labels).itemsize
    except ValueError:  # so many labels would not get ids, but there may be fewer
        widest = 8
    kind = "u" if least.kind == "b" else least.kind
    smaller = [least] if least.kind == "b" else []
    return smaller + [np.dtype(f"{kind}{size}") for size in (1, 2, 4, 8) if least.itemsize <= size <= widest]


def highest(column: zarr.Array[Any]) -> int:
    """
    Return the greatest item of a stored column, chunk by chunk.

    Parameters
    ----------
    column : zarr.Array
        The column.

    Returns
    -------
    int
        0 for an empty one.
    """
    step = column.chunks[0]
    return max((int(np.max(column[at : at + step])) for at in range(0, column.shape[0], step)), default=0)
