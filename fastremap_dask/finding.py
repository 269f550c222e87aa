"""Finding labels: the first pass over volumes, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from .blocksets import BlockSet, pieces_left
from .running import Run
from .scratch import Perform
from .states import volume_index
from .volumes import fill_label

FIND = "find labels"


class Found(NamedTuple):
    """What a task of the first pass tells of a block."""

    volume: int
    level: int
    number: int
    n_labels: int


class States(Sequence[str]):
    """
    Name the states that the first pass has left, in 21 bytes for each.

    Parameters
    ----------
    found : iterable of Found
        The blocks.
    absent : dict of str to list of int
        Rows, by column, for the voxels that no block has read.
    """

    def __init__(self, found: list[Found], absent: dict[str, list[int]]) -> None:
        kinds = [("volume", "i4"), ("level", "i1"), ("number", "i8"), ("n_labels", "i8")]
        self._found = np.unique(np.array(found, kinds)) if found else np.empty(0, kinds)
        self.absent = absent

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        volume, level, number, n_labels = self._found[at].tolist()
        return f"{volume}/{level}/{number}.{n_labels}"

    @property
    def sizes(self) -> np.ndarray:
        """Return the distinct labels of each state."""
        return self._found["n_labels"]


def find(run: Run, function: Callable[..., tuple[int, int, int, int]], columns: Sequence[str], **given: Any) -> States:
    """
    Run the first pass: each stored block's labels are found and left as a state.

    Parameters
    ----------
    run : Run
        The run.
    function : callable
        The task, ``function(piece, job=, **given)``.
    columns : sequence of str
        Columns of a state beside its labels, for that of the voxels that are not stored.
    **given
        What else the task takes.

    Returns
    -------
    States
        The states, of earlier runs too.
    """
    done, before = run.journal.done("states"), _left_before(run)
    done += [{} for _ in range(len(run.job.grids) - len(done))]
    numbers, found = run.numbers(), before.copy()
    left = chain.from_iterable(
        pieces_left(at, run.job.grids[at], ((level, number) for number in numbers[at]), level, done[at])
        for at, level in enumerate(run.plan.levels)
    )
    n = max(0, sum(map(len, numbers)) - len(before))
    task, itemsizes = partial(function, job=run.job, **given), (run.plan.sources[0].itemsize, 0)
    run.perform(
        FIND, task, left, n, lambda told: found.append(Found(*told)), n_skipped=len(before), itemsizes=itemsizes
    )
    absent: dict[str, list[int]] = {name: [] for name in ("labels", *columns)}
    for at, blocks in enumerate(numbers):
        row = _row_of_absent(run, at, blocks, found, columns) if isinstance(blocks, BlockSet) else {}
        for name, value in row.items():
            absent[name].append(value)
    return States(found, absent if absent["labels"] else {})


def _left_before(run: Run) -> list[Found]:
    """Return what earlier runs have left."""
    found = {}
    for name in run.journal.work.names("states"):
        _, volume, level, last = name.split("/")
        if volume.isdecimal() and not name.endswith(".partial"):
            number, n_labels = map(int, last.split("."))
            found[int(volume), int(level), number] = n_labels
    return [Found(*place, n_labels) for place, n_labels in found.items()]


def _row_of_absent(run: Run, at: int, stored: BlockSet, found: list[Found], columns: Sequence[str]) -> dict[str, int]:
    """Tell of the voxels of a volume that no block has read: they hold the fill value's label."""
    grid, grids, source = run.plan.grids[at], run.job.grids[at], run.job.sources[at]
    ladder = [grids.grid(level) for level in range(len(grids.shapes))]
    read = sum(ladder[each.level].block(each.number).n_voxels for each in found if each.volume == at)
    count = source.volume.n_voxels - read
    if count == 0:
        return {}
    row = {"labels": fill_label(source.stored)}
    for name in columns:
        if name == "counts":
            row[name] = count if source.counted else 0
        elif name == "parents":
            row[name] = fill_label(run.job.sources[1].stored)
        else:
            number = stored.first_absent(grid.n_blocks) if name == "first" else stored.last_absent(grid.n_blocks)
            block = grid.block(number)
            within = np.array([0 if name == "first" else block.n_voxels - 1])
            row[name] = source.begin + int(volume_index(within, block.shape, block.offset, grid.shape)[0])
    return row


def merging(run: Run) -> Perform:
    """
    Return what runs the stages that merge labels, under names that say so.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    callable
        For `number` and `collect`.
    """
    return lambda stage, *given: run.perform(f"merge {stage}", *given)
