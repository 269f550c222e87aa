"""Time every label function against numpy, pandas, polars, pyarrow, scikit-image and the package it takes the place of.

    python tests/benchmarks/labels.py [--rounds 7] [--only TEXT] [--scale 1] [--out FOLDER]

Packages to compare with are installed, when first needed, into folders of their own. Prints a line of Markdown for
each row while it runs; with --out writes the whole table as Markdown, JSON and PNG.
"""

import argparse
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # all are compared on one thread

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import frame
from frame import Row
from inputs import Inputs

import fastremap

Case = Callable[[ModuleType, np.ndarray], object]

READ = 1 / 0.85  # times a read-only pass: the goal of what looks at each voxel once


def to_table(module: ModuleType, array: np.ndarray) -> tuple[np.ndarray, Mapping[int, int]]:
    """Renumber, with the mapping that costs least."""
    return module.renumber(array, **({"mapping": "table"} if module is fastremap else {}))


def calls_of(labels: np.ndarray, rare: int, parents: np.ndarray | None = None) -> dict[str, Case]:
    """Name -> call(module, array), for an array with these labels, one rare; those "in place" change the array.

    Without `parents` the labels are their own.
    """
    ids = dict(zip(labels.tolist(), range(labels.size), strict=True))
    some = labels[:: max(1, labels.size // 100)][:100].copy()
    return {
        "unique": lambda m, a: m.unique(a),
        "unique + counts": lambda m, a: m.unique(a, return_counts=True),
        "unique + index + inverse": lambda m, a: m.unique(a, return_index=True, return_inverse=True),
        "renumber": lambda m, a: m.renumber(a),
        "renumber to a table": to_table,
        # the package it takes the place of has no tables, and its dict is read by making it
        "renumber to a table that is read": lambda m, a: getattr(to_table(m, a)[1], "old", None),
        "renumber in place": lambda m, a: m.renumber(a, in_place=True),
        "remap": lambda m, a: m.remap(a, ids),
        "remap in place": lambda m, a: m.remap(a, ids, in_place=True),
        "remap by arrays in place": lambda m, a: m.remap_from_array_kv(a.ravel("K"), labels, labels[::-1].copy()),
        "mask": lambda m, a: m.mask(a, some),
        "mask in place": lambda m, a: m.mask(a, some, in_place=True),
        "mask_except in place": lambda m, a: m.mask_except(a, some.tolist(), in_place=True),
        "minmax": lambda m, a: m.minmax(a),
        "foreground": lambda m, a: m.foreground(a),
        "pixel_pairs": lambda m, a: m.pixel_pairs(a),
        "indices": lambda m, a: m.indices(a.ravel("K"), rare),
        "point_cloud": lambda m, a: m.point_cloud(a),
        "component_map": lambda m, a: m.component_map(a, a if parents is None else parents),
        "inverse_component_map": lambda m, a: m.inverse_component_map(a, a if parents is None else parents),
    }


def others_of(labels: np.ndarray, rare: int) -> dict[str, dict[str, Callable[[np.ndarray], object]]]:
    """The same by other packages: name of the call -> package -> call(array)."""
    modules = sys.modules
    ranks = np.arange(labels.size, dtype=labels.dtype)
    some = labels[:: max(1, labels.size // 100)][:100].copy()
    return {
        "unique": {
            "pandas": lambda a: modules["pandas"].unique(a.ravel("K")),
            "polars": lambda a: modules["polars"].Series(a.ravel("K")).unique(),
            "pyarrow": lambda a: modules["pyarrow"].array(a.ravel("K")).unique(),
            "numpy": np.unique,
        },
        "unique + counts": {"pandas": lambda a: modules["pandas"].Series(a.ravel("K")).value_counts()},
        "unique + index + inverse": {"numpy": lambda a: np.unique(a, return_index=True, return_inverse=True)},
        "renumber": {"pandas": lambda a: modules["pandas"].factorize(a.ravel("K"))},
        "remap": {"skimage": lambda a: modules["skimage"].util.map_array(a, labels, ranks)},
        "mask": {"numpy": lambda a: np.where(np.isin(a, some), 0, a)},
        "minmax": {"numpy": lambda a: (a.min(), a.max())},
        "foreground": {"numpy": np.count_nonzero},
        "indices": {"numpy": lambda a: np.flatnonzero(a == rare)},
    }


MEASURES = {name: {"read": READ, "numpy": 1} for name in ("minmax", "foreground", "indices")} | {
    "pixel_pairs": {"read": READ}
}
# Name of an array -> calls -> goals: at most x times a yardstick, at least y times as fast as another package.
GOALS: dict[str, dict[str, dict[str, float]]] = {
    "real u8 F": {
        "unique": {},
        "unique + counts": {"copy": 0.55, "peer": 11},
        "unique + index + inverse": {"peer": 5, "numpy": 5},
        "renumber": {"copy": 0.85, "peer": 3.6},
        "renumber in place": {"copy": 0.8, "peer": 2.5},
        "remap": {"copy": 1.3, "peer": 1.7},
        "remap in place": {"copy": 0.8, "peer": 1.9},
        "remap by arrays in place": {"copy": 0.8},
        "mask": {"copy": 1.3, "peer": 1.7},
        "mask in place": {"copy": 0.8, "peer": 1.9},
        "mask_except in place": {"copy": 0.8, "peer": 1.9},
        "point_cloud": {"peer": 40},
        "component_map": {"peer": 5},
        "inverse_component_map": {"peer": 5},
        **MEASURES,
    },
    "real u4 F": {
        "unique": {},
        "unique + counts": {"copy": 0.8, "peer": 7},
        "renumber": {"copy": 1.1, "peer": 3.8},
        "renumber in place": {"copy": 0.9, "peer": 3.3},
        "remap": {"copy": 1.45, "peer": 2.6},
        "remap in place": {"copy": 0.9, "peer": 3.3},
        "mask": {"copy": 1.45, "peer": 2.6},
        "mask in place": {"copy": 0.9, "peer": 3.3},
        **MEASURES,
    },
    "real u8 C": {
        "unique + counts": {},
        "renumber": {},
        "remap": {},
        "remap in place": {},
        "unique + index + inverse": {},
    },
    "real u4 C": {
        "unique + counts": {},
        "renumber": {},
        "remap": {},
        "remap in place": {},
        "unique + index + inverse": {},
    },
    "real u2 F": MEASURES,
    "real u1 F": MEASURES,
    "random u1": {
        "unique": {},
        "unique + counts": {"peer": 4},
        "renumber": {},
        "remap": {"peer": 12},
        "mask": {"peer": 40},
        **MEASURES,
        "indices": {"numpy": 1},  # no value is rare
    },
    "random u2": {
        "unique": {"peer": 50},
        "unique + counts": {"peer": 2.4},
        "remap": {"peer": 3},
        "renumber": {"peer": 2},
    },
    "random u4 < 1e4": {
        "unique + counts": {"peer": 3},
        "remap": {"peer": 2.2},
        "renumber": {"peer": 2.2},
        "remap in place": {"peer": 2.8},
        "renumber in place": {"peer": 2.8},
    },
    "random u8, 1e5 labels": {
        "unique + counts": {"peer": 3.2, "pandas": 2.5},
        "renumber": {"peer": 3.2, "pandas": 2.5},
        "remap": {"peer": 3.2},
    },
    "all distinct u8": {
        "unique": {"peer": 8, "polars": 1.6},
        "unique + counts": {"peer": 11},
        "renumber to a table": {"peer": 50},
        "renumber to a table that is read": {},
    },
}


SMALL: dict[str, tuple[str, Case]] = {
    "unique of 100": ("100 of u4", lambda m, a: m.unique(a)),
    "unique of a list of 3": ("100 of u4", lambda m, a: m.unique([3, 1, 3])),
    "renumber of 16 x 16": ("16 x 16 of u4", lambda m, a: m.renumber(a)),
    "remap {u: v} of 100": ("100 of u4", lambda m, a: m.remap(a, {7: 9}, preserve_missing_labels=True)),
    "remap {u: v} of 1000": ("1000 of u4", lambda m, a: m.remap(a, {7: 9}, preserve_missing_labels=True)),
    "mask of 100": ("100 of u4", lambda m, a: m.mask(a, [1, 2])),
    "minmax of 100": ("100 of u4", lambda m, a: m.minmax(a)),
    "foreground of 100": ("100 of u4", lambda m, a: m.foreground(a)),
    "component_map of 100": ("100 of u4", lambda m, a: m.component_map(a, a)),
}
BIG_TABLE = {label * 3: label for label in range(10**6)}


def rows(name: str, array: np.ndarray, peer: ModuleType | None) -> Iterator[Row]:
    """The rows of an array."""
    # All labels of an array of distinct ones are nothing that any row needs.
    of = array[:1] if name.startswith("all distinct") else array
    labels, counts = fastremap.unique(of, return_counts=True)
    rare = int(labels[counts.argmin()])
    parents = fastremap.renumber(array)[0] if name.startswith("real") else None
    calls, others = calls_of(labels, rare, parents), others_of(labels, rare)
    for what, goals in GOALS.get(name, {}).items():
        yield row(f"{name}: {what}", name, calls[what], peer, others.get(what, {}), goals, "in place" in what)
    for what, (of, case) in SMALL.items():
        if of == name:
            yield row(what, name, case, peer, {}, {"peer": 1})
    if name == "100 of u4":
        yield row("remap by a dict of 1e6", name, lambda m, a: m.remap(a, BIG_TABLE, True), peer, {}, {"peer": 1})


def row(
    name: str,
    array: str,
    case: Case,
    peer: ModuleType | None,
    others: dict,
    goals: dict[str, float],
    changes: bool = False,
) -> Row:
    """A row with the packages that are there, and the goals that can be asked for."""
    there = {"peer": lambda a: case(peer, a)} if peer else {}
    there |= {package: call for package, call in others.items() if package in sys.modules}
    goals = {whom: goal for whom, goal in goals.items() if whom in there or whom in frame.YARDSTICKS}
    return Row(name, array, lambda a: case(fastremap, a), there, goals, changes)


def main(arguments: list[str] | None = None) -> None:
    """Time the rows, and print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="only rows that contain this text")
    parser.add_argument("--scale", type=float, default=1, help="a part of the voxels; the real volume only at 1")
    parser.add_argument("--out", type=pathlib.Path, help="write labels.md, labels.json and labels.png into this folder")
    parser.add_argument("--packages", type=pathlib.Path, default=frame.default_folder(), help="where to install others")
    parser.add_argument("--against", choices=["all", "peer", "none"], default="all", help="beside the yardsticks")
    options = parser.parse_args(arguments)
    peer = None if options.against == "none" else frame.peer(options.packages)
    if options.against == "all":
        frame.import_others(options.packages)
    inputs = Inputs(options.scale)
    print(frame.HEADER)
    results = []
    for name in inputs.names():
        if not any(options.only in f"{name}: {what}" for what in [*GOALS.get(name, {}), *SMALL]):
            continue
        array = inputs(name)
        for one in rows(name, array, peer):
            if options.only in one.name:
                results.append(frame.measure(one, array, options.rounds))
                print(frame.line(results[-1]), flush=True)
    if options.out:
        frame.write(results, options.out, "labels")


if __name__ == "__main__":
    main()
