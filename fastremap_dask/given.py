"""What jobs are given: sources, regions of them, and targets, as users name them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np
from zarr.storage import StorePath

from .options import Options
from .places import Location, locate
from .stored import Stored
from .volumes import LABEL_KINDS, Source, open_source


def open_sources(
    source: Location | Sequence[Location], options: Options, *, reverse: bool = False
) -> tuple[Source, ...]:
    """
    Open what a job reads.

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
    sources, begin = [], 0
    for where in source if isinstance(source, list | tuple) else [source]:
        stored = open_source(where, options.storage_options)
        offset, shape = region_of(stored, options.region)
        sources.append(Source(stored, offset, shape, reverse, begin))
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


def locate_targets(target: Location | Sequence[Location], n: int, options: Options) -> tuple[StorePath, ...]:
    """
    Return where a job is to write, one place for each source.

    Parameters
    ----------
    target : location or list of locations
        As users give it.
    n : int
        How many sources there are.
    options : Options
        What opens URLs.

    Returns
    -------
    tuple of zarr.storage.StorePath
        The places.

    Raises
    ------
    ValueError
        If there are not as many as sources, or two are the same.
    """
    targets = target if isinstance(target, list | tuple) else [target]
    if len(targets) != n:
        raise ValueError(f"{n} sources need {n} targets, not {len(targets)}")
    places = tuple(locate(each, read_only=False, storage_options=options.storage_options) for each in targets)
    if len({str(place) for place in places}) < n:
        raise ValueError("two targets are the same place")
    return places


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
