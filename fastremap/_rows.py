"""Rows of two integers as single ones that sort alike, for the distinct rows of an edge list."""

from collections.abc import Callable
from typing import Any

import numpy as np


def pack(rows: np.ndarray, unique: Callable[..., Any]) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Pack the rows of an (N, 2) integer array into (N,) uint64 codes of the same order; also how to unpack codes.

    Integers of up to 4 bytes lie side by side in a code; of wider ones their ranks among the labels of the column do.
    """
    columns = rows[:, 0], rows[:, 1]
    if rows.dtype.itemsize <= 4:
        shift, low = np.uint64(32), int(np.iinfo(rows.dtype).min)
        first, second = ((column.astype(np.int64) - low).astype(np.uint64) for column in columns)

        def unpack(codes: np.ndarray) -> np.ndarray:
            parts = np.stack((codes >> shift, codes & np.uint64(2**32 - 1)), axis=1)
            return (parts.astype(np.int64) + low).astype(rows.dtype)

        return first << shift | second, unpack
    (firsts, first), (seconds, second) = (unique(column, return_inverse=True) for column in columns)
    n_seconds = max(1, seconds.size)

    def unpack_ranks(codes: np.ndarray) -> np.ndarray:
        rank, other = np.divmod(codes.astype(np.int64), n_seconds)
        return np.stack((firsts[rank], seconds[other]), axis=1)

    return (first * n_seconds + second).astype(np.uint64), unpack_ranks
