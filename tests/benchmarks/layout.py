"""Time the change of memory order against numpy, the package whose place this one takes, and MKL.

    python tests/benchmarks/layout.py [--rounds 7] [--only TEXT] [--largest 2.2] [--out FOLDER]

Each array is C-ordered and laid out in Fortran order, in place and, read-only, out of place. Before that a child
process transposes an array of the same shape in an address space without room for a second one, and compares every
item; the benchmark ends at the first that is wrong. Packages to compare with are installed, when first needed, into
folders of their own. Prints a line of Markdown for each row while it runs; with --out writes the whole table as
Markdown, JSON and PNG.
"""

import argparse
import math
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import frame
import mkl
from frame import Call, Row

import fastremap

CHILD = pathlib.Path(__file__).with_name("layout_child.py")
SLOW_S = 0.5  # numpy and the peer take longer for many rows: those are timed once

SHAPES: list[tuple[tuple[int, ...], str]] = [
    ((8192, 8192), "u4"), ((512, 512, 512), "u1"), ((512, 512, 512), "u2"), ((512, 512, 512), "u4"),
    ((512, 512, 512), "u8"), ((300, 70, 300), "u8"), ((8192, 6000), "u4"), ((12000, 4096), "u8"),
    ((512, 512, 256), "u4"), ((500, 400, 300), "u8"), ((512, 500, 64), "u1"), ((128, 128, 128, 32), "u2"),
    ((3, 2048, 2048), "u1"), ((100003, 64), "u8"), ((10007, 4001), "u8"), ((10007, 4001), "u4"),
    ((10007, 4001), "u2"), ((10007, 4001), "u1"), ((211, 397, 401), "u2"), ((4097, 4096), "u8"),
    ((640, 480, 200, 3), "u1"),
    # primes, neighbours of powers of two, skinny, several channels, small and large
    ((10007, 9973), "u4"), ((211, 199, 197), "u4"), ((4096, 4096), "u2"), ((4096, 4097), "u2"), ((4096, 4097), "u4"),
    ((4097, 4097), "u4"), ((400, 300, 200, 3), "u4"), ((3, 400, 300, 200), "u4"), ((4, 64, 512, 512), "u2"),
    ((512, 512, 64, 4), "u2"), ((4, 64, 512, 512), "u8"), ((1024, 1024), "u1"), ((700, 500), "u4"),
    ((23171, 23170), "u4"), ((1024, 1024, 256), "u8"),
]  # fmt: skip


def goals_of(shape: tuple[int, ...], item_nbytes: int) -> tuple[dict[str, float], dict[str, float]]:
    """What is to be reached in place and out of place: at most x times a copy, at least y times as fast as others.

    Arrays that fit the second-level cache have no goal: there a copy costs next to nothing.
    """
    if math.prod(shape) * item_nbytes < 2**21:
        return {}, {}
    wide = item_nbytes >= 4
    read_only = {"copy": 2 if wide else 3.5, "numpy": 2.5}
    if shape != shape[::-1]:
        peer = {8: 15, 4: 25}.get(item_nbytes, 35)
        return {"copy": 2.2 if wide else 3.3, "peer": peer, "numpy": 1.8}, read_only
    pitch = math.prod(shape[1:]) * item_nbytes  # squares, cubes, palindromes
    peer = 12 if pitch & (pitch - 1) == 0 else {8: 3, 4: 3.5}.get(item_nbytes, 4.5)
    return {"copy": 1.2 if wide else 2.5, "peer": peer, "numpy": 5}, read_only


def frozen(array: np.ndarray) -> np.ndarray:
    """The same items, which may not be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def rows(shape: tuple[int, ...], dtype: np.dtype, peer: ModuleType | None, imatcopy: Call | None) -> Iterator[Row]:
    """The two rows of an array. What it holds does not matter to any of the calls."""
    name = f"{shape} {dtype}"
    numpy_call = {"numpy": np.asfortranarray}
    in_place: dict[str, Call] = {"peer": lambda array: peer.asfortranarray(array)} if peer else {}
    if imatcopy and len(shape) == 2 and dtype.itemsize in (4, 8):
        in_place["MKL"] = imatcopy
    goals, goals_read_only = goals_of(shape, dtype.itemsize)
    if not peer:
        goals.pop("peer", None)
    yield Row(f"{name}, in place", name, fastremap.asfortranarray, in_place | numpy_call, goals)
    yield Row(
        f"{name}, read-only", name, lambda array: fastremap.asfortranarray(frozen(array)), numpy_call, goals_read_only
    )


def check(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Have a child process without room for a second array compare every item."""
    command = [sys.executable, str(CHILD), dtype.str, *map(str, shape)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.stdout.strip() != "right":
        raise AssertionError(f"{shape} {dtype} within its bound: {outcome.stdout.strip()} {outcome.stderr[-2000:]}")


def main(arguments: list[str] | None = None) -> None:
    """Time the rows, and print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="only arrays whose name contains this text")
    parser.add_argument("--largest", type=float, default=2.2, help="leave out larger arrays, in GB")
    parser.add_argument("--out", type=pathlib.Path, help="write layout.md, layout.json and layout.png into this folder")
    parser.add_argument("--packages", type=pathlib.Path, default=frame.default_folder(), help="where to install others")
    parser.add_argument("--against", choices=["all", "none"], default="all", help="beside the yardsticks and numpy")
    options = parser.parse_args(arguments)
    peer = frame.peer(options.packages) if options.against == "all" else None
    imatcopy = mkl.imatcopy(options.packages) if options.against == "all" else None
    print(frame.HEADER)
    results = []
    for shape, dtype in [(shape, np.dtype(text)) for shape, text in SHAPES]:
        if options.only not in f"{shape} {dtype}" or math.prod(shape) * dtype.itemsize > options.largest * 1e9:
            continue
        check(shape, dtype)
        array = np.ones(shape, dtype)
        for row in rows(shape, dtype, peer, imatcopy):
            results.append(frame.measure(row, array, options.rounds, SLOW_S))
            print(frame.line(results[-1]), flush=True)
    if options.out:
        frame.write(results, options.out, "layout")


if __name__ == "__main__":
    main()
