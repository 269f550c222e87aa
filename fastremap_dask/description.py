"""Description: what a volume is, how it lies in its store, and what a job on it would cost."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .forecasts import Forecast, forecast
from .metadata import codecs_of
from .objects import access
from .places import show
from .plan import Grids
from .report import counted, human_count, human_memory, human_nbytes, human_rows
from .resources import Resources
from .volumes import Source, fill_label

SEEN = "a .npy file, which is read in chunks as a Zarr array is"


@dataclass(frozen=True, slots=True)
class Description:
    """
    Describe a volume.

    Parameters
    ----------
    place : str
        Where it lies.
    zarr_format : int
        2 or 3.
    shape : tuple of int
        Voxels along each axis.
    axes : tuple of str
        Names of the axes; empty if they have none.
    dtype : str
        Of the labels.
    chunks : tuple of int
        Voxels along each axis of a chunk.
    shards : tuple of int or None
        Of a shard, if there are any.
    codecs : tuple of str
        What chunks go through when they are written, in order.
    checksum : str
        The codec that notices flipped bits of chunks; empty if none does.
    fill_value : int
        The label of chunks that are not stored.
    n_units, n_stored_units : int
        Stored objects, shards or chunks, that there can be, and that there are; -1 if the store cannot list.
    nbytes, stored_nbytes : int
        Bytes of all voxels in memory, and of all objects in the store; -1 if the store cannot list.
    job : Forecast
        What renumbering it would cost.
    """

    place: str
    zarr_format: int
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    dtype: str
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    codecs: tuple[str, ...]
    checksum: str
    fill_value: int
    n_units: int
    n_stored_units: int
    nbytes: int
    stored_nbytes: int
    job: Forecast

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        itemsize = self.nbytes // max(1, math.prod(self.shape))
        unit, what = (self.shards, "shards") if self.shards else (self.chunks, "chunks")
        axes = f", axes {' '.join(self.axes)}" if self.axes else ""
        rows = {
            "array": f"{self.place}, " + (SEEN if self.place.endswith(".npy") else f"Zarr format {self.zarr_format}"),
            "voxels": f"{human_count(math.prod(self.shape))} of shape {self.shape}, {self.dtype}{axes}",
            "chunks": f"{self.chunks}, {human_nbytes(math.prod(self.chunks) * itemsize)} each in memory",
            "shards": f"{unit}, {human_nbytes(math.prod(unit) * itemsize)} each in memory" if self.shards else "none",
            "codecs": ", ".join(self.codecs) or "none",
            "checksum": f"{self.checksum} notices a bit that flips in a stored chunk"
            if self.checksum
            else "none: a bit that flips in a stored chunk may decode without an error (a codec crc32c would tell)",
            "fill value": f"{self.fill_value:,}",
            "stored": self._stored(what),
        }
        return human_rows([*rows.items(), *human_job(self.job)])

    def _stored(self, what: str) -> str:
        """Say how much of the volume is in the store."""
        if self.n_stored_units < 0:
            return f"unknown: the store cannot list; {human_count(self.n_units)} {what} at most"
        share = 100 * self.n_stored_units / max(1, self.n_units)
        of = f"{human_count(self.n_stored_units)} of {human_count(self.n_units)} {what} ({share:.3g} %)"
        return f"{of}, {human_nbytes(self.stored_nbytes)} for {human_nbytes(self.nbytes)} of voxels"


def human_job(job: Forecast) -> list[tuple[str, str]]:
    """
    Say what renumbering a volume would cost.

    Parameters
    ----------
    job : Forecast
        The job.

    Returns
    -------
    list of (str, str)
        Names and texts.
    """
    shapes = ", ".join(map(str, dict.fromkeys(job.block_shapes)))
    return [
        (
            "a job",
            f"that renumbers it reads {human_nbytes(job.read_nbytes)} of voxels in {job.passes} passes, in "
            f"{human_count(job.n_stored_blocks)} of {human_count(job.n_blocks)} blocks of {shapes}",
        ),
        (
            "memory",
            f"{human_memory(job.process_nbytes, job.n_processes)}, {counted(job.n_threads, 'task')} at once",
        ),
    ]


def describe_volume(source: Source, resources: Resources) -> Description:
    """
    Describe a volume, without reading a voxel.

    Parameters
    ----------
    source : Source
        The volume.
    resources : Resources
        What a job would have.

    Returns
    -------
    Description
        The facts.
    """
    array, volume = source.stored.open(), source.volume
    grid = Grids(volume).grid(0)
    units = source.stored_blocks(grid)
    plan = resources.plan((volume,), (volume,), None if units is None else len(units))
    blocks = source.stored_blocks(plan.grids[0])
    store, path = source.stored.place.store, source.stored.place.path
    codecs = list(codecs_of(source.stored.document))
    return Description(
        place=show(source.stored.place),
        zarr_format=array.metadata.zarr_format,
        shape=array.shape,
        axes=tuple(str(name) for name in getattr(array.metadata, "dimension_names", None) or ()),
        dtype=array.dtype.name,
        chunks=array.chunks,
        shards=array.shards,
        codecs=tuple(text for text, _ in codecs),
        checksum=next((text for text, checks in codecs if checks), ""),
        fill_value=fill_label(source.stored),
        n_units=grid.n_blocks,
        n_stored_units=-1 if units is None else len(units),
        nbytes=array.nbytes,
        stored_nbytes=-1 if units is None else access(lambda: store.getsize_prefix(path)),
        job=forecast("renumber", plan, [plan.n_blocks if blocks is None else len(blocks)], 2),
    )
