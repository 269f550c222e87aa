"""The rules for new ids: which follow one another, and which are refused."""

import numpy as np

from .dtypes import bounds, ladder, smallest_integer


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


def ids_of_numbers(dtype: np.dtype, start: int, numbers: np.ndarray, keeps_zero: bool, has_zero: bool) -> np.ndarray:
    """The new ids of labels that are numbered 0, 1, ... in any order; with `keeps_zero` number 0 is the label 0.

    The numbers are overwritten. Raises as `new_ids`, whose ids these are, in the smallest dtype.
    """
    n_ids = numbers.size - keeps_zero
    check_new_ids(dtype, start, n_ids, has_zero)
    smallest = smallest_integer(min(start, 0), max(start + n_ids - 1, 0))
    zero = numbers.argmin() if keeps_zero else None
    ids = numbers.astype(f"u{max(smallest.itemsize, numbers.itemsize)}", copy=False)
    ids += ids.dtype.type((start - keeps_zero) % 2 ** (8 * ids.itemsize))  # modulo their width, as they are cast below
    if zero is not None:
        ids[zero] = 0
    return ids.astype(smallest, copy=False)


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
