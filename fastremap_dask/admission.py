"""Admission: whether a job may begin where it is to write, go on there, or is done already."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import zarr
from zarr.errors import NodeNotFoundError
from zarr.storage import StorePath

from .frames import REPORT_SUFFIX, Frame
from .journal import Journal, differences
from .objects import Folder
from .ome import label_image
from .omegroups import foreign_in_group
from .places import as_root, beside, is_free, show
from .report import Report
from .stored import Stored, foreign_names
from .tables import FORMAT


def admit(frame: Frame, journal: Journal, settings: dict[str, Any]) -> Report | None:
    """
    Decide whether a job may begin, or go on.

    Parameters
    ----------
    frame : Frame
        The job.
    journal : Journal
        What it keeps, if an earlier run has left any.
    settings : dict
        All that decides what it writes; it is noted there that the job overwrites.

    Returns
    -------
    Report or None
        That of the job, if it is done already.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        If it may not. Nothing is written.
    """
    options, found, name = frame.options, journal.found(), show(frame.place)
    if found is not None:
        if options.resume:
            overwrites = found.pop("overwrites", False)
            if different := differences(found, settings):
                raise ValueError(f"the unfinished job on {name} cannot be resumed with other settings: {different}")
            if overwrites:
                settings["overwrites"] = True
            return None
        if not options.overwrite:
            raise FileExistsError(f"{name} is unfinished: resume goes on with the job, overwrite begins it anew")
        settings["overwrites"] = True
        _check_replaceable(frame, unfinished=True)
        return None
    finished = None
    if options.resume:
        finished = _finished(frame, settings)
    elif options.overwrite:
        settings["overwrites"] = True
        _check_replaceable(frame)
    else:
        for product in frame.products:
            if not is_free(product):
                raise FileExistsError(
                    f"{show(product)} exists and is left as it is: remove it, choose another name, or overwrite it"
                )
    return finished


def _finished(frame: Frame, settings: dict[str, Any]) -> Report | None:
    """Return the report of a job that is done; None if none was begun."""
    name = show(frame.place)
    if all(is_free(product) for product in frame.products):
        raise FileNotFoundError(f"there is no job on {name} to resume")
    try:
        kept = json.loads(report_folder(frame).get(""))
    except (FileNotFoundError, ValueError):
        raise FileExistsError(
            f"{name} exists, and no unfinished job lies beside it: there is nothing to resume"
        ) from None
    kept["settings"].pop("overwrites", None)
    if different := differences(kept["settings"], settings):
        raise ValueError(f"the job on {name} is done, with other settings: {different}")
    report = Report.from_dict(kept["report"])
    return replace(report, notes=(*report.notes, "the job was done already: nothing was done now"))


def report_folder(frame: Frame) -> Folder:
    """
    Return where a job's report lies, as the one object of a folder.

    Parameters
    ----------
    frame : Frame
        The job.

    Returns
    -------
    Folder
        Its object of no name is the report.
    """
    return Folder(beside(frame.place, REPORT_SUFFIX), frame.options.durable)


def put_report(frame: Frame, settings: dict[str, Any], report: Report) -> None:
    """
    Write a job's report beside its target.

    Parameters
    ----------
    frame : Frame
        The job.
    settings : dict
        All that has decided what it wrote.
    report : Report
        What it did.
    """
    data = {"format": "fastremap-report", "version": 1, "settings": settings, "report": report.to_dict()}
    report_folder(frame).put("", json.dumps(data, indent=1).encode())


def is_table(place: StorePath) -> bool:
    """
    Tell whether a label table lies at a place.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The place.

    Returns
    -------
    bool
        Finished or not.
    """
    try:
        return zarr.open_group(as_root(place), mode="r").attrs.get("format") == FORMAT
    except (FileNotFoundError, FileExistsError, NodeNotFoundError, ValueError, KeyError):  # the second for a file
        return False


def _check_replaceable(frame: Frame, *, unfinished: bool = False) -> None:
    """Refuse to overwrite what is nothing that a job like this writes; of an unfinished job also its bare chunks."""
    groups = {show(image.target) for image in frame.images if image.target}
    for place in frame.products:
        if is_free(place) or is_table(place):
            continue
        name = show(place)
        try:
            node = zarr.open(place, mode="r")
        except (NodeNotFoundError, FileExistsError, ValueError, KeyError) as error:  # the second for a file
            if unfinished:
                continue
            raise FileExistsError(f"{name} holds something that is no Zarr array, and is not overwritten") from error
        other = "label table" if place is frame.table else "OME-Zarr group" if name in groups else ""
        if other and isinstance(node, zarr.Array):
            raise FileExistsError(f"{name} is a Zarr array, and no {other}: it is not overwritten by one")
        foreign = _foreign(place, node, name in groups)
        if foreign is not None:
            raise FileExistsError(f"{name} holds {foreign}, which is no part of its array: it is not overwritten")


def _foreign(place: StorePath, node: zarr.Array | zarr.Group, may_be_group: bool) -> str | None:
    """Return the name of something under a place that is no part of the array or label image there."""
    if isinstance(node, zarr.Array):
        names = foreign_names(Stored(place, node.metadata.to_dict()))
    elif not may_be_group:
        raise FileExistsError(f"{show(place)} is a Zarr group, and only arrays are overwritten")
    else:
        try:
            names = foreign_in_group(label_image(place, node))
        except (TypeError, ValueError) as error:
            raise FileExistsError(f"{error}; it is not overwritten") from error
    return next((name for name in names if not name.endswith(".partial")), None)
