"""Zarr jobs against the floor (one pass that reads, one that copies) and against what one would write by hand.

python tests/benchmarks/jobs.py --rounds 5
python tests/benchmarks/jobs.py --scaling --rounds 3

Each run is a process of its own, the sides of a case in turn. The table gives the median seconds and the ratios of each
round; memory is the most that the process, or any worker of it, had resident.
"""

import argparse
import importlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import zarr

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import frame
from inputs import like_real, real_volume

CHUNK = 128
OUT = np.dtype(np.uint16)


def make_real(path: pathlib.Path, edge: int) -> None:
    """Write the real segmentation, tiled: each tile has ids of its own, spread over 63 bits."""
    tile = real_volume((slice(512),) * 3)
    tile = (like_real((512,) * 3) if tile is None else tile).astype(np.uint64)
    spread = np.uint64(0x9E3779B97F4A7C15)
    array = new_array(path, edge)
    for number, corner in enumerate(product(range(0, edge, 512), repeat=3)):
        ids = np.where(tile == 0, tile, (tile + np.uint64(number << 32)) * spread & np.uint64(2**63 - 1))
        part = tuple(slice(at, min(at + 512, edge)) for at in corner)
        array[part] = ids[tuple(slice(at.stop - at.start) for at in part)]


def make_random(path: pathlib.Path, edge: int) -> None:
    """Write random ids of 60,000 labels over 63 bits."""
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 2**63, 60_000, dtype=np.uint64)
    array = new_array(path, edge)
    for at in range(0, edge, CHUNK):
        shape = (min(CHUNK, edge - at), edge, edge)
        array[at : at + CHUNK] = labels[rng.integers(0, len(labels), shape, dtype=np.uint32)]


def new_array(path: pathlib.Path, edge: int) -> zarr.Array:
    """Make an array of uint64 in chunks of 128 voxels a side."""
    return zarr.create_array(path, shape=(edge,) * 3, dtype=np.uint64, chunks=(CHUNK,) * 3)


def boxes(array: zarr.Array) -> list[tuple[slice, ...]]:
    """Return the chunks of an array."""
    ranges = [range(0, extent, length) for extent, length in zip(array.shape, array.chunks, strict=True)]
    return [tuple(slice(at, at + CHUNK) for at in corner) for corner in product(*ranges)]


def floor(source: str, target: str, options: argparse.Namespace) -> None:
    """Read every chunk, then read and write every chunk in the dtype of the ids: what any two passes cost."""
    read = zarr.open_array(source, mode="r")
    written = zarr.create_array(target, shape=read.shape, dtype=OUT, chunks=read.chunks)

    def copy(box: tuple[slice, ...]) -> None:
        written[box] = read[box].astype(OUT)

    with ThreadPoolExecutor(options.threads) as pool:
        list(pool.map(lambda box: read[box].shape, boxes(read)))
        list(pool.map(copy, boxes(read)))


def ours(source: str, target: str, options: argparse.Namespace) -> None:
    """Renumber by the job."""
    fastremap_dask = importlib.import_module("fastremap_dask")
    resources = {"workers": options.workers} if options.workers else {"threads": options.threads}
    report = fastremap_dask.renumber_zarr(source, target, **resources)
    print(report, file=sys.stderr)


def by_hand(source: str, target: str, options: argparse.Namespace) -> None:
    """Renumber by what one would write with Dask and the peer: all labels in one place, and a dict to all blocks."""
    dask, da = importlib.import_module("dask"), importlib.import_module("dask.array")
    peer = frame.load_peer(pathlib.Path(os.environ["FASTREMAP_PEER"]))
    with dask.config.set(scheduler="threads", num_workers=options.threads):
        labels = da.from_zarr(source)
        found = dask.compute([dask.delayed(peer.unique)(block) for block in labels.to_delayed().flat])[0]
        distinct = np.unique(np.concatenate(found))
        ids = {label: rank for rank, label in enumerate(distinct[distinct != 0].tolist(), 1)} | {0: 0}
        relabel = da.map_blocks(
            lambda block: peer.remap(block, ids).astype(OUT), labels, dtype=OUT, meta=np.empty(0, OUT)
        )
        da.store(relabel, zarr.create_array(target, shape=labels.shape, dtype=OUT, chunks=(CHUNK,) * 3), lock=False)


CASES: dict[str, Callable[[pathlib.Path, int], None]] = {"segmentation": make_real, "random, 6e4 labels": make_random}
SIDES = {"ours": ours, "floor": floor, "by hand": by_hand}
IMPORTS = {"ours": "fastremap_dask", "floor": "zarr", "by hand": "dask.array"}  # imported before the clock starts


