"""What surrounds every command: what it prints and where, how it ends, and how it is stopped."""

from __future__ import annotations

import functools
import json
import logging
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from .executors import describe, log_dashboard
from .progress import showing

CONNECT_S = 10.0
INTERRUPTED, TERMINATED = 130, 143
# What the Python functions call by other names than the command line does.
SPELLINGS = {
    "resuming goes": "--resume goes",
    "resume goes": "--resume goes",
    "overwrite begins": "--overwrite begins",
    "choose another name, or overwrite it": "choose another name, or give --overwrite",
    "/lock and resume": "/lock and give --resume",
    "anew with overwrite": "anew with --overwrite",
    "or resume with a lower memory_limit": "or --resume with a lower --memory-limit",
    'missing="keep" or a number': "--missing keep, or --missing fill with --fill-value",
    "preserve_zero=False": "--no-preserve-zero",
    "while preserve_zero keeps": "while the command keeps",
    "memory_limit": "--memory-limit",
    "codecs=": "--codec ",
    "region=": "--region ",
    "shards=": "--shards ",
    "chunks=": "--chunks ",
    "start=": "--start ",
    "dtype=": "--dtype ",
}


# What the help puts together; other options come first.
SECTIONS = {
    "Target": ("--chunks", "--shards", "--codec"),
    "Running": (
        "--region",
        "--workers",
        "--threads",
        "--memory-limit",
        "--scheduler",
        "--worker-timeout",
        "--scratch",
        "--storage-option",
        "--resume",
        "--overwrite",
        "--dry-run",
        "--durable",
    ),
    "Output": ("--json", "--quiet", "--debug", "--help"),
}


class Command(click.Command):
    """A command whose help has its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        of = {name: section for section, names in SECTIONS.items() for name in names}
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], **{section: [] for section in SECTIONS}}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                section = next((of[name] for name in param.opts if name in of), "Options")
                sections[section].append(record)
        for section, records in sections.items():
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)


command = functools.partial(click.command, cls=Command)


class Commands(click.Group):
    """A group of commands that remembers what was typed, to say how to go on."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments."""
        ctx.meta["typed"] = list(args)
        return super().parse_args(ctx, args)


def framed(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Print what a command returns, and turn what it raises into one line and an exit status.

    Parameters
    ----------
    function : callable
        Returns what is to be printed: something with `__str__` and `to_dict`. If that has a `fault`, a line of text
        that is not empty, the line is printed as an error and the exit status is 1. The context's `obj` is a progress.

    Returns
    -------
    callable
        The command with the options ``--json``, ``--quiet`` and ``--debug``.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout, and nothing else.")
    @click.option("--quiet", is_flag=True, help="Print nothing but errors (and JSON, if that is asked for).")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @click.pass_context
    @functools.wraps(function)
    def wrapped(ctx: click.Context, *args: Any, as_json: bool, quiet: bool, debug: bool, **options: Any) -> None:
        with ending(ctx, debug):
            with showing(quiet) as ctx.obj:
                outcome = function(*args, **options)
            if as_json:
                click.echo(json.dumps(outcome.to_dict()))
            elif not quiet:
                click.echo(str(outcome))
            if fault := getattr(outcome, "fault", ""):
                click.echo(f"error: {fault}", err=True)
                sys.exit(1)

    return wrapped


@contextmanager
def ending(ctx: click.Context, debug: bool) -> Iterator[None]:
    """
    Exit with one line and a status for whatever is raised in a `with` block.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    debug : bool
        Let errors through.

    Yields
    ------
    None
        To the command. SIGTERM stops it just as SIGINT does, which is Ctrl-C.
    """
    terminated: list[int] = []
    try:
        with _sigterm_as_sigint(terminated):
            yield
    except click.exceptions.ClickException:
        raise
    except KeyboardInterrupt as error:
        click.echo(f"stopped: {how_to_resume(ctx, error)}", err=True)
        sys.exit(TERMINATED if terminated else INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        click.echo(f"error: {explain(error)}", err=True)
        sys.exit(1)


def explain(error: BaseException) -> str:
    """
    Say in one line what an exception says, in the words of the command line.

    Parameters
    ----------
    error : BaseException
        The exception.

    Returns
    -------
    str
        The line.
    """
    return re.sub("|".join(map(re.escape, SPELLINGS)), lambda match: SPELLINGS[match[0]], describe(error))


def how_to_resume(ctx: click.Context, error: BaseException) -> str:
    """
    Say what is left of a command that was stopped, and how to go on with it.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    error : BaseException
        What stopped it; a job has noted in it whether there is something to go on with.

    Returns
    -------
    str
        The rest of a line.
    """
    if not getattr(error, "__notes__", ()):
        return "nothing was begun that needs to be gone on with"
    typed = [word for word in ctx.meta["typed"] if word not in ("--resume", "--overwrite")]
    return f"what is done is kept; go on with: {shlex.join(['fastremap', *typed, '--resume'])}"


@contextmanager
def _sigterm_as_sigint(terminated: list[int]) -> Iterator[None]:
    """Have SIGTERM do what SIGINT does, wherever that is deferred or handled, and note that it came."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        terminated.append(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it for what runs in their background
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before[0] or signal.SIG_DFL)
        signal.signal(signal.SIGTERM, before[1])


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

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said in one line
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {scheduler}: is it running, and the address right?"
        ) from error
    with client:
        log_dashboard(client)
        yield client
