"""Time every label function against the package it takes the place of, over sizes, dtypes, orders and distributions.

    python tests/benchmarks/breadth.py [--sizes 10 1000] [--only TEXT ...] [--rounds 5] [--out FOLDER]

Where a case looks slower it is timed again, with more rounds. Prints the cases that stay slower, and the least ratio of
each function for each size; with --out writes that table as Markdown. Calls of the peer that take longer than a second
are timed once; after one of more than 20 seconds the others of its kind are left out, and named.
"""

import argparse
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import frame
from inputs import SPREAD
from labels import Case, calls_of, row

import fastremap

SHAPES = {10: (5, 2), 1000: (10, 10, 10), 10**5: (50, 50, 40), 10**7: (250, 200, 200), 10**8: (500, 500, 400)}
# What is tried at a size: up to 10^5 items everything, beyond only what other cases do not stand for.
DTYPES = {size: "u1 u2 u4 u8 i4 i8" if size <= 10**5 else "u1 u2 u4 u8" for size in SHAPES}
ORDERS = {size: "CF" if size <= 10**5 else "C" for size in SHAPES}
FEW_CALLS = "unique + counts, renumber in place, remap, remap in place, mask in place, minmax, foreground, pixel_pairs"
SLOWER = 1 / 1.05  # times as fast as the peer: slower, if three quarters of the rounds say so
SLOW_S, TOO_SLOW_S = 1.0, 20.0  # calls of the peer

