"""OME-Zarr label images: groups of arrays, one for each resolution, that a job takes as one volume."""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import zarr
from zarr.storage import StorePath

from .places import last_name, relative_from, show

# What the metadata lists for single labels.
ENTRIES = ("colors", "properties")
# Names that a message lists at most.
N_NAMED = 5


@dataclass(frozen=True)
class LabelImage:
    """
    Hold an OME-Zarr label image, and where a job writes its like.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The group.
    zarr_format : int
        2 or 3.
    attributes : dict
        Those of the group.
    paths : tuple of str
        Where the arrays lie in it, the highest resolution first.
    target : zarr.storage.StorePath, optional
        The group that the job writes.

    References
    ----------
    Next-generation file format specifications 0.4 and 0.5, sections "multiscales" and "labels" metadata,
    https://ngff.openmicroscopy.org.
    """

    place: StorePath
    zarr_format: int
    attributes: dict[str, Any]
    paths: tuple[str, ...]
    target: StorePath | None = None

    @property
    def label_values(self) -> list[int]:
        """Return the labels that the metadata tells something of."""
        described = metadata(self.attributes).get("image-label", {})
        return list(dict.fromkeys(int(entry["label-value"]) for key in ENTRIES for entry in described.get(key, ())))

    def relabelled(self, new_label: Callable[[int], int | None]) -> tuple[dict[str, Any], int]:
        """
        Return the attributes for new labels.

        Parameters
        ----------
        new_label : callable
            Given a label, returns what it becomes; None for one that is not there any more.

        Returns
        -------
        attributes : dict
            Of the target: what tells of single labels tells of the new ones, and the image from which the labels were
            made is found from there.
        n_left_out : int
            Entries that are not in them: of labels without a new one, or of one that another has become too. Then the
            entry remains of that which is the same in both, else the first.
        """
        attributes, n_left_out = copy.deepcopy(self.attributes), 0
        self._move(metadata(attributes))
        described = metadata(attributes).get("image-label", {})
        for key in ENTRIES:
            entries = described.get(key, [])
            kept = _relabelled(entries, new_label)
            n_left_out += len(entries) - len(kept)
            if kept:
                described[key] = kept
            else:  # a list of none is not allowed
                described.pop(key, None)
        return attributes, n_left_out

    def _move(self, found: dict[str, Any]) -> None:
        """Have metadata speak of the target where it speaks of the source by its name or place."""
        for image in found["multiscales"]:
            if image.get("name") == last_name(self.place):
                image["name"] = last_name(self.target)
        origin = found.get("image-label", {}).get("source")
        path = origin.get("image") if isinstance(origin, dict) else None
        if isinstance(path, str):
            moved = relative_from(path, self.place, self.target)
            if moved is None:  # no relative path leads to another store
                del origin["image"]
            elif moved != posixpath.normpath(path):
                origin["image"] = moved


