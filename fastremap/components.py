"""Relating two labelings of one volume: components and the parents that they lie in."""

from collections import defaultdict
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import Walk, as_array, bits, walk


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
    Time: O(n) expected. Peak extra bytes: 40 to 140 for each component (the dict takes 100 more); a copy of an input
    that is strided, unaligned, byte-swapped or of a float dtype, of the parents if the memory orders differ, and of
    both if they lie in Fortran order, their first axis is shorter than 32 and a component has two parents. Holds no
    lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.component_map([1, 1, 2, 3], [7, 7, 7, 8])
    {1: 7, 2: 7, 3: 8}
    """
    components, parents = _together(component_labels, parent_labels)
    found = _last_partners(components, parents)
    if found is None:
        components, parents = (walk(np.asarray(way.array, order="C")) for way in (components, parents))
        found = _last_partners(components, parents)
        assert found is not None  # for C order is all that was asked for
    labels, partners = found
    return _kernels.as_dict(_plain(labels, components), _plain(partners, parents))


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
    parents, components = _together(parent_labels, component_labels)
    of_pair, in_pair = _kernels.label_pairs(
        bits(parents.flat), bits(components.flat), parents.flat.dtype.kind, components.flat.dtype.kind
    )
    return defaultdict(list, _kernels.as_lists(_plain(of_pair, parents), _plain(in_pair, components)))


def _together(first: ArrayLike, second: ArrayLike) -> tuple[Walk, Walk]:
    """Walk two arrays of one shape, voxel by voxel, in the memory order of the first."""
    one, other = as_array(first), as_array(second)
    if one.shape != other.shape:
        raise ValueError(f"two labelings of one volume have one shape; got {one.shape} and {other.shape}")
    order: Literal["F", "C"] = "F" if one.flags.fnc else "C"
    return walk(np.asarray(one, order=order)), walk(np.asarray(other, order=order))


def _last_partners(components: Walk, parents: Walk) -> tuple[np.ndarray, np.ndarray] | None:
    """The bits of components, ascending, and of their parents; None where it takes C order to know them."""
    shape, kind = components.array.shape, components.flat.dtype.kind
    return _kernels.last_partners(bits(components.flat), bits(parents.flat), shape, components.fortran, kind)


def _plain(labels: np.ndarray, way: Walk) -> np.ndarray:
    """Bits as labels again; bool as 0 and 1."""
    dtype = way.flat.dtype
    return labels.view(np.uint8 if dtype.kind == "b" else dtype)
