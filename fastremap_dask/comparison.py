"""Comparison: whether one volume is another with its labels mapped, by numpy alone. No kernel takes part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from fastremap import LabelTable
from fastremap.dtypes import fits

from . import executors, stages
from .blocksets import BlockSet
from .plan import Block, Grid, make_plan
from .report import counted, human_count, human_rows
from .stages import Progress
from .volumes import Source, fill_label, n_voxels_beyond, read_block

FAN_IN = 8


@dataclass(frozen=True, slots=True)
class Wrong:
    """
    Describe a voxel that is not what it should be.

    Parameters
    ----------
    index : tuple of int
        Where in the volume.
    old : int
        Its label in the source.
    expected : int or None
        What the target should hold; None if the table lacks the label.
    found : int
        What it holds.
    volume : int
        Which of several volumes it is in.
    """

    index: tuple[int, ...]
    old: int
    expected: int | None
    found: int
    volume: int = 0

    def __str__(self) -> str:
        expected = "which the table lacks" if self.expected is None else f"expected {self.expected}"
        of = f" of volume {self.volume}" if self.volume else ""
        return f"voxel {self.index}{of} with the label {self.old} has the id {self.found}, {expected}"


@dataclass(frozen=True, slots=True)
class Verification:
    """
    Tell whether a volume is what a table makes of another.

    Parameters
    ----------
    source, target, table : str
        The volumes and the table.
    n_voxels, n_wrong : int
        Voxels, and those that are not what the table says.
    first_wrong : Wrong or None
        The first of these in C order.
    """

    source: str
    target: str
    table: str
    n_voxels: int
    n_wrong: int
    first_wrong: Wrong | None

    @property
    def fault(self) -> str:
        """Return what is wrong in one line; empty if nothing is."""
        if not self.n_wrong:
            return ""
        return f"wrong voxels: {self.n_wrong:,} of {self.n_voxels:,}; the first: {self.first_wrong}"

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON has them."""
        return {**asdict(self), "right": not self.n_wrong}

    def __str__(self) -> str:
        rows = {"source": self.source, "target": self.target, "table": self.table}
        rows["voxels"] = human_count(self.n_voxels)
        rows["wrong"] = f"{self.n_wrong:,}" if self.n_wrong else "none: the target is the source mapped by the table"
        if self.first_wrong is not None:
            rows["first"] = str(self.first_wrong)
        return human_rows(rows.items())


# Wrong voxels, and the first of them.
Tally = tuple[int, Wrong | None]


