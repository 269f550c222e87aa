"""Which labels of an array can be among keys that were given in any form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import fastremap
from fastremap import LabelTable


def read_once(labels: Any) -> Any:
    """Return labels that may be read again, as generators may not; what holds no labels as it is, to be refused."""
    if isinstance(labels, np.ndarray):
        return labels.reshape(-1)
    return list(labels) if isinstance(labels, Iterable) and not isinstance(labels, str | bytes) else labels


def listed(keys: Any, dtype: np.dtype) -> np.ndarray:
    """Return the labels that are among keys, in their dtype; keys that it cannot hold are left out."""
    labels = _candidates(keys, dtype)
    found = fastremap.remap(labels, (keys, np.ones(len(keys), np.uint8)), fill_value=0)
    return labels[found != 0]


def _candidates(keys: Any, dtype: np.dtype) -> np.ndarray:
    """Return at least the labels that are among keys."""
    try:
        read = LabelTable.from_arrays(keys, np.zeros(len(keys), np.uint8)).old
    except (TypeError, ValueError):  # integers that no 64-bit dtype holds together
        read = np.empty(0)
    if dtype.kind == "f" and read.size:
        with np.errstate(over="ignore"):
            return read.astype(dtype)
    numbers = (key.item() if isinstance(key, np.generic | np.ndarray) else key for key in keys)
    if dtype.kind == "f":
        most = float(np.finfo(dtype).max)
        return np.array([float(key) for key in numbers if isinstance(key, float) or -most <= key <= most]).astype(dtype)
    low, high = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    if read.dtype.kind != "f":
        return read[(read >= low) & (read <= high)].astype(dtype)
    # Integers among floats, one by one: together they would be rounded to float64.
    return np.array([int(key) for key in numbers if low <= key <= high], dtype)
