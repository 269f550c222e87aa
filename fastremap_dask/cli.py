"""The command `fastremap`: what the jobs do, for people at a terminal."""

from __future__ import annotations

import functools
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import numpy as np
from dask.utils import parse_bytes

import fastremap

from . import demo as demonstration
from .executors import describe
from .jobs import renumber_zarr
from .progress import showing
from .report import human_count, human_nbytes, human_peaks, human_stage
from .states import ORDERS

CONNECT_S = 10.0
INTERRUPTED = 130


class Bytes(click.ParamType):
    """A number of bytes: 2GB, 512MiB, 1000000."""

    name = "BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            nbytes = parse_bytes(value)
        except ValueError:
            nbytes = 0
        if nbytes < 1:
            self.fail(f"{value!r} is no number of bytes such as 2GB", param, ctx)
        return nbytes


class DType(click.ParamType):
    """An integer dtype: uint32, u4."""

    name = "DTYPE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> np.dtype:
        """Return the dtype."""
        try:
            return np.dtype(value)
        except TypeError:
            self.fail(f"{value!r} is no dtype such as uint32", param, ctx)


def one_line_errors(command: Callable) -> Callable:
    """
    Turn what a command raises into one line and an exit status.

    Parameters
    ----------
    command : callable
        The command; it gets no `debug`.

    Returns
    -------
    callable
        A command with the option ``--debug``, which lets errors through with their traceback.
    """

    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(command)
    def wrapped(*args: Any, debug: bool, **options: Any) -> None:
        try:
            command(*args, **options)
        except click.exceptions.ClickException:
            raise
        except KeyboardInterrupt:
            click.echo("error: interrupted; what was begun has been removed", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:
            if debug:
                raise
            click.echo(f"error: {describe(error)}", err=True)
            sys.exit(1)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastremap.__version__, prog_name="fastremap")
def main() -> None:
    """Give the labels of volumes new ids."""


@main.command()
@click.argument("source")
@click.argument("target")
@click.option("--start", default=1, show_default=True, help="The first id.")
@click.option(
    "--order", type=click.Choice(ORDERS), default="first", show_default=True, help="Ids by first voxel, or by label."
)
@click.option("--dtype", type=DType(), help="Dtype of the target.  [default: the smallest]")
@click.option("--no-preserve-zero", is_flag=True, help="Give 0 an id like any label.")
@click.option("--workers", type=click.IntRange(1), help="Run on so many worker processes.")
@click.option("--threads", type=click.IntRange(1), help="Threads in each process.")
@click.option("--memory-limit", type=Bytes(), help="Memory that each process may use, such as 2GB.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@one_line_errors
def renumber(
    source: str, target: str, no_preserve_zero: bool, scheduler: str | None, quiet: bool, **options: Any
) -> None:
    """Give the labels of the Zarr array SOURCE the ids 1, 2, 3, ... in the new Zarr array TARGET.

    The table from label to id is written beside TARGET, as a Zarr group whose name ends in .table.zarr.

    \b
    fastremap renumber labels.zarr ids.zarr
    fastremap renumber labels.zarr ids.zarr --workers 8 --memory-limit 2GB
    fastremap renumber labels.zarr ids.zarr --scheduler tcp://10.0.0.1:8786
    """
    if scheduler and any(options[name] is not None for name in ("workers", "threads", "memory_limit")):
        raise click.UsageError("--scheduler has its own workers: give no --workers, --threads, --memory-limit with it")
    with connected(scheduler) as client, showing(quiet) as progress:
        report = renumber_zarr(
            source, target, preserve_zero=not no_preserve_zero, client=client, progress=progress, **options
        )
    if not quiet:
        click.echo(str(report))


@main.command()
@click.option("--size", type=Bytes(), default="800MB", show_default=True, help="Bytes of the volume.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Worker processes.")
@click.option("--memory-limit", type=Bytes(), default="300MB", show_default=True, help="Memory of each of them.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads that make and check it.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="PATH", help="Keep the volumes in this new folder.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@one_line_errors
def demo(size: int, workers: int, memory_limit: int, threads: int, keep: Path | None, quiet: bool) -> None:
    """Make a label volume, renumber it on worker processes, and check every voxel with numpy.

    The volume is larger than the memory that the workers may use. The exit status is 1 if a voxel is wrong.
    """
    with folder_for(keep) as folder, showing(quiet) as progress:
        outcome = demonstration.demonstrate(
            folder,
            size_nbytes=size,
            workers=workers,
            memory_limit=memory_limit,
            threads=threads,
            progress=progress or (lambda *_: None),
        )
    if not quiet:
        click.echo(describe_demo(outcome, workers * memory_limit))
    if outcome.verdict.n_wrong:
        raise RuntimeError(f"wrong voxels: {outcome.verdict.n_wrong:,}; the first: {outcome.verdict.first_wrong}")


def describe_demo(outcome: demonstration.Outcome, allowed_nbytes: int) -> str:
    """
    Say what the demonstration did.

    Parameters
    ----------
    outcome : Outcome
        The numbers.
    allowed_nbytes : int
        Memory of all workers together.

    Returns
    -------
    str
        A few lines.
    """
    report, verdict = outcome.report, outcome.verdict
    read, written = human_nbytes(report.source_nbytes), human_nbytes(report.target_nbytes)
    stored = [human_nbytes(nbytes) for nbytes in (outcome.source_stored_nbytes, outcome.target_stored_nbytes)]
    right = "every voxel is right" if not verdict.n_wrong else f"wrong voxels: {verdict.n_wrong:,}"
    rows = {
        "volume": f"{human_count(report.n_voxels)} voxels of shape {report.shape}, {report.source_dtype}",
        "labels": f"{human_count(report.n_labels)} over 63 bits, now ids {report.lowest_id:,} to {report.highest_id:,}",
        "dtype": f"{report.source_dtype} to {report.target_dtype}",
        "bytes": f"{read} to {written} in memory, {stored[0]} to {stored[1]} on disk",
        **{stage.name: human_stage(stage) for stage in report.stages},
        "memory": f"{human_peaks(report.peak_nbytes)}; {human_nbytes(allowed_nbytes)} allowed, {read} in the volume",
        "check": f"{right}, by numpy alone",
    }
    return "\n".join(f"{name:<12}{text}" for name, text in rows.items())


@contextmanager
def connected(scheduler: str | None) -> Iterator[Any]:
    """
    Connect to a running Dask cluster for the length of a `with` block.

    Parameters
    ----------
    scheduler : str or None
        Address of the scheduler.

    Yields
    ------
    distributed.Client or None
        The client.

    Raises
    ------
    ConnectionError
        If no scheduler answers there.
    """
    if scheduler is None:
        yield None
        return
    from distributed import Client

    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what goes wrong is said in one line
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {scheduler}") from error
    with client:
        yield client


@contextmanager
def folder_for(keep: Path | None) -> Iterator[Path]:
    """
    Make a folder, and remove it afterwards unless it is to be kept.

    Parameters
    ----------
    keep : pathlib.Path or None
        A folder to keep; it must not exist.

    Yields
    ------
    pathlib.Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder to keep is there already.
    """
    if keep is not None and keep.exists():
        raise FileExistsError(f"{keep} exists: choose a new folder to keep the volumes in")
    if keep is not None:
        keep.mkdir(parents=True)
    with nullcontext(keep) if keep is not None else tempfile.TemporaryDirectory(prefix="fastremap-demo-") as folder:
        yield Path(folder)