def metadata(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what a group's attributes hold of OME-Zarr.

    Parameters
    ----------
    attributes : mapping
        The attributes.

    Returns
    -------
    dict
        Those under "ome", as version 0.5 has them, or all, as versions before it have them.
    """
    inner = attributes.get("ome")
    return inner if isinstance(inner, dict) else attributes


def label_image(place: StorePath, group: zarr.Group) -> LabelImage:
    """
    Take a group as a label image.

    Parameters
    ----------
    place : zarr.storage.StorePath
        Where it lies.
    group : zarr.Group
        The group.

    Returns
    -------
    LabelImage
        The image; whether its arrays are there is not looked at.

    Raises
    ------
    TypeError
        If the group is no label image; it says what else could be meant.
    ValueError
        If its metadata is not as the specification has it.
    """
    attributes = group.attrs.asdict()
    found = metadata(attributes)
    inside = _names(found.get("labels"))
    if "multiscales" not in found:
        if inside:
            raise TypeError(
                f"{show(place)} is a list of label images, {_some(inside)}: name one, {_such(place, inside)}"
            )
        arrays = sorted(group.array_keys())
        advice = f": name one, {_such(place, arrays)}" if arrays else ""
        raise TypeError(
            f'{show(place)} is a group, and no OME-Zarr label image, for its attributes lack "multiscales"; '
            f"its arrays: {_some(arrays)}{advice}"
        )
    if "image-label" not in found and "labels" in group:
        labels = _names(metadata(group["labels"].attrs).get("labels"))
        raise TypeError(
            f"{show(place)} is an image with label images beside it, and none itself: name one, "
            f"{_such(place / 'labels', labels)}"
        )
    paths = _paths(place, found["multiscales"])
    _check_described(place, found.get("image-label", {}))
    return LabelImage(place, group.metadata.zarr_format, attributes, paths)


def name_a_level(place: StorePath, group: zarr.Group) -> str:
    """
    Say why a group is not taken where one array is wanted, and what to name instead.

    Parameters
    ----------
    place : zarr.storage.StorePath
        Where it lies.
    group : zarr.Group
        The group.

    Returns
    -------
    str
        One line.
    """
    try:
        paths = label_image(place, group).paths
    except (TypeError, ValueError) as error:
        return str(error)
    return (
        f"{show(place)} is an OME-Zarr group of {len(paths)} resolutions, and one array is wanted here: name it, "
        f"{_such(place, paths)}"
    )


def _names(listed: Any) -> list[str]:
    """Return the names in a list from metadata of unknown quality."""
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def _some(names: list[str] | tuple[str, ...]) -> str:
    """List a few names."""
    return ", ".join(names[:N_NAMED]) + (", ..." if len(names) > N_NAMED else "") or "none"


def _such(place: StorePath, names: list[str] | tuple[str, ...]) -> str:
    """Give an example of a place that could be named."""
    return f"such as {show(place / names[0] if names else place)}"


def _paths(place: StorePath, multiscales: Any) -> tuple[str, ...]:
    """Return the paths of all resolutions, after a look at whether they can be."""

    def wrong(what: str) -> ValueError:
        return ValueError(f'{show(place)}: the OME-Zarr metadata "multiscales" {what}: mend it')

    if not isinstance(multiscales, list) or not multiscales:
        raise wrong("is no list of at least one image")
    paths: list[str] = []
    for image in multiscales:
        datasets = image.get("datasets") if isinstance(image, dict) else None
        if not isinstance(datasets, list) or not datasets:
            raise wrong('has an image without "datasets"')
        for dataset in datasets:
            path = dataset.get("path") if isinstance(dataset, dict) else None
            if not isinstance(path, str):
                raise wrong('has a dataset without a "path"')
            if any(part in ("", ".", "..") for part in path.split("/")):
                raise wrong(f"has a dataset with the path {path!r}, which does not lie in the group")
            paths.append(path)
    paths = list(dict.fromkeys(paths))  # several images may share arrays
    for one, other in combinations(sorted(paths), 2):
        if other.startswith(f"{one}/"):
            raise wrong(f"has a dataset {other!r} inside of another, {one!r}")
    return tuple(paths)


def _check_described(place: StorePath, described: Any) -> None:
    """Refuse metadata of labels whose labels cannot be found in it."""
    wrong = f'{show(place)}: the OME-Zarr metadata "image-label" '
    if not isinstance(described, dict):
        raise ValueError(f"{wrong}is no object: mend it")
    for key in ENTRIES:
        entries = described.get(key, [])
        if not isinstance(entries, list):
            raise ValueError(f'{wrong}has "{key}" that are no list: mend it')
        for entry in entries:
            label = entry.get("label-value") if isinstance(entry, dict) else None
            if isinstance(label, bool) or not isinstance(label, int | float) or label != label // 1:
                raise ValueError(
                    f'{wrong}has an entry in "{key}" whose "label-value" is {label!r}, no integer: mend it'
                )


def _relabelled(entries: list[dict[str, Any]], new_label: Callable[[int], int | None]) -> list[dict[str, Any]]:
    """Return the entries for new labels, one for each."""
    kept: dict[int, dict[str, Any]] = {}
    for entry in entries:
        old = int(entry["label-value"])
        new = new_label(old)
        if new is not None and (new not in kept or new == old):
            kept[new] = {**entry, "label-value": new}
    return list(kept.values())
