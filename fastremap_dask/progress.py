"""Progress: how far a job is, shown to people who wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from html import escape
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from .stages import Progress

# A stage that takes long is heard of so often where there is no terminal.
LINE_S = 60.0
# A table in a notebook is drawn again at most so often: each time is a message to the browser.
DRAW_S = 0.2
ROW = (
    "<tr><th style='text-align: left'>{stage}</th><td><progress value='{n_done}' max='{n_blocks}'></progress></td>"
    "<td style='text-align: left'>{pace}</td></tr>"
)


class RateColumn(ProgressColumn):
    """The blocks that a stage does in a second."""

    def render(self, task: Task) -> Text:
        """Return the rate."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{human_rate(speed)}", style="progress.data.speed")


@contextmanager
def showing(quiet: bool) -> Iterator[Progress | None]:
    """
    Show how far a job is, and where to watch it: bars on a terminal, a table in a notebook, else lines on stderr.

    Stages of one block vanish when done.

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
        return
    if console.is_terminal:
        shown = _bars(console)
    else:
        shown = nullcontext(notebook_table() if console.is_jupyter else plain_lines())
    with _information_shown(), shown as progress:
        yield progress


@contextmanager
def _information_shown() -> Iterator[None]:
    """Print what the package logs as information, such as where a dashboard is."""
    logger, handler = logging.getLogger(__package__), logging.StreamHandler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    """Show a bar for each stage."""
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TextColumn("blocks"))
    bars = Bars(*columns, RateColumn(), TimeRemainingColumn(elapsed_when_finished=True), console=console)
    tasks: dict[str, Any] = {}

    def update(stage: str, n_done: int, n_blocks: int) -> None:
        bars.start()  # with the first stage: a command without any shows no bars
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=n_blocks)
        brief = n_blocks <= 1 and n_done == n_blocks
        bars.update(tasks[stage], completed=n_done, total=n_blocks, visible=not brief)

    try:
        yield update
    finally:
        bars.stop()


def plain_lines(clock: Callable[[], float] = time.monotonic) -> Progress:
    """
    Return a progress that prints a line when a stage begins, at each quarter of it, and each minute.

    A stage of one block only has a line when it is done, and none if that took less than a second.

    Parameters
    ----------
    clock : callable
        Returns seconds.

    Returns
    -------
    callable
        For the parameter `progress` of a job.
    """
    begun: dict[str, tuple[float, int]] = {}
    printed: dict[str, tuple[float, int]] = {}

    def line(stage: str, n_done: int, n_blocks: int) -> None:
        now, quarter = clock(), 4 * n_done // max(1, n_blocks)
        begin, n_before = begun.setdefault(stage, (now, n_done))
        last, quarter_before = printed.get(stage, (now, -1))
        if quarter <= quarter_before and now - last < LINE_S:
            return
        if n_blocks <= 1 and now - begin < 1:
            return
        printed[stage] = now, quarter
        click.echo(f"{stage}: {human_pace(n_done, n_blocks, n_done - n_before, now - begin)}", err=True)

    return line


def notebook_table(clock: Callable[[], float] = time.monotonic) -> Progress:
    """
    Return a progress that a notebook shows as one table, which changes in its place: a row for each stage.

    Parameters
    ----------
    clock : callable
        Returns seconds.

    Returns
    -------
    callable
        For the parameter `progress` of a job.
    """
    from IPython.display import HTML, display

    begun: dict[str, tuple[float, int]] = {}
    rows: dict[str, str] = {}
    handle, drawn_s = None, 0.0

    def update(stage: str, n_done: int, n_blocks: int) -> None:
        nonlocal handle, drawn_s
        now = clock()
        begin, n_before = begun.setdefault(stage, (now, n_done))
        pace = human_pace(n_done, n_blocks, n_done - n_before, now - begin)
        rows[stage] = ROW.format(stage=escape(stage), n_done=n_done, n_blocks=max(1, n_blocks), pace=escape(pace))
        if n_blocks <= 1 and n_done == n_blocks:
            del rows[stage]
        if now - drawn_s < DRAW_S and n_done not in (n_before, n_blocks):
            return
        drawn_s, table = now, HTML(f"<table>{''.join(rows.values())}</table>")
        if handle is None:
            handle = display(table, display_id=True)
        else:
            handle.update(table)

    return update


def human_pace(n_done: int, n_blocks: int, n_now: int, took_s: float) -> str:
    """
    Write how far a stage is, how fast it is, and how long it will go on.

    Parameters
    ----------
    n_done, n_blocks : int
        Its blocks that are done, and all of them.
    n_now : int
        Those that were done in this run.
    took_s : float
        Seconds that they took.

    Returns
    -------
    str
        Such as 3 of 100 blocks, 1 min 40 s, 1.8 blocks/min, 53 min 53 s left.
    """
    text = f"{n_done:,} of {n_blocks:,} blocks, {human_seconds(took_s)}"
    if n_now > 0 and took_s > 0:
        text += f", {human_rate(n_now / took_s)}"
        text += f", {human_seconds((n_blocks - n_done) * took_s / n_now)} left" if n_done < n_blocks else ""
    return text


def human_rate(per_second: float) -> str:
    """
    Write a rate as people read it.

    Parameters
    ----------
    per_second : float
        Blocks in a second.

    Returns
    -------
    str
        Per second, or per minute where that is less than one.
    """
    if per_second >= 1:
        return f"{per_second:,.1f} blocks/s"
    return f"{60 * per_second:,.1f} blocks/min"


def human_seconds(seconds: float) -> str:
    """
    Write a time as people read it.

    Parameters
    ----------
    seconds : float
        The time.

    Returns
    -------
    str
        Such as 3.2 s, 4 min 05 s, or 7 h 20 min.
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60:,} h {minutes % 60:02} min"
