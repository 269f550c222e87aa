"""Time fastremap_dask against what one would use without it, on the real volume: seconds, peak memory, tasks.

    python tests/benchmarks/dask_arrays.py [--rounds 3] [--size 512] [--inverse-size 128] [--chunk 64] [--threads 2]

Every run has a process of its own, so that the peak of its resident memory is its own: what it grew by over the volume,
which lies in memory beforehand. The two sides of a case take turns. Each row gives the medians of both, and how many
times faster and smaller ours is. `da.unique` compares each voxel with each label for the inverse, so that has a size
of its own.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import dask
import dask.array as da
import numpy as np

import fastremap
import fastremap_dask

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import frame
from inputs import like_real, real_volume


def volume(size: int) -> np.ndarray:
    """A corner of the real segmentation, or a volume of its statistics."""
    labels = real_volume((slice(size),) * 3)
    return like_real((size,) * 3) if labels is None else labels


def unique_by_dask(labels: da.Array, **parts: bool) -> list[da.Array]:
    """`da.unique`; the inverse is reduced as it is made, as in ours."""
    made = da.unique(labels.ravel() if parts.get("return_inverse") else labels, **parts)
    return [each.max() for each in made] if parts else [made]


def unique_by_us(labels: da.Array, **parts: bool) -> list[da.Array]:
    """`fastremap_dask.unique`."""
    made = fastremap_dask.unique(labels, **parts)
    return [each.max() for each in made] if parts else [made]


def renumber_by_hand(labels: da.Array) -> list[da.Array]:
    """What one would write with the peer: all chunks' labels in one place, and a dict to all blocks."""
    peer = frame.load_peer(pathlib.Path(os.environ["FASTREMAP_PEER"]))
    found = dask.compute([dask.delayed(peer.unique)(block) for block in labels.to_delayed().flat])[0]
    distinct = np.unique(np.concatenate(found))
    ids = {label: rank for rank, label in enumerate(distinct[distinct != 0].tolist(), 1)} | {0: 0}
    dtype = np.min_scalar_type(len(ids))

    def relabel(block: np.ndarray, table: dict) -> np.ndarray:
        return peer.remap(block, table).astype(dtype)

    return [labels.map_blocks(relabel, ids, dtype=dtype, meta=np.empty((0,) * 3, dtype)).max()]


def renumber_by_us(labels: da.Array) -> list[da.Array]:
    """`fastremap_dask.renumber`, by label as by hand."""
    return [fastremap_dask.renumber(labels, order="sorted")[0].max()]


def relabel_by_look_up(ranks: da.Array) -> list[da.Array]:
    """What dask-image does to its labels: index an array by them."""
    return [ranks.map_blocks(look_up, table=NEW_LABELS, dtype=np.int64, meta=np.empty((0,) * 3, np.int64)).max()]


def relabel_by_us(ranks: da.Array) -> list[da.Array]:
    """`fastremap_dask.remap_from_array`."""
    return [fastremap_dask.remap_from_array(ranks, NEW_LABELS).max()]


def look_up(block: np.ndarray, *, table: np.ndarray) -> np.ndarray:
    """The new labels of a block."""
    return table[block]


def small(voxels: np.ndarray) -> np.ndarray:
    """Labels without gaps, as a look-up needs them."""
    return fastremap.renumber(voxels, dtype=np.int64)[0] % NEW_LABELS.size


NEW_LABELS = np.random.default_rng(0).permutation(20_000)


class Case(NamedTuple):
    """What is compared."""

    ours: Callable[[da.Array], list[da.Array]]
    theirs: Callable[[da.Array], list[da.Array]]
    against: str
    size: str = "size"  # the option that holds the length of an axis
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray


CASES = {
    "unique": Case(unique_by_us, unique_by_dask, "da.unique"),
    "unique + counts": Case(
        partial(unique_by_us, return_counts=True), partial(unique_by_dask, return_counts=True), "da.unique"
    ),
    "unique + inverse": Case(
        partial(unique_by_us, return_inverse=True),
        partial(unique_by_dask, return_inverse=True),
        "da.unique",
        size="inverse_size",
    ),
    "renumber": Case(renumber_by_us, renumber_by_hand, "by hand with the peer"),
    "relabel": Case(relabel_by_us, relabel_by_look_up, "look-up as in dask-image", prepare=small),
}


def resident_nbytes(line: str) -> int:
    """A line of /proc/self/status: VmRSS is what is resident now, VmHWM its peak."""
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in status if row.startswith(line))


def run_one(case: str, side: int, size: int, chunk: int, threads: int) -> dict[str, float]:
    """Build and compute one side of a case in this process."""
    compared = CASES[case]
    labels = da.from_array(compared.prepare(volume(size)), chunks=chunk)
    with dask.config.set(scheduler="threads", num_workers=threads):
        labels = labels.map_blocks(np.array, order="C", dtype=labels.dtype).persist()  # blocks as a store gives them
        before = resident_nbytes("VmRSS")
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        start = time.perf_counter()
        results = (compared.theirs if side else compared.ours)(labels)
        dask.compute(*results)
        elapsed = time.perf_counter() - start
        peak_nbytes = resident_nbytes("VmHWM") - before
    n_tasks = len(set().union(*(dict(each.__dask_graph__()) for each in dask.optimize(*results))))
    return {"seconds": elapsed, "peak_nbytes": peak_nbytes, "n_tasks": n_tasks}


def in_a_process(case: str, side: int, options: argparse.Namespace) -> dict[str, float]:
    """Run one side of a case in a process of its own."""
    size = getattr(options, CASES[case].size)
    arguments = ["--one", case, str(side), str(size), str(options.chunk), str(options.threads)]
    environment = os.environ | {"FASTREMAP_PEER": str(frame.peer_folder(options.packages))}
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout)


def main() -> None:
    """Print a table in Markdown."""
    if sys.argv[1:2] == ["--one"]:
        case, *numbers = sys.argv[2:]
        print(json.dumps(run_one(case, *map(int, numbers))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--inverse-size", type=int, default=128)
    parser.add_argument("--chunk", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="only cases that contain this text")
    parser.add_argument(
        "--packages", type=pathlib.Path, default=frame.default_folder(), help="where to install the peer"
    )
    options = parser.parse_args()
    print("| case | against | s | s there | times faster | MB | MB there | times less | tasks | tasks there |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for case, compared in CASES.items():
        if options.only in case:
            if compared.theirs is renumber_by_hand:
                frame.peer(options.packages)
            runs = [[in_a_process(case, side, options) for side in (0, 1)] for _ in range(options.rounds)]
            print(row(case, compared.against, runs), flush=True)


def row(case: str, against: str, runs: list[list[dict[str, float]]]) -> str:
    """Write the medians of a case."""
    ours, theirs = ({key: statistics.median(pair[side][key] for pair in runs) for key in runs[0][0]} for side in (0, 1))
    faster = statistics.median(there["seconds"] / here["seconds"] for here, there in runs)
    less = theirs["peak_nbytes"] / max(ours["peak_nbytes"], 1)
    return (
        f"| {case} | {against} | {ours['seconds']:.2f} | {theirs['seconds']:.2f} | {faster:.1f} "
        f"| {ours['peak_nbytes'] / 1e6:.0f} | {theirs['peak_nbytes'] / 1e6:.0f} | {less:.1f} "
        f"| {ours['n_tasks']:.0f} | {theirs['n_tasks']:.0f} |"
    )


if __name__ == "__main__":
    main()
