"""States of made-up volumes, and ways to run the tasks that number them."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
from zarr.storage import LocalStore, StorePath

import fastremap
from fastremap_dask.columns import Columns, pack
from fastremap_dask.numbering import Numbering, number
from fastremap_dask.objects import Folder
from fastremap_dask.states import LabelState


class Aborted(Exception):
    """What a run that is to end early ends with."""


class Performer:
    """Run tasks one after the other; count them by stage, and end early before the n-th."""

    def __init__(self, abort_before: int = -1):
        self.n, self.stages, self.abort_before = 0, {}, abort_before

    def __call__(self, stage, function, arguments, n, take=None):
        self.stages.setdefault(stage, 0)
        given = 0
        for argument in arguments:
            if self.n == self.abort_before:
                raise Aborted(stage)
            result = self.run(function, argument)
            self.n += 1
            self.stages[stage] += 1
            given += 1
            if take:
                take(result)
        assert given == n, f"{given} arguments of {stage}, and {n} were told"

    def run(self, function, argument):
        assert str(argument)
        function, argument = pickle.loads(pickle.dumps((function, argument)))
        return function(argument)


class Twice(Performer):
    """Run each task twice."""

    def run(self, function, argument):
        function(argument)
        return function(argument)


class Threads(Performer):
    """Run tasks on threads; results come in the opposite order."""

    def __call__(self, stage, function, arguments, n, take=None):
        self.stages[stage] = n
        with ThreadPoolExecutor(3) as pool:
            for result in reversed(list(pool.map(function, arguments))):
                take(result)


def fill_states(folder: Folder, volumes: list[np.ndarray], borders: list[int]) -> tuple[list[str], list[int]]:
    """Write the states of 1-d volumes whose indices follow each other, cut at some borders; return names and sizes."""
    names, sizes, offset = [], [], 0
    for volume in volumes:
        corners = [0, *sorted(border for border in borders if 0 < border < volume.size), volume.size]
        for start, stop in pairwise(corners):
            if start == stop:
                continue
            state = LabelState.from_block(
                volume[start:stop], (offset + start,), (offset + volume.size,), counts=True, first=True
            )
            names.append(f"{len(names):06d}")
            sizes.append(state.labels.size)
            columns = {"digest": np.zeros(2), "labels": state.labels, "first": state.first, "counts": state.counts}
            folder.put(f"states/{names[-1]}", pack(columns))
        offset += volume.size
    return names, sizes


def folder_at(path: Path) -> Folder:
    """Return a folder for a job, which holds nothing."""
    path.mkdir()
    return Folder(StorePath(LocalStore(path), "job"))


def table_at(folder: Folder) -> StorePath:
    """Return the place of the table beside the job's folder."""
    return StorePath(folder.place.store, "table.zarr")


def contents(path: Path) -> dict[str, bytes]:
    """Return all files under a path but the states and what a plan has left, by name."""
    found = {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    return {
        name: data for name, data in found.items() if not name.startswith(("job/states", "job/plans", "job/numbered"))
    }


def numbered(folder, volumes, borders, numbering, perform=None, budget_nbytes=10**6, **options):
    """Write states and number them; return the names of the states and what `number` returns."""
    names, sizes = fill_states(folder, volumes, borders)
    return names, number(
        perform or Performer(),
        folder,
        names,
        sizes,
        numbering,
        table_at(folder),
        budget_nbytes=budget_nbytes,
        **options,
    )


def ids_of_volume(folder: Folder, volumes, borders, names) -> np.ndarray:
    """Return the ids of all voxels, found as the second pass does: with the state and the ids of each block."""
    found, names = [], iter(names)
    for volume in volumes:
        corners = [0, *sorted(border for border in borders if 0 < border < volume.size), volume.size]
        for start, stop in pairwise(corners):
            if start == stop:
                continue
            name = next(names)
            labels = Columns.open(folder, f"states/{name}").read("labels")
            ids = Columns.open(folder, f"ids/{name}").read("ids")
            found.append(ids[np.searchsorted(labels, volume[start:stop])])
    return np.concatenate(found) if found else None


def rules(dtype, *, start=1, preserve_zero=True, order="first", out=None, known=None) -> Numbering:
    """Return the rules of a numbering."""
    return Numbering(start, preserve_zero, order, out and np.dtype(out), np.dtype(dtype), known)


def oracle(volumes, numbering):
    """Return what fastremap makes of the joined volumes: ids and table."""
    whole = np.concatenate([v.astype(numbering.label_dtype) for v in volumes] or [np.empty(0, numbering.label_dtype)])
    return fastremap.renumber(
        whole, numbering.start, numbering.preserve_zero, order=numbering.order, dtype=numbering.dtype, mapping="table"
    )