Rng = np.random.Generator
DISTRIBUTIONS: dict[str, Callable[[Rng, np.ndarray, int], np.ndarray]] = {
    "constant": lambda rng, ids, n: np.full(n, ids[-1]),
    "checkerboard": lambda rng, ids, n: ids[[0, -1]][np.arange(n) % 2],
    "random": lambda rng, ids, n: ids[rng.integers(0, ids.size, n)],
    "sorted": lambda rng, ids, n: np.sort(ids[rng.integers(0, ids.size, n)]),
    "reversed": lambda rng, ids, n: np.sort(ids[rng.integers(0, ids.size, n)])[::-1].copy(),
    "runs of 2 to 4": lambda rng, ids, n: np.repeat(ids[rng.integers(0, ids.size, n)], rng.integers(2, 5, n))[:n],
    "runs of 25": lambda rng, ids, n: np.repeat(ids[rng.integers(0, ids.size, n // 20 + 9)], 25)[:n],
    "low bits zero": lambda rng, ids, n: without_low_bits(ids)[rng.integers(0, ids.size, n)],
    "made to collide": lambda rng, ids, n: colliding(ids)[rng.integers(0, ids.size, n)],
}


def without_low_bits(ids: np.ndarray) -> np.ndarray:
    """Ids of which the lower half of the bits is 0."""
    return ids << ids.dtype.type(4 * ids.dtype.itemsize)


def colliding(ids: np.ndarray) -> np.ndarray:
    """Of 64 bits: keys that a multiplicative hash sends to one place; else those of many that it sends there first."""
    multiplier = 0xD6E8FEB86659FD93  # of csrc/fastremap/table.hpp
    if ids.dtype.itemsize == 8:
        return (np.arange(1, ids.size + 1, dtype=np.uint64) * np.uint64(pow(multiplier, -1, 2**64))).view(ids.dtype)
    many = np.random.default_rng(4).integers(0, 2 ** (8 * ids.dtype.itemsize - 1), 64 * ids.size, dtype=np.uint64)
    return many[np.argsort(many * np.uint64(multiplier))][: ids.size].astype(ids.dtype)


def array_of(size: int, dtype: str, order: str, distribution: str) -> np.ndarray:
    """The array of a case: at most 10^5 labels, spread over the dtype without its sign."""
    n_ids = min(max(2, size // 4), 10**5, 2 ** (8 * int(dtype[1]) - (dtype[0] == "i")))
    ids = np.arange(n_ids, dtype=np.uint64) * SPREAD >> np.uint64(64 - 8 * int(dtype[1]) + (dtype[0] == "i"))
    flat = DISTRIBUTIONS[distribution](np.random.default_rng(5), ids.astype(dtype), size)
    shape = SHAPES[size]
    return flat.reshape(shape) if order == "C" else flat.reshape(shape[::-1]).T


def cases(sizes: list[int], only: Sequence[str] = ()) -> Iterator[tuple[int, str, np.ndarray, dict[str, Case]]]:
    """Size, name, array and calls of each case."""
    every_call = calls_of(np.arange(2), 0)
    for size in sizes:
        few = every_call if size <= 10**7 else FEW_CALLS.split(", ")
        for dtype in DTYPES[size].split():
            for order in ORDERS[size]:
                for distribution in DISTRIBUTIONS:
                    name = f"{size} {dtype} {order} {distribution}"
                    wanted = [what for what in few if all(text in f"{name}: {what}" for text in only)]
                    if wanted:
                        array = array_of(size, dtype, order, distribution)
                        labels = fastremap.unique(array)
                        calls = calls_of(labels, int(labels[-1]))
                        yield size, name, array, {what: calls[what] for what in wanted}


def time_case(
    name: str, array: np.ndarray, calls: dict[str, Case], peer: ModuleType, n_rounds: int, too_slow: set[tuple]
) -> Iterator[frame.Measured]:
    """Time the calls of a case; what looks slower once more."""
    corner = array[tuple(slice(2) for _ in array.shape)]
    for what, call in calls.items():
        if (what, array.size, array.dtype) in too_slow:
            print(f"left out: {name}: {what}", flush=True)
            continue
        one = row(f"{name}: {what}", name, call, peer, {}, {}, changes="in place" in what)
        try:
            one.others["peer"](corner.copy(order="K"))
        except Exception as error:  # the peer does not take every call; ours has to
            print(f"the peer refuses: {one.name}: {error}")
            continue
        measured = frame.measure(one, array, n_rounds, SLOW_S)
        if max(measured.seconds["peer"]) > TOO_SLOW_S:
            too_slow.add((what, array.size, array.dtype))
        elif measured.ratio("peer")[1] < 1:
            measured = frame.measure(one, array, 3 * n_rounds, SLOW_S)
        yield measured


def summary(least: dict[tuple[str, int], tuple[float, str]]) -> str:
    """The least ratio of each function for each size, in Markdown."""
    sizes, calls = sorted({size for _, size in least}), dict.fromkeys(what for what, _ in least)
    lines = [
        "| least times faster than the peer, n = | " + " | ".join(map(str, sizes)) + " |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for what in calls:
        found = (least.get((what, size)) for size in sizes)
        lines.append(f"| {what} | " + " | ".join(f"{one[0]:.2f} ({one[1]})" if one else "" for one in found) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Time the cases, and print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], help="only cases with all these texts: 'u8 C' ': remap'")
    parser.add_argument("--out", type=pathlib.Path, help="write breadth.md into this folder")
    parser.add_argument("--packages", type=pathlib.Path, default=frame.default_folder(), help="where the peer lies")
    options = parser.parse_args(arguments)
    peer = frame.peer(options.packages)
    least: dict[tuple[str, int], tuple[float, str]] = {}
    too_slow: set[tuple] = set()
    for size, name, array, calls in cases(options.sizes, options.only):
        for measured in time_case(name, array, calls, peer, options.rounds, too_slow):
            what, (_, middle, high) = measured.row.name.split(": ")[1], measured.ratio("peer")
            least[what, size] = min(least.get((what, size), (np.inf, "")), (middle, name.split(" ", 1)[1]))
            if high < SLOWER:
                ours = frame.in_ms(float(np.median(measured.seconds["ours"])))
                print(f"slower: {measured.row.name}: {middle:.2f} times as fast, {ours} ms", flush=True)
    print(summary(least))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "breadth.md").write_text(summary(least) + "\n")


if __name__ == "__main__":
    main()
