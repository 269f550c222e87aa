"""Measures of an array: its extremes, how much of it is foreground."""

from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import as_array, walk


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
    Time: O(n). Peak extra bytes: none; a copy of the input if it is strided or byte-swapped. Holds no lock, but for
    float16, which numpy handles.

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
    flat = walk(array).flat
    lowest, highest = _kernels.minmax(flat, flat.dtype.kind).tolist()
    return lowest, highest


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
    Time: O(n). Peak extra bytes: none; a copy of the input if it is strided or byte-swapped. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.foreground([0, 7, 7, 0, 1])
    3
    """
    flat = walk(as_array(arr)).flat
    n_bits = 8 * flat.dtype.itemsize - (flat.dtype.kind == "f")  # the sign of a float zero does not count
    return _kernels.count_nonzero(flat.view(f"u{flat.dtype.itemsize}"), 2**n_bits - 1)
