"""Relating two labelings of one volume: components and the parents that they lie in."""

import itertools
from collections import defaultdict
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import Walk, as_array, bits, walk

_SHORTEST_LINE = 32  # of an array in Fortran order: to walk shorter ones takes longer than to copy them


def component_map(component_labels: ArrayLike, parent_labels: ArrayLike) -> dict[Any, Any]:
    """Map each component to the parent that it lies in.

    Parameters
    ----------
    component_labels, parent_labels : array_like
        Two labelings of one shape, in any memory orders; bool, integer or float dtypes.

    Returns
    -------
    dict
        Component to parent, components ascending. A component under two parents has the one of its last voxel in C
        order. Empty for empty arrays.

    Raises
    ------
    TypeError
        If a dtype is not supported. Nothing is written.
    ValueError
        If the shapes differ. Nothing is written.

    See Also
    --------
    inverse_component_map : All components of each parent.

    Notes
    -----
    Time: O(n) expected. Peak extra bytes: about 60 for each component (the dict takes 100 more); a copy of an input
    that is strided, unaligned, byte-swapped or of a float dtype, of the parents if the memory orders differ, and of
    both if they lie in Fortran order and their first axis is shorter than 32. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.component_map([1, 1, 2, 3], [7, 7, 7, 8])
    {1: 7, 2: 7, 3: 8}
    """
    components, parents, shape = _together(component_labels, parent_labels)
    labels, partners = _kernels.last_partners(bits(components.flat), bits(parents.flat), shape, components.fortran)
    labels, partners = _plain(labels, components), _plain(partners, parents)
    if labels.dtype.kind == "f" or not _kernels.is_ordered(labels, labels.dtype.kind, True):
        order = labels.argsort()
        labels, partners = labels[order], partners[order]
    return _kernels.as_dict(labels, partners)


def inverse_component_map(parent_labels: ArrayLike, component_labels: ArrayLike) -> defaultdict[Any, list[Any]]:
    """Map each parent to the components that lie in it.

    Parameters
    ----------
    parent_labels, component_labels : array_like
        Two labelings of one shape, in any memory orders; bool, integer or float dtypes.

    Returns
    -------
    defaultdict of list
        Parent to its components, both ascending. Empty for empty arrays.

    Raises
    ------
    TypeError
        If a dtype is not supported. Nothing is written.
    ValueError
        If the shapes differ. Nothing is written.

    See Also
    --------
    component_map : The parent of each component.

    Notes
    -----
    Time: O(n) expected. Peak extra bytes: about 60 for each parent and component and 60 for each pair (the lists take
    100 more); copies as in `component_map`. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> dict(fastremap.inverse_component_map([7, 7, 7, 8], [1, 1, 2, 3]))
    {7: [1, 2], 8: [3]}
    """
    parents, components, shape = _together(parent_labels, component_labels)
    of_pair, in_pair = _kernels.label_pairs(bits(parents.flat), bits(components.flat), shape, parents.fortran)
    order = np.lexsort((_plain(in_pair, components), _plain(of_pair, parents)))
    labels, counts = _kernels.collapse(of_pair[order], True)
    members = _plain(in_pair[order], components).tolist()
    ends = itertools.accumulate(counts.tolist(), initial=0)
    lists = (members[begin:end] for begin, end in itertools.pairwise(ends))
    return defaultdict(list, zip(_plain(labels, parents).tolist(), lists, strict=True))


def _together(first: ArrayLike, second: ArrayLike) -> tuple[Walk, Walk, tuple[int, ...]]:
    """Walk two arrays voxel by voxel in the same order; also the shape that gives C-order positions."""
    one, other = as_array(first), as_array(second)
    shape = one.shape
    if shape != other.shape:
        raise ValueError(f"two labelings of one volume have one shape; got {shape} and {other.shape}")
    fortran = one.flags.fnc and shape[0] >= _SHORTEST_LINE
    order: Literal["F", "C"] = "F" if fortran else "C"
    ways = walk(np.asarray(one, order=order)), walk(np.asarray(other, order=order))
    return *ways, shape if fortran else (one.size,)


def _plain(labels: np.ndarray, way: Walk) -> np.ndarray:
    """Bits as labels again; bool as 0 and 1."""
    dtype = way.flat.dtype
    return labels.view(np.uint8 if dtype.kind == "b" else dtype)
