"""Tasks of the Zarr jobs: functions of a piece that pickle to little, run on any worker, and may run twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastremap
from fastremap.digests import digest

from .columns import Columns, pack
from .jobtable import load_table
from .journal import Lock
from .objects import Folder, counted_retries
from .plan import Block, Grid, Grids, Piece
from .relations import PartnerState
from .stages import Hopeless
from .states import LabelState, merge
from .stored import Stored, stored_sizes
from .volumes import Source, read_block
from .writing import write_block

# Distinct labels are found in slabs of so many voxels: the hash table of a slab of distinct labels has 120 bytes each.
SLAB_VOXELS = 2**21


@dataclass(frozen=True, slots=True)
class Written:
    """
    Name a piece that is to be written, and what the first pass left of its voxels.

    Parameters
    ----------
    piece : Piece
        The piece.
    state : str
        Name of the state of the block that the piece is, or is a part of.
    """

    piece: Piece
    state: str

    def __str__(self) -> str:
        return str(self.piece)


@dataclass(frozen=True)
class Job:
    """
    Hold what all tasks of a job need.

    Parameters
    ----------
    sources : tuple of Source
        What is read.
    targets : tuple of Stored
        What is written; empty while only the labels are found.
    grids : tuple of Grids
        The blocks of each volume.
    work : Folder
        Where tasks leave what other tasks need.
    """

    sources: tuple[Source, ...]
    targets: tuple[Stored, ...]
    grids: tuple[Grids, ...]
    work: Folder


def tracked(argument: Any, *, function: Callable[[Any], Any], lock: Lock) -> tuple[Any, int]:
    """
    Run a task if its job still holds its lock.

    Parameters
    ----------
    argument : object
        For the task.
    function : callable
        The task.
    lock : Lock
        The job's.

    Returns
    -------
    object
        What the task returns.
    int
        How often accesses to stores were tried again.
    """
    with counted_retries() as counter:
        lock.check()
        return function(argument), counter[0]


def find_labels(piece: Piece, *, job: Job, dtype: np.dtype, first: bool, counts: bool) -> tuple[int, int, int, int]:
    """
    Find the labels of a block, and leave them as a state.

    Parameters
    ----------
    piece : Piece
        Which voxels.
    job : Job
        The job.
    dtype : numpy.dtype
        The common dtype of all labels.
    first, counts : bool
        Also find the index of each label's first voxel, and its number of voxels.

    Returns
    -------
    tuple of int
        Volume, level and number of the block, and its distinct labels.
    """
    source = job.sources[piece.volume]
    voxels = read_block(source, piece.block)
    state = _state(source, piece.block, voxels, first=first, counts=counts)
    columns = {"labels": state.labels.astype(dtype), "first": state.first, "counts": state.counts}
    columns = {name: column for name, column in columns.items() if column is not None}
    columns["digests"] = digests(voxels, job.grids[piece.volume].volume.unit)
    return _leave(job.work, piece, columns)


def find_partners(piece: Piece, *, job: Job, dtype: np.dtype) -> tuple[int, int, int, int]:
    """
    Find the components of a block and the parent at the last voxel of each, and leave them as a state.

    Parameters
    ----------
    piece : Piece
        Which voxels.
    job : Job
        The job; its sources are the components and the parents.
    dtype : numpy.dtype
        The dtype of components.

    Returns
    -------
    tuple of int
        Volume, level and number of the block, and its distinct components.
    """
    components, parents = (read_block(source, piece.block) for source in job.sources)
    state = PartnerState.from_block(components, parents, piece.block.offset, job.sources[0].volume_shape)
    columns = {"labels": state.components.astype(dtype), "last": state.last, "parents": state.parents}
    return _leave(job.work, piece, columns)


def write_ids(written: Written, *, job: Job) -> int:
    """
    Write the ids of a block.

    Parameters
    ----------
    written : Written
        Which voxels, and the state of them.
    job : Job
        The job.

    Returns
    -------
    int
        Bytes that were stored.

    Raises
    ------
    ValueError
        If the voxels are not those of the first pass. Nothing is written.
    """
    piece = written.piece
    voxels = read_block(job.sources[piece.volume], piece.block)
    state = Columns.open(job.work, f"states/{written.state}")
    _check_same(voxels, piece, state, written.state, job.grids[piece.volume])
    labels, ids = state.read("labels"), Columns.open(job.work, f"ids/{written.state}").read("ids")
    target = job.targets[piece.volume]
    mapped = fastremap.remap(voxels, (labels, ids), dtype=target.open().dtype.newbyteorder("="))
    del voxels  # before the encoded ids need room
    return _write(job, piece, mapped)


def write_mapped(piece: Piece, *, job: Job, digest: str, missing: str | int) -> int:
    """
    Write a block mapped by the job's table.

    Parameters
    ----------
    piece : Piece
        Which voxels.
    job : Job
        The job.
    digest : str
        That of the table.
    missing : {"keep", "error"} or int
        What becomes of labels that are not in the table; a number takes their place.

    Returns
    -------
    int
        Bytes that were stored.
    """
    voxels = read_block(job.sources[piece.volume], piece.block)
    dtype = job.targets[piece.volume].open().dtype.newbyteorder("=")
    rule = {"preserve_missing_labels": missing == "keep"} | (
        {} if isinstance(missing, str) else {"fill_value": missing}
    )
    try:
        mapped = fastremap.remap(voxels, load_table(job.work, digest), dtype=dtype, **rule)
    except KeyError as error:
        which = str(error.args[0]).partition(";")[0]
        raise Hopeless(f'{which}: add them, or give missing="keep" or a number') from None
    del voxels
    return _write(job, piece, mapped)


def write_moved(piece: Piece, *, job: Job) -> int:
    """
    Write a block as it is: what moves its voxels is how the source looks at them.

    Parameters
    ----------
    piece : Piece
        Which voxels.
    job : Job
        The job.

    Returns
    -------
    int
        Bytes that were stored.
    """
    return _write(job, piece, read_block(job.sources[piece.volume], piece.block))


def _state(source: Source, block: Block, voxels: np.ndarray, *, first: bool, counts: bool) -> LabelState:
    """Find the labels of a block slab by slab."""
    length = max(1, SLAB_VOXELS // max(1, voxels.size // max(1, len(voxels)))) if voxels.ndim else 1
    states = []
    for at in range(0, len(voxels) if voxels.ndim else 1, length):
        slab = voxels[at : at + length] if voxels.ndim else voxels
        offset = (block.offset[0] + at, *block.offset[1:]) if voxels.ndim else ()
        states.append(LabelState.from_block(slab, offset, source.volume_shape, first=first, counts=counts))
    state = merge(states)
    shifted = None if state.first is None else state.first + source.begin
    counted = state.counts if source.counted or state.counts is None else np.zeros_like(state.counts)
    return LabelState(state.labels, counted, shifted)


def _leave(work: Folder, piece: Piece, columns: dict[str, np.ndarray]) -> tuple[int, int, int, int]:
    """Write a state, whose name tells all that the driver needs to know of it."""
    n = len(columns["labels"])
    work.put(f"states/{piece.name}.{n}", pack(columns))
    return piece.volume, piece.level, piece.block.index, n


def digests(voxels: np.ndarray, unit: tuple[int, ...]) -> np.ndarray:
    """
    Compute a digest of each unit of a block.

    Parameters
    ----------
    voxels : numpy.ndarray, N-d
        The block.
    unit : tuple of int
        The unit's shape.

    Returns
    -------
    numpy.ndarray of uint64, shape (K,)
        Of the K units in C order. By units, so that blocks of another size find the same.
    """
    boxes = Grid(voxels.shape, unit).blocks()
    return np.array([digest(np.asarray(voxels[box.slices])) for box in boxes], np.uint64)


def _check_same(voxels: np.ndarray, piece: Piece, state: Columns, name: str, grids: Grids) -> None:
    """Refuse voxels that are not those of the first pass."""
    level, number = (int(part) for part in name.split(".")[0].split("/")[1:])
    whole = grids.grid(level).block(number)
    counts = [-(-length // unit) for length, unit in zip(whole.shape, grids.volume.unit, strict=True)]
    expected = state.read("digests").reshape(counts)
    pairs = zip(piece.block.offset, piece.block.shape, whole.offset, grids.volume.unit, strict=True)
    part = tuple(
        slice((start - begin) // unit, -(-(start - begin + length) // unit)) for start, length, begin, unit in pairs
    )
    if not np.array_equal(digests(voxels, grids.volume.unit), expected[part].ravel()):
        raise ValueError("the source has changed since its labels were found: begin anew with overwrite")


def _write(job: Job, piece: Piece, voxels: np.ndarray) -> int:
    """Write a block, and then the mark that says so, with the size of each stored unit."""
    sizes = write_block(job.targets[piece.volume], piece.block, voxels, durable=job.work.durable)
    job.work.put(f"written/{piece.name}", json.dumps(sizes).encode())
    return sum(size for size in sizes if size > 0)


@dataclass(frozen=True, slots=True)
class Marked:
    """
    Name pieces of a volume that are marked as written.

    Parameters
    ----------
    volume, level : int
        The volume, and which of its grids has the pieces as blocks.
    numbers : tuple of int
        Their numbers in the grid.
    """

    volume: int
    level: int
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return f"blocks {self.numbers[0]} to {self.numbers[-1]} of volume {self.volume}"


def check_written(marked: Marked, *, job: Job) -> None:
    """
    Remove the marks of pieces that are not there.

    Parameters
    ----------
    marked : Marked
        The pieces.
    job : Job
        The job.
    """
    grid, target = job.grids[marked.volume].grid(marked.level), job.targets[marked.volume]
    for number in marked.numbers:
        piece = Piece(marked.volume, marked.level, grid.block(number))
        mark = f"written/{piece.name}"
        try:
            sizes = json.loads(job.work.get(mark))
        except ValueError:
            sizes = []
        if sizes != stored_sizes(target, piece.block):
            job.work.delete(mark)
