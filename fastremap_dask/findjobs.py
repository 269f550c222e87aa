"""The Zarr jobs that leave a table of what they find: unique, and the relation of two labelings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from zarr.storage import StorePath

from . import tasks
from .finding import States, find, merging
from .forecasts import Forecast
from .frames import Facts, Frame
from .given import common_dtype, open_sources, open_volumes
from .merging import Schema
from .numbering import collect
from .options import Options, job
from .places import Location, as_root, locate
from .report import Report
from .running import Run, execute


@job
def unique_zarr(source: Location | Sequence[Location], table: Location, *, options: Options) -> Report | Forecast:
    """
    Find the distinct labels of a Zarr volume, with the voxels of each and the first of them.

    Parameters
    ----------
    source : str, path-like, URL, zarr store, zarr.storage.StorePath, zarr.Array, zarr.Group, or list of these
        A volume of bool or (u)int8 to (u)int64, or an OME-Zarr label image. It is never written. Several volumes are
        looked at as one.
    table : str, path-like, URL, zarr store or zarr.storage.StorePath
        Where the table is to lie: a Zarr group with the columns `old` (labels, ascending), `counts` (voxels), and
        `first` (C-order index of the first voxel; the volumes of a list follow each other).
    {parameters}

    Returns
    -------
    Report or Forecast
        Labels, bytes, seconds and blocks of each stage, peak memory. For a dry run what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.unique : The same in memory.
    open_columns : Read the table.

    Notes
    -----
    One pass over the source; the labels of blocks are merged as for `renumber_zarr`. Chunks that are not stored hold
    the fill value: its voxels are counted without being read. Of an OME-Zarr label image the labels of all resolutions
    are found; `counts` are of the voxels of the highest, and 0 for a label that only others have.

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
    >>> report = fastremap_dask.unique_zarr(labels, zarr.storage.StorePath(place.store, "labels.table.zarr"))
    >>> fastremap_dask.open_columns(report_place := zarr.storage.StorePath(place.store, "labels.table.zarr"))["counts"]
    array([1, 1, 2])
    """
    sources, given_images = open_volumes(source, options)
    place = locate(table, read_only=False, storage_options=options.storage_options)
    images = tuple(image for image in given_images if image)
    frame = Frame("unique", options, sources, table=place, images=images)

    def body(run: Run) -> Facts:
        dtype, columns = common_dtype(sources), ("counts", "first")
        states = find(run, tasks.find_labels, columns, dtype=dtype, first=True, counts=True)
        run.clear_old()
        schema = Schema(dtype, dict.fromkeys(columns, np.dtype(np.int64)))
        return _collect(run, states, schema, place)

    return execute(frame, body)


@job
def component_map_zarr(
    component_labels: Location, parent_labels: Location, table: Location, *, options: Options
) -> Report | Forecast:
    """
    Find for each label of a Zarr volume the label of another in which it lies.

    Parameters
    ----------
    component_labels, parent_labels : str, path-like, URL, zarr store, zarr.storage.StorePath or zarr.Array
        Volumes of one shape, of bool or (u)int8 to (u)int64. They are never written.
    table : str, path-like, URL, zarr store or zarr.storage.StorePath
        Where the table from component to parent is to lie.
    {parameters}

    Returns
    -------
    Report or Forecast
        Labels, bytes, seconds and blocks of each stage, peak memory. For a dry run what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.component_map : The same in memory.
    open_table : Read the table.

    Notes
    -----
    A component under two parents gets that of its last voxel in C order.

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> store = zarr.storage.MemoryStore()
    >>> parts = zarr.create_array(store, name="parts", data=numpy.array([1, 2, 3, 3]))
    >>> cells = zarr.create_array(store, name="cells", data=numpy.array([7, 7, 8, 8]))
    >>> report = fastremap_dask.component_map_zarr(parts, cells, zarr.storage.StorePath(store, "map.zarr"))
    >>> fastremap_dask.open_table(zarr.storage.StorePath(store, "map.zarr")).to_dict()
    {{1: 7, 2: 7, 3: 8}}
    """
    sources = tuple(open_sources(each, options)[0] for each in (component_labels, parent_labels))
    if sources[0].shape != sources[1].shape:
        raise ValueError(f"components have shape {sources[0].shape} and parents {sources[1].shape}: give one volume's")
    place = locate(table, read_only=False, storage_options=options.storage_options)
    frame = Frame("component-map", options, sources, table=place, aligned=True)

    def body(run: Run) -> Facts:
        dtype = sources[0].stored.open().dtype.newbyteorder("=")
        states = find(run, tasks.find_partners, ("last", "parents"), dtype=dtype)
        run.clear_old()
        parents = sources[1].stored.open().dtype.newbyteorder("=")
        return _collect(run, states, Schema(dtype, {"last": np.dtype(np.int64), "parents": parents}), place)

    return execute(frame, body)


def _collect(run: Run, states: States, schema: Schema, table: StorePath) -> Facts:
    """Merge states into a table."""
    found = collect(
        merging(run),
        run.journal.work,
        states,
        states.sizes,
        schema,
        as_root(table),
        budget_nbytes=run.plan.rows_nbytes,
        extra=states.absent or None,
    )
    return Facts((), found.n_labels, table_nbytes=found.nbytes)
