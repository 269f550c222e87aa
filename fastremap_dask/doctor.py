"""The doctor: what there is on this machine that decides how fast jobs run."""

from __future__ import annotations

import platform
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from dask.system import CPU_COUNT

import fastremap
from fastremap.isa import instruction_set

from .objects import Folder
from .places import locate
from .report import human_nbytes, human_rows

NEEDED = ("numpy", "dask", "distributed", "zarr", "numcodecs", "click", "rich")
OPTIONAL = ("matplotlib", "pyarrow", "fsspec", "s3fs", "gcsfs", "obstore", "bokeh")
OBJECT_NBYTES, N_OBJECTS = 2_000_000, 32
N_SMALL = 100
KERNEL_EDGE = 256


@dataclass(frozen=True, slots=True)
class Findings:
    """
    Tell what was found.

    Parameters
    ----------
    versions : dict of str to str
        Of this package, Python and others; empty for one that is not installed.
    system : str
        The operating system and processor.
    instruction_set : str
        Which one the kernels use: scalar, avx2 or avx512.
    n_cores : int
        Cores that this process may use.
    memory_nbytes, free_nbytes : int
        Memory that this process may use, and what of the machine's is free now.
    renumbered_per_s : float
        Voxels that one thread renumbers in a second, of uint64 in memory.
    store : dict of str to float
        For a folder: bytes per second written and read, written to the disk itself, and small objects per second.
    place : str
        The folder.
    """

    versions: dict[str, str]
    system: str
    instruction_set: str
    n_cores: int
    memory_nbytes: int
    free_nbytes: int
    renumbered_per_s: float
    store: dict[str, float]
    place: str

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        installed = [f"{name} {version}" for name, version in self.versions.items() if version]
        absent = [name for name, version in self.versions.items() if not version]
        rows = {
            "versions": ", ".join(installed),
            "absent": (", ".join(absent) or "nothing") + " (optional)",
            "system": self.system,
            "kernels": f"{self.instruction_set}, {self.renumbered_per_s / 1e6:,.0f} million voxels/s renumbered by "
            "one thread in memory",
            "cores": f"{self.n_cores}",
            "memory": f"{human_nbytes(self.memory_nbytes)}, of which {human_nbytes(self.free_nbytes)} are free now",
        }
        if self.store:
            speed = {name: f"{human_nbytes(value)}/s" for name, value in self.store.items() if name != "small_per_s"}
            rows["store"] = (
                f"{self.place}: {speed['written_nbytes_per_s']} written, {speed['durable_nbytes_per_s']} with "
                f"--durable, {speed['read_nbytes_per_s']} read (what was just written: caches help), "
                f"{self.store['small_per_s']:,.0f} small objects/s"
            )
        return human_rows(rows.items())


def examine(path: str | None, threads: int, storage_options: Mapping[str, Any] | None = None) -> Findings:
    """
    Look at this machine.

    Parameters
    ----------
    path : str or None
        A folder, on this machine or at a URL, whose speed to measure: 128 MB are written there and removed again.
    threads : int
        Threads that access it.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    Findings
        What was found.
    """
    from distributed.system import MEMORY_LIMIT

    names = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    return Findings(
        versions={"fastremap": fastremap.__version__, "python": platform.python_version(), **names},
        system=f"{platform.system()} {platform.release()}, {_processor()}",
        instruction_set=instruction_set(),
        n_cores=CPU_COUNT,
        memory_nbytes=MEMORY_LIMIT,
        free_nbytes=psutil.virtual_memory().available,
        renumbered_per_s=_kernel_speed(),
        store={} if path is None else store_speed(path, threads, storage_options),
        place=path or "",
    )


def store_speed(path: str, threads: int, storage_options: Mapping[str, Any] | None = None) -> dict[str, float]:
    """
    Measure how fast a folder is.

    Parameters
    ----------
    path : str
        The folder.
    threads : int
        Threads that access it.
    storage_options : mapping, optional
        For the file system of a URL.

    Returns
    -------
    dict of str to float
        As in `Findings`.

    Raises
    ------
    OSError
        If it is no folder, or nothing can be written there.
    """
    if "://" not in path and not Path(path).is_dir():
        raise NotADirectoryError(f"{path} is no folder: name one on the file system that is to be measured")
    place = locate(path, read_only=False, storage_options=storage_options) / f"fastremap-doctor-{uuid.uuid4().hex}"
    folder, durable = Folder(place), Folder(place, durable=True)
    data, small = np.random.default_rng(0).bytes(OBJECT_NBYTES), b"small"
    with ThreadPoolExecutor(threads) as pool:

        def timed(function: Callable[[int], Any], n: int) -> float:
            begin = time.perf_counter()
            list(pool.map(function, range(n)))
            return n / (time.perf_counter() - begin)

        try:
            return {
                "written_nbytes_per_s": OBJECT_NBYTES * timed(lambda n: folder.put(f"a{n}", data), N_OBJECTS),
                "read_nbytes_per_s": OBJECT_NBYTES * timed(lambda n: folder.get(f"a{n}"), N_OBJECTS),
                "durable_nbytes_per_s": OBJECT_NBYTES * timed(lambda n: durable.put(f"b{n}", data), N_OBJECTS),
                "small_per_s": timed(lambda n: folder.put(f"c{n}", small), N_SMALL),
            }
        finally:
            folder.clear()


def _kernel_speed() -> float:
    """Measure how many voxels one thread renumbers in a second: the best of three, of cubes of 8 voxels a side."""
    at = np.arange(KERNEL_EDGE, dtype=np.uint64) // np.uint64(8)
    labels = (at[:, None, None] << np.uint64(40)) + (at[:, None] << np.uint64(20)) + at
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        fastremap.renumber(labels, mapping="table")
        times.append(time.perf_counter() - begin)
    return labels.size / min(times)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """Name the processor, as Linux does where there is one."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
