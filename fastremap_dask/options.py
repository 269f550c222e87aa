"""Options: what all jobs have in common, said once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from .executors import WORKERLESS_S
from .metadata import Layout
from .places import Location
from .resources import Resources
from .stages import Progress

if TYPE_CHECKING:
    from distributed import Client

    from .forecasts import Forecast
    from .report import Report

PARAMETERS = """\
chunks, shards : tuple of int, optional
        Of the target, along its axes; ``shards=False`` for none. Default: those of the source.
    codecs : sequence, optional
        Compressors of the target: names such as "zstd", or codec objects of zarr (format 3) or numcodecs (format 2);
        empty for none. Default: those of the source.
    region : tuple of slice, optional
        The part of each source, an array, that the job looks at; the target has that part's shape. Default: all of it.
    client : distributed.Client, optional
        Run on the workers of a running cluster, which must see source, target and scratch under the same names.
    workers : int, optional
        Run on so many worker processes, started on this machine for the length of the call.
    threads : int, optional
        Threads in each process. Default: 1 with `workers`, else one for each core.
    memory_limit : int or str, optional
        Bytes, or text such as "2GB", that each process may use. Fewer threads, and smaller blocks, are used where it
        asks for them. Default: no limit; with `workers` each has its share of the machine's memory, with `client` what
        its workers have.
    worker_timeout : float
        Seconds that a cluster may be without any worker before the job gives up.
    scratch : str, path-like, zarr store or zarr.storage.StorePath, optional
        Where the job keeps what it needs until it is done. Default: beside the target.
    storage_options : mapping, optional
        For the file systems of URLs.
    resume : bool
        Go on with a job that was stopped. Memory, workers and scheduler may be others; what decides the voxels may not.
        If the job is done, nothing is done.
    overwrite : bool
        Replace a Zarr array that lies at the target, or an OME-Zarr label image where the source is one. It goes when
        the first pass has succeeded.
    dry_run : bool
        Only say what the job would do; no voxel is read and nothing is written.
    durable : bool
        Have the disks of this machine hold each object before it is noted as done, so that a loss of power does no
        harm either.
    progress : callable or bool, optional
        Called as ``progress(stage, n_done, n_blocks)``: when a stage begins, and after each of its blocks. True shows
        that: by bars on a terminal, a table in a notebook, else lines on stderr."""

RAISES = """\
FileNotFoundError
        If there is no array at a source. Nothing is written.
    FileExistsError
        If anything lies at or under the target, or an unfinished job beside it, and neither `resume` nor `overwrite`
        is given; or if what is to be overwritten is nothing that the job writes. Nothing is written.
    TypeError, ValueError
        If parameters are wrong, contradict each other, or differ from those of the job that is to be resumed; if the
        codecs cannot store the result; or if one stored unit does not fit the memory limit. Nothing is written.
    JobLocked
        If another job works on the target.
    JobError
        If a task fails; it names the block and the reason. What is done is kept: `resume` goes on with it."""

IMAGES = """\
A group that is an OME-Zarr label image is taken as a whole: all its resolutions are read, and written to a group at
    the target, by one table. The new group has the same metadata, in which colors and properties tell of the new
    labels; those of labels that are absent, erased or merged into another are left out, and the report says how many.
    Its name joins the list of the group "labels" that it lies in, last of all. What else lies in the group is not
    copied."""

NOTES = """\
A block is a whole number of the target's stored units, shards or chunks, so each stored object is written by one
    task. The target takes over chunks, shards, chunk keys, codecs, dimension names and attributes. Its metadata
    document is written last: before that, no tool opens it. Until then all that the job needs to go on lies in a
    folder beside it whose name ends in ``.job``; a report remains, as ``.report.json``. Chunks that are not stored
    are not read.

    Memory of each running task, for B bytes of a block as read and C as written: the larger of 2.5 B and B + 3 C, and
    64 MB."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Hold the options that all jobs share; their meaning is that of `PARAMETERS`."""

    chunks: tuple[int, ...] | int | None = None
    shards: tuple[int, ...] | int | Literal[False] | None = None
    codecs: Sequence[Any] | None = None
    region: tuple[slice, ...] | None = None
    client: Client | None = None
    workers: int | None = None
    threads: int | None = None
    memory_limit: int | str | None = None
    worker_timeout: float = WORKERLESS_S
    scratch: Location | None = None
    storage_options: Mapping[str, Any] | None = None
    resume: bool = False
    overwrite: bool = False
    dry_run: bool = False
    durable: bool = False
    progress: Progress | bool | None = None

    def resources(self) -> Resources:
        """Return the machines that the job may use."""
        return Resources.of(self.client, self.workers, self.threads, self.memory_limit, self.worker_timeout)

    def layout(self, shape: tuple[int, ...], *, reverse: bool = False) -> Layout:
        """Return how the target of a source of some shape is to lie in its store."""
        return Layout(shape=shape, reverse=reverse, chunks=self.chunks, shards=self.shards, codecs=self.codecs)


class PublicJob(Protocol):
    """A job as users call it; what it takes beside `dry_run` is checked when it is called."""

    @overload
    def __call__(self, *given: Any, dry_run: Literal[False] = ..., **named: Any) -> Report: ...
    @overload
    def __call__(self, *given: Any, dry_run: Literal[True], **named: Any) -> Forecast: ...
    @overload
    def __call__(self, *given: Any, dry_run: bool, **named: Any) -> Report | Forecast: ...


def job(function: Callable[..., Any]) -> PublicJob:
    """
    Make a public function of a job: its options are parameters of their own, and its docstring speaks of them.

    Parameters
    ----------
    function : callable
        Takes `options`; its docstring has ``{parameters}``, ``{raises}``, ``{notes}`` and ``{images}`` where
        those belong.

    Returns
    -------
    callable
        Takes the fields of `Options` by keyword.
    """
    names = [option.name for option in fields(Options)]

    @functools.wraps(function)
    def wrapped(*args: Any, **given: Any) -> Any:
        common = {name: given.pop(name) for name in names if name in given}
        if common.get("progress") is True:
            from .progress import showing  # and what draws, only where something is drawn

            shown = showing(quiet=False)
        else:
            shown = nullcontext(common.get("progress") or None)
        with shown as common["progress"]:
            return function(*args, **given, options=Options(**common))

    own = [p for p in inspect.signature(function).parameters.values() if p.name != "options"]
    common = [
        inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=option.type)
        for option in fields(Options)
    ]
    wrapped.__signature__ = inspect.Signature([*own, *common])
    wrapped.__doc__ = function.__doc__.format(parameters=PARAMETERS, raises=RAISES, images=IMAGES, notes=NOTES)
    return wrapped
