"""LabelTable: the immutable old -> new table of labels."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels, _tablefiles
from ._arrays import LABELS, as_array, bits, cast, integer_array, is_supported, native
from ._columns import ColumnMapping
from .dtypes import extremes, ladder, smallest_integer
from .newids import NumberedLabels, new_ids


class LabelTable(ColumnMapping):
    """Map old labels to new ones: a read-only Mapping over two arrays, without a Python object per label.

    Built by `from_dict`, `from_arrays`, `from_order`, `open`, or `renumber(..., mapping="table")`; taken wherever a
    function wants a table. It is iterated in the order of old labels, can be pickled, hashed and shared by threads,
    and keeps what `remap` builds from it, so that many arrays are mapped at the cost of one build.

    Notes
    -----
    Memory: N items of each array; a table that `open` mapped takes none until it is read. One that `renumber` returned
    holds the labels in the order of their ids, and is sorted when it is first read.

    Examples
    --------
    >>> import fastremap
    >>> table = fastremap.LabelTable.from_dict({70: 2, 5: 1})
    >>> table[5], list(table), table.new
    (1, [5, 70], array([1, 2], dtype=uint8))
    """

    __slots__ = ("_built", "_columns", "_digest", "_path")

    _columns: tuple[np.ndarray, np.ndarray] | NumberedLabels

    def __init__(self, old: np.ndarray, new: np.ndarray, *, _path: str | None = None, _digest: str | None = None):
        """Take arrays that are already as `old` and `new` must be; use `from_arrays` for any others."""
        for array in (old, new):
            array.setflags(write=False)
        self._columns = (old, new)
        self._path, self._digest = _path, _digest
        self._built: dict[np.dtype, Any] = {}  # what `remap` builds from the table, by dtype of the labels

    @classmethod
    def _of_numbered(cls, numbered: NumberedLabels) -> Self:
        """Build a table that is sorted when it is first read."""
        table = cls(numbered.labels, numbered.labels)
        table._columns = numbered
        return table

    @property
    def old(self) -> np.ndarray:
        """Distinct labels, (N,), ascending, NaN last, read-only, in the smallest integer dtype that holds them.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_dict({70: 2, 5: 1}).old
        array([ 5, 70], dtype=uint8)
        """
        return self._ascending()[0]

    @property
    def new(self) -> np.ndarray:
        """The label that each of `old` becomes, (N,), read-only, in the smallest integer dtype that holds all.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_dict({70: 2, 5: 1}).new
        array([1, 2], dtype=uint8)
        """
        return self._ascending()[1]

    def _ascending(self) -> tuple[np.ndarray, np.ndarray]:
        """Both columns; threads that ask at once may all sort, and each of them is right."""
        columns = self._columns
        if isinstance(columns, NumberedLabels):
            old, new = columns.ascending()
            columns = _smallest(old), new
            for column in columns:
                column.setflags(write=False)
            self._columns = columns
        return columns

    def __len__(self) -> int:
        return self._columns[0].size

    @classmethod
    def from_dict(cls, table: Mapping[Any, Any]) -> Self:
        """Build a table from any mapping of labels.

        Parameters
        ----------
        table : Mapping
            Old label to new label; Python or numpy integers in any mixture, read exactly, or floats.

        Returns
        -------
        LabelTable
            The table.

        Raises
        ------
        TypeError, ValueError
            If a label is no number, or no 64-bit integer dtype holds all of them.

        Examples
        --------
        >>> import fastremap
        >>> len(fastremap.LabelTable.from_dict({1: 10, 2: 20}))
        2
        """
        return cls.from_arrays(_numbers(list(table.keys()), "the keys"), _numbers(list(table.values()), "the values"))

    @classmethod
    def from_arrays(cls, old: ArrayLike, new: ArrayLike) -> Self:
        """Build a table from two arrays; of a label that is given twice the last value counts.

        Parameters
        ----------
        old, new : array_like
            (N,) labels of bool, integer or float dtype.

        Returns
        -------
        LabelTable
            The table.

        Raises
        ------
        TypeError
            If a dtype is not supported.
        ValueError
            If the lengths differ.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_arrays([7, 3, 7], [1, 2, 5]).to_dict()
        {3: 2, 7: 5}
        """
        old, new = native(as_array(old)).reshape(-1), native(as_array(new)).reshape(-1)
        if old.size != new.size:
            raise ValueError(f"a table needs as many new labels as old ones; got {old.size} old and {new.size} new")
        keys, order = _kernels.sort_with_places(bits(np.require(old, requirements=["C", "A"])), old.dtype.kind)
        if _kernels.count_equal_pairs(keys):
            is_last = np.append(keys[1:] != keys[:-1], True)
            keys, order = keys[is_last], order[is_last]
        return cls(_smallest(keys.view(old.dtype)), _smallest(new[order]))

    @classmethod
    def from_order(cls, labels: ArrayLike, start: int = 1, preserve_zero: bool = True) -> Self:
        """Give the ids `start`, `start + 1`, ... to distinct labels in the order given.

        This is where the rules of `renumber` for new ids live.

        Parameters
        ----------
        labels : array_like
            (N,) distinct labels of bool, integer or float dtype.
        start : int
            The first id.
        preserve_zero : bool
            0 stays 0, takes no id, and is in the table whether or not it is among the labels.

        Returns
        -------
        LabelTable
            The table.

        Raises
        ------
        ValueError
            If an id does not fit 64 bits, is negative for unsigned labels, or would be 0 while 0 is a label that
            stays 0.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_order([9, 0, 4]).to_dict()
        {0: 0, 4: 2, 9: 1}
        """
        old = native(as_array(labels)).reshape(-1)
        has_zero = False
        if preserve_zero:
            nonzero = old != 0
            has_zero = not nonzero.all()
            old = old[nonzero]
        ids = new_ids(old.dtype, start, old.size, has_zero)
        if preserve_zero:
            old = np.append(old, old.dtype.type(0))
            ids = np.append(ids, ids.dtype.type(0))
        return cls.from_arrays(old, ids.astype(np.float64) if old.dtype.kind == "f" else ids)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a saved table; a folder is mapped into memory, not read.

        Parameters
        ----------
        path : path-like
            A folder, or a file whose name ends in .npz, .csv or .json, as `save` writes them.

        Returns
        -------
        LabelTable
            The table.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no table, or it is damaged.

        Examples
        --------
        >>> import fastremap, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "table")
        >>> fastremap.LabelTable.from_dict({5: 1}).save(path)
        >>> fastremap.LabelTable.open(path)[5]
        1
        """
        path = os.path.abspath(path)
        if not _tablefiles.is_folder(path):
            return cls.from_arrays(*_tablefiles.read_file(path))
        old, new, digest = _tablefiles.open_folder(path)
        return cls(old, new, _path=path, _digest=digest)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the table, as a folder that `open` maps into memory, or as one file.

        Parameters
        ----------
        path : path-like
            Must not exist. With the ending .npz, .csv or .json one file of that format is written (integers as
            strings in JSON, whose readers lose bits past 2**53); else a folder of `old.npy`, `new.npy` and
            `table.json`, complete or not there at all.

        Raises
        ------
        FileExistsError
            If the path exists. Nothing is written.

        Examples
        --------
        >>> import fastremap, os, tempfile
        >>> fastremap.LabelTable.from_dict({5: 1}).save(os.path.join(tempfile.mkdtemp(), "table.csv"))
        """
        _tablefiles.save(os.path.abspath(path), self.old, self.new, self.digest)

    @property
    def digest(self) -> str:
        """Hexadecimal digest of the contents; equal tables have equal digests."""
        if self._digest is None:
            digest = hashlib.blake2b(digest_size=16)
            for array in (self.old, self.new):
                digest.update(array.dtype.newbyteorder("<").str.encode())
                digest.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).data)
            self._digest = digest.hexdigest()
        return self._digest

    def to_dict(self) -> dict[Any, Any]:
        """Return the table as a fresh dict of Python numbers, in the order of old labels.

        Returns
        -------
        dict
            Old label to new label.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_arrays([2, 1], [20, 10]).to_dict()
        {1: 10, 2: 20}
        """
        return _kernels.as_dict(self.old, self.new)

    def inverse(self) -> "LabelTable":
        """Return the table new -> old.

        Returns
        -------
        LabelTable
            The inverse.

        Raises
        ------
        ValueError
            If two old labels share a new one; names the three.

        Examples
        --------
        >>> import fastremap
        >>> fastremap.LabelTable.from_dict({5: 1, 6: 2}).inverse().to_dict()
        {1: 5, 2: 6}
        """
        columns = self._columns
        old, new = (columns.labels, columns.ids()) if isinstance(columns, NumberedLabels) else columns
        if not _kernels.is_ordered(bits(new), new.dtype.kind, True):
            order = np.argsort(new, kind="stable")
            new, old = new[order], old[order]
        shared = np.flatnonzero(new[1:] == new[:-1])
        if shared.size:
            at = shared[0]
            raise ValueError(
                f"the table has no inverse: the old labels {old[at]} and {old[at + 1]} share the new label {new[at]}"
            )
        return LabelTable(_smallest(new), _smallest(old))

    def compose(self, other: Mapping[Any, Any]) -> "LabelTable":
        """Return the table that maps as this one and then as `other`.

        Parameters
        ----------
        other : LabelTable or Mapping
            Must hold every new label of this table.

        Returns
        -------
        LabelTable
            Old labels of this table to new labels of the other.

        Raises
        ------
        KeyError
            If `other` lacks a new label of this table.

        Examples
        --------
        >>> import fastremap
        >>> table = fastremap.LabelTable.from_dict
        >>> table({5: 1, 6: 2}).compose(table({1: 100, 2: 200})).to_dict()
        {5: 100, 6: 200}
        """
        from .mapping import remap

        return LabelTable(self.old, _smallest(np.array(remap(_widest(self.new), other))))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LabelTable):
            return self is other or self.digest == other.digest
        return self.to_dict() == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + sum(part.nbytes for part in self._columns if isinstance(part, np.ndarray))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._path is not None:
            return _open_same, (self._path, self.digest)
        return LabelTable, (self.old, self.new)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return "fastremap.LabelTable", self.digest


def _numbers(items: list[Any], what: str) -> np.ndarray:
    """Integers exactly, as int64 or uint64; if any of them is a float, all as float64."""
    try:
        return integer_array(items, what)
    except TypeError:
        array = as_array(items)
        return array if array.dtype.kind == "f" else array.astype(np.int64)


def _smallest(array: np.ndarray) -> np.ndarray:
    """A contiguous array in the smallest integer dtype that holds it, unsigned where possible; floats as they are."""
    array = np.ascontiguousarray(array)
    return cast(array, smallest_integer(*extremes(array))) if is_supported(array.dtype, LABELS) else array


def _widest(array: np.ndarray) -> np.ndarray:
    return array.astype(ladder(array.dtype)[-1])


def _open_same(path: str, digest: str) -> LabelTable:
    """Unpickle a mapped table: open its folder, and refuse if another table lies there now."""
    table = LabelTable.open(path)
    if table.digest != digest:
        raise ValueError(f"the table in {path} has changed since it was sent: its digest is not {digest}")
    return table
