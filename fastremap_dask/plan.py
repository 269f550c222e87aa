"""Plans: what a job will do, as data. Pure arithmetic: no I/O, no Dask, nothing that grows with the blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

# What a process holds before it touches a block (interpreter, numpy, zarr, dask), and what a task holds beside its
# voxels (compressed bytes, the state of a block). A test holds both against measured peaks.
PROCESS_NBYTES = 150_000_000
TASK_NBYTES = 64_000_000
# Small stored units are grouped into blocks of about this size: a task costs the scheduler up to a millisecond, and
# a volume of 64 cubed chunks of a byte would otherwise be all tasks and no work.
BLOCK_NBYTES = 32_000_000
# A task that merges labels takes at least so many bytes of them at a time, and uses up to four times as much.
ROWS_NBYTES = 16_000_000
# Blocks for each thread below which threads would idle at the end of a stage.
BLOCKS_PER_THREAD = 4


@dataclass(frozen=True, slots=True)
class Volume:
    """
    Describe an array in a store, as far as a plan needs it.

    Parameters
    ----------
    shape : tuple of int
        Voxels along each axis.
    unit : tuple of int
        Shape of one stored object: a shard, or a chunk where there are no shards. One task owns it whole.
    itemsize : int
        Bytes of a voxel.
    """

    shape: tuple[int, ...]
    unit: tuple[int, ...]
    itemsize: int

    @property
    def n_voxels(self) -> int:
        """Return the number of voxels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Return the bytes of all voxels in memory."""
        return self.n_voxels * self.itemsize


@dataclass(frozen=True, slots=True)
class Block:
    """
    Name one box of a volume: the voxels of one task.

    Parameters
    ----------
    index : int
        Its number, in C order of the grid.
    offset, shape : tuples of int
        Its first voxel and its extent, both clipped to the volume.
    """

    index: int
    offset: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """Return the selection that reads or writes the block."""
        return tuple(slice(start, start + length) for start, length in zip(self.offset, self.shape, strict=True))

    @property
    def n_voxels(self) -> int:
        """Return the number of voxels."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        box = ", ".join(f"{part.start}:{part.stop}" for part in self.slices)
        return f"block {self.index} [{box}]"


