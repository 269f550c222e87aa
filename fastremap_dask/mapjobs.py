"""The Zarr jobs that look at each block alone: remap, mask and transpose."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import fastremap
from fastremap import LabelTable
from fastremap.dtypes import bounds, fits, require_fit

from . import jobtable, tasks
from .forecasts import Forecast
from .frames import Facts, Frame
from .given import Volumes, common_dtype, locate_targets, open_sources, open_volumes
from .metadata import target_document
from .options import Options, job
from .places import Location, as_root, locate
from .report import Report
from .running import Run, execute
from .stored import Stored
from .tables import open_table
from .volumes import LABEL_KINDS, Source, fill_label


@job
def remap_zarr(
    source: Location | Sequence[Location],
    target: Location | Sequence[Location],
    table: Mapping[Any, Any] | LabelTable | tuple[ArrayLike, ArrayLike] | Location,
    *,
    missing: str | int = "error",
    dtype: DTypeLike | None = None,
    options: Options,
) -> Report | Forecast:
    """
    Map the labels of a Zarr volume by a table, in a new volume.

    Parameters
    ----------
    source : str, path-like, URL, zarr store, zarr.storage.StorePath, zarr.Array, zarr.Group, or list of these
        A volume of bool or (u)int8 to (u)int64, or an OME-Zarr label image. It is never written.
    target : str, path-like, URL, zarr store, zarr.storage.StorePath, or list of these
        Where the new volume is to lie; one for each source.
    table : mapping, LabelTable, pair of arrays, or place of a saved table
        Old to new labels.
    missing : {{"error", "keep"}} or int
        What becomes of labels that are not in the table; a number takes their place.
    dtype : dtype, optional
        Dtype of the target. Default: the source's, widened within its kind if a value of the table needs it.
    {parameters}

    Returns
    -------
    Report or Forecast
        Dtypes, bytes, seconds and blocks, peak memory. For a dry run what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.remap : The same in memory.

    Notes
    -----
    One pass. The table is once in the memory of each process. The target's fill value is the image of the source's;
    where chunks are absent and that label is missing from the table, `missing` says what happens.

    {images}

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
    >>> target = zarr.storage.StorePath(place.store, "mapped.zarr")
    >>> report = fastremap_dask.remap_zarr(labels, target, {{70: 1}}, missing="keep")
    >>> zarr.open_array(target)[:]
    array([1, 0, 1, 9])
    """
    if isinstance(missing, str) and missing not in ("error", "keep"):
        raise ValueError(f'missing must be "error", "keep" or a number, not {missing!r}')
    volumes, mapping = open_volumes(source, options), as_table(table, options)

    def new_label(label: int) -> int | None:
        new = mapping.get(label, label if missing == "keep" else None)
        return None if new == 0 != label else new  # what becomes background is no object any more

    return _map("remap", volumes, target, mapping, missing, dtype, options, new_label)


@job
def mask_zarr(
    source: Location | Sequence[Location],
    target: Location | Sequence[Location],
    labels: Iterable[int] | ArrayLike,
    *,
    value: int = 0,
    invert: bool = False,
    dtype: DTypeLike | None = None,
    options: Options,
) -> Report | Forecast:
    """
    Set listed labels of a Zarr volume to a value, in a new volume.

    Parameters
    ----------
    source : str, path-like, URL, zarr store, zarr.storage.StorePath, zarr.Array, zarr.Group, or list of these
        A volume of bool or (u)int8 to (u)int64, or an OME-Zarr label image. It is never written.
    target : str, path-like, URL, zarr store, zarr.storage.StorePath, or list of these
        Where the new volume is to lie; one for each source.
    labels : iterable of integers, or array
        The labels; those that the source's dtype cannot hold are absent from it.
    value : int
        What takes their place.
    invert : bool
        Keep the listed labels, and set all others.
    dtype : dtype, optional
        Dtype of the target. Default: the source's, widened within its kind if `value` needs it.
    {parameters}

    Returns
    -------
    Report or Forecast
        Dtypes, bytes, seconds and blocks, peak memory. For a dry run what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.mask, fastremap.mask_except : The same in memory.

    Notes
    -----
    One pass. The labels are once in the memory of each process.

    {images}

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
    >>> target = zarr.storage.StorePath(place.store, "masked.zarr")
    >>> report = fastremap_dask.mask_zarr(labels, target, [70])
    >>> zarr.open_array(target)[:]
    array([0, 0, 0, 9])
    """
    volumes = open_volumes(source, options)
    held = common_dtype(volumes.sources)
    if not isinstance(labels, np.ndarray):
        low, high = bounds(held)
        labels = np.array([label for label in map(operator.index, labels) if low <= label <= high], held)
    if labels.dtype.kind not in LABEL_KINDS:
        raise TypeError(f"labels are integers, not {labels.dtype}")
    keys = np.unique(labels[fits(labels, held)]).astype(held)
    values = keys if invert else np.full(keys.shape, value)
    table = LabelTable.from_arrays(keys, values)

    def new_label(label: int) -> int | None:
        return label if (label in table) == bool(invert) else None

    return _map("mask", volumes, target, table, int(value) if invert else "keep", dtype, options, new_label)


@job
def transpose_zarr(source: Location, target: Location, *, options: Options) -> Report | Forecast:
    """
    Reverse the axes of a Zarr volume, in a new volume.

    Parameters
    ----------
    source : str, path-like, URL, zarr store, zarr.storage.StorePath or zarr.Array
        A volume of bool or (u)int8 to (u)int64. It is never written.
    target : str, path-like, URL, zarr store or zarr.storage.StorePath
        Where the new volume is to lie.
    {parameters}

    Returns
    -------
    Report or Forecast
        Bytes, seconds and blocks, peak memory. For a dry run what the job would do.

    Raises
    ------
    {raises}

    See Also
    --------
    fastremap.transpose : The same in memory, in place.

    Notes
    -----
    One pass: each block is rearranged in the buffer that was read. Chunks, shards, dimension names and codecs that
    have an order of axes are reversed too: what was stored in C order still is.

    {notes}

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([[1, 2, 3]]))
    >>> target = zarr.storage.StorePath(place.store, "transposed.zarr")
    >>> report = fastremap_dask.transpose_zarr(labels, target)
    >>> zarr.open_array(target).shape
    (3, 1)
    """
    sources = open_sources(source, options, reverse=True)
    (read,), (targets, _) = sources, locate_targets(target, [None], options)
    dtype, layout = read.stored.open().dtype.newbyteorder("="), options.layout(read.shape, reverse=True)
    document = target_document(read.stored.document, dtype, fill_label(read.stored), layout)
    frame = Frame("transpose", options, sources, targets, ((document,),))

    def body(run: Run) -> Facts:
        written = (Stored(targets[0], document),)
        run.write("transpose", tasks.write_moved, written, None)
        return Facts(written)

    return execute(frame, body)


def as_table(table: Any, options: Options) -> LabelTable:
    """
    Return a table in any of the forms that jobs take.

    Parameters
    ----------
    table : mapping, LabelTable, pair of arrays, or place of a saved table
        The table.
    options : Options
        What opens URLs.

    Returns
    -------
    LabelTable
        The table.
    """
    if isinstance(table, LabelTable):
        return table
    if isinstance(table, Mapping):
        return LabelTable.from_dict(table)
    if isinstance(table, tuple):
        return LabelTable.from_arrays(*table)
    return open_table(as_root(locate(table, read_only=True, storage_options=options.storage_options)))


def _map(
    name: str,
    volumes: Volumes,
    target: Location | Sequence[Location],
    table: LabelTable,
    missing: str | int,
    dtype: DTypeLike | None,
    options: Options,
    new_label: Callable[[int], int | None],
) -> Report | Forecast:
    """Run a job that maps each block by a table; `new_label` says what becomes of labels that metadata describes."""
    sources = volumes.sources
    targets, images = locate_targets(target, volumes.images, options)
    dtypes = [_target_dtype(read, table, missing, dtype) for read in sources]
    fills = [_image_of_fill(read, table, missing, to) for read, to in zip(sources, dtypes, strict=True)]
    documents = [
        target_document(read.stored.document, to, fill or 0, options.layout(read.shape))
        for read, to, fill in zip(sources, dtypes, fills, strict=True)
    ]
    settings = {
        "table": table.digest,
        "missing": missing if isinstance(missing, str) else int(missing),
        "dtype": dtypes[0].name,
    }
    each = tuple((document,) for document in documents)
    frame = Frame(name, options, sources, targets, each, settings=settings, images=images)

    def body(run: Run) -> Facts:
        written = tuple(map(Stored, targets, documents))
        for read, fill, numbers, grid in zip(sources, fills, run.numbers(), run.plan.grids, strict=True):
            if fill is None and len(numbers) < grid.n_blocks:
                raise ValueError(
                    f"chunks that are not stored hold the label {fill_label(read.stored)}, which the table lacks: add "
                    'it, or give missing="keep" or a number'
                )
        jobtable.save_table(run.journal.work, table)
        try:
            run.write(name, partial(tasks.write_mapped, digest=table.digest, missing=missing), written, None)
        finally:
            run.executor.on_each_process(jobtable.forget_tables)
        return Facts(written, new_label=new_label)

    return execute(frame, body)


def _target_dtype(read: Source, table: LabelTable, missing: str | int, dtype: DTypeLike | None) -> np.dtype:
    """Return the dtype of a target, after a look at whether it holds all that the table has."""
    found = fastremap.remap(
        np.empty(0, read.stored.open().dtype.newbyteorder("=")),
        table,
        missing == "keep",
        fill_value=None if isinstance(missing, str) else missing,
        dtype=dtype,
    ).dtype
    if dtype is not None:
        require_fit(table.new, found, "new label")
        require_fit(np.array([] if isinstance(missing, str) else [missing]), found, "number for missing labels")
    return found


def _image_of_fill(read: Source, table: LabelTable, missing: str | int, dtype: np.dtype) -> int | None:
    """Return what the label of absent chunks becomes, or None if it must not occur."""
    label, array = fill_label(read.stored), read.stored.open()
    image = table.get(label, {"error": None, "keep": label}.get(missing, missing))
    if image is not None and array.fill_value is not None and not fits(np.array([image]), dtype)[0]:
        raise ValueError(f"the fill value becomes {image}, which does not fit dtype {dtype}: choose a wider dtype")
    return image
