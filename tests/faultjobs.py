"""All jobs, in small, for the tests of what goes wrong; and a process that runs one: ``python -m faultjobs JSON``."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from stores import files, labels_of, stored
from zarr.storage import StorePath

import fastremap_dask
from fastremap_dask import LabelTable

LAYOUTS = {
    "shards": {"chunks": (4, 4), "shards": (8, 8)},
    "chunks": {"chunks": (8, 8)},
    "format 2": {"chunks": (8, 8), "zarr_format": 2},
}
SHAPE = (48, 36)


def some_labels() -> np.ndarray:
    """Return labels of the volume that `source_at` makes, every third one."""
    return np.unique(labels_of(SHAPE))[::3]


def renumber(source, target, **options):
    return fastremap_dask.renumber_zarr(source, target, counts=True, **options)


def renumber_sorted(source, target, **options):
    return fastremap_dask.renumber_zarr(source, target, order="sorted", start=5, **options)


def remap(source, target, **options):
    keys = some_labels()
    table = LabelTable.from_arrays(keys, np.arange(keys.size, dtype=np.uint64))
    return fastremap_dask.remap_zarr(source, target, table, missing="keep", **options)


def mask(source, target, **options):
    return fastremap_dask.mask_zarr(source, target, some_labels(), **options)


def transpose(source, target, **options):
    return fastremap_dask.transpose_zarr(source, target, **options)


def unique(source, target, **options):
    return fastremap_dask.unique_zarr(source, target, **options)


def component_map(source, target, **options):
    parents = StorePath(source.store, "p.zarr") if isinstance(source, StorePath) else Path(source).parent / "p.zarr"
    return fastremap_dask.component_map_zarr(source, parents, target, **options)


JOBS: dict[str, Callable[..., Any]] = {
    job.__name__: job for job in (renumber, renumber_sorted, remap, mask, transpose, unique, component_map)
}


def source_at(folder: Path, layout: str = "shards", shape: tuple[int, ...] = SHAPE, **given: Any) -> Path:
    """Store a volume under a folder, and beside it one of parents."""
    layout = given or LAYOUTS[layout]
    stored(folder / "p.zarr", labels_of(shape, 7, seed=1), **layout)
    return stored(folder / "a.zarr", labels_of(shape), **layout)


def products(folder: Path) -> dict[str, bytes]:
    """Return all that a job has left in a folder of its own, but its report, which holds times."""
    # zarr makes the root of a wrapped store a group when it makes one inside
    return {name: data for name, data in files(folder).items() if name not in ("b.report.json", "zarr.json")}


def undisturbed(job: Callable[..., Any], source: Any, folder: Path, **options: Any) -> dict[str, bytes]:
    """Return what a job leaves that nothing happens to."""
    job(source, folder / "b.zarr", threads=2, **options)
    return products(folder)


def opens(target: Path) -> bool:
    """Tell whether any tool would take what lies at a place for a finished array or table."""
    try:
        node = zarr.open(target, mode="r")
    except FileNotFoundError:
        return False
    return isinstance(node, zarr.Array) or "format" in node.attrs


def run_process(job: str, source: Path, target: Path, **options: Any) -> subprocess.Popen:
    """Run a job in a process of its own, which tells of each step in a line."""
    given = json.dumps({"job": job, "source": str(source), "target": str(target), "options": options})
    path = os.pathsep.join(part for part in (str(Path(__file__).parent), os.environ.get("PYTHONPATH")) if part)
    return subprocess.Popen(
        [sys.executable, "-m", "faultjobs", given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


def main() -> None:
    """Run a job, and tell of each step in a line."""
    given = json.loads(sys.argv[1])
    options = given["options"]
    if address := options.pop("scheduler", None):
        from distributed import Client

        options["client"] = Client(address)

    def tell(stage: str, n_done: int, n: int) -> None:
        print(f"{stage}: {n_done}", flush=True)
        time.sleep(0.01)  # or small jobs are done before whoever reads this can do anything

    try:
        JOBS[given["job"]](given["source"], given["target"], progress=tell, **options)
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
