"""OME-Zarr groups in a store: their documents, lists of label images, and what else lies in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from zarr.storage import StorePath

from .objects import Folder, list_under
from .ome import LabelImage, metadata
from .places import above, last_name, show
from .stored import DOCUMENTS, foreign_names
from .volumes import open_source

# The folder of an image's label images, as the specification calls it.
LABELS = "labels"
GROUP_DOCUMENTS = {2: ".zgroup", 3: "zarr.json"}


def check_target(image: LabelImage) -> None:
    """
    Refuse a target in a hierarchy of another Zarr format, where no tool would find it.

    Parameters
    ----------
    image : LabelImage
        The source, and its target.

    Raises
    ------
    ValueError
        If the list of label images that the target would join is of another format, or is none. Nothing is written.
    """
    listing, _ = _listing_of(image)
    if listing is None:
        return
    if (there := _format_of(listing)) not in (None, image.zarr_format):
        raise ValueError(
            f"{show(image.target)} would be of Zarr format {image.zarr_format}, as its source is, in {show(listing)} "
            f"of format {there}: choose a target outside of it"
        )
    listed = metadata(_attributes(Folder(listing), image.zarr_format)).get(LABELS, [])
    if not isinstance(listed, list):
        raise ValueError(f'{show(listing)}: the OME-Zarr metadata "labels" is no list: mend it')


def publish_group(image: LabelImage, attributes: dict[str, Any], *, durable: bool = False) -> None:
    """
    Write the documents of a target, by which it comes into existence, and then its name into the list that it joins.

    Parameters
    ----------
    image : LabelImage
        The source, and its target, whose arrays are whole and can be opened.
    attributes : dict
        Of the target.
    durable : bool
        On this machine, return only when the disk has them.

    Notes
    -----
    Stores cannot change a list in one step: of two jobs that end in the same moment in one folder, the one that writes
    last may take the other's name out of the list.
    """
    between = {path[:at] for path in image.paths for at, sign in enumerate(path) if sign == "/"}
    for inside in sorted(between, reverse=True):
        _put_group(Folder(image.target / inside, durable), image.zarr_format, {})
    _put_group(Folder(image.target, durable), image.zarr_format, attributes)
    _change_list(image, lambda names, name: names if name in names else [*names, name], durable)


def withdraw(image: LabelImage) -> None:
    """
    Take the name of a target out of the list that it is in, before the target itself is removed.

    Parameters
    ----------
    image : LabelImage
        The source, and its target.
    """
    _change_list(image, lambda names, name: [other for other in names if other != name], False)


def foreign_in_group(image: LabelImage) -> Iterator[str]:
    """
    List what lies in a group and is no part of its label image.

    Parameters
    ----------
    image : LabelImage
        The image.

    Yields
    ------
    str
        Names within the group; neither documents nor stored units of its arrays.
    """
    for name in list_under(image.place):
        if not any(name.startswith(f"{path}/") for path in image.paths):
            folder, _, last = name.rpartition("/")
            if last not in DOCUMENTS or (folder and not any(path.startswith(f"{folder}/") for path in image.paths)):
                yield name
    for path in image.paths:
        try:
            stored = open_source(image.place / path)
        except (FileNotFoundError, TypeError):  # whatever lies there is no array of labels
            yield path
        else:
            yield from (f"{path}/{name}" for name in foreign_names(stored))


def consolidated_above(place: StorePath) -> Iterator[str]:
    """
    List the groups above a place whose consolidated metadata tools would read instead of what lies there.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Yields
    ------
    str
        Groups, as users know them.
    """
    group = above(place)
    with suppress(OSError, ValueError):  # what cannot be looked at is nobody's concern here
        while group is not None and (zarr_format := _format_of(group)) is not None:
            folder = Folder(group)
            if folder.has(".zmetadata") or _document(folder, GROUP_DOCUMENTS[zarr_format]).get("consolidated_metadata"):
                yield show(group)
            group = above(group)


def _listing_of(image: LabelImage) -> tuple[StorePath | None, str]:
    """Return the folder of label images in which a target lies, and the target's name there."""
    name, folder = last_name(image.target), above(image.target)
    while folder is not None and last_name(folder):
        if last_name(folder) == LABELS and (_format_of(folder) is not None or _is_image(above(folder))):
            return folder, name
        name, folder = f"{last_name(folder)}/{name}", above(folder)
    return None, ""


def _is_image(place: StorePath | None) -> bool:
    """Tell whether an OME-Zarr image lies at a place."""
    zarr_format = None if place is None else _format_of(place)
    if zarr_format is None:
        return False
    return "multiscales" in metadata(_attributes(Folder(place), zarr_format))


def _format_of(place: StorePath) -> int | None:
    """Return the Zarr format of a group; None where no group lies."""
    folder = Folder(place)
    if folder.has(".zgroup"):
        return 2
    return 3 if folder.has("zarr.json") and _document(folder, "zarr.json").get("node_type") == "group" else None


def _document(folder: Folder, name: str) -> dict[str, Any]:
    """Read a document; empty where it is not there."""
    if not folder.has(name):
        return {}
    try:
        found = json.loads(folder.get(name))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{show(folder.place / name)} is no JSON object: mend it")
    return found


def _attributes(folder: Folder, zarr_format: int) -> dict[str, Any]:
    if zarr_format == 2:
        return _document(folder, ".zattrs")
    return _document(folder, "zarr.json").get("attributes", {})


def _put_group(folder: Folder, zarr_format: int, attributes: dict[str, Any]) -> None:
    """Write the documents of a group, last that which makes it one; what else they hold remains."""
    if zarr_format == 2:
        folder.put(".zattrs", json.dumps(attributes, indent=2).encode())
        head = {"zarr_format": 2}
    else:
        head = {"zarr_format": 3, "node_type": "group", **_document(folder, "zarr.json"), "attributes": attributes}
    folder.put(GROUP_DOCUMENTS[zarr_format], json.dumps(head, indent=2).encode())


def _change_list(image: LabelImage, change: Callable[[list[str], str], list[str]], durable: bool) -> None:
    """Change the list of label images in which a target belongs, if there is one."""
    listing, name = _listing_of(image)
    if listing is None:
        return
    folder = Folder(listing, durable)
    attributes = _attributes(folder, image.zarr_format)
    if not attributes and "ome" in image.attributes:  # a new list speaks the version of what it lists
        attributes["ome"] = {"version": image.attributes["ome"].get("version")}
    listed = metadata(attributes)
    names = change(listed.get(LABELS, []), name)
    if names != listed.get(LABELS, []):
        listed[LABELS] = names
        _put_group(folder, image.zarr_format, attributes)
