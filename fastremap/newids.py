"""The rules for new ids: which follow one another, and which are refused."""

import numpy as np

from .dtypes import bounds, ladder


def new_ids(dtype: np.dtype, start: int, n_ids: int, has_zero: bool = False) -> np.ndarray:
    """The ids start, start + 1, ... for labels of a dtype, besides a label 0 that stays 0 (`has_zero`).

    Raises
    ------
    ValueError
        If an id is not representable, or is 0 while that belongs to the label 0.
    """
    check_new_ids(dtype, start, n_ids, has_zero)
    if not n_ids:
        return np.empty(0, np.int64)
    widest = np.dtype(np.int64) if dtype.kind == "f" else ladder(dtype)[-1]
    if start > 0 and start + n_ids < 2**63:  # beyond, numpy makes no range
        return np.arange(start, start + n_ids, dtype=widest)
    ids = np.arange(n_ids, dtype=widest)
    ids += start
    return ids


def check_new_ids(dtype: np.dtype, start: int, n_ids: int, has_zero: bool = False) -> None:
    """Raise what `new_ids` raises, without making the ids."""
    if not n_ids:
        return
    last = start + n_ids - 1
    low, high = bounds(ladder(dtype)[-1])
    for value in (start, last):
        if not low <= value <= high:
            raise ValueError(
                f"the new id {value} ({n_ids} ids from start={start}) does not fit {ladder(dtype)[-1]}, "
                f"the widest dtype of the labels' kind ({dtype})"
            )
    if has_zero and start <= 0 <= last:
        raise ValueError(
            f"start={start} would give the id 0 to a label while preserve_zero keeps 0 for the label 0; "
            "choose start > 0, or preserve_zero=False"
        )
