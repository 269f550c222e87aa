"""Time fastremap against the package whose place it takes, on the real volume, interleaved, in one process.

    python tests/benchmarks/versus_peer.py [--pairs 7] [--peer FOLDER] [--only TEXT]

The peer is installed from the package index into a folder of its own and loaded under another name. Each row gives
the median time of both, the median of the ratios of neighbouring runs (above 1: we are faster), their spread (first
and third quartile), and our time as a multiple of `arr.copy(order="K")`, measured in the same rounds.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import zarr

import fastremap

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peer import REQUIREMENT, load_peer  # noqa: E402

SPREAD = np.uint64(0x9E3779B97F4A7C15)


def real_volume() -> np.ndarray:
    """The real segmentation, from FASTREMAP_REAL_VOLUME or the folder beside the project."""
    path = os.environ.get("FASTREMAP_REAL_VOLUME", ROOT.parent / "shared" / "data" / "pinky40.zarr")
    return zarr.open_array(str(path), mode="r")[...]


def install_peer(folder: pathlib.Path) -> None:
    """Install the peer into a folder of its own unless it is there."""
    if not (folder / "fastremap").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, REQUIREMENT]
        subprocess.run(command, check=True)


def arrays() -> Iterator[tuple[str, np.ndarray]]:
    """The real volume in both memory orders, as uint32 and with ids spread over 63 bits."""
    labels = real_volume()
    for order in "CF":
        ordered = np.array(labels, order=order)
        yield f"uint32 {order}", ordered
        yield f"uint64 over 63 bits {order}", (ordered * SPREAD) & np.uint64(2**63 - 1)


def cases(arr: np.ndarray) -> dict[str, tuple[Callable, bool]]:
    """Case name -> call(module, array), and whether it changes the array."""
    table = {label: rank for rank, label in enumerate(np.unique(arr).tolist())}
    return {
        "unique": (lambda module, a: module.unique(a), False),
        "unique + counts": (lambda module, a: module.unique(a, return_counts=True), False),
        "unique + index": (lambda module, a: module.unique(a, return_index=True), False),
        "unique + inverse": (lambda module, a: module.unique(a, return_inverse=True), False),
        "renumber": (lambda module, a: module.renumber(a), False),
        "renumber in place": (lambda module, a: module.renumber(a, in_place=True), True),
        "remap by dict": (lambda module, a: module.remap(a, table), False),
        "remap by dict in place": (lambda module, a: module.remap(a, table, in_place=True), True),
        "minmax": (lambda module, a: module.minmax(a), False),
        "foreground": (lambda module, a: module.foreground(a), False),
    }


def seconds(call: Callable, module, arr: np.ndarray) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    result = call(module, arr)
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def compare(call: Callable, changes: bool, peer, arr: np.ndarray, n_pairs: int) -> np.ndarray:
    """(n_pairs, 3) seconds of ours, of the peer and of a copy, interleaved."""
    times = np.empty((n_pairs, 3))
    work = arr.copy(order="K") if changes else arr
    for pair in range(n_pairs + 1):  # the first one warms up
        for column, module in enumerate((fastremap, peer)):
            if changes:
                np.copyto(work, arr)
            times[pair - 1, column] = seconds(call, module, work)
        times[pair - 1, 2] = seconds(lambda _, a: a.copy(order="K"), None, arr)
    return times


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--peer", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "fastremap-peer")
    parser.add_argument("--only", default="", help="only rows that contain this text")
    options = parser.parse_args()
    install_peer(options.peer)
    peer = load_peer(options.peer)
    print("| case | ours ms | peer ms | faster (spread) | x copy |\n|---|---|---|---|---|")
    for name, arr in arrays():
        for case, (call, changes) in cases(arr).items():
            if options.only not in f"{name}: {case}":
                continue
            times = compare(call, changes, peer, arr, options.pairs)
            low, ratio, high = np.quantile(times[:, 1] / times[:, 0], (0.25, 0.5, 0.75))
            ours, theirs, copy = np.median(times, axis=0)
            print(
                f"| {name}: {case} | {ours * 1e3:.0f} | {theirs * 1e3:.0f} | {ratio:.2f} ({low:.2f}-{high:.2f}) "
                f"| {ours / copy:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
