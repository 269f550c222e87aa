"""Progress: how far a job is, shown to people who wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from .stages import Progress


@contextmanager
def showing(quiet: bool) -> Iterator[Progress | None]:
    """
    Show on stderr how far a job is: bars on a terminal, else a plain line at each quarter.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    callable or None
        For the parameter `progress` of a job.
    """
    console = Console(stderr=True)
    if quiet:
        yield None
    elif console.is_terminal:
        columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TextColumn("blocks"))
        with Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bars:
            tasks: dict[str, Any] = {}

            def update(stage: str, n_done: int, n_blocks: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=n_blocks)
                bars.update(tasks[stage], completed=n_done)

            yield update
    else:
        yield plain_lines()


def plain_lines() -> Progress:
    """
    Return a progress that prints a line when a stage begins and at each quarter of it.

    Returns
    -------
    callable
        For the parameter `progress` of a job.
    """
    begun: dict[str, tuple[float, int]] = {}

    def line(stage: str, n_done: int, n_blocks: int) -> None:
        begin, printed = begun.get(stage, (time.monotonic(), -1))
        quarter = 4 * n_done // max(1, n_blocks)
        if quarter > printed:
            click.echo(f"{stage}: {n_done:,} of {n_blocks:,} blocks, {time.monotonic() - begin:.1f} s", err=True)
        begun[stage] = (begin, max(quarter, printed))

    return line
