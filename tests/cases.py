"""The one registry of public functions: the twin, the Dask twin, and the arguments to try.

A function that has an entry here is tested everywhere: every variant on every content, dtype and layout against its
twin, in place, for untouched inputs, and on Dask arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import fastremap
from fastremap import reference

# What the contract names.
CONTRACT = [
    "unique",
    "renumber",
    "remap",
    "remap_from_array",
    "remap_from_array_kv",
    "mask",
    "mask_except",
    "component_map",
    "inverse_component_map",
    "minmax",
    "foreground",
    "pixel_pairs",
    "indices",
    "is_solid",
    "is_sorted",
    "point_cloud",
    "tobytes",
    "refit",
    "fit_dtype",
    "widen_dtype",
    "narrow_dtype",
    "transpose",
    "asfortranarray",
    "ascontiguousarray",
]

Arguments = tuple[tuple, dict[str, Any]]
Maker = Callable[[np.ndarray], Arguments]


@dataclass(frozen=True)
class Case:
    """One public function and how to call it.

    `variants` maps a name to a maker that is given the array and returns the positional arguments after it (a table,
    labels, a second array) and the keyword arguments. Makers return fresh objects and never change the array. The first
    variants are those that differ in what the kernels do: where there are many arrays only they are tried.
    """

    name: str
    variants: dict[str, Maker]
    dask: str | None = None  # the name in `fastremap_dask`
    in_place: bool = False  # has a parameter `in_place`
    moves_buffer: bool = False  # rearranges its input by design
    needs_array: bool = True  # False: the first argument is the dtype of the array
    shares: bool = False  # may return the input itself
    refuses: str = "g c8 c16 M8[s] m8[s] U3 S2 V3 O"  # dtypes that are a TypeError
    twin: Callable = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twin", getattr(reference, self.name))

    @property
    def function(self) -> Callable:
        """The function under test."""
        return getattr(fastremap, self.name)

    def call(self, function: Callable, array: np.ndarray, variant: str, **more: Any) -> Any:
        """Call the function or its twin on an array with fresh arguments."""
        args, kwargs = self.variants[variant](plain(array))
        subject = array if self.needs_array else array.dtype
        return function(subject, *args, **(kwargs | more))


def plain(array: np.ndarray) -> np.ndarray:
    """Return a native C-ordered copy from which arguments are made."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", subok=False)


def labels_of(array: np.ndarray) -> list:
    """Return the distinct labels as Python numbers, with bool as 0 and 1."""
    return np.unique(array.astype("u1") if array.dtype.kind == "b" else array).tolist()


def options(**kwargs: Any) -> Maker:
    """Return a maker of keyword arguments alone."""
    return lambda array: ((), dict(kwargs))


def numbered(labels: list, start: int = 1) -> dict:
    """Return a table to consecutive labels."""
    return {label: start + i for i, label in enumerate(labels)}


def table(make: Callable[[list], Any], **kwargs: Any) -> Maker:
    """Return a maker of a table out of the distinct labels, and of fixed keyword arguments."""
    return lambda array: ((make(labels_of(array)),), dict(kwargs))


