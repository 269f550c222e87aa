"""Frames: what is known of a job before it begins, and what it learns on its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zarr.storage import StorePath

from .blocksets import BlockSet
from .metadata import check_codecs
from .ome import LabelImage
from .omegroups import check_target
from .options import Options
from .places import check_apart, show
from .plan import Grids, Volume
from .stored import Stored
from .volumes import Source

REPORT_SUFFIX, TABLE_SUFFIX = ".report.json", ".table.zarr"


@dataclass(frozen=True)
class Facts:
    """
    Tell what a job learns on its way, as numbers, for its report.

    Parameters
    ----------
    targets : tuple of Stored
        What it wrote.
    n_labels, lowest_id, highest_id : int or None
        Of the labels, where the job sees them.
    table_nbytes : int
        Bytes of the table that it wrote.
    new_label : callable
        Given a label, returns what it has become; None where it is not there any more.
    """

    targets: tuple[Stored, ...] = ()
    n_labels: int | None = None
    lowest_id: int | None = None
    highest_id: int | None = None
    table_nbytes: int = 0
    new_label: Callable[[int], int | None] = lambda label: label


@dataclass(frozen=True)
class Frame:
    """
    Hold what is known of a job before it begins.

    Parameters
    ----------
    name : str
        The job.
    options : Options
        What all jobs share.
    sources : tuple of Source
        What it reads.
    targets : tuple of zarr.storage.StorePath
        Where it writes arrays, if it does.
    documents : tuple of tuple of dict
        For each target the documents that it may turn out to get, the widest last.
    table : zarr.storage.StorePath or None
        Where it writes a table.
    settings : dict
        What of its own parameters decides what it writes.
    passes : int
        How often it reads the source.
    aligned : bool
        The sources are labelings of one volume, and a block of it is read from each.
    images : tuple of LabelImage
        Those of which some of the sources, and of the targets, are the arrays.
    """

    name: str
    options: Options
    sources: tuple[Source, ...]
    targets: tuple[StorePath, ...] = ()
    documents: tuple[tuple[dict[str, Any], ...], ...] = ()
    table: StorePath | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    passes: int = 1
    aligned: bool = False
    images: tuple[LabelImage, ...] = ()

    @property
    def place(self) -> StorePath:
        """Where the journal and the report lie beside."""
        return self.products[0]

    @property
    def products(self) -> list[StorePath]:
        """What the job makes, as users named it."""
        return [*self.written, *([self.table] if self.table is not None else [])]

    @property
    def read(self) -> list[StorePath]:
        """What the job reads, as users named it."""
        return self.as_given(self.sources)

    @property
    def written(self) -> list[StorePath]:
        """Where the job writes arrays and groups of them, as users named it."""
        targets = ((image.target, path) for image in self.images if image.target for path in image.paths)
        return _as_named(self.targets, {show(target / path): target for target, path in targets})

    def as_given(self, sources: Sequence[Source]) -> list[StorePath]:
        """Return the places of sources as users named them: the group of those that lie in one."""
        groups = {show(image.place / path): image.place for image in self.images for path in image.paths}
        return _as_named([source.stored.place for source in sources], groups)

    def check(self) -> None:
        """Refuse places and codecs that cannot work. Nothing is written."""
        if self.options.resume and self.options.overwrite:
            raise ValueError("resume goes on with a job, and overwrite begins anew: give one of them")
        for product in self.products:
            for source in self.read:
                check_apart(source, product)
        for image in self.images:
            if image.target is not None:
                check_target(image)
        for source, documents in zip(self.sources, self.documents, strict=False):
            for document in documents:
                check_codecs(document, show(source.stored.place))

    def volumes(self) -> tuple[tuple[Volume, ...], tuple[Volume, ...]]:
        """Return sources and targets as plans see them; without targets the sources' own units give the grid."""
        read = tuple(source.volume for source in self.sources)
        if self.aligned:
            read = (replace(read[0], itemsize=sum(volume.itemsize for volume in read)),)
        if not self.targets:
            return read, tuple(replace(volume, itemsize=0) for volume in read)
        widest = [Stored(place, last[-1]) for place, last in zip(self.targets, self.documents, strict=True)]
        arrays = [stored.open() for stored in widest]
        units = [tuple(max(1, length) for length in array.shards or array.chunks) for array in arrays]
        return read, tuple(Volume(a.shape, u, a.dtype.itemsize) for a, u in zip(arrays, units, strict=True))

    def stored_units(self, targets: tuple[Volume, ...]) -> list[BlockSet | None]:
        """List for each volume the units of its target in which the source has anything; None where it cannot list."""
        grids = [Grids(target).grid(0) for target in targets]
        if not self.aligned:
            return [source.stored_blocks(grid) for source, grid in zip(self.sources, grids, strict=True)]
        found = [source.stored_blocks(grids[0]) for source in self.sources]
        return [None if None in found else BlockSet(number for units in found for number in units)]

    def all_settings(self) -> dict[str, Any]:
        """Return all that decides what the job writes."""
        layouts = []
        for documents in self.documents:
            dependent = ("data_type", "dtype", "fill_value")
            layouts.append({name: value for name, value in documents[-1].items() if name not in dependent})
        named = {
            "job": self.name,
            "source": [show(source.stored.place) for source in self.sources],
            "source's metadata": [source.stored.document for source in self.sources],
            "region": [[*map(list, zip(source.offset, source.shape, strict=True))] for source in self.sources],
            "target": [product.path.rpartition("/")[2] for product in self.products],
            "layout": layouts,
        }
        if self.images:
            named["groups' metadata"] = [image.attributes for image in self.images]
        return json.loads(json.dumps(named | self.settings, default=str))


def _as_named(places: Sequence[StorePath], groups: Mapping[str, StorePath]) -> list[StorePath]:
    """Return places, and instead of those that lie in a group, by their names, the group once."""
    named = [groups.get(show(place), place) for place in places]
    return [place for before, place in zip([None, *named], named, strict=False) if place is not before]
