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
BLOCK_NBYTES = 64_000_000
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

    def blocks(self) -> Iterator[Block]:
        """Generate the blocks one by one."""
        return map(self.block, range(self.n_blocks))


@dataclass(frozen=True, slots=True)
class Stage:
    """
    Name one pass over all blocks of a grid.

    Parameters
    ----------
    name : str
        What the tasks do, as progress and errors call it.
    grid : Grid
        The blocks, one task each.
    task_nbytes : int
        Memory that one running task is projected to use at most.
    """

    name: str
    grid: Grid
    task_nbytes: int


@dataclass(frozen=True, slots=True)
class Job:
    """
    Describe a job: what it reads and writes, in which stages, and how much of it at once.

    Parameters
    ----------
    source, target : Volume
        The target's itemsize is the widest that the job may turn out to need.
    stages : tuple of Stage
        In order; each begins when the one before is done.
    n_threads : int
        Tasks that run at once in one process.
    """

    source: Volume
    target: Volume
    stages: tuple[Stage, ...]
    n_threads: int

    @property
    def process_nbytes(self) -> int:
        """Return the memory that one process is projected to use at most."""
        return PROCESS_NBYTES + self.n_threads * max(stage.task_nbytes for stage in self.stages)


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


def plan_two_passes(
    names: tuple[str, str],
    source: Volume,
    target: Volume,
    *,
    n_threads: int,
    n_processes: int = 1,
    memory_limit_nbytes: int | None = None,
) -> Job:
    """
    Plan a job that looks at every block of a volume, then writes every block of another.

    Parameters
    ----------
    names : tuple of two str
        What the passes are called.
    source, target : Volume
        Of one shape. Blocks are whole units of the target, whatever the source's grid.
    n_threads : int
        Tasks that may run at once in each process, at least 1; fewer are planned where memory asks for it.
    n_processes : int
        Processes that share the work.
    memory_limit_nbytes : int, optional
        Memory that one process may use.

    Returns
    -------
    Job
        Built in O(ndim log n_blocks), whatever the volume.

    Raises
    ------
    ValueError
        If the shapes differ, or if one unit of the target does not fit the memory. Nothing is written.
    """
    if source.shape != target.shape:
        raise ValueError(f"source and target must have one shape, not {source.shape} and {target.shape}")
    unit_nbytes = task_nbytes(math.prod(target.unit), source.itemsize, target.itemsize)
    balanced = source.n_voxels // (BLOCKS_PER_THREAD * n_threads * n_processes)
    n_voxels = min(balanced, BLOCK_NBYTES // max(source.itemsize, target.itemsize))
    if memory_limit_nbytes is not None:
        free = memory_limit_nbytes - PROCESS_NBYTES
        if unit_nbytes > free:
            raise ValueError(
                f"a block of one stored unit, {target.unit} voxels, needs {_megabytes(unit_nbytes + PROCESS_NBYTES)} "
                f"in a process, and the memory limit is {memory_limit_nbytes / 1e6:.0f} MB: raise it, or store the "
                "volume in smaller shards or chunks"
            )
        n_threads = min(n_threads, free // unit_nbytes)
        voxel_nbytes = task_nbytes(1000, source.itemsize, target.itemsize) - TASK_NBYTES
        n_voxels = min(n_voxels, (free // n_threads - TASK_NBYTES) * 1000 // voxel_nbytes)
    grid = Grid(target.shape, group_units(target, n_voxels))
    nbytes = task_nbytes(math.prod(grid.block_shape), source.itemsize, target.itemsize)
    return Job(source, target, tuple(Stage(name, grid, nbytes) for name in names), n_threads)


def group_units(volume: Volume, n_voxels: int) -> tuple[int, ...]:
    """
    Choose the shape of blocks: a compact box of whole units.

    Parameters
    ----------
    volume : Volume
        The volume whose units are grouped.
    n_voxels : int
        Voxels that a block may have; one unit is taken even where it has more.

    Returns
    -------
    tuple of int
        The unit's shape times a whole number along each axis, reaching the volume's far border at most once.

    Notes
    -----
    The shortest side that can still grow is doubled: compact boxes share the fewest labels with their neighbours.
    """
    shape = list(volume.unit)
    growing = set(range(len(shape)))
    while growing:
        axis = min(growing, key=lambda axis: (shape[axis], -axis))
        extent = -(-volume.shape[axis] // volume.unit[axis]) * volume.unit[axis]
        longer = min(2 * shape[axis], extent)
        if longer <= shape[axis] or math.prod(shape) // shape[axis] * longer > n_voxels:
            growing.remove(axis)
        else:
            shape[axis] = longer
    return tuple(shape)


def _megabytes(nbytes: int) -> str:
    """Write a number of bytes so that it suffices as a limit."""
    return f"{-(-nbytes // 10**6)} MB"
