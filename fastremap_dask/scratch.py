"""Scratch: what a job of many steps keeps so that none is done twice, and nothing is kept that no step needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from .columns import Columns, pack
from .objects import Folder


class Perform(Protocol):
    """Run ``function(argument)`` for each of `n` arguments somewhere, and hand each small result to `take`."""

    def __call__(
        self,
        stage: str,
        function: Callable[[Any], Any],
        arguments: Iterable[Any],
        n: int,
        take: Callable[[Any], None] | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class Item:
    """
    Name one unit of work of a step.

    Parameters
    ----------
    what : str
        What it is, as errors call it.
    index : int
        Its number, which names its object.
    n_rows : int
        The rows that it reads.
    base : int
        What lies before it: rows of the table, or new labels.
    """

    what: str
    index: int
    n_rows: int = 0
    base: int = 0

    def __str__(self) -> str:
        return f"{self.what} {self.index}"


@dataclass(frozen=True)
class Scratch:
    """
    Hold the objects of one plan: one for each task, and one for each step that is complete.

    Parameters
    ----------
    folder : Folder
        Where.
    plan : str
        What the names of all objects begin with: objects of other plans are never read.
    """

    folder: Folder
    plan: str

    def name(self, *parts: str | int) -> str:
        """Return the name of an object."""
        return "/".join(map(str, (self.plan, *parts)))

    def open(self, *parts: str | int) -> Columns:
        """Open an object that a task wrote."""
        return Columns.open(self.folder, self.name(*parts))

    def write(self, columns: dict[str, np.ndarray], *parts: str | int, **facts: Any) -> dict[str, Any]:
        """Write an object, and return its facts."""
        self.folder.put(self.name(*parts), pack(columns, **facts))
        return facts

    def drop(self, *parts: str | int) -> None:
        """Remove all objects whose names begin so."""
        Folder(self.folder.place / self.name(*parts)).clear()

    def once(self, step: str, compute: Callable[[], Any]) -> Any:
        """Return what a step came to, as JSON holds it; computed in the first run that completes the step."""
        name = self.name("done", step)
        if self.folder.has(name):
            return json.loads(self.folder.get(name))
        result = compute()
        self.folder.put(name, json.dumps(result).encode())
        return result

    def each(
        self,
        perform: Perform,
        step: str,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        indices: range,
        take: Callable[[int, Any], None],
        *,
        prefix: str = "",
        recall: Callable[[Columns], Any] = lambda columns: columns.facts,
    ) -> None:
        """
        Run a task for each item whose object is not there.

        Parameters
        ----------
        perform : Perform
            Runs them.
        step : str
            The stage's name.
        function : callable
            The task: writes the object, last if it writes others, and returns a small result.
        items : iterable
            Each has an `index`.
        indices : range
            These, in order.
        take : callable
            Told the index and the result of each, in any order.
        prefix : str
            Of the objects, which have the index as name. Default: `step`.
        recall : callable
            Reads the result of a task from its object.
        """
        prefix = prefix or step
        listed = (name.rsplit("/", 1)[-1] for name in self.folder.names(self.name(prefix)))
        there = {int(last) for last in listed if last.isdigit() and int(last) in indices}
        for index in sorted(there):
            take(index, recall(self.open(prefix, index)))
        missing = (item for item in items if item.index not in there)
        perform(
            step, partial(_indexed, function=function), missing, len(indices) - len(there), lambda told: take(*told)
        )


def _indexed(item: Any, *, function: Callable[[Any], Any]) -> tuple[int, Any]:
    """Run a task and say which: results come in any order."""
    return item.index, function(item)