def one(side: str, source: str, target: str, options: argparse.Namespace) -> None:
    """Run a side in this process, and print what it took."""
    importlib.import_module(IMPORTS[side])
    begin = time.perf_counter()
    SIDES[side](source, target, options)
    seconds = time.perf_counter() - begin
    status = pathlib.Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"s": seconds, "mb": peak / 1e6}))


def in_a_process(side: str, source: pathlib.Path, folder: pathlib.Path, options: argparse.Namespace) -> dict:
    """Run a side in a process of its own, on an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [sys.executable, __file__, "--one", side, str(source), str(folder / "ids.zarr")]
    command += ["--threads", str(options.threads), "--workers", str(options.workers)]
    environment = os.environ | {"FASTREMAP_PEER": str(frame.peer_folder(options.packages))}
    quiet = None if options.verbose else subprocess.DEVNULL
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=quiet, check=True, env=environment, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(case: str, runs: dict[str, list[dict]]) -> str:
    """Write a row of the table."""
    median = {side: statistics.median(run["s"] for run in each) for side, each in runs.items()}

    def ratio(side: str) -> str:
        ratios = [a["s"] / b["s"] for a, b in zip(runs[side], runs["ours"], strict=True)]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"

    over_floor = [a["s"] / b["s"] for a, b in zip(runs["ours"], runs["floor"], strict=True)]
    cells = [
        case,
        *(f"{median[side]:.2f}" for side in SIDES),
        f"{statistics.median(over_floor):.2f} ({min(over_floor):.2f}-{max(over_floor):.2f})",
        ratio("by hand"),
        *(f"{max(run['mb'] for run in runs[side]):.0f}" for side in SIDES),
    ]
    return f"| {' | '.join(cells)} |"


def stages_of(source: pathlib.Path, target: pathlib.Path, workers: int, tiny: bool) -> dict[str, float]:
    """Return the seconds of each stage of a job on worker processes of one thread, and the tasks of one stage."""
    command = [sys.executable, "-c", STAGES, str(source), str(target), str(workers), str(int(tiny))]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


STAGES = """
import json, sys
from fastremap_dask import plan, renumber_zarr
if __name__ == "__main__":
    source, target, workers, tiny = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1"
    if tiny:
        plan.BLOCK_NBYTES = 1
    report = renumber_zarr(source, target, workers=workers, threads=1)
    print(json.dumps({stage.name: stage.seconds for stage in report.stages} | {"n": report.stages[0].n_blocks}))
"""


def scaling(options: argparse.Namespace, folder: pathlib.Path) -> None:
    """Print what two workers gain over one, and what a task costs where it has next to nothing to do."""
    for case, make in CASES.items():
        make(folder / case, options.edge)
    tiny = zarr.create_array(folder / "tiny.zarr", shape=(512,), dtype=np.uint64, chunks=(1,))
    tiny[:] = np.arange(1, 513)
    print("| volume | stage | tasks | 1 worker s | 2 workers s | ratio |")
    print("|---|---|---|---|---|---|")
    for name in (*CASES, "tiny.zarr"):
        runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for workers, each in runs.items():
                target = folder / "out"
                shutil.rmtree(target, ignore_errors=True)
                each.append(stages_of(folder / name, target / "ids.zarr", workers, name == "tiny.zarr"))
        for stage in ("find labels", "write ids"):
            one, two = (statistics.median(run[stage] for run in runs[workers]) for workers in (1, 2))
            print(f"| {name} | {stage} | {runs[1][0]['n']} | {one:.2f} | {two:.2f} | {one / two:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--edge", type=int, default=816, help="voxels along each axis; 816 are 4.3 GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="worker processes for ours, instead of threads")
    parser.add_argument("--only", default="", help="only cases that contain this text")
    parser.add_argument("--folder", type=pathlib.Path, help="where the volumes go; default: a temporary folder")
    parser.add_argument(
        "--packages", type=pathlib.Path, default=frame.default_folder(), help="where to install the peer"
    )
    parser.add_argument("--scaling", action="store_true", help="one worker process against two instead")
    parser.add_argument("--verbose", action="store_true", help="show what the jobs report")
    options = parser.parse_args()
    if options.one:
        one(*options.one, options)
        return
    frame.peer(options.packages)
    with tempfile.TemporaryDirectory(prefix="fastremap-jobs-", dir=options.folder) as name:
        folder = pathlib.Path(name)
        if options.scaling:
            scaling(options, folder)
            return
        print(
            "| case | ours s | floor s | by hand s | ours / floor | by hand / ours | ours MB | floor MB | by hand MB |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for case, make in CASES.items():
            if options.only in case:
                source = folder / "labels.zarr"
                make(source, options.edge)
                runs = {side: [] for side in SIDES}
                for _ in range(options.rounds):
                    for side in SIDES:
                        runs[side].append(in_a_process(side, source, folder / "out", options))
                print(row(case, runs), flush=True)
                shutil.rmtree(source)


if __name__ == "__main__":
    main()