def arrays_table(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct labels, descending, and small new ones, as two arrays of different dtypes."""
    old = np.unique(array)[::-1]
    return old, (np.arange(old.size) % 120).astype(np.int16)


def rotated(labels: list) -> dict:
    """Return a table that gives each label the next one: what is written must never be looked up again."""
    return dict(zip(labels, labels[1:] + labels[:1], strict=True))


def foreign_keys(labels: list) -> dict:
    """Return a table with keys that no voxel can be, and with numpy scalars of many dtypes."""
    absent = {-(2**70): 1, 2**64: 2, 0.25: 4, float("inf"): 3, np.float16(-0.5): 5, np.uint64(2**64 - 3): 6}
    return absent | {np.int64(label) if 0 <= label < 2**63 and label == int(label) else label: 9 for label in labels}


UNIQUE_PARTS = {
    "values": {},
    "index": {"return_index": True},
    "inverse": {"return_inverse": True},
    "counts": {"return_counts": True},
    "index, counts": {"return_index": True, "return_counts": True},
    "inverse, counts": {"return_inverse": True, "return_counts": True},
    "index, inverse": {"return_index": True, "return_inverse": True},
    "all parts": {"return_index": True, "return_inverse": True, "return_counts": True},
}
ALL_PARTS = UNIQUE_PARTS["all parts"]

UNIQUE = {
    **{name: options(**parts) for name, parts in UNIQUE_PARTS.items()},
    "axis 0": options(axis=0, **ALL_PARTS),
    "last axis": options(axis=-1, return_counts=True),
    "unsorted, all parts": options(sorted=False, **ALL_PARTS),
    "each NaN for itself": options(equal_nan=False, **ALL_PARTS),
    "unsorted": options(sorted=False),
    "no such axis": options(axis=9),
}

RENUMBER = {
    "plain": options(),
    "sorted": options(order="sorted"),
    "zero renumbered": options(preserve_zero=False),
    "sorted, zero renumbered": options(preserve_zero=False, order="sorted"),
    "start 0": options(start=0),
    "start 253": options(start=253),
    "negative start": options(start=-3, preserve_zero=False),
    "to uint64": options(dtype=np.uint64),
    "to uint8": options(dtype="u1"),
    "to float64": options(dtype=float),
    "table": options(mapping="table"),
    "sorted, table": options(mapping="table", order="sorted", start=7),
    "start 0, zero renumbered": options(start=0, preserve_zero=False),
    "start 100": options(start=np.uint8(100)),
    "across zero": options(start=-3),
    "start at the end of int64": options(start=2**63 - 3),
    "start at the end of uint64": options(start=2**64 - 4),
    "start beyond 64 bits": options(start=2**64),
    "start at the end of float64": options(start=2**53 - 3),
    "to int16": options(dtype=np.int16, start=-2, preserve_zero=False),
    "to complex": options(dtype=complex),
    "fractional start": options(start=1.5),
    "unknown order": options(order="last"),
    "unknown mapping": options(mapping="list"),
}

REMAP = {
    "dict": table(numbered),
    "rotated": table(rotated),
    "rotated, kept": table(rotated, preserve_missing_labels=True),
    "some missing": table(lambda labels: numbered(labels[1::2])),
    "some kept": table(lambda labels: numbered(labels[::2]), preserve_missing_labels=True),
    "some filled": table(lambda labels: numbered(labels[::2]), fill_value=0),
    "values need 16 bits": table(lambda labels: numbered(labels, 300)),
    "fill needs 64 bits": table(lambda labels: numbered(labels[1:]), fill_value=2**40),
    "pair of arrays": lambda array: ((arrays_table(array),), {}),
    "LabelTable": table(lambda labels: fastremap.LabelTable.from_dict(numbered(labels))),
    "to uint64": table(numbered, dtype=np.uint64),
    "LabelTable, kept": table(
        lambda labels: fastremap.LabelTable.from_dict(numbered(labels[::3])), preserve_missing_labels=True
    ),
    "kept and filled": table(numbered, preserve_missing_labels=True, fill_value=0),
    "one value needs 32 bits": table(lambda labels: {**numbered(labels), 77: 70_000}, preserve_missing_labels=True),
    "values beyond 2**53": table(lambda labels: numbered(labels, 2**53 + 1)),
    "values at the end of uint64": table(lambda labels: dict.fromkeys(labels, np.uint64(2**64 - 1))),
    "values beyond 64 bits": table(lambda labels: dict.fromkeys(labels, 2**64)),
    "negative values": table(lambda labels: numbered(labels, -200)),
    "keys in vain": table(foreign_keys),
    "keys in vain, kept": table(lambda labels: {2**64: 1, -(2**63) - 1: 2, 0.5: 3}, preserve_missing_labels=True),
    "empty table": table(lambda labels: {}),
    "empty table, kept": table(lambda labels: {}, preserve_missing_labels=True),
    "empty table, filled": table(lambda labels: {}, fill_value=3),
    "empty arrays, kept": table(lambda labels: (np.array([]), np.array([])), preserve_missing_labels=True),
    "pair of lists": table(lambda labels: [labels, [5] * len(labels)]),
    "a key twice": table(lambda labels: (labels + labels, [1] * len(labels) + [2] * len(labels))),
    "lengths differ": table(lambda labels: (labels, [1, *labels])),
    "bool values": table(lambda labels: {label: bool(i % 2) for i, label in enumerate(labels)}),
    "integral float values": table(lambda labels: dict.fromkeys(labels, 3.0)),
    "fractional value": table(lambda labels: {**numbered(labels), 5: 2.5}),
    "infinite value": table(lambda labels: {**numbered(labels), 5: float("inf")}),
    "NaN value": table(lambda labels: {**numbered(labels), 5: np.float32("nan")}),
    "text value": table(lambda labels: {**numbered(labels), 5: "7"}),
    "text key": table(lambda labels: {**numbered(labels), "5": 7}),
    "no table": table(lambda labels: 7),
    "to float64": table(numbered, dtype=np.float64),
    "to uint8": table(numbered, dtype="u1"),
    "to uint8, some kept": table(lambda labels: numbered(labels[::2]), preserve_missing_labels=True, dtype="u1"),
    "to bool": table(lambda labels: dict.fromkeys(labels, 1), dtype=bool),
    "to text": table(numbered, dtype="U3"),
}

LABELS = {
    "half": lambda labels: labels[::2],
    "all, as a set": set,
    "none": lambda labels: [],
    "a generator": lambda labels: (label for label in labels[1:3]),
    "an array of another dtype": lambda labels: np.array(labels[-2:], dtype=np.float64),
    "labels in vain": lambda labels: [2**64, -(2**65), 0.5, np.uint64(2**63), *labels[:1]],
    "text": lambda labels: [*labels, "5"],
}
MASK = {
    **{name: table(make) for name, make in LABELS.items()},
    **{
        f"value {value}": table(lambda labels: labels[::2], value=value)
        for value in (1, 300, -1, 2**40, 2**64, 1.0, 1.5, np.uint64(2**53 + 1), True)
    },
}

FROM_ARRAY = {
    "short": lambda array: ((np.array([5, 0, 3], dtype="u1"),), {}),
    "a list": lambda array: (([7, 6, 5, 4, 3, 2, 1, 0],), {}),
    "long": lambda array: ((np.arange(300)[::-1],), {}),
    "none": lambda array: ((np.array([], dtype="i8"),), {}),
    "needs 64 bits": lambda array: ((np.array([0, 2**62, 7]),), {}),
    "beyond int64": lambda array: ((np.array([0, 2**64 - 1], dtype="u8"),), {}),
    "negative": lambda array: ((np.array([0, -5, 7]),), {}),
    "fractional": lambda array: ((np.array([0.5, 1]),), {}),
}

KV_NAMES = ["pair of arrays", "pair of lists", "a key twice", "lengths differ", "empty arrays, kept"]


def half(**kwargs: Any) -> Maker:
    """Return a maker of the keys and values of every second label."""
    return lambda array: ((labels_of(array)[::2], [4] * len(labels_of(array)[::2])), dict(kwargs))


FROM_ARRAY_KV = {
    **{name: (lambda array, make=REMAP[name]: (make(array)[0][0], {})) for name in KV_NAMES},
    "some kept": half(),
    "some missing": half(preserve_missing_labels=False),
    "some filled": half(preserve_missing_labels=False, fill_value=300),
    "kept and filled": half(fill_value=1),
}

PARENTS = {
    "itself": lambda array: ((array,), {}),
    "in F order": lambda array: ((np.asfortranarray(np.flip(array)),), {}),
    "other dtype": lambda array: (((np.arange(array.size).reshape(array.shape) // 5).astype("i2"),), {}),
    "other shape": lambda array: ((np.zeros((*array.shape, 2), dtype="u1"),), {}),
}

VALUES = {
    **{f"value {value}": (lambda array, value=value: ((value,), {})) for value in (0, 1, 7, -1, 2**64, 0.5, 1.0)},
    "first label": lambda array: ((array.ravel()[0] if array.size else 0,), {}),
    "greatest label": lambda array: ((labels_of(array)[-1] if array.size else 0,), {}),
    "text": lambda array: (("5",), {}),
}


def grid_of(divisor: int) -> Maker:
    """Return a maker of a chunk size: each axis divided, where that is possible, else whole."""
    return lambda array: ((tuple(max(n // divisor, 1) if n % divisor == 0 else max(n, 1) for n in array.shape),), {})


_CASES = [
    Case("unique", UNIQUE, dask="unique", refuses=""),
    Case("renumber", RENUMBER, dask="renumber", in_place=True),
    Case("remap", REMAP, dask="remap", in_place=True),
    Case("remap_from_array", FROM_ARRAY, dask="remap_from_array", in_place=True),
    Case("remap_from_array_kv", FROM_ARRAY_KV, dask="remap_from_array_kv", in_place=True),
    Case("mask", MASK, dask="mask", in_place=True),
    Case("mask_except", MASK, dask="mask_except", in_place=True),
    Case("component_map", PARENTS, dask="component_map"),
    Case("inverse_component_map", PARENTS, dask="inverse_component_map"),
    Case("minmax", {"plain": options()}, dask="minmax"),
    Case("foreground", {"plain": options()}, dask="foreground"),
    Case("pixel_pairs", {"plain": options()}, dask="pixel_pairs"),
    Case("indices", VALUES, dask="indices"),
    Case("is_solid", {"any": options(), **VALUES}, dask="is_solid"),
    Case("is_sorted", {"ascending": options(), "descending": options(asc=False)}, dask="is_sorted"),
    Case("point_cloud", {"all": options(), "shell": options(shell=True)}, dask="point_cloud"),
    Case(
        "tobytes",
        {
            "whole": grid_of(1),
            "halves": grid_of(2),
            "in F order": lambda array: ((*grid_of(3)(array)[0], "F"), {}),
            "not dividing": lambda array: (([n + 1 for n in array.shape],), {}),
            "other order": lambda array: ((array.shape, "K"), {}),
            "zero": lambda array: (([0] * array.ndim,), {}),
        },
        dask="tobytes",
        refuses="O",
    ),
    Case(
        "refit",
        {
            "extremes": options(),
            "exotics": options(exotics=True),
            "increase only": options(increase_only=True),
            **{f"value {value}": options(value=value) for value in (0, 1, 255, 300, -129, 2**40, 2**64, 1e300, 0.5)},
            "value 300, increase only": options(value=300, increase_only=True),
        },
        dask="refit",
        shares=True,
        refuses="g G M8[s] m8[s] U3 S2 V3 O",
    ),
    Case(
        "fit_dtype",
        {
            **{
                f"value {value}": (lambda array, value=value: ((value,), {}))
                for value in (0, 1, 2, -1, 127, 128, 255, 256, 65536, -129, 2**31, 2**63, 2**64, 1e30, 1e300, 2.5, "5")
            },
            "exotic 7": options(value=7, exotics=True),
            "exotic 65520": options(value=65520, exotics=True),
            "NaN": options(value=np.nan),
        },
        needs_array=False,
    ),
    Case("widen_dtype", {"plain": options(), "exotics": options(exotics=True)}, needs_array=False),
    Case("narrow_dtype", {"plain": options(), "exotics": options(exotics=True)}, needs_array=False),
    Case("transpose", {"plain": options()}, dask="transpose", moves_buffer=True, shares=True, refuses="O"),
    Case("asfortranarray", {"plain": options()}, dask="asfortranarray", moves_buffer=True, shares=True, refuses="O"),
    Case(
        "ascontiguousarray", {"plain": options()}, dask="ascontiguousarray", moves_buffer=True, shares=True, refuses="O"
    ),
]
CASES = {case.name: case for case in _CASES}
