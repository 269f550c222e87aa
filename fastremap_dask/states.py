"""States: what a reduction over labels passes around; each block makes one, and any two merge into one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import fastremap

ORDERS = ("first", "sorted")


@dataclass(frozen=True, slots=True, eq=False)
class LabelState:
    """
    Hold the distinct labels of a part of a volume.

    Parameters
    ----------
    labels : numpy.ndarray, shape (K,)
        Distinct labels, ascending, in the volume's dtype; NaN is one label and comes last.
    counts : numpy.ndarray of int64, shape (K,), or None
        Voxels of each label.
    first : numpy.ndarray of int64, shape (K,), or None
        C-order index, in the whole volume, of the first voxel of each label.
    nans : numpy.ndarray of int64, shape (M,), or None
        C-order index, in the whole volume, of every voxel that is NaN (or NaT), ascending.
    """

    labels: np.ndarray
    counts: np.ndarray | None = None
    first: np.ndarray | None = None
    nans: np.ndarray | None = None

    @classmethod
    def from_block(
        cls,
        block: np.ndarray,
        offset: Sequence[int],
        shape: Sequence[int],
        *,
        counts: bool = False,
        first: bool = False,
        nans: bool = False,
    ) -> LabelState:
        """
        Make the state of one block.

        Parameters
        ----------
        block : numpy.ndarray of bool, integers or floats, N-d
            The voxels; any memory order.
        offset : sequence of N integers
            The block's corner in the volume. Read only for `first` and `nans`.
        shape : sequence of N integers
            The volume's shape. Read only for `first` and `nans`.
        counts, first, nans : bool
            Which of the columns to fill; `nans` of floats, complex numbers and times.

        Returns
        -------
        LabelState
            Its arrays are fresh, none is a view of `block`.

        Raises
        ------
        ValueError
            If an index is asked of a volume of more than 2**63 - 1 voxels.

        Notes
        -----
        Time and extra memory are those of `fastremap.unique`, 48 bytes a label for `first`, and for `nans` 1 byte a
        voxel and 48 for each that is NaN.
        """
        parts = fastremap.unique(block, return_index=first, return_counts=counts)
        labels, *columns = parts if first or counts else (parts,)
        return cls(
            labels,
            columns.pop().astype(np.int64, copy=False) if counts else None,
            volume_index(columns.pop(), block.shape, offset, shape) if first else None,
            volume_index(np.flatnonzero(np.isnan(block)), block.shape, offset, shape) if nans else None,
        )

    @property
    def nbytes(self) -> int:
        """Return the bytes that the arrays hold."""
        columns = self.labels, self.counts, self.first, self.nans
        return sum(column.nbytes for column in columns if column is not None)

    def __sizeof__(self) -> int:
        """Return the size that Dask sees."""
        return object.__sizeof__(self) + self.nbytes


def volume_index(
    flat: np.ndarray, block_shape: Sequence[int], offset: Sequence[int], shape: Sequence[int]
) -> np.ndarray:
    """
    Turn indices into a block into indices into the volume, both flat and in C order.

    Parameters
    ----------
    flat : numpy.ndarray of integers, shape (K,)
        C-order indices into the block.
    block_shape, offset, shape : sequences of N integers
        The block's shape, its corner in the volume, and the volume's shape.

    Returns
    -------
    numpy.ndarray of int64, shape (K,)
        C-order indices into the volume. They ascend wherever `flat` does, so first in the block is first in the volume.

    Raises
    ------
    ValueError
        If the volume has more than 2**63 - 1 voxels.
    """
    if math.prod(shape) > np.iinfo(np.int64).max:
        raise ValueError(f"a volume of shape {tuple(shape)} has more than 2**63 - 1 voxels: int64 cannot index it")
    index = np.zeros(flat.shape, np.int64)
    pitch = 1
    for length, corner, extent in zip(reversed(block_shape), reversed(offset), reversed(shape), strict=True):
        flat, position = np.divmod(flat, max(length, 1))
        index += (position + corner) * pitch
        pitch *= extent
    return index


def merge(states: Sequence[LabelState]) -> LabelState:
    """
    Merge states of disjoint parts of one volume.

    Parameters
    ----------
    states : sequence of LabelState
        At least one; all with the same dtype of labels and the same columns.

    Returns
    -------
    LabelState
        The state of the union: counts are added, the least first index stays, the indices of NaNs are joined. Grouping
        and order of `states` make no difference to it.

    Raises
    ------
    ValueError
        If there is no state, or if dtypes or columns differ.

    Notes
    -----
    Time O(n log k) for n labels in k states: the stable sort finds the k ascending runs and merges them.
    Peak extra memory: twice the states' bytes and 16 bytes a label. One thread.
    """
    kinds = {(state.labels.dtype, state.counts is None, state.first is None, state.nans is None) for state in states}
    if len(kinds) != 1:
        raise ValueError(
            "states must share one dtype and the same columns to be merged; "
            f"got (dtype, no counts, no first, no nans) {kinds}"
        )
    if len(states) == 1:
        return states[0]
    labels = np.concatenate([state.labels for state in states])
    order = np.argsort(labels, kind="stable")
    labels = labels[order]
    starts = np.flatnonzero(begins_label(labels))

    def reduced(name: str, reduce: np.ufunc) -> np.ndarray | None:
        columns = [getattr(state, name) for state in states]
        return None if columns[0] is None else reduce.reduceat(np.concatenate(columns)[order], starts)

    nans = None if states[0].nans is None else np.sort(np.concatenate([state.nans for state in states]))
    return LabelState(labels[starts], reduced("counts", np.add), reduced("first", np.minimum), nans)


def begins_label(ascending: np.ndarray) -> np.ndarray:
    """
    Mark where each label begins.

    Parameters
    ----------
    ascending : numpy.ndarray, shape (N,)
        Labels with repeats; NaNs (and NaTs) are one label.

    Returns
    -------
    numpy.ndarray of bool, shape (N,)
        True at the first of equal labels.
    """
    begins = np.ones(ascending.shape, bool)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    if ascending.dtype.kind in "fcmM":
        begins[1:][np.isnan(ascending[:-1])] = False  # ascending: after one NaN there are only NaNs
    return begins


def labels_in_order(state: LabelState, order: str) -> np.ndarray:
    """
    Return the labels in the order in which `renumber` gives out ids.

    Parameters
    ----------
    state : LabelState
        The state of the whole volume, with the column `first` if `order` is "first".
    order : {"first", "sorted"}
        By index of the first voxel, or by value.

    Returns
    -------
    numpy.ndarray, shape (K,)
        Labels for `fastremap.LabelTable.from_order`, in the state's dtype.

    Raises
    ------
    ValueError
        If `order` is neither, or the column it needs is absent.
    """
    check_order(order)
    if order == "sorted":
        return state.labels
    if state.first is None:
        raise ValueError('order="first" needs states made with first=True')
    return state.labels[np.argsort(state.first)]


def check_order(order: str) -> None:
    """
    Refuse an order of ids that is not known.

    Parameters
    ----------
    order : str
        The value to check.

    Raises
    ------
    ValueError
        If it is neither "first" nor "sorted".
    """
    if order not in ORDERS:
        raise ValueError(f'order must be "first" or "sorted", not {order!r}')