@dataclass(frozen=True, slots=True)
class Grid:
    """
    Cut a volume into blocks of one shape; those at the far borders are smaller.

    Parameters
    ----------
    shape : tuple of int
        The volume's shape.
    block_shape : tuple of int
        A whole number of stored units along each axis.
    """

    shape: tuple[int, ...]
    block_shape: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the number of blocks along each axis."""
        return tuple(-(-extent // length) for extent, length in zip(self.shape, self.block_shape, strict=True))

    @property
    def n_blocks(self) -> int:
        """Return the number of blocks; 0 for a volume without voxels."""
        return math.prod(self.counts)

    def block(self, index: int) -> Block:
        """Return the block of that number, in O(ndim)."""
        rest, offset = index, []
        for count, length in zip(reversed(self.counts), reversed(self.block_shape), strict=True):
            rest, position = divmod(rest, count)
            offset.append(position * length)
        corner = tuple(reversed(offset))
        sizes = zip(self.block_shape, self.shape, corner, strict=True)
        return Block(index, corner, tuple(min(length, extent - start) for length, extent, start in sizes))

    def index_at(self, offset: tuple[int, ...]) -> int:
        """Return the number of the block that holds a voxel, in O(ndim)."""
        index = 0
        for count, length, start in zip(self.counts, self.block_shape, offset, strict=True):
            index = index * count + start // length
        return index

    def blocks(self) -> Iterator[Block]:
        """Generate the blocks one by one."""
        return map(self.block, range(self.n_blocks))


@dataclass(frozen=True, slots=True)
class Grids:
    """
    Cut a volume into blocks of any of a ladder of sizes.

    Parameters
    ----------
    volume : Volume
        The volume that is written; level 0 are its stored units.

    Notes
    -----
    From each level to the next the shortest side of a block that can still grow is doubled, or reaches the far border:
    compact blocks share the fewest labels with their neighbours. So each block consists of one or two of the level
    below, and a job that was begun with blocks of one level goes on with those of another.
    """

    volume: Volume

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of blocks, from one unit to all units."""
        shape = list(self.volume.unit)
        pairs = zip(self.volume.shape, self.volume.unit, strict=True)
        extents = [-(-length // unit) * unit for length, unit in pairs]
        shapes = [tuple(shape)]
        while growing := [axis for axis, length in enumerate(shape) if length < extents[axis]]:
            axis = min(growing, key=lambda axis: (shape[axis], -axis))
            shape[axis] = min(2 * shape[axis], extents[axis])
            shapes.append(tuple(shape))
        return tuple(shapes)

    def grid(self, level: int) -> Grid:
        """Return the grid of a level."""
        return Grid(self.volume.shape, self.shapes[level])

    def level(self, n_voxels: int) -> int:
        """Return the highest level whose blocks have at most so many voxels; 0 where units have more."""
        fitting = [level for level, shape in enumerate(self.shapes) if math.prod(shape) <= n_voxels]
        return max(fitting, default=0)


@dataclass(frozen=True, slots=True)
class Piece:
    """
    Name the work of one task: a block of one of the volumes of a job.

    Parameters
    ----------
    volume : int
        Which volume.
    level : int
        The level of the block in the volume's `Grids`.
    block : Block
        The block.
    """

    volume: int
    level: int
    block: Block

    @property
    def name(self) -> str:
        """Return what distinguishes the piece from all others of a job, in any run of it."""
        return f"{self.volume}/{self.level}/{self.block.index}"

    def __str__(self) -> str:
        return f"{self.block}" + (f" of volume {self.volume}" if self.volume else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Say in which blocks a job looks at its volumes, and how many of them at once.

    Parameters
    ----------
    sources, targets : tuple of Volume
        What is read and written, pairwise of one shape; a target's itemsize is the widest that the job may turn out
        to need. A job that only reads has targets of itemsize 0, which give the grid.
    levels : tuple of int
        The level of the blocks in each target's `Grids`.
    n_threads : int
        Tasks that run at once in one process.
    n_processes : int
        Processes that share the work.
    """

    sources: tuple[Volume, ...]
    targets: tuple[Volume, ...]
    levels: tuple[int, ...]
    n_threads: int
    n_processes: int

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Return the blocks of each volume."""
        pairs = zip(self.targets, self.levels, strict=True)
        return tuple(Grids(target).grid(level) for target, level in pairs)

    @property
    def n_blocks(self) -> int:
        """Return the number of blocks of all volumes, stored or not."""
        return sum(grid.n_blocks for grid in self.grids)

    @property
    def task_nbytes(self) -> int:
        """Return the memory that one running task is projected to use at most."""
        each = zip(self.sources, self.targets, self.grids, strict=True)
        return max(task_nbytes(math.prod(grid.block_shape), s.itemsize, t.itemsize) for s, t, grid in each)

    @property
    def process_nbytes(self) -> int:
        """Return the memory that one process is projected to use at most."""
        return PROCESS_NBYTES + self.n_threads * self.task_nbytes

    def can_keep(self, memory_limit_nbytes: int | None) -> bool:
        """
        Tell whether a process has room for memory that it has freed and keeps for the next block.

        Parameters
        ----------
        memory_limit_nbytes : int or None
            What each process may use; None if it is not limited.

        Returns
        -------
        bool
            What is kept may lie in pieces too small for the next block: twice what is projected must fit. A worker
            of Dask that stays above four fifths of its limit takes no task any more.
        """
        return memory_limit_nbytes is None or 2 * self.process_nbytes <= memory_limit_nbytes

    @property
    def rows_nbytes(self) -> int:
        """Return the bytes of labels, and of what is known of them, that a task which merges them takes at a time."""
        return max(ROWS_NBYTES, self.task_nbytes // 6)


def task_nbytes(n_voxels: int, source_itemsize: int, target_itemsize: int) -> int:
    """
    Project the memory of one task that reads a block and writes its image.

    Parameters
    ----------
    n_voxels : int
        Voxels of the block.
    source_itemsize, target_itemsize : int
        Bytes of a voxel, in and out.

    Returns
    -------
    int
        Bytes. While it reads, a block is there as the result and once more as decoded shards beside their compressed
        bytes; while it writes, it is there as read, as ids, and as ids being encoded.
    """
    read, written = n_voxels * source_itemsize, n_voxels * target_itemsize
    return math.ceil(max(2.5 * read, read + 3 * written)) + TASK_NBYTES


def make_plan(
    sources: tuple[Volume, ...],
    targets: tuple[Volume, ...],
    *,
    n_threads: int,
    n_processes: int = 1,
    memory_limit_nbytes: int | None = None,
    n_units: int | None = None,
) -> Plan:
    """
    Choose blocks, and how many are worked on at once.

    Parameters
    ----------
    sources, targets : tuple of Volume
        Pairwise of one shape. Blocks are whole units of the target, whatever the source's grid.
    n_threads : int
        Tasks that may run at once in each process, at least 1; fewer are planned where memory asks for it.
    n_processes : int
        Processes that share the work.
    memory_limit_nbytes : int, optional
        Memory that one process may use.
    n_units : int, optional
        Units of the targets that there is anything to do for, if not for all.

    Returns
    -------
    Plan
        Built in O(ndim log n_blocks), whatever the volumes.

    Raises
    ------
    ValueError
        If shapes differ, or if one unit of a target does not fit the memory. Nothing is written.
    """
    for source, target in zip(sources, targets, strict=True):
        if source.shape != target.shape:
            raise ValueError(f"source and target must have one shape, not {source.shape} and {target.shape}")
    itemsizes = max(source.itemsize for source in sources), max(target.itemsize for target in targets)
    unit = max((target.unit for target in targets), key=math.prod)
    total = sum(source.n_voxels for source in sources)
    if n_units is not None:
        total = min(total, n_units * math.prod(unit))
    n_voxels = min(total // (BLOCKS_PER_THREAD * n_threads * n_processes), BLOCK_NBYTES // max(itemsizes))
    if memory_limit_nbytes is not None:
        unit_nbytes = task_nbytes(math.prod(unit), *itemsizes)
        free = memory_limit_nbytes - PROCESS_NBYTES
        if unit_nbytes > free:
            raise ValueError(
                f"a block of one stored unit, {unit} voxels, needs {_megabytes(unit_nbytes + PROCESS_NBYTES)} "
                f"in a process, and the memory limit is {memory_limit_nbytes / 1e6:.0f} MB: raise it, or give the "
                f"target smaller shards or chunks, such as {_fitting(unit, free, itemsizes)}"
            )
        n_threads = min(n_threads, free // unit_nbytes)
        n_voxels = min(n_voxels, _most_voxels(free // n_threads, itemsizes))
    levels = tuple(Grids(target).level(n_voxels) for target in targets)
    return Plan(sources, targets, levels, n_threads, n_processes)


def _most_voxels(nbytes: int, itemsizes: tuple[int, int]) -> int:
    """Return the voxels of the largest block whose task fits some memory."""
    return (nbytes - TASK_NBYTES) * 1000 // (task_nbytes(1000, *itemsizes) - TASK_NBYTES)


def _fitting(unit: tuple[int, ...], nbytes: int, itemsizes: tuple[int, int]) -> tuple[int, ...]:
    """Halve a unit along its longest sides until its task fits some memory."""
    shape = list(unit)
    while max(shape) > 1 and math.prod(shape) > max(1, _most_voxels(nbytes, itemsizes)):
        axis = max(range(len(shape)), key=shape.__getitem__)
        shape[axis] = -(-shape[axis] // 2)
    return tuple(shape)


def _megabytes(nbytes: int) -> str:
    """Write a number of bytes so that it suffices as a limit."""
    return f"{-(-nbytes // 10**6)} MB"