@dataclass(frozen=True, slots=True)
class Images:
    """
    Say what each label becomes.

    Parameters
    ----------
    labels : numpy.ndarray, shape (n,)
        Labels, ascending, in the dtype of the source.
    ids : numpy.ndarray, shape (n,)
        What they become; of any integer dtype.
    missing : "error", "keep" or int
        What other labels become; with "error" any such voxel is wrong.
    """

    labels: np.ndarray
    ids: np.ndarray
    missing: str | int = "error"

    @classmethod
    def of(cls, table: LabelTable, source: Source, missing: str | int) -> Images:
        """Take the images from a table; what the dtype of the source cannot hold does not occur in it."""
        dtype = source.stored.open().dtype.newbyteorder("=")
        held = fits(table.old, dtype)
        return cls(table.old[held].astype(dtype), table.new[held], missing)

    def find(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each label the position of its image, and whether it has one."""
        at = np.searchsorted(self.labels, labels)
        at[at == self.labels.size] = 0
        return at, (self.labels[at] == labels) if self.labels.size else np.zeros(labels.shape, bool)

    def expected(self, label: int) -> int | None:
        """Return what a label becomes, or None if it must not occur."""
        at, listed = self.find(np.array([label], self.labels.dtype))
        if listed[0]:
            return int(self.ids[at[0]])
        return {"error": None, "keep": int(label)}.get(self.missing, self.missing)

    def wrong(self, labels: np.ndarray, found: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Tell which voxels are wrong, for runs of labels of some lengths."""
        at, listed = self.find(labels)
        listed_all, found = np.repeat(listed, lengths), found.reshape(-1)
        if listed.all():
            return np.repeat(self.ids[at], lengths) != found
        images = np.repeat(self.ids[at] if self.ids.size else np.zeros(labels.shape, np.uint8), lengths)
        if self.missing == "error":
            others = np.ones(found.shape, bool)
        else:
            others = found != (np.repeat(labels, lengths) if self.missing == "keep" else self.missing)
        return np.where(listed_all, images != found, others)


def compare_each(
    sources: Sequence[Source],
    targets: Sequence[Source],
    table: LabelTable,
    missing: str | int,
    *,
    progress: Progress | None = None,
    **given: Any,
) -> Tally:
    """
    Count the voxels of volumes that are not the images of those of others.

    Parameters
    ----------
    sources, targets : sequence of Source
        Pairwise of one shape, such as the resolutions of a label image.
    table : LabelTable
        Old to new labels.
    missing : "error", "keep" or int
        What labels become that are not in it.
    progress : callable, optional
        Called as ``progress(stage, n_done, n_blocks)``.
    **given
        For `compare`.

    Returns
    -------
    int
        Voxels that are wrong.
    Wrong or None
        The first of them.

    Raises
    ------
    ValueError
        If there are not as many of both, or shapes differ.
    """
    if len(sources) != len(targets):
        raise ValueError(
            f"the source has {counted(len(sources), 'array')} and the target {len(targets)}: give two of one kind"
        )
    n_wrong, first = 0, None
    for at, (source, target) in enumerate(zip(sources, targets, strict=True)):
        stage = f"compare {at}" if len(sources) > 1 else "compare"
        told = progress and (lambda _, *numbers, stage=stage: progress(stage, *numbers))
        n, wrong = compare(source, target, Images.of(table, source, missing), progress=told, **given)
        n_wrong += n
        first = first or (wrong and replace(wrong, volume=at))
    return n_wrong, first


def compare(
    source: Source,
    target: Source,
    images: Images,
    *,
    threads: int,
    memory_limit_nbytes: int | None = None,
    progress: Progress | None = None,
) -> Tally:
    """
    Count the voxels of a volume that are not the images of those of another.

    Parameters
    ----------
    source, target : Source
        Of one shape.
    images : Images
        What each label becomes.
    threads : int
        Threads that read and compare.
    memory_limit_nbytes : int, optional
        Memory that this process may use.
    progress : callable, optional
        Called as ``progress(stage, n_done, n_blocks)``.

    Returns
    -------
    int
        Voxels that are wrong.
    Wrong or None
        The first of them in C order.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    One pass. Chunks that neither volume stores are compared by their fill values. Memory: the images, and for each
    thread a block of both volumes.
    """
    if source.volume_shape != target.volume_shape:
        raise ValueError(f"the source has shape {source.volume_shape} and the target {target.volume_shape}")
    both = replace(target.volume, itemsize=source.volume.itemsize + target.volume.itemsize)
    plan = make_plan((both,), (both,), n_threads=threads, memory_limit_nbytes=memory_limit_nbytes)
    grid = plan.grids[0]
    stored = [volume.stored_blocks(grid) for volume in (source, target)]
    whole = None in stored
    numbers = range(grid.n_blocks) if whole else BlockSet(number for blocks in stored for number in blocks)
    n_blocks = len(numbers)

    def done(n: int) -> None:
        if progress is not None:
            progress("compare", n, n_blocks)

    done(0)
    with executors.threads(plan.n_threads, keeps=plan.can_keep(memory_limit_nbytes)) as executor:
        task = partial(_compare_block, source=source, target=target, images=images)
        tally = stages.reduce(executor, task, map(grid.block, numbers), _merge, _merge, FAN_IN, done)
    return tally if whole else _merge([tally, _compare_absent(source, target, images, grid, numbers)])


def first_of_runs(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Find the runs of equal neighbours, in C order.

    Parameters
    ----------
    block : numpy.ndarray
        At least one voxel.

    Returns
    -------
    starts, labels : numpy.ndarray
        Flat index of the first voxel of each run, and its label.
    """
    flat = block.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    return starts, flat[starts]


def _compare_block(block: Block, *, source: Source, target: Source, images: Images) -> Tally:
    """Count the wrong voxels of a block, and describe the first: a task."""
    starts, labels = first_of_runs(read_block(source, block))
    found = read_block(target, block).reshape(-1)
    wrong = np.flatnonzero(images.wrong(labels, found, np.diff(starts, append=found.size)))
    if not wrong.size:
        return 0, None
    old = int(labels[np.searchsorted(starts, wrong[0], side="right") - 1])
    inside = np.unravel_index(wrong[0], block.shape)
    index = tuple(int(at) + start for at, start in zip(inside, block.offset, strict=True))
    return int(wrong.size), Wrong(index, old, images.expected(old), int(found[wrong[0]]))


def _compare_absent(source: Source, target: Source, images: Images, grid: Grid, stored: BlockSet) -> Tally:
    """Compare what neither volume stores: its fill value stands for every voxel."""
    n = n_voxels_beyond(grid, stored)
    old, found = (fill_label(volume.stored) for volume in (source, target))
    expected = images.expected(old)
    if not n or expected == found:
        return 0, None
    return n, Wrong(grid.block(stored.first_absent(grid.n_blocks)).offset, old, expected, found)


def _merge(tallies: Sequence[Tally]) -> Tally:
    """Add up wrong voxels; keep the first."""
    first = [wrong for _, wrong in tallies if wrong is not None]
    return sum(n for n, _ in tallies), min(first, key=lambda wrong: wrong.index, default=None)
