"""Forecasts: what a job would do, without reading a voxel."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .plan import Grid, Plan, Volume
from .report import counted, html_rows, human_count, human_memory, human_nbytes, human_rows

UNTOUCHED = "dry run: nothing was read or written"


@dataclass(frozen=True, slots=True)
class Forecast:
    """
    Say what a job would do.

    Parameters
    ----------
    job : str
        The job.
    n_blocks, n_stored_blocks : int
        Blocks of all volumes, and those in which the store has anything: only these are read.
    block_shapes : tuple of tuple of int
        The shape of the blocks of each volume.
    passes : int
        How often the source is read.
    read_factor : float
        How often a stored chunk of the source is read in one pass, on average: 1 where the grids divide.
    read_nbytes, write_nbytes : int
        Bytes of voxels, in memory, that are read in all passes and written at most.
    n_threads, n_processes : int
        Tasks that run at once in each process, and processes.
    process_nbytes : int
        Memory that each process is projected to use at most.
    table_nbytes : tuple of int
        Bounds of the bytes of the table, 16 a label.
    """

    job: str
    n_blocks: int
    n_stored_blocks: int
    block_shapes: tuple[tuple[int, ...], ...]
    passes: int
    read_factor: float
    read_nbytes: int
    write_nbytes: int
    n_threads: int
    n_processes: int
    process_nbytes: int
    table_nbytes: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """
        Return the numbers as JSON has them.

        Returns
        -------
        dict
            Of numbers, text and lists.

        Examples
        --------
        >>> import fastremap_dask, numpy, zarr
        >>> place = zarr.storage.StorePath(zarr.storage.MemoryStore(), "labels.zarr")
        >>> labels = zarr.create_array(place, data=numpy.array([70, 0, 70, 9]))
        >>> table = zarr.storage.StorePath(place.store, "t")
        >>> fastremap_dask.unique_zarr(labels, table, dry_run=True).to_dict()["read_nbytes"]
        32
        """
        return asdict(self)

    def __str__(self) -> str:
        return human_rows([("job", f"{self.job}, {UNTOUCHED}"), *self._rows().items()])

    def _repr_html_(self) -> str:
        return html_rows(f"{self.job}, {UNTOUCHED}", self._rows().items())

    def _rows(self) -> dict[str, str]:
        """Return what people read of it: texts by name."""
        shapes = ", ".join(map(str, self.block_shapes))
        return {
            "blocks": f"{human_count(self.n_blocks)} of shape {shapes}, {human_count(self.n_stored_blocks)} with data",
            "read": f"{human_nbytes(self.read_nbytes)} of voxels in {counted(self.passes, 'pass')}; "
            f"each stored chunk {self.read_factor:.2f} times a pass",
            "write": f"{human_nbytes(self.write_nbytes)} of voxels at most",
            "memory": f"{human_memory(self.process_nbytes, self.n_processes)}, "
            f"{counted(self.n_threads, 'task')} at once",
            "table": " to ".join(human_nbytes(nbytes) for nbytes in self.table_nbytes),
        }


def forecast(job: str, plan: Plan, n_stored: list[int], passes: int) -> Forecast:
    """
    Forecast a job.

    Parameters
    ----------
    job : str
        Its name.
    plan : Plan
        Its blocks.
    n_stored : list of int
        For each volume the blocks in which the store has anything.
    passes : int
        How often the source is read.

    Returns
    -------
    Forecast
        The numbers.
    """
    shares = [n / max(1, grid.n_blocks) for n, grid in zip(n_stored, plan.grids, strict=True)]
    read = sum(math.ceil(volume.nbytes * share) for volume, share in zip(plan.sources, shares, strict=True))
    written = sum(math.ceil(volume.nbytes * share) for volume, share in zip(plan.targets, shares, strict=True))
    factors = [read_factor(volume, grid) for volume, grid in zip(plan.sources, plan.grids, strict=True)]
    n_voxels = sum(math.ceil(v.n_voxels * share) for v, share in zip(plan.sources, shares, strict=True))
    most = min(n_voxels, 256 ** max(volume.itemsize for volume in plan.sources))
    return Forecast(
        job=job,
        n_blocks=plan.n_blocks,
        n_stored_blocks=sum(n_stored),
        block_shapes=tuple(grid.block_shape for grid in plan.grids),
        passes=passes,
        read_factor=max(factors),
        read_nbytes=passes * read,
        write_nbytes=written,
        n_threads=plan.n_threads,
        n_processes=plan.n_processes,
        process_nbytes=plan.process_nbytes,
        table_nbytes=(16 * bool(n_voxels), 16 * most),
    )


def read_factor(source: Volume, grid: Grid) -> float:
    """
    Compute how often a stored unit of a source is read when all blocks of a grid are.

    Parameters
    ----------
    source : Volume
        The source and its units.
    grid : Grid
        The blocks.

    Returns
    -------
    float
        On average; 1 where every block is made of whole units.
    """
    factor = 1.0
    for extent, unit, length in zip(source.shape, source.unit, grid.block_shape, strict=True):
        n_blocks, n_units = -(-extent // length), -(-extent // unit)
        # Neighbours share a unit wherever their border is inside one: at all borders but the multiples of both.
        shared = (n_blocks - 1) - max(0, (extent - 1) // math.lcm(unit, length))
        factor *= (n_units + shared) / max(1, n_units)
    return factor
