"""Running: how any job goes from its plan through its stages to what it leaves, once and for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, repeat
from typing import Any

from zarr.storage import LocalStore, StorePath

from . import stages, tasks
from .admission import admit, put_report
from .blocksets import BlockSet, covering, pieces_left
from .executors import peak_nbytes
from .forecasts import Forecast, forecast
from .frames import REPORT_SUFFIX, Facts, Frame
from .journal import Journal
from .metadata import codecs_of, slow_codec
from .objects import Folder, access, counted_retries, list_under, make_durable
from .omegroups import consolidated_above, publish_group, withdraw
from .places import beside, check_shared, innermost, locate, show
from .plan import Grids, Piece, Plan
from .proofs import Proof, versions
from .report import Report, StageReport
from .stages import Executor, Hopeless, JobError
from .stored import DOCUMENTS, Stored
from .tasks import Job, Written

# How many marks a task looks at: a look takes much less time than to hand out a task.
MARKS = 256


def execute(frame: Frame, body: Callable[[Run], Facts]) -> Report | Forecast:
    """
    Run a job.

    Parameters
    ----------
    frame : Frame
        What is known of it.
    body : callable
        Its stages.

    Returns
    -------
    Report or Forecast
        What it did; or, for a dry run, would do.
    """
    options = frame.options
    frame.check()
    resources = options.resources()
    scratch = None
    if options.scratch is not None:
        scratch = locate(options.scratch, read_only=False, storage_options=options.storage_options)
    if resources.n_processes:
        shared = [source.stored.place for source in frame.sources] + frame.products
        check_shared(*shared, *([scratch] if scratch is not None else []))
    volumes = frame.volumes()
    units = frame.stored_units(volumes[1])
    plan = resources.plan(*volumes, None if None in units else sum(map(len, units)))
    if options.dry_run:
        return forecast(frame.name, plan, [len(numbers) for numbers in _numbers(plan, units)], frame.passes)
    settings = frame.all_settings()
    journal = Journal(frame.place, scratch, options.durable)
    finished = admit(frame, journal, settings)
    if finished is not None:
        return finished
    with journal.held(settings, resume=options.resume):
        with counted_retries() as retries, resources.executor(plan) as executor:
            run = Run(frame, plan, journal, executor, units, retries)
            run.prove()
            try:
                facts = body(run)
            except JobError as error:
                if isinstance(error.__cause__, Hopeless):
                    journal.lock.check()
                    run.clear_products()
                raise
            # of each image the attributes of its target, and the entries that these lack
            attributes = [image.relabelled(facts.new_label) for image in frame.images if image.target]
            report = run.report(facts, sum(n_left_out for _, n_left_out in attributes))
        for product in frame.products:
            _sweep(product)
        journal.lock.check()
        put_report(frame, settings, report)
        for target in facts.targets:
            publish(target, durable=options.durable)
        for image, (attribute, _) in zip(frame.images, attributes, strict=False):
            publish_group(image, attribute, durable=options.durable)
    return report


def publish(stored: Stored, *, durable: bool = False) -> None:
    """
    Write the metadata document of an array, by which it comes into existence.

    Parameters
    ----------
    stored : Stored
        The array.
    durable : bool
        On this machine, return only when the disk has it.
    """
    # of zarr's public functions the one that writes the document, and only that
    access(lambda: stored.open().async_array.update_attributes({}))
    if durable:
        for name in DOCUMENTS:
            make_durable(stored.place / name)


def _sweep(product: StorePath) -> None:
    """Remove what processes that died have left half-written, under the names that zarr gives it on this machine."""
    if isinstance(innermost(product.store), LocalStore):
        for name in [name for name in list_under(product) if name.endswith(".partial")]:
            Folder(product).delete(name)


class Run:
    """A run of a job: its stages, one after the other."""

    def __init__(
        self,
        frame: Frame,
        plan: Plan,
        journal: Journal,
        executor: Executor,
        units: list[BlockSet | None],
        retries: list[int],
    ) -> None:
        self.frame, self.plan, self.journal, self.executor, self.units = frame, plan, journal, executor, units
        # What this thread had to try again, so far, and until the last stage ended.
        self._retries, self._retries_before = retries, 0
        self.reports: list[StageReport] = []
        grids = tuple(Grids(volume) for volume in plan.targets)
        self.job = Job(frame.sources, (), grids, journal.work)
        self._peaks: tuple[int, ...] = ()

    def prove(self) -> None:
        """Have every process prove that it sees what the job sees."""
        self.journal.work.put("probe", self.journal.run.encode())
        proof = Proof(self.job, self.journal.lock, versions())
        for wrong in self.executor.on_each_process(proof):
            if wrong:
                raise RuntimeError(f"a worker {wrong}")
        self.journal.worth_keeping = True

    def numbers(self) -> list[range | BlockSet]:
        """Return for each volume the numbers of the blocks in which the store has anything."""
        return _numbers(self.plan, self.units)

    def perform(
        self,
        name: str,
        function: Callable[[Any], Any],
        arguments: Iterable[Any],
        n: int,
        take: Callable[[Any], None] | None = None,
        *,
        n_skipped: int = 0,
        itemsizes: tuple[int, int] = (0, 0),
    ) -> None:
        """
        Run a stage.

        Parameters
        ----------
        name : str
            What its tasks do.
        function : callable
            The task.
        arguments : iterable
            One for each task that is left to do.
        n : int
            Tasks that are left to do, if that is known; else at most so many.
        take : callable, optional
            Given what each task returns.
        n_skipped : int
            Tasks that an earlier run has done.
        itemsizes : tuple of two int
            Bytes of a voxel, as tasks read and write them.

        Raises
        ------
        JobError
            For the first task that fails.
        """
        begin, progress = time.perf_counter(), self.frame.options.progress
        counts = {"voxels": 0, "retries": 0, "tasks": 0}

        def counted() -> Iterator[Any]:
            for argument in arguments:
                piece = getattr(argument, "piece", argument)
                counts["voxels"] += piece.block.n_voxels if isinstance(piece, Piece) else 0
                yield argument

        def done(n_done: int) -> None:
            self.journal.check()
            counts["tasks"] = n_done
            if progress is not None:
                progress(name, n_skipped + n_done, max(n, n_done) + n_skipped)

        def taken(result: tuple[Any, int]) -> None:
            counts["retries"] += result[1]
            if take is not None:
                take(result[0])

        done(0)
        task = partial(tasks.tracked, function=function, lock=self.journal.lock)
        try:
            stages.run(self.executor, task, counted(), done, taken, n)
        except JobError as error:
            raise JobError(f"{name}: {error}") from error.__cause__
        self._peaks = self.executor.on_each_process(peak_nbytes)
        read, written = (counts["voxels"] * itemsize for itemsize in itemsizes)
        took, peak = time.perf_counter() - begin, max(self._peaks, default=0)
        retries = counts["retries"] + self._retries[0] - self._retries_before
        self._retries_before = self._retries[0]
        self.reports.append(StageReport(name, counts["tasks"], n_skipped, read, written, took, retries, peak))

    def write(
        self, name: str, function: Callable[..., Any], targets: tuple[Stored, ...], states: Sequence[str] | None
    ) -> None:
        """
        Run the stage that writes the targets.

        Parameters
        ----------
        name : str
            What its tasks do.
        function : callable
            ``function(piece or Written, job=)``.
        targets : tuple of Stored
            What it writes.
        states : sequence of str, or None
            Names of the states whose blocks are to be written; None for every block that is stored.
        """
        self.clear_old()
        self.job = replace(self.job, targets=targets)
        done = self._written()
        grids, levels = self.job.grids, self.plan.levels
        if states is None:
            arguments: list[Any] = []
            n = 0
            for at, numbers in enumerate(self.numbers()):
                n += len(numbers)
                pairs = zip(repeat(levels[at]), numbers)  # a generator would see the level of the last volume
                arguments.append(pieces_left(at, grids[at], pairs, levels[at], done[at]))
            left: Iterator[Any] = (piece for pieces in arguments for piece in pieces)
        else:
            self._check_no_more_stored()
            n = len(states)
            left = self._of_states(states, done)
        n_done = sum(len(blocks) for volume in done for blocks in volume.values())
        itemsizes = self.plan.sources[0].itemsize, targets[0].open().dtype.itemsize
        task = partial(function, job=self.job)
        self.perform(name, task, left, max(0, n - n_done), n_skipped=n_done, itemsizes=itemsizes)

    def _check_no_more_stored(self) -> None:
        """Refuse units that the source did not have when its labels were found."""
        for at, now in enumerate(self.frame.stored_units(self.plan.targets)):
            new = None if now is None else next((number for number in now if number not in self.units[at]), None)
            if new is not None:
                piece = Piece(at, 0, self.job.grids[at].grid(0).block(new))
                raise JobError(f"the source has changed since its labels were found: {piece} has come: begin anew")

    def _of_states(self, names: Sequence[str], done: list[dict[int, BlockSet]]) -> Iterator[Written]:
        """Generate what is left to write of the blocks that have states."""
        for name in names:
            volume, level, number = (int(part) for part in name.split(".")[0].split("/"))
            left = pieces_left(
                volume, self.job.grids[volume], [(level, number)], self.plan.levels[volume], done[volume]
            )
            for piece in left:
                yield Written(piece, name)

    def _written(self) -> list[dict[int, BlockSet]]:
        """Return what is written, after a look at whether it is there."""
        volumes = self.journal.done("written")
        volumes += [{} for _ in range(len(self.job.grids) - len(volumes))]
        if not self.journal.resumed or not any(volumes):
            return volumes
        n = sum(-(-len(numbers) // MARKS) for levels in volumes for numbers in levels.values())
        marked = (
            tasks.Marked(at, level, some)
            for at, levels in enumerate(volumes)
            for level, numbers in levels.items()
            for some in _groups(numbers, MARKS)
        )
        self.perform("check written", partial(tasks.check_written, job=self.job), marked, n)
        volumes = self.journal.done("written")
        return volumes + [{} for _ in range(len(self.job.grids) - len(volumes))]

    def clear_old(self) -> None:
        """Remove what is to be overwritten, and note that it is gone."""
        if not self.frame.options.overwrite and not self.journal.settings.get("overwrites"):
            return
        work = self.journal.work
        if work.has("cleared"):
            return
        for image in self.frame.images:
            if image.target is not None:
                withdraw(image)
        self.clear_products()
        Folder(beside(self.frame.place, REPORT_SUFFIX)).delete("")
        work.put("cleared", b"")

    def clear_products(self) -> None:
        """Remove what lies where the job writes; it has made sure that this is its own, or to be overwritten."""
        for product in self.frame.products:
            access(lambda product=product: product.store.delete_dir(product.path))

    def report(self, facts: Facts, n_left_out: int) -> Report:
        """Put together what the job did; `n_left_out` is of the entries that metadata of label images had."""
        sources = [source.stored.open() for source in self.frame.sources]
        n_voxels = [volume.n_voxels for volume in self.plan.sources]
        arrays = [target.open() for target in facts.targets]
        return Report(
            job=self.frame.name,
            sources=tuple(map(show, self.frame.read)),
            targets=tuple(map(show, self.frame.written)),
            table="" if self.frame.table is None else show(self.frame.table),
            shapes=tuple(volume.shape for volume in self.plan.sources),
            n_voxels=sum(n_voxels),
            n_labels=facts.n_labels,
            lowest_id=facts.lowest_id,
            highest_id=facts.highest_id,
            source_dtype=sources[0].dtype.name,
            target_dtype=arrays[0].dtype.name if arrays else "",
            source_nbytes=sum(volume.nbytes for volume in self.plan.sources),
            target_nbytes=sum(array.nbytes for array in arrays),
            table_nbytes=facts.table_nbytes,
            stages=tuple(self.reports),
            peak_nbytes=self._peaks,
            resumed=self.journal.resumed,
            notes=tuple(self._notes(n_left_out)),
        )

    def _notes(self, n_left_out: int) -> Iterator[str]:
        """Generate what users should know of what was read and written."""
        checked = [any(checks for _, checks in codecs_of(source.stored.document)) for source in self.frame.sources]
        unchecked = [source for source, checks in zip(self.frame.sources, checked, strict=True) if not checks]
        if unchecked:
            names = ", ".join(map(show, self.frame.as_given(unchecked)))
            yield f"the codecs of {names} have no checksum: flipped bits in a stored chunk go unnoticed"
        slow = dict.fromkeys(filter(None, (slow_codec(target.document) for target in self.job.targets)))
        for codec in slow:
            yield f"{codec} makes up most of the time of writing: of its default level it is many times faster"
        if n_left_out:
            yield f"{n_left_out} colors and properties were left out: their labels are absent, erased, or merged"
        stale = dict.fromkeys(name for product in self.frame.products for name in consolidated_above(product))
        for name in stale:
            yield f"{name} has consolidated metadata, by which what is new in it is not found: consolidate it again"


def _numbers(plan: Plan, units: list[BlockSet | None]) -> list[range | BlockSet]:
    """Return for each volume the numbers of the blocks in which the store has anything."""
    each = zip(plan.targets, plan.levels, units, strict=True)
    return [
        range(Grids(target).grid(level).n_blocks) if some is None else covering(some, Grids(target), level)
        for target, level, some in each
    ]


def _groups(numbers: Iterable[int], n: int) -> Iterator[tuple[int, ...]]:
    """Generate groups of at most `n` numbers."""
    left = iter(numbers)
    while group := tuple(islice(left, n)):
        yield group
