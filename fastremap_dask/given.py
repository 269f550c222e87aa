"""What jobs are given: sources, regions of them, and targets, as users name them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import zarr
from zarr.storage import StorePath

from .ome import LabelImage, label_image
from .options import Options
from .places import Location, check_disjoint, locate, show
from .stored import Stored
from .volumes import LABEL_KINDS, Source, labels_in, open_node, open_source


class Volumes(NamedTuple):
    """
    Hold what a job reads.

    Parameters
    ----------
    sources : tuple of Source
        Arrays, one after the other in one space of indices; those of one label image follow each other.
    images : tuple of LabelImage or None
        What users named: a label image, or None for a single array.
    """

    sources: tuple[Source, ...]
    images: tuple[LabelImage | None, ...]


def open_volumes(source: Location | Sequence[Location], options: Options) -> Volumes:
    """
    Open what a job reads: arrays, and OME-Zarr groups of them.

    Parameters
    ----------
    source : location or list of locations
        The volumes.
    options : Options
        The region of them that counts.

    Returns
    -------
    Volumes
        The volumes.

    Raises
    ------
    FileNotFoundError, TypeError
        If there is none at a place.
    ValueError
        If a group is not as OME-Zarr has it, or a region of one is asked for.
    """
    images: list[LabelImage | None] = []
    arrays: list[tuple[Stored, bool]] = []
    for where in source if isinstance(source, list | tuple) else [source]:
        place, node = open_node(where, options.storage_options)
        if isinstance(node, zarr.Array):
            images.append(None)
            arrays.append((labels_in(place, node), True))
            continue
        image = label_image(place, node)
        if options.region is not None:
            raise ValueError(
                f"{show(place)} is an OME-Zarr group, and region= is for one array: name it, such as "
                f"{show(place / image.paths[0])}"
            )
        images.append(image)
        arrays += [(level, at == 0) for at, level in enumerate(_levels(image))]
    return Volumes(_in_a_row(arrays, options), tuple(images))


def _levels(image: LabelImage) -> list[Stored]:
    """Open the arrays of a label image."""
    try:
        levels = [open_source(image.place / path) for path in image.paths]
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}, which the OME-Zarr metadata of {show(image.place)} names") from error
    n_axes = [len(level.open().shape) for level in levels]
    if len(set(n_axes)) > 1:
        raise ValueError(
            f"the arrays of the OME-Zarr group {show(image.place)} have {n_axes} axes, and not all as many"
        )
    return levels


def open_sources(
    source: Location | Sequence[Location], options: Options, *, reverse: bool = False
) -> tuple[Source, ...]:
    """
    Open what a job reads that takes single arrays only.

    Parameters
    ----------
    source : location or list of locations
        The volumes.
    options : Options
        The region of them that counts.
    reverse : bool
        Look at them with their axes reversed.

    Returns
    -------
    tuple of Source
        The volumes, one after the other in one space of indices.
    """
    places = source if isinstance(source, list | tuple) else [source]
    return _in_a_row([(open_source(where, options.storage_options), True) for where in places], options, reverse)


def _in_a_row(arrays: Sequence[tuple[Stored, bool]], options: Options, reverse: bool = False) -> tuple[Source, ...]:
    """Number the voxels of arrays through."""
    sources, begin = [], 0
    for stored, counted in arrays:
        offset, shape = region_of(stored, options.region)
        sources.append(Source(stored, offset, shape, reverse, begin, counted))
        begin += math.prod(shape)
    if not sources:
        raise ValueError("the list of sources is empty: name at least one volume")
    if begin > np.iinfo(np.int64).max:
        raise ValueError(f"the volumes have {begin} voxels together, and 2**63 - 1 is the most that can be indexed")
    return tuple(sources)


def region_of(stored: Stored, region: tuple[slice, ...] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """
    Return the first voxel and the extent of a region.

    Parameters
    ----------
    stored : Stored
        The array.
    region : tuple of slice or None
        As users give it: of at most as many slices as there are axes, without steps.

    Returns
    -------
    tuple of int, tuple of int
        Offset and shape.

    Raises
    ------
    ValueError
        If it has steps, too many axes, or reaches beyond the array.
    """
    shape = stored.open().shape
    parts = (region,) if isinstance(region, slice) else tuple(region or ())
    if len(parts) > len(shape) or not all(isinstance(part, slice) and part.step in (None, 1) for part in parts):
        raise ValueError(f"region={region} must be slices without steps, at most one for each of the {len(shape)} axes")
    offset, extent = [], []
    for part, length in zip((*parts, *[slice(None)] * (len(shape) - len(parts))), shape, strict=True):
        start, stop = 0 if part.start is None else part.start, length if part.stop is None else part.stop
        if not 0 <= start <= stop <= length:
            asked = ", ".join(f"{part.start}:{part.stop}" for part in parts).replace("None", "")
            raise ValueError(f"region={asked} reaches beyond the array of shape {shape}")
        offset.append(operator.index(start))
        extent.append(operator.index(stop) - operator.index(start))
    return tuple(offset), tuple(extent)


def locate_targets(
    target: Location | Sequence[Location], images: Sequence[LabelImage | None], options: Options
) -> tuple[tuple[StorePath, ...], tuple[LabelImage, ...]]:
    """
    Return where a job is to write, one place for each array that it reads.

    Parameters
    ----------
    target : location or list of locations
        As users give it.
    images : sequence of LabelImage or None
        What they gave as sources; None for a single array.
    options : Options
        What opens URLs.

    Returns
    -------
    targets : tuple of zarr.storage.StorePath
        The places.
    images : tuple of LabelImage
        The label images, with their targets.

    Raises
    ------
    ValueError
        If there are not as many as sources, or one is in another.
    """
    targets = target if isinstance(target, list | tuple) else [target]
    if len(targets) != len(images):
        raise ValueError(f"{len(images)} sources need {len(images)} targets, not {len(targets)}")
    places = [locate(each, read_only=False, storage_options=options.storage_options) for each in targets]
    check_disjoint(places)
    pairs = list(zip(places, images, strict=True))
    arrays = [[place / path for path in image.paths] if image else [place] for place, image in pairs]
    written = tuple(replace(image, target=place) for place, image in pairs if image)
    return tuple(chain.from_iterable(arrays)), written


def common_dtype(sources: Sequence[Source]) -> np.dtype:
    """
    Return the integer dtype that holds the labels of all sources.

    Parameters
    ----------
    sources : sequence of Source
        The sources.

    Returns
    -------
    numpy.dtype
        In native byte order.

    Raises
    ------
    ValueError
        If no integer dtype of 64 bits does.
    """
    dtypes = [source.stored.open().dtype.newbyteorder("=") for source in sources]
    common = np.result_type(*dtypes)
    if common.kind not in LABEL_KINDS:
        raise ValueError(f"volumes of {', '.join(map(str, dtypes))} have no common integer dtype of 64 bits")
    return common
