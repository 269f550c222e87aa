"""The options that commands share, each said once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from .commandframe import connected
from .commandtypes import NONE, Bytes, Codec, KeyValue, Place, Region, Shape
from .executors import WORKERLESS_S

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

storage_options = click.option(
    "--storage-option",
    "storage_options",
    type=KeyValue(),
    multiple=True,
    callback=lambda ctx, param, pairs: dict(pairs) or None,
    help="For the file system of URLs, such as anon=true; repeatable.",
)
region = click.option("--region", type=Region(), help="Only this part of the source, such as 0:256,128:,:.")
threads = click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(1),
    help="Threads in each process.  [default: one a core; 1 with --workers]",
)
workers = click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1),
    help="Run on so many worker processes of this machine.",
)
memory_limit = click.option("--memory-limit", type=Bytes(), help="Memory that each process may use, such as 2GB.")

LAYOUT = (
    click.option("--chunks", type=Shape(), help="Chunks of the target, such as 64,64,64.  [default: the source's]"),
    click.option(
        "--shards", type=Shape(or_none=True), help=f"Shards of the target, or {NONE!r}.  [default: the source's]"
    ),
    click.option(
        "--codec",
        "codecs",
        type=Codec(),
        multiple=True,
        callback=lambda ctx, param, given: codecs_of(given),
        help="Compressor of the target: zstd, gzip, blosc, ...; repeatable, and zstd, crc32c also finds flipped bits. "
        f"JSON with a configuration, or {NONE!r}.  [default: the source's]",
    ),
)
RUNNING = (
    region,
    workers,
    threads,
    memory_limit,
    click.option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler."),
    click.option(
        "--worker-timeout",
        type=click.FloatRange(0, min_open=True),
        default=WORKERLESS_S,
        show_default=True,
        metavar="SECONDS",
        help="Give up if a cluster has no worker for so long.",
    ),
    click.option(
        "--scratch", type=Place(), help="Folder for what a job keeps until done.  [default: beside the target]"
    ),
    storage_options,
    click.option("--resume", is_flag=True, help="Go on with a job that was stopped."),
    click.option("--overwrite", is_flag=True, help="Replace what an earlier job has written there."),
    click.option("--dry-run", is_flag=True, help="Say what the job would cost; read and write nothing."),
    click.option("--durable", is_flag=True, help="Have the disk hold each object before it counts as done."),
)


def with_options(options: Sequence[Decorator]) -> Decorator:
    """
    Return a decorator that gives a command several options.

    Parameters
    ----------
    options : sequence of callable
        The options, in the order of the help.

    Returns
    -------
    callable
        The decorator.
    """
    return lambda command: functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Give a command the options of all jobs.

    Parameters
    ----------
    command : callable
        Takes `common`, keywords for the Python function of the job.

    Returns
    -------
    callable
        The command, within a connection to the cluster where one is asked for.
    """
    names = ("region", "workers", "threads", "memory_limit", "worker_timeout", "scratch", "storage_options")
    names += ("resume", "overwrite", "dry_run", "durable")

    @with_options(RUNNING)
    @click.pass_context
    @functools.wraps(command)
    def wrapped(ctx: click.Context, *args: Any, scheduler: str | None, **options: Any) -> Any:
        if scheduler and (options["workers"], options["threads"]) != (None, None):
            raise click.UsageError("--scheduler has workers of its own: give no --workers or --threads with it")
        if options["resume"] and options["overwrite"]:
            raise click.UsageError("--resume goes on with a job, and --overwrite begins anew: give one of them")
        common = {name: options.pop(name) for name in names}
        with connected(scheduler) as client:
            return command(*args, **options, common={**common, "client": client, "progress": ctx.obj})

    return wrapped


def layout_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Give the command of a job the options of its target's layout.

    Parameters
    ----------
    command : callable
        Takes `common`.

    Returns
    -------
    callable
        The command; `common` holds the layout too.
    """

    @with_options(LAYOUT)
    @functools.wraps(command)
    def wrapped(*args: Any, chunks: Any, shards: Any, codecs: Any, common: dict[str, Any], **options: Any) -> Any:
        return command(*args, **options, common={**common, "chunks": chunks, "shards": shards, "codecs": codecs})

    return wrapped


def codecs_of(given: Sequence[Any]) -> list[Any] | None:
    """
    Return the codecs that the options name.

    Parameters
    ----------
    given : sequence
        One for each ``--codec``.

    Returns
    -------
    list or None
        None if none was given, empty for "none".
    """
    if NONE in given and len(given) > 1:
        raise click.BadParameter(f"{NONE!r} stands alone")
    return None if not given else [codec for codec in given if codec != NONE]
