"""Measures of an array: extremes, counts, places of a value, and whether a rule holds throughout."""

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import as_array, bits, cast, native, walk
from ._pairs import read_label


def minmax(arr: ArrayLike) -> tuple[int | float | bool | None, int | float | bool | None]:
    """Find the least and the greatest value in one pass.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.

    Returns
    -------
    tuple
        ``(lowest, highest)`` as Python numbers: ``(None, None)`` for an empty array, NaN twice if a value is NaN.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.

    Notes
    -----
    Time: O(n). Peak extra bytes: none; a copy of the input if it is strided, unaligned or byte-swapped. Holds no
    lock, but for float16, which numpy handles.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.minmax([3, -1, 2])
    (-1, 3)
    """
    array = as_array(arr)
    if not array.size:
        return None, None
    if array.dtype.kind == "f" and array.dtype.itemsize == 2:
        return array.min().item(), array.max().item()
    return _kernels.minmax(walk(array).flat)


def foreground(arr: ArrayLike) -> int:
    """Count the voxels that are not background, which is 0.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype. -0.0 is background, NaN is not.

    Returns
    -------
    int
        The number of voxels that are not 0.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.

    Notes
    -----
    Time: O(n). Peak extra bytes: none; a copy of the input if it is strided, unaligned or byte-swapped. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.foreground([0, 7, 7, 0, 1])
    3
    """
    flat = walk(as_array(arr)).flat
    n_bits = 8 * flat.dtype.itemsize - (flat.dtype.kind == "f")  # the sign of a float zero does not count
    return _kernels.count_nonzero(flat.view(f"u{flat.dtype.itemsize}"), 2**n_bits - 1)


def pixel_pairs(labels: ArrayLike) -> int:
    """Count the neighbours in memory order that have the same label.

    Parameters
    ----------
    labels : array_like
        Any shape, order and strides; bool, integer or float dtype. An array that is not contiguous is taken in C order.

    Returns
    -------
    int
        The number of voxels that have the label of the voxel after them.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.

    Notes
    -----
    Time: O(n). Peak extra bytes: none; a copy of the input if it is strided, unaligned, byte-swapped or of a float
    dtype. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.pixel_pairs([7, 7, 7, 1, 1])
    3
    """
    return _kernels.count_equal_pairs(bits(walk(as_array(labels)).flat))


def indices(arr: ArrayLike, value: int | float) -> np.ndarray:
    """Find the flat C-order indices of the voxels that have a value.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    value : int or float
        A value outside the array's dtype is found nowhere.

    Returns
    -------
    numpy.ndarray
        (N,) intp indices, ascending: ``numpy.flatnonzero(arr == value)``.

    Raises
    ------
    TypeError
        If the dtype is not supported, or the value is no number. Nothing is written.

    Notes
    -----
    Time: O(n), and O(N log N) for an array in Fortran order. Peak extra bytes: 24 for each index; a copy of the input
    if it is strided, unaligned, byte-swapped or of a float dtype. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.indices([[0, 5], [5, 1]], 5)
    array([1, 2])
    """
    places = _kernels.find(arr, value)
    if places is not None:
        return places
    way = walk(as_array(arr))
    wanted = read_label(value, way.flat.dtype)
    if wanted is None:
        return np.empty(0, np.intp)
    places = _kernels.find_equal(bits(way.flat), wanted)
    if way.fortran:
        at = np.unravel_index(places, way.array.shape, order="F")
        places = np.sort(np.ravel_multi_index(at, way.array.shape))
    return cast(places, np.dtype(np.intp))


def is_solid(arr: ArrayLike, value: int | float | None = None) -> bool:
    """Tell whether all voxels have one value.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    value : int or float, optional
        This value; default: whichever the first voxel has.

    Returns
    -------
    bool
        True for an empty array.

    Raises
    ------
    TypeError
        If the dtype is not supported, or the value is no number. Nothing is written.

    Notes
    -----
    Time: O(n), and ends at the first voxel that differs. Peak extra bytes: none; a copy of the input if it is strided,
    unaligned, byte-swapped or of a float dtype. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.is_solid([3, 3, 3]), fastremap.is_solid([3, 3, 3], 4)
    (True, False)
    """
    flat = walk(as_array(arr)).flat
    labels = bits(flat)
    wanted = None if value is None else read_label(value, flat.dtype)
    if not labels.size:
        return True
    if value is None:
        wanted = int(labels[0])
    return wanted is not None and _kernels.all_equal(labels, wanted)


def is_sorted(arr: ArrayLike, asc: bool = True) -> bool:
    """Tell whether the voxels are sorted, in C order.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    asc : bool
        Ascending; otherwise descending. NaN is above all, as `numpy.sort` has it.

    Returns
    -------
    bool
        True if no voxel is above (below) the next one.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.

    Notes
    -----
    Time: O(n), and ends at the first voxel out of order. Peak extra bytes: none; a copy of the input if it does not lie
    in C order, is unaligned, byte-swapped or float16. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.is_sorted([1, 2, 2, 9]), fastremap.is_sorted([1, 2, 2, 9], asc=False)
    (True, False)
    """
    flat = np.ascontiguousarray(native(as_array(arr)).reshape(-1))
    if flat.dtype == np.float16:
        flat = flat.astype(np.float32)
    return _kernels.is_ordered(flat, flat.dtype.kind, bool(asc))
