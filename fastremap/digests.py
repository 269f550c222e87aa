"""Digests of arrays: to notice that a part of a volume is not what it was."""

from __future__ import annotations

import numpy as np

from . import _kernels


def digest(arr: np.ndarray) -> int:
    """
    Compute a digest of 64 bits of an array.

    Parameters
    ----------
    arr : numpy.ndarray, N-d
        Any dtype of fixed size, any strides.

    Returns
    -------
    int
        The same for arrays of one shape and dtype whose items are the same bytes, in whatever memory order. A change
        of one item is always noticed, other changes but for one in about 2**64.

    Notes
    -----
    Time O(n); a copy where items do not lie side by side along the last axis. Holds no lock. No protection against
    somebody who looks for two arrays with one digest.

    References
    ----------
    Chains of bijections, as in FNV-1a (Fowler, Noll, Vo, 1991), in 32 lanes: see csrc/fastremap/digest.hpp.

    Examples
    --------
    >>> import numpy as np
    >>> from fastremap.digests import digest
    >>> digest(np.arange(6).reshape(2, 3)) == digest(np.asfortranarray(np.arange(6).reshape(2, 3)))
    True
    """
    side_by_side = arr.ndim == 0 or arr.shape[-1] < 2 or arr.strides[-1] == arr.itemsize
    return _kernels.digest(arr if side_by_side else np.ascontiguousarray(arr))
