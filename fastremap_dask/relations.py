"""States of two labelings of one volume: what a block tells of labels that lie in each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np

import fastremap

from .states import begins_label, volume_index


@dataclass(frozen=True, slots=True, eq=False)
class PartnerState:
    """
    Hold for each component of a part of a volume the parent at its last voxel.

    Parameters
    ----------
    components : numpy.ndarray, shape (K,)
        Distinct components, ascending.
    last : numpy.ndarray of int64, shape (K,)
        C-order index, in the whole volume, of the last voxel of each.
    parents : numpy.ndarray, shape (K,)
        The parent there.
    """

    components: np.ndarray
    last: np.ndarray
    parents: np.ndarray

    @classmethod
    def from_block(
        cls, components: np.ndarray, parents: np.ndarray, offset: Sequence[int], shape: Sequence[int]
    ) -> PartnerState:
        """
        Make the state of one block.

        Parameters
        ----------
        components, parents : numpy.ndarray of bool, integers or floats, N-d
            The voxels of both labelings; any memory order.
        offset, shape : sequences of N integers
            The block's corner in the volume, and the volume's shape.

        Returns
        -------
        PartnerState
            Its arrays are fresh.

        Notes
        -----
        Time and extra memory are those of `fastremap.unique` with the index, and a copy of the components.
        """
        found, at = fastremap.unique(np.flip(components), return_index=True)
        last = components.size - 1 - at
        there = parents[np.unravel_index(last, parents.shape)]
        return cls(found, volume_index(last, components.shape, offset, shape), _plain(there))

    @classmethod
    def merge(cls, states: Sequence[PartnerState]) -> PartnerState:
        """Merge states of disjoint parts: of two parents of a component that of the later voxel stays."""
        components, last, parents = (
            np.concatenate([getattr(state, name) for state in states]) for name in ("components", "last", "parents")
        )
        order = np.lexsort((last, components))
        components, last, parents = components[order], last[order], parents[order]
        ends = np.append(begins_label(components)[1:], True) if components.size else order
        return cls(components[ends], last[ends], parents[ends])

    def finalize(self) -> dict[Any, Any]:
        """Return component to parent as Python numbers, components ascending."""
        return dict(zip(_plain(self.components).tolist(), self.parents.tolist(), strict=True))

    @property
    def nbytes(self) -> int:
        """Return the bytes that the arrays hold."""
        return self.components.nbytes + self.last.nbytes + self.parents.nbytes

    def __sizeof__(self) -> int:
        """Return the size that Dask sees."""
        return object.__sizeof__(self) + self.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class PairState:
    """
    Hold the distinct pairs of parent and component of a part of a volume.

    Parameters
    ----------
    parents, components : numpy.ndarray, shape (K,)
        The pairs, ascending by parent and then by component.
    """

    parents: np.ndarray
    components: np.ndarray

    @classmethod
    def from_block(cls, parents: np.ndarray, components: np.ndarray) -> PairState:
        """
        Make the state of one block.

        Parameters
        ----------
        parents, components : numpy.ndarray of bool, integers or floats, N-d
            The voxels of both labelings; any memory order.

        Returns
        -------
        PairState
            Its arrays are fresh.

        Notes
        -----
        Time and extra memory are those of `fastremap.inverse_component_map`.
        """
        members = fastremap.inverse_component_map(parents, components)
        lengths = [len(some) for some in members.values()]
        return cls(
            np.repeat(np.fromiter(members, _native(parents), len(members)), lengths),
            np.fromiter(chain.from_iterable(members.values()), _native(components), sum(lengths)),
        )

    @classmethod
    def merge(cls, states: Sequence[PairState]) -> PairState:
        """Merge states of any parts: each pair stays once."""
        parents, components = (
            np.concatenate([getattr(state, name) for state in states]) for name in ("parents", "components")
        )
        order = np.lexsort((components, parents))
        parents, components = parents[order], components[order]
        new = begins_label(parents) | begins_label(components)
        return cls(parents[new], components[new])

    def finalize(self) -> defaultdict[Any, Any]:
        """Return parent to list of components as Python numbers, both ascending."""
        begins = np.flatnonzero(begins_label(self.parents))
        members = _plain(self.components).tolist()
        lists = (members[begin:end] for begin, end in pairwise([*begins.tolist(), len(members)]))
        return defaultdict(list, zip(_plain(self.parents[begins]).tolist(), lists, strict=True))

    @property
    def nbytes(self) -> int:
        """Return the bytes that the arrays hold."""
        return self.parents.nbytes + self.components.nbytes

    def __sizeof__(self) -> int:
        """Return the size that Dask sees."""
        return object.__sizeof__(self) + self.nbytes


def _native(labels: np.ndarray) -> np.dtype:
    return labels.dtype.newbyteorder("=")


def _plain(labels: np.ndarray) -> np.ndarray:
    """Return labels as the numbers that a dict holds: native, bool as 0 and 1, -0.0 as 0.0."""
    if labels.dtype.kind == "b":
        return labels.astype(np.uint8)
    labels = labels.astype(_native(labels), copy=False)
    return labels + labels.dtype.type(0) if labels.dtype.kind == "f" else labels
