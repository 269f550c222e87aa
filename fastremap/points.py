"""Where the voxels of each label lie."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import FEW_ITEMS, as_array, bits, c_copy, walk
from .labels import distinct


def point_cloud(arr: ArrayLike, shell: bool = False) -> dict[Any, np.ndarray]:
    """List the coordinates of the voxels of each label.

    Parameters
    ----------
    arr : array_like
        One or more dimensions, any order and strides; bool, integer or float dtype.
    shell : bool
        Only voxels on the border of the image, or with a face neighbour of another label.

    Returns
    -------
    dict
        Label to (N, ndim) coordinates in C order, labels ascending, background 0 left out. Coordinates are uint16
        while every axis is at most 65,536 long, then uint32.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.
    ValueError
        If the array has no dimension, or an axis longer than 2**32. Nothing is written.

    Notes
    -----
    Time: O(n) expected. Peak extra bytes: the coordinates, which the arrays of the result share, and about 60 to 120
    for each label; in Fortran order a buffer of 64 MB, or of one index of the first axis where that takes more; a copy
    of the input if it is strided, unaligned, byte-swapped or of a float dtype, and for `shell` one or two. Holds no
    lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.point_cloud([[0, 5], [5, 1]])
    {1: array([[1, 1]], dtype=uint16), 5: array([[0, 1],
           [1, 0]], dtype=uint16)}
    """
    array = as_array(arr)
    if not array.ndim:
        raise ValueError("point_cloud needs an array of at least one dimension; a scalar has no coordinates")
    longest = max(array.shape)
    if longest > 2**32:
        raise ValueError(f"an axis of {longest} voxels is too long for coordinates of 32 bits")
    in_c_order = shell or array.size <= FEW_ITEMS  # a copy takes less time than to make slabs ready
    way = walk(c_copy(array) if in_c_order and not array.flags.c_contiguous else array)
    labels = bits(way.flat)
    if shell and array.size:
        whole, labels = labels, np.empty_like(labels)
        _kernels.keep_surface(whole, array.shape, labels)
    found, counts, _ = distinct(way, labels, True, False, True)
    assert counts is not None  # for they were asked for
    foreground = found.nonzero()[0]
    if foreground.size < found.size:
        found, counts = found[foreground], counts[foreground]
    points = _kernels.points_of(labels, array.shape, way.fortran, bits(found), counts, longest > 65536)
    keys = found.view(np.uint8) if found.dtype.kind == "b" else found
    return dict(zip(keys.tolist(), points, strict=True))
