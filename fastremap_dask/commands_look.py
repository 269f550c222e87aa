"""The commands that look: info, unique, preview, verify, doctor, demo."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from . import demo as demonstration
from . import description, listing, pictures, tablefiles
from . import doctor as examination
from .commandframe import command, framed
from .commandoptions import job_options, memory_limit, region, storage_options, threads, workers
from .commands_jobs import missing_of, missing_options
from .commandtypes import Bytes, Place
from .comparison import Verification, compare_each
from .given import open_sources, open_volumes
from .imagedescription import ImageDescription, describe_image
from .options import Options
from .places import show
from .resources import Resources
from .volumes import Source


@command(short_help="Say what a volume is, and what a job on it would cost.")
@click.argument("source", type=Place())
@workers
@threads
@memory_limit
@storage_options
@framed
def info(
    source: str, workers: int | None, threads: int | None, memory_limit: int | None, storage_options: Any
) -> description.Description | ImageDescription:
    """Say what the Zarr array (or .npy file) SOURCE is, how it is stored, and what a job on it would cost.

    Of an OME-Zarr label image, all resolutions. No voxel is read.

    \b
    Examples:
      fastremap info labels.zarr
      fastremap info image.zarr/labels/cells
      fastremap info labels.zarr --workers 8 --memory-limit 2GB
      fastremap info s3://bucket/labels.zarr --storage-option anon=true
    """
    resources = Resources.of(None, workers, threads, memory_limit)
    volumes = open_volumes(source, Options(storage_options=storage_options))
    if volumes.images[0] is not None:
        return describe_image(volumes, resources)
    return description.describe_volume(volumes.sources[0], resources)


@command(short_help="List the labels, and how many voxels each has.")
@click.argument("places", nargs=-1, required=True, type=Place(), metavar="SOURCE [TABLE]")
@click.option("--table", type=Place(), help="Where to write; the arguments are all sources then, one or several.")
@click.option("--top", type=click.IntRange(0), default=10, show_default=True, help="Print so many of the largest.")
@framed
@job_options
def unique(places: tuple[str, ...], table: str | None, top: int, common: dict[str, Any]) -> Any:
    """Find the distinct labels of SOURCE, the voxels of each, and the first of them.

    They go into TABLE: a Zarr table, or a file whose name ends in .csv, .npz or .parquet, with the columns old (the
    label), counts and first (an index in C order; several volumes follow each other). Of an OME-Zarr label image the
    voxels of the highest resolution are counted.

    \b
    Examples:
      fastremap unique labels.zarr
      fastremap unique labels.zarr labels.csv --top 3
      fastremap unique labels.zarr labels.table.zarr --workers 8
      fastremap unique a.zarr b.zarr --table both.csv
    """
    sources, table = (places, table) if table else (places[:1], places[1] if len(places) > 1 else None)
    if table is not None and len(sources) < len(places) - 1:
        raise click.UsageError(f"give --table for the labels of several sources: these are {len(places)} arguments")
    if table is None and (common["client"] is not None or common["resume"]):
        raise click.UsageError("--scheduler and --resume need a TABLE, where the workers and a later run find the job")
    return listing.list_labels(sources, table, top, common)


@command(short_help="Draw a section, or two side by side.")
@click.argument("paths", nargs=-1, required=True, type=Place(), metavar="SOURCE [OTHER] PNG")
@click.option("--axis", type=int, help="The axis to cut.  [default: the one called z, else the first]")
@click.option("--index", type=int, help="Where to cut it.  [default: the middle]")
@click.option("--table", type=Place(), help="The ids of the last volume come from this table.")
@region
@storage_options
@click.option("--overwrite", is_flag=True, help="Replace the picture.")
@framed
def preview(
    paths: tuple[str, ...],
    axis: int | None,
    index: int | None,
    table: str | None,
    region: Any,
    storage_options: Any,
    overwrite: bool,
) -> pictures.Picture:
    """Draw a section of SOURCE, and that of OTHER beside it, into the file PNG.

    A label has the same colour in every picture; with --table an id has that of its old label.

    \b
    Examples:
      fastremap preview labels.zarr labels.png
      fastremap preview labels.zarr ids.zarr both.png --table ids.table.zarr
      fastremap preview labels.zarr corner.png --axis 0 --index 17 --region :,0:300,0:300
    """
    *volumes, png = paths
    if not png.lower().endswith(".png") or not 1 <= len(volumes) <= 2:
        raise click.UsageError("give one or two volumes, and then a file whose name ends in .png")
    path = Path(png)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists and is left as it is: choose another name, or overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} for the picture")
    columns = None if table is None else tablefiles.open_columns(table, storage_options)
    sources = [volume_of(volume, region, storage_options) for volume in volumes]
    if sources[0].shape != sources[-1].shape:
        raise ValueError(f"the volumes have the shapes {sources[0].shape} and {sources[-1].shape}: give two of one")
    sections = [pictures.read_section(source, axis, index) for source in sources]
    return pictures.draw(sections, path, columns and (lambda: tablefiles.rows(columns)))


@command(short_help="Check that a volume is another one relabelled.")
@click.argument("source", type=Place())
@click.argument("target", type=Place())
@click.option("--table", type=Place(), required=True, help="Old to new labels.")
@missing_options
@region
@threads
@memory_limit
@storage_options
@framed
@click.pass_obj
def verify(
    progress: Any,
    source: str,
    target: str,
    table: str,
    missing: str,
    fill_value: int | None,
    region: Any,
    threads: int | None,
    memory_limit: int | None,
    storage_options: Any,
) -> Verification:
    """Check that TARGET is SOURCE with its labels mapped by a table, voxel by voxel, by numpy alone.

    Of OME-Zarr label images all resolutions are compared.
    The exit status is 0 if it is, and 1 if a voxel is wrong. The table is held in memory, 16 bytes a label at most.

    \b
    Examples:
      fastremap verify labels.zarr ids.zarr --table ids.table.zarr
      fastremap verify labels.zarr merged.zarr --table merges.csv --missing keep
    """
    rule = missing_of(missing, fill_value)
    parts = ((source, region), (target, None))
    volumes = [open_volumes(place, Options(region=part, storage_options=storage_options)) for place, part in parts]
    sources, targets = (each.sources for each in volumes)
    mapping = tablefiles.read_table(table, storage_options)
    resources = Resources.of(None, None, threads, memory_limit)
    given = {"threads": resources.n_threads, "memory_limit_nbytes": resources.memory_limit_nbytes}
    n_wrong, first = compare_each(sources, targets, mapping, rule, progress=progress, **given)
    names = [show(each.images[0].place if each.images[0] else each.sources[0].stored.place) for each in volumes]
    return Verification(*names, table, sum(math.prod(each.shape) for each in sources), n_wrong, first)


@command(short_help="Look at what decides the speed of jobs on this machine.")
@click.option("--path", type=Place(), help="Measure the speed of this folder, with 128 MB that are removed again.")
@threads
@storage_options
@framed
def doctor(path: str | None, threads: int | None, storage_options: Any) -> examination.Findings:
    """Print versions, the instruction set of the kernels and their speed, cores, memory, and the speed of a store.

    \b
    Examples:
      fastremap doctor
      fastremap doctor --path /scratch
    """
    return examination.examine(path, Resources.of(threads=threads).n_threads, storage_options)


@command(short_help="Make a volume, renumber it, and check every voxel.")
@click.option("--size", type=Bytes(), default="800MB", show_default=True, help="Bytes of the volume.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Worker processes.")
@click.option("--memory-limit", type=Bytes(), default="300MB", show_default=True, help="Memory of each of them.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads that make and check it.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="PATH", help="Keep the volumes in this new folder.")
@framed
@click.pass_obj
def demo(
    progress: Any, size: int, workers: int, memory_limit: int, threads: int, keep: Path | None
) -> demonstration.Outcome:
    """Make a label volume, renumber it on worker processes, and check every voxel with numpy.

    The volume is larger than the memory that the workers may use. The exit status is 1 if a voxel is wrong.

    \b
    Example:
      fastremap demo --size 200MB --keep demo
    """
    with folder_for(keep) as folder:
        return demonstration.demonstrate(
            folder,
            size_nbytes=size,
            workers=workers,
            memory_limit=memory_limit,
            threads=threads,
            progress=progress or (lambda *_: None),
        )


def volume_of(place: str, region: tuple[slice, ...] | None, storage_options: Mapping[str, Any] | None) -> Source:
    """
    Open a volume that is only looked at.

    Parameters
    ----------
    place : str
        Where it lies.
    region : tuple of slice or None
        The part of it that counts.
    storage_options : mapping or None
        For the file system of a URL.

    Returns
    -------
    Source
        The volume.
    """
    return open_sources(place, Options(region=region, storage_options=storage_options))[0]


@contextmanager
def folder_for(keep: Path | None) -> Iterator[Path]:
    """
    Make a folder, and remove it afterwards unless it is to be kept.

    Parameters
    ----------
    keep : pathlib.Path or None
        A folder to keep; it must not exist.

    Yields
    ------
    pathlib.Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder to keep is there already.
    """
    if keep is not None and keep.exists():
        raise FileExistsError(f"{keep} exists: choose a new folder to keep the volumes in")
    if keep is not None:
        keep.mkdir(parents=True)
    with nullcontext(keep) if keep is not None else tempfile.TemporaryDirectory(prefix="fastremap-demo-") as folder:
        yield Path(folder)
