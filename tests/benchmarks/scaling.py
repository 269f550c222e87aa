"""Time the label functions against the number of voxels and against the number of labels, and draw both.

    python tests/benchmarks/scaling.py [--voxels 30] [--labels 8] [--out FOLDER]

Voxels: arrays of the statistics of the real volume, of 2^20 to 2^N voxels. Labels: 2^26 uint64 items at random among 1
to 10^N labels. Prints nanoseconds a voxel; with --out writes scaling.md and scaling.png.
"""

import argparse
import gc
import pathlib
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from inputs import SPREAD, like_real

import fastremap

CALLS: dict[str, Callable[[np.ndarray, fastremap.LabelTable], object]] = {
    "unique": lambda array, table: fastremap.unique(array),
    "unique + counts": lambda array, table: fastremap.unique(array, return_counts=True),
    "renumber": lambda array, table: fastremap.renumber(array, mapping="table"),
    "remap": lambda array, table: fastremap.remap(array, table),
    "copy": lambda array, table: array.copy(order="K"),
}
Times = dict[str, float]


def times_of(array: np.ndarray, n_rounds: int) -> Times:
    """Nanoseconds a voxel of each call: the least of some rounds, in which calls take turns."""
    found = fastremap.unique(array)
    table = fastremap.LabelTable.from_arrays(found, np.arange(found.size))
    least = dict.fromkeys(CALLS, np.inf)
    for _ in range(n_rounds):
        for name, call in CALLS.items():
            begin = time.perf_counter()
            result = call(array, table)
            least[name] = min(least[name], (time.perf_counter() - begin) / array.size * 1e9)
            del result
            gc.collect(0)
    return least


def by_voxels(n_bits: int) -> Iterator[tuple[int, Times]]:
    """Arrays of one piece of the statistics of the real volume, repeated."""
    piece = like_real((128, 128, 64)).ravel("K")
    for bits in range(20, n_bits + 1, 2):
        array = np.tile(piece, 2 ** (bits - 20))
        yield array.size, times_of(array, 5 if bits < 28 else 2)


def by_labels(n_digits: int, n_items: int) -> Iterator[tuple[int, Times]]:
    """Random items among 1, 10, 100, ... labels spread over 63 bits."""
    for digits in range(n_digits + 1):
        ids = np.random.default_rng(6).integers(0, 10**digits, n_items, dtype=np.uint64)
        yield 10**digits, times_of(ids * SPREAD >> np.uint64(1), 2)


def markdown(title: str, rows: list[tuple[int, Times]]) -> str:
    """A table of nanoseconds a voxel."""
    lines = [f"| {title} | " + " | ".join(CALLS) + " |", "|---" * (len(CALLS) + 1) + "|"]
    lines += [f"| {n:,} | " + " | ".join(f"{times[name]:.2f}" for name in CALLS) + " |" for n, times in rows]
    return "\n".join(lines) + "\n"


def draw(parts: dict[str, list[tuple[int, Times]]], path: pathlib.Path) -> None:
    """Draw nanoseconds a voxel against the number of voxels and of labels."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(parts), figsize=(5 * len(parts), 3.6), layout="constrained")
    for axes, (title, rows) in zip(np.atleast_1d(panels), parts.items(), strict=True):
        for name in CALLS:
            axes.plot([n for n, _ in rows], [times[name] for _, times in rows], "o-", markersize=3, label=name)
        axes.set(xscale="log", yscale="log", xlabel=title, ylabel="ns a voxel")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    """Time, print, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voxels", type=int, default=30, help="up to 2^N voxels of uint32")
    parser.add_argument("--labels", type=int, default=8, help="up to 10^N labels")
    parser.add_argument("--items", type=int, default=2**26, help="items that have these labels")
    parser.add_argument("--out", type=pathlib.Path, help="write scaling.md and scaling.png into this folder")
    options = parser.parse_args(arguments)
    parts: dict[str, list[tuple[int, Times]]] = {}
    for title, rows in {
        "voxels, uint32, runs of 25": by_voxels(options.voxels),
        "labels at random, uint64": by_labels(options.labels, options.items),
    }.items():
        parts[title] = []
        for row in rows:
            parts[title].append(row)
            print(f"{title}: {row[0]:,}: " + ", ".join(f"{name} {ns:.2f}" for name, ns in row[1].items()), flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "scaling.md").write_text("\n".join(markdown(title, rows) for title, rows in parts.items()))
        draw(parts, options.out / "scaling.png")


if __name__ == "__main__":
    main()
