"""Description of OME-Zarr label images: their resolutions, their metadata, and what a job on them would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .description import Description, describe_volume, human_job
from .forecasts import Forecast, forecast
from .given import Volumes
from .ome import LabelImage, metadata
from .places import show
from .plan import Grids
from .report import human_count, human_nbytes, human_rows
from .resources import Resources


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """
    Describe a label image in several resolutions.

    Parameters
    ----------
    place : str
        Where it lies.
    version : str
        Of its OME-Zarr metadata; empty if they do not say.
    name : str
        What it calls itself.
    axes, units : tuple of str
        Names and units of its axes; empty where they have none.
    scales : tuple of tuple of float
        For each resolution the size of a voxel along each axis; empty where it is not said.
    n_colors, n_properties : int
        Labels with a color, and with properties.
    image : str
        The image that the labels are of, relative to `place`; empty if it is not said.
    levels : tuple of Description
        The arrays, the highest resolution first.
    job : Forecast
        What renumbering all of it would cost.
    """

    place: str
    version: str
    name: str
    axes: tuple[str, ...]
    units: tuple[str, ...]
    scales: tuple[tuple[float, ...], ...]
    n_colors: int
    n_properties: int
    image: str
    levels: tuple[Description, ...]
    job: Forecast

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        zarr_format = self.levels[0].zarr_format
        version = f"OME-Zarr {self.version}" if self.version else "OME-Zarr"
        unit = f" in {', '.join(dict.fromkeys(filter(None, self.units)))}" if any(self.units) else ""
        rows = [("label image", f"{self.place}, {version}, Zarr format {zarr_format}")]
        rows += [("name", self.name)] if self.name else []
        rows += [("axes", " ".join(self.axes) + unit)] if self.axes else []
        for level, scale in zip(self.levels, self.scales, strict=True):
            size = f", voxels of {' x '.join(f'{part:g}' for part in scale)}" if scale else ""
            shards = f" in shards of {level.shards}" if level.shards else ""
            name = level.place.removeprefix(f"{self.place}/")
            layout = f"{level.dtype}{size}, chunks of {level.chunks}{shards}, {_stored(level)}"
            rows.append((f"  {name}", f"shape {level.shape}, {layout}"))
        of = f", of the image {self.image}" if self.image else ""
        counts = f"{human_count(self.n_colors)} with a color, {human_count(self.n_properties)} with properties"
        rows.append(("labels", counts + of))
        return human_rows([*rows, *human_job(self.job)])


def _stored(level: Description) -> str:
    """Say how much of an array is in the store."""
    if level.n_stored_units < 0:
        return "the store cannot list"
    share = 100 * level.n_stored_units / max(1, level.n_units)
    return f"{share:.3g} % stored as {human_nbytes(level.stored_nbytes)}"


def describe_image(volumes: Volumes, resources: Resources) -> ImageDescription:
    """
    Describe a label image, without reading a voxel.

    Parameters
    ----------
    volumes : Volumes
        The image alone.
    resources : Resources
        What a job would have.

    Returns
    -------
    ImageDescription
        The facts.
    """
    (image,) = volumes.images
    found = metadata(image.attributes)
    first, described = found["multiscales"][0], found.get("image-label", {})
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in first.get("axes", ())]
    origin = described.get("source")
    return ImageDescription(
        place=show(image.place),
        version=str(found.get("version") or first.get("version") or ""),
        name=str(first.get("name") or ""),
        axes=tuple(str(axis.get("name", "")) for axis in axes),
        units=tuple(str(axis.get("unit", "")) for axis in axes),
        scales=_scales(image),
        n_colors=len(described.get("colors", ())),
        n_properties=len(described.get("properties", ())),
        image=str(origin.get("image", "")) if isinstance(origin, dict) else "",
        levels=tuple(describe_volume(source, resources) for source in volumes.sources),
        job=_forecast(volumes, resources),
    )


def _forecast(volumes: Volumes, resources: Resources) -> Forecast:
    """Forecast a job on all arrays."""
    read = tuple(source.volume for source in volumes.sources)
    units = [source.stored_blocks(Grids(volume).grid(0)) for source, volume in zip(volumes.sources, read, strict=True)]
    plan = resources.plan(read, read, None if None in units else sum(map(len, units)))
    blocks = [source.stored_blocks(grid) for source, grid in zip(volumes.sources, plan.grids, strict=True)]
    n_stored = [grid.n_blocks if some is None else len(some) for some, grid in zip(blocks, plan.grids, strict=True)]
    return forecast("renumber", plan, n_stored, 2)


def _scales(image: LabelImage) -> tuple[tuple[float, ...], ...]:
    """Return the size of a voxel in each array, as the first image that has the array says it."""
    scales: dict[str, tuple[float, ...]] = {}
    for each in metadata(image.attributes)["multiscales"]:
        for dataset in each["datasets"]:
            own, common = (_scale(part.get("coordinateTransformations")) for part in (dataset, each))
            both = tuple(a * b for a, b in zip(own, common, strict=False)) if common else own
            scales.setdefault(dataset["path"], both)
    return tuple(scales[path] for path in image.paths)


def _scale(transformations: Sequence[dict[str, Any]] | None) -> tuple[float, ...]:
    """Return the scale among transformations; empty if there is none in numbers."""
    listed = transformations if isinstance(transformations, list) else []
    found = [each.get("scale") for each in listed if isinstance(each, dict) and each.get("type") == "scale"]
    numbers = found[0] if found and isinstance(found[0], list) else []
    return tuple(number for number in numbers if isinstance(number, int | float))
