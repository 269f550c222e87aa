"""The rules for new ids: which follow one another, and which are refused."""

from typing import NamedTuple

import numpy as np

from . import _kernels
from ._arrays import bits
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


class NumberedLabels(NamedTuple):
    """Distinct labels by number: number 0 has the id `start`, the next one start + 1, and so on.

    With `keeps_zero` number 0 is the label 0, which stays 0, and number 1 has the id `start`.
    """

    labels: np.ndarray
    start: int
    keeps_zero: bool

    def check(self, has_zero: bool) -> None:
        """Raise what `new_ids` raises; `has_zero` tells whether a label 0 occurs that is kept."""
        check_new_ids(self.labels.dtype, self.start, self._n_ids, has_zero)

    def extremes(self) -> tuple[int, int]:
        """The least and the greatest of the ids, 0 included if that is kept; 0 and 0 if there is none."""
        of_zero = [0] if self.keeps_zero or not self._n_ids else []
        others = [self.start, self.start + self._n_ids - 1] if self._n_ids else []
        return min(of_zero + others), max(of_zero + others)

    def ids(self) -> np.ndarray:
        """The ids by number; float64 for labels of a float dtype."""
        ids = new_ids(self.labels.dtype, self.start, self._n_ids)
        if self.keeps_zero:
            ids = np.concatenate([np.zeros(1, ids.dtype), ids])
        return ids.astype(np.float64) if self.labels.dtype.kind == "f" else ids

    def ascending(self) -> tuple[np.ndarray, np.ndarray]:
        """The labels in ascending order, NaN last, and the id of each in the smallest dtype that holds all of them."""
        dtype, smallest = self.labels.dtype, smallest_integer(*self.extremes())
        labels, numbers = _kernels.sort_with_places(bits(self.labels), dtype.kind)
        zero = numbers.argmin() if self.keeps_zero else None
        ids = numbers.astype(f"u{max(smallest.itemsize, numbers.itemsize)}", copy=False)
        ids += ids.dtype.type((self.start - self.keeps_zero) % 2 ** (8 * ids.itemsize))  # modulo: they are cast below
        if zero is not None:
            ids[zero] = 0
        ids = ids.astype(smallest, copy=False)
        return labels.view(dtype), ids.astype(np.float64) if dtype.kind == "f" else ids

    @property
    def _n_ids(self) -> int:
        return self.labels.size - self.keeps_zero
