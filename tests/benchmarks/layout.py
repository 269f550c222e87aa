"""Time the change of memory order in place against numpy's copy, a plain copy and the package whose place this takes.

    python tests/benchmarks/layout.py [--pairs 5] [--peer FOLDER] [--only TEXT] [--largest GB] [--cpu]

Each row lays a C-ordered array out in Fortran order. The calls are interleaved in one process. A row gives the median
time of ours in place; our time as a multiple of `arr.copy(order="K")`; how many times faster we are than the peer in
place and than numpy out of place; and, with our out-of-place path on a read-only array, the last two multiples again.
"""

import argparse
import pathlib
import tempfile
import time
from collections.abc import Callable

import numpy as np
from versus_peer import load_peer

import fastremap

ROWS: list[tuple[tuple[int, ...], str]] = [
    ((8192, 8192), "u4"), ((512, 512, 512), "u1"), ((512, 512, 512), "u2"), ((512, 512, 512), "u4"),
    ((512, 512, 512), "u8"), ((300, 70, 300), "u8"), ((8192, 6000), "u4"), ((12000, 4096), "u8"),
    ((512, 512, 256), "u4"), ((500, 400, 300), "u8"), ((512, 500, 64), "u1"), ((128, 128, 128, 32), "u2"),
    ((3, 2048, 2048), "u1"), ((100003, 64), "u8"), ((10007, 4001), "u8"), ((10007, 4001), "u4"), ((10007, 4001), "u2"),
    ((10007, 4001), "u1"), ((211, 397, 401), "u2"), ((4097, 4096), "u8"), ((640, 480, 200, 3), "u1"),
    ((10007, 9973), "u4"), ((211, 199, 197), "u4"), ((4096, 4096), "u2"), ((4096, 4097), "u2"),
    ((4, 64, 512, 512), "u2"), ((512, 512, 64, 4), "u2"), ((200, 300, 400, 3), "u4"), ((3, 200, 300, 400), "u4"),
    ((1000, 1000), "u1"), ((700, 500), "u4"), ((23170, 23171), "u4"),
]  # fmt: skip


def numpy_order(arr: np.ndarray) -> np.ndarray:
    return np.asfortranarray(arr)


def copy(arr: np.ndarray) -> np.ndarray:
    return arr.copy(order="K")


def compare(calls: list[tuple[Callable, np.ndarray]], n_pairs: int, clock: Callable[[], float]) -> np.ndarray:
    """(n_pairs, calls) seconds, interleaved."""
    times = np.empty((n_pairs, len(calls)))
    for pair in range(n_pairs + 1):  # the first one warms up
        for column, (call, arr) in enumerate(calls):
            start = clock()
            result = call(arr)
            times[pair - 1, column] = clock() - start
            del result
    return times


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--peer", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "fastremap-peer")
    parser.add_argument("--only", default="", help="only rows that contain this text")
    parser.add_argument("--largest", type=float, default=1.5, help="leave out larger arrays, in GB")
    parser.add_argument("--cpu", action="store_true", help="processor time, for a machine that others use too")
    options = parser.parse_args()
    peer = load_peer(options.peer)
    clock = time.thread_time if options.cpu else time.perf_counter
    print("| shape, dtype | copy ms | ours ms | x copy | x peer | x numpy | read-only ms | x copy | x numpy |")
    print("|---|---|---|---|---|---|---|---|---|")
    for shape, dtype in ROWS:
        name = f"{shape} {dtype}"
        if options.only not in name or np.prod(shape) * np.dtype(dtype).itemsize > options.largest * 1e9:
            continue
        arr = np.ones(shape, dtype)
        frozen = arr.view()
        frozen.flags.writeable = False
        calls = [
            (copy, arr),
            (fastremap.asfortranarray, arr),
            (peer.asfortranarray, arr),
            (numpy_order, arr),
            (fastremap.asfortranarray, frozen),
        ]
        times = compare(calls, options.pairs, clock)
        base, ours, _, _, frozen_s = np.median(times, axis=0)
        peers, numpys = (np.median(times[:, column] / times[:, 1]) for column in (2, 3))
        print(
            f"| {name} | {base * 1e3:.1f} | {ours * 1e3:.1f} | {ours / base:.2f} | {peers:.1f} | {numpys:.1f} "
            f"| {frozen_s * 1e3:.1f} | {frozen_s / base:.2f} | {np.median(times[:, 3] / times[:, 4]):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
