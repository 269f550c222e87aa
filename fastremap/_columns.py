"""Two columns, old and new labels, as a read-only Mapping: what LabelTable is to those who look labels up in it."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .dtypes import bounds

# Rows at each end of a table that notebooks show: a table may have millions.
_SHOWN_AT_ENDS = 4


class ColumnMapping(Mapping[Any, Any]):
    """A Mapping over two arrays: `old`, (N,) distinct labels, ascending, NaN last; and `new`, (N,) their values."""

    __slots__ = ()

    @property
    @abstractmethod
    def old(self) -> np.ndarray: ...

    @property
    @abstractmethod
    def new(self) -> np.ndarray: ...

    def _index(self, label: Any) -> int:
        """Position of a label in `old`, or -1; exact for integers of any signedness."""
        if isinstance(label, np.generic | np.ndarray) and label.ndim == 0:
            label = label.item()
        if not isinstance(label, int | float) or not self.old.size:
            return -1
        if self.old.dtype.kind != "f":
            if isinstance(label, float) and not label.is_integer():
                return -1
            label = int(label)
            low, high = bounds(self.old.dtype)
            if not low <= label <= high:
                return -1
        elif math.isnan(label):
            return self.old.size - 1 if np.isnan(self.old[-1]) else -1
        at = int(np.searchsorted(self.old, self.old.dtype.type(label)))
        return at if at < self.old.size and self.old[at].item() == label else -1

    def __getitem__(self, label: Any) -> int | float:
        at = self._index(label)
        if at < 0:
            raise KeyError(label)
        label_now: int | float = self.new[at].item()
        return label_now

    def __contains__(self, label: object) -> bool:
        return self._index(label) >= 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.old.tolist())

    def __len__(self) -> int:
        return self.old.size

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} labels, {self.old.dtype} -> {self.new.dtype}>"

    def _repr_html_(self) -> str:
        n, shown = len(self), _SHOWN_AT_ENDS
        head, tail = (slice(0, n), slice(n, n)) if n <= 2 * shown else (slice(0, shown), slice(n - shown, n))
        first, last = (
            "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in zip(self.old[at], self.new[at], strict=True))
            for at in (head, tail)
        )
        between = f"<tr><td colspan='2'>{n - 2 * shown:,} more</td></tr>" if last else ""
        names = f"<tr><th>old, {self.old.dtype}</th><th>new, {self.new.dtype}</th></tr>"
        return f"<table><caption>{type(self).__name__} of {n:,} labels</caption>{names}{first}{between}{last}</table>"
