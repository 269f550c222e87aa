"""The commands that are Zarr jobs: renumber, remap, mask, transpose, component-map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

import fastremap_dask

from .commandframe import command, framed
from .commandoptions import job_options, layout_options, with_options
from .commandtypes import DType, Labels, Place
from .exporting import table_for
from .report import Report, counted
from .states import ORDERS
from .tablefiles import is_group, read_table

source = click.argument("source", type=Place())
target = click.argument("target", type=Place())
volumes_of_job = with_options(
    (
        click.argument("volumes", nargs=-1, required=True, type=Place(), metavar="SOURCE... [TARGET]"),
        click.option(
            "--target", "targets", type=Place(), multiple=True, help="Where to write; once for each of many sources."
        ),
    )
)
missing_options = with_options(
    (
        click.option(
            "--missing",
            type=click.Choice(["error", "keep", "fill"]),
            default="error",
            show_default=True,
            help="What becomes of labels that are not in the table.",
        ),
        click.option("--fill-value", type=int, help="What takes their place with --missing fill."),
    )
)
dtype_of_target = click.option("--dtype", type=DType(), help="Dtype of the target.  [default: as the ids need]")


@command(short_help="Give labels new ids without gaps.")
@volumes_of_job
@click.option("--start", default=1, show_default=True, help="The first id.")
@click.option(
    "--order", type=click.Choice(ORDERS), default="first", show_default=True, help="Ids by first voxel, or by label."
)
@dtype_of_target
@click.option("--no-preserve-zero", is_flag=True, help="Give 0 an id like any label.")
@click.option("--counts", is_flag=True, help="Have the table hold the voxels of each label too.")
@click.option("--table", type=Place(), help="Labels of this table keep their ids; new ones go on after the highest.")
@framed
@job_options
@layout_options
def renumber(
    volumes: tuple[str, ...],
    targets: tuple[str, ...],
    no_preserve_zero: bool,
    table: str | None,
    common: dict[str, Any],
    **options: Any,
) -> Any:
    """Give the labels of the Zarr array (or .npy file) SOURCE the ids 1, 2, 3, ... in the new Zarr array TARGET.

    The table from label to id is written beside TARGET, as a Zarr group whose name ends in .table.zarr. Several sources
    share one numbering: name a --target for each. SOURCE may also be an OME-Zarr label image: TARGET then is one too.

    \b
    Examples:
      fastremap renumber labels.zarr ids.zarr
      fastremap renumber labels.zarr ids.zarr --workers 8 --memory-limit 2GB
      fastremap renumber labels.zarr ids.zarr --scheduler tcp://10.0.0.1:8786
      fastremap renumber a.zarr b.zarr --target a2.zarr --target b2.zarr
      fastremap renumber more.zarr ids2.zarr --table ids.table.zarr
      fastremap renumber image.zarr/labels/cells image.zarr/labels/ids
    """
    sources, targets = pairs_of(volumes, targets)
    known = table if table is None or is_group(table) else read_table(table, common["storage_options"])
    common = compressed(sources, common)
    zero = not no_preserve_zero
    return fastremap_dask.renumber_zarr(sources, targets, preserve_zero=zero, table=known, **options, **common)


@command(short_help="Map labels by a table.")
@volumes_of_job
@click.option("--table", type=Place(), required=True, help="Old to new labels.")
@missing_options
@dtype_of_target
@framed
@job_options
@layout_options
def remap(
    volumes: tuple[str, ...],
    targets: tuple[str, ...],
    table: str,
    missing: str,
    fill_value: int | None,
    common: dict[str, Any],
    **options: Any,
) -> Any:
    """Map the labels of SOURCE by a table, in the new Zarr array TARGET.

    The table is a Zarr group, a folder of LabelTable.save, or a file whose name ends in .npz, .csv, .json or .parquet,
    with the columns old and new.

    \b
    Examples:
      fastremap remap labels.zarr ids.zarr --table ids.table.zarr
      fastremap remap labels.zarr merged.zarr --table merges.csv --missing keep
      fastremap remap labels.zarr kept.zarr --table kept.json --missing fill --fill-value 0
      fastremap remap a.zarr b.zarr --target a2.zarr --target b2.zarr --table ids.table.zarr
    """
    sources, targets = pairs_of(volumes, targets)
    mapping = read_table(table, common["storage_options"])
    missing = missing_of(missing, fill_value)
    return fastremap_dask.remap_zarr(
        sources, targets, mapping, missing=missing, **options, **compressed(sources, common)
    )


@command(short_help="Erase labels, or all but some.")
@volumes_of_job
@click.option("--labels", type=Labels(), multiple=True, help="Labels to erase: 1,2,3 or @FILE (text, or .npy).")
@click.option("--except", "kept", type=Labels(), multiple=True, help="Labels to keep; all others are erased.")
@click.option("--value", default=0, show_default=True, help="What takes the place of erased labels.")
@dtype_of_target
@framed
@job_options
@layout_options
def mask(
    volumes: tuple[str, ...],
    targets: tuple[str, ...],
    labels: tuple[Any, ...],
    kept: tuple[Any, ...],
    common: dict[str, Any],
    **options: Any,
) -> Any:
    """Set labels of SOURCE to a value, in the new Zarr array TARGET.

    \b
    Examples:
      fastremap mask labels.zarr some.zarr --labels 17,4,96
      fastremap mask labels.zarr cells.zarr --except @cells.txt
      fastremap mask labels.zarr marked.zarr --labels @bad.npy --value 1
    """
    if len(labels) + len(kept) != 1:
        raise click.UsageError(
            "give one list of labels: --labels 1,2,3, or --labels @FILE, or --except with either; "
            f"these are {len(labels) + len(kept)}"
        )
    sources, targets = pairs_of(volumes, targets)
    common = compressed(sources, common)
    return fastremap_dask.mask_zarr(sources, targets, (labels or kept)[0], invert=bool(kept), **options, **common)


@command(short_help="Reverse the axes.")
@source
@target
@framed
@job_options
@layout_options
def transpose(source: str, target: str, common: dict[str, Any]) -> Any:
    """Reverse the axes of SOURCE, in the new Zarr array TARGET.

    Chunks, shards and names of axes are reversed too.

    \b
    Example:
      fastremap transpose labels_xyz.zarr labels_zyx.zarr
    """
    return fastremap_dask.transpose_zarr(source, target, **compressed([source], common))


@command("component-map", short_help="Find the parent of each component.")
@click.argument("components", type=Place())
@click.argument("parents", type=Place())
@click.argument("table", type=Place())
@framed
@job_options
def component_map(components: str, parents: str, table: str, common: dict[str, Any]) -> Any:
    """Find for each label of COMPONENTS the label of PARENTS in which it lies.

    They go into TABLE: a Zarr table, or a file whose name ends in .csv, .npz or .parquet, with the columns old (the
    component) and new (its parent).

    \b
    Examples:
      fastremap component-map supervoxels.zarr cells.zarr cell_of.csv
      fastremap component-map supervoxels.zarr cells.zarr cell_of.table.zarr
      fastremap remap supervoxels.zarr again.zarr --table cell_of.table.zarr
    """
    with table_for(table, common) as place:
        outcome = fastremap_dask.component_map_zarr(components, parents, place, **common)
    return replace(outcome, table=table) if isinstance(outcome, Report) else outcome


def pairs_of(volumes: tuple[str, ...], targets: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """
    Return the sources of a job, and the target of each.

    Parameters
    ----------
    volumes : tuple of str
        The arguments: sources, the last a target where none is named otherwise.
    targets : tuple of str
        One for each ``--target``.

    Returns
    -------
    sources, targets : list of str
        As many of both.
    """
    sources = volumes if targets else volumes[:-1]
    targets = targets or volumes[-1:]
    if len(sources) != len(targets):
        raise click.UsageError(
            "give SOURCE and TARGET, or several sources with --target for each of them: "
            f"these are {counted(len(sources), 'source')} and {counted(len(targets), 'target')}"
        )
    return list(sources), list(targets)


def missing_of(missing: str, fill_value: int | None) -> str | int:
    """
    Return what the options say of labels that are not in a table.

    Parameters
    ----------
    missing : {"error", "keep", "fill"}
        What becomes of them.
    fill_value : int or None
        What takes their place.

    Returns
    -------
    str or int
        "error", "keep" or the value.
    """
    if (missing == "fill") != (fill_value is not None):
        raise click.UsageError("--missing fill and --fill-value belong together: give both or neither")
    return missing if fill_value is None else fill_value


def compressed(sources: Any, common: dict[str, Any]) -> dict[str, Any]:
    """
    Have the target compressed where the source is a .npy file, from which it could not take that over.

    Parameters
    ----------
    sources : sequence of str
        The sources.
    common : dict
        What all jobs share.

    Returns
    -------
    dict
        The same, perhaps with a codec.
    """
    if common["codecs"] is None and all(str(place).endswith(".npy") for place in sources):
        return {**common, "codecs": ["zstd"]}
    return common
