"""The Zarr jobs: a source, a target and a table in stores, and the passes that make one of the other."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike
from zarr.storage import StorePath

from . import stages
from .executors import peak_nbytes
from .metadata import check_codecs, target_document
from .plan import Job, Stage
from .reductions import FAN_IN
from .report import Report, StageReport
from .resources import Resources
from .stages import Executor, JobError, Progress, check_versions, counter
from .states import merge
from .targets import check_apart, check_shared, claimed, publish
from .tasks import (
    Rules,
    Saved,
    TableFacts,
    forget_tables,
    labels_of_block,
    possible_dtypes,
    table_of_states,
    write_ids_of_block,
)
from .volumes import Location, Stored, beside, locate, open_labels, show, volume_of

if TYPE_CHECKING:
    from distributed import Client

TABLE_SUFFIX = ".table.zarr"
STAGES = ("find labels", "write ids")


def renumber_zarr(
    source: Location,
    target: Location,
    *,
    start: int = 1,
    preserve_zero: bool = True,
    order: str = "first",
    dtype: DTypeLike | None = None,
    client: Client | None = None,
    workers: int | None = None,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    progress: Progress | None = None,
) -> Report:
    """
    Give the labels of a Zarr volume new ids without gaps, in a new volume.

    Parameters
    ----------
    source : str, path-like, zarr store, zarr.storage.StorePath or zarr.Array
        A volume of bool or (u)int8 to (u)int64, of format 2 or 3, sharded or not. It is never written.
    target : str, path-like, zarr store or zarr.storage.StorePath
        Where the new volume is to lie. Nothing may lie at or under it, nor where the table goes: beside it, with
        ``.table.zarr`` instead of ``.zarr`` at the end of its name.
    start : int
        The first id.
    preserve_zero : bool
        Keep 0 as 0; the table then holds 0 whether or not it occurs.
    order : {"first", "sorted"}
        Give out ids by C-order index of the first voxel, or by label.
    dtype : dtype, optional
        Dtype of the target, bool or an integer one. Default: the smallest of the source's kind whose maximum is
        greater than every id.
    client : distributed.Client, optional
        Run on the workers of a running cluster, which must see source and target under the same names.
    workers : int, optional
        Run on so many worker processes, started on this machine for the length of the call.
    threads : int, optional
        Threads in each process. Default: 1 with `workers`, else one for each core.
    memory_limit : int or str, optional
        Bytes, or text such as "2GB", that each process may use. Fewer threads, and smaller blocks, are used where it
        asks for them. Default: no limit; with `workers` each has its share of the machine's memory.
    progress : callable, optional
        Called as ``progress(stage, n_done, n_blocks)``: when a stage begins, and after each of its blocks.

    Returns
    -------
    Report
        Labels, dtypes, bytes, seconds and blocks of each stage, peak memory, and where the table lies.

    Raises
    ------
    FileNotFoundError
        If there is no array at `source`. Nothing is written.
    FileExistsError
        If anything lies at or under `target` or the table's place. Nothing is written.
    TypeError
        If `source` holds no labels, or `dtype` is none for them. Nothing is written.
    ValueError
        If an id does not fit 64 bits or `dtype`, is negative for unsigned labels, or is 0 while 0 is kept; if the
        codecs cannot store the ids, one stored unit does not fit the memory limit, or parameters contradict each
        other. Nothing is written.
    JobError
        If a task fails; it names the block and the reason. What the job has written is removed.

    See Also
    --------
    fastremap.renumber : The same in memory.
    open_table : Read the table.

    Notes
    -----
    Two passes over the source: one finds the labels, one writes the ids. A block is a whole number of the target's
    stored units, shards or chunks, so each stored object is written once, by one task. The target takes over shape,
    chunks, shards, codecs, dimension names and attributes. Its fill value is the id of the source's, or 0 where no
    voxel holds that. Its metadata document is written last: before that, no tool opens it.

    Memory of each running task, for B bytes of a block as read and C as written: the larger of 2.5 B and B + 3 C, and
    64 MB; the table once in each process; the states of all blocks while they are merged, 16 bytes a label.

    Examples
    --------
    >>> import fastremap_dask, numpy, zarr
    >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
    >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
    >>> report = fastremap_dask.renumber_zarr(labels, zarr.storage.StorePath(place.store, "ids.zarr"))
    >>> zarr.open_array(place.store, path="ids.zarr")[:], report.n_labels
    (array([1, 0, 1, 2], dtype=int8), 3)
    """
    rules = Rules(operator.index(start), bool(preserve_zero), order, None if dtype is None else np.dtype(dtype))
    read = open_labels(source)
    place = locate(target, read_only=False)
    table_place = beside(place, TABLE_SUFFIX)
    check_apart(read.place, place)
    dtypes = possible_dtypes(read, rules)
    for possible in dtypes:
        check_codecs(target_document(read.document, possible, 0), show(read.place))
    with claimed(place, table_place):
        resources = Resources.of(client, workers, threads, memory_limit)
        if resources.n_processes:
            check_shared(read.place, place)
        job = resources.plan(STAGES, volume_of(read), volume_of(read, dtypes[-1]))
        with resources.executor(job) as executor:
            check_versions(executor)
            watch = _Watch(job, progress)
            facts = _find_labels(executor, watch, read, table_place, rules)
            written = Stored(place, target_document(read.document, facts.dtype, facts.fill_id))
            _write_ids(executor, watch, read, written, Saved(table_place, facts.digest))
            peaks_nbytes = executor.on_each_process(peak_nbytes)
        publish(written)
    return _report(job, (read, written), table_place, facts, watch.seconds, peaks_nbytes)


class _Watch:
    """Time the stages of a job and tell how far they are."""

    def __init__(self, job: Job, progress: Progress | None):
        self.job = job
        self.seconds: list[float] = []
        self._progress = progress

    @contextmanager
    def stage(self) -> Iterator[tuple[Stage, Callable[[int], None]]]:
        """Time the next stage; yield it, and what is to be told the number of finished blocks."""
        stage = self.job.stages[len(self.seconds)]
        begin = time.perf_counter()
        try:
            yield stage, counter(self._progress, stage.name, stage.grid)
        except JobError as error:
            raise JobError(f"{stage.name}: {error}") from error.__cause__
        self.seconds.append(time.perf_counter() - begin)


def _find_labels(executor: Executor, watch: _Watch, source: Stored, table: StorePath, rules: Rules) -> TableFacts:
    """Run the first pass: the states of all blocks, merged in a tree whose last task writes the table."""
    array = source.open()
    make = partial(labels_of_block, source=source, first=rules.order == "first")
    fill_label = int(array.fill_value or 0)  # format 2 may leave it open; zarr then reads zeros
    finish = partial(table_of_states, dtype=array.dtype, fill_label=fill_label, rules=rules, place=table)
    with watch.stage() as (stage, done):
        return stages.reduce(executor, make, stage.grid.blocks(), merge, finish, FAN_IN, done)


def _write_ids(executor: Executor, watch: _Watch, source: Stored, target: Stored, table: Saved) -> None:
    """Run the second pass: every block read, mapped by the table and written."""
    with watch.stage() as (stage, done):
        try:
            task = partial(write_ids_of_block, source=source, target=target, table=table)
            stages.run(executor, task, stage.grid.blocks(), done)
        finally:
            executor.on_each_process(forget_tables)


def _report(
    job: Job,
    volumes: tuple[Stored, Stored],
    table: StorePath,
    facts: TableFacts,
    seconds: Sequence[float],
    peaks_nbytes: tuple[int, ...],
) -> Report:
    """Put together what the job did."""
    source, target = (stored.open() for stored in volumes)
    written_nbytes = (0, target.nbytes)
    return Report(
        *(show(stored.place) for stored in volumes),
        show(table),
        shape=source.shape,
        n_voxels=source.size,
        n_labels=facts.n_labels,
        lowest_id=facts.lowest_id,
        highest_id=facts.highest_id,
        source_dtype=source.dtype.name,
        target_dtype=target.dtype.name,
        source_nbytes=source.nbytes,
        target_nbytes=target.nbytes,
        table_nbytes=facts.nbytes,
        stages=tuple(
            StageReport(stage.name, stage.grid.n_blocks, source.nbytes, nbytes, duration)
            for stage, nbytes, duration in zip(job.stages, written_nbytes, seconds, strict=True)
        ),
        peak_nbytes=peaks_nbytes,
    )
