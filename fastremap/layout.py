"""Memory order: C to Fortran order and back within an array's own buffer, and chunks as bytes."""

import operator
from collections.abc import Sequence
from pathlib import Path
from types import EllipsisType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from . import _kernels
from ._arrays import as_array, c_copy


def transpose(arr: ArrayLike) -> np.ndarray:
    """Reverse the axes of an array physically, within its own buffer.

    Any other array on that buffer, the input's own name included, shows scrambled data afterwards: use the result.

    Parameters
    ----------
    arr : array_like
        Any shape and strides; any dtype of fixed size. C- or F-contiguous and writeable arrays are rearranged in
        place, all others are copied.

    Returns
    -------
    numpy.ndarray
        Equal to ``numpy.transpose(arr)`` as that was, with its dtype, in the memory order of the input: C-ordered in,
        C-ordered out. It shares the input's buffer where that was rearranged.

    Raises
    ------
    TypeError
        If the items are Python objects or the array is masked. Nothing is written.
    MemoryError
        If there is no memory for the scratch. Nothing is written.

    Notes
    -----
    Time: O(n), one to three passes over the array. Peak extra bytes: 2 % of the array or 16 MiB, whichever is more; a
    copy where the input cannot be rearranged. Holds no lock.

    References
    ----------
    .. [1] F. Gustavson, L. Karlsson, B. Kågström, "Parallel and cache-efficient in-place matrix storage format
       conversion", ACM TOMS 38(3), 2012.

    Examples
    --------
    >>> import numpy as np, fastremap
    >>> arr = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)
    >>> out = fastremap.transpose(arr)
    >>> out.tolist(), np.shares_memory(out, arr)
    ([[1, 4], [2, 5], [3, 6]], True)
    """
    array = _fixed_size_array(arr)
    return _reversed(array.T).T if _is_fortran(array) else _reversed(array)


def asfortranarray(arr: ArrayLike) -> np.ndarray:
    """Lay an array out in Fortran order, within its own buffer.

    Any other array on that buffer, the input's own name included, shows scrambled data afterwards: use the result.

    Parameters
    ----------
    arr : array_like
        Any shape and strides; any dtype of fixed size. C-contiguous and writeable arrays are rearranged in place;
        F-contiguous and writeable ones are returned; all others are copied.

    Returns
    -------
    numpy.ndarray
        Equal to ``numpy.asfortranarray(arr)`` as that was, with its dtype; of shape (1,) for a scalar. It shares the
        input's buffer unless that had to be copied.

    Raises
    ------
    TypeError
        If the items are Python objects or the array is masked. Nothing is written.
    MemoryError
        If there is no memory for the scratch. Nothing is written.

    See Also
    --------
    transpose : The same rearrangement.

    Notes
    -----
    Time, memory and threads as `transpose`.

    Examples
    --------
    >>> import numpy as np, fastremap
    >>> arr = np.arange(6, dtype=np.uint8).reshape(2, 3)
    >>> out = fastremap.asfortranarray(arr)
    >>> out.tolist(), out.flags.f_contiguous, np.shares_memory(out, arr)
    ([[0, 1, 2], [3, 4, 5]], True, True)
    """
    return _c_ordered(_fixed_size_array(arr).T).T


def ascontiguousarray(arr: ArrayLike) -> np.ndarray:
    """Lay an array out in C order, within its own buffer.

    Any other array on that buffer, the input's own name included, shows scrambled data afterwards: use the result.

    Parameters
    ----------
    arr : array_like
        Any shape and strides; any dtype of fixed size. F-contiguous and writeable arrays are rearranged in place;
        C-contiguous and writeable ones are returned; all others are copied.

    Returns
    -------
    numpy.ndarray
        Equal to ``numpy.ascontiguousarray(arr)`` as that was, with its dtype; of shape (1,) for a scalar. It shares
        the input's buffer unless that had to be copied.

    Raises
    ------
    TypeError
        If the items are Python objects or the array is masked. Nothing is written.
    MemoryError
        If there is no memory for the scratch. Nothing is written.

    See Also
    --------
    transpose : The same rearrangement.

    Notes
    -----
    Time, memory and threads as `transpose`.

    Examples
    --------
    >>> import numpy as np, fastremap
    >>> arr = np.arange(6, dtype=np.uint8).reshape(2, 3, order="F")
    >>> out = fastremap.ascontiguousarray(arr)
    >>> out.tolist(), out.flags.c_contiguous, np.shares_memory(out, arr)
    ([[0, 2, 4], [1, 3, 5]], True, True)
    """
    return _c_ordered(_fixed_size_array(arr))


def tobytes(image: ArrayLike, chunk_size: Sequence[int], order: Literal["C", "F"] = "C") -> list[bytes]:
    """Cut an image into the chunks of a grid and return the bytes of each.

    Parameters
    ----------
    image : array_like
        Any shape, order and strides; any dtype of fixed size.
    chunk_size : sequence of int
        The shape of a chunk, which divides that of the image.
    order : {"C", "F"}, optional
        The order in which the items of a chunk are written.

    Returns
    -------
    list of bytes
        ``chunk.tobytes(order)`` for each chunk, the chunks in Fortran order: the first axis of the grid varies
        fastest.

    Raises
    ------
    TypeError
        If the items are Python objects, the image is masked, or a size is no integer. Nothing is written.
    ValueError
        If the chunks do not divide the image, or `order` is neither "C" nor "F". Nothing is written.

    Notes
    -----
    Time: O(n). Peak extra bytes: the result. Holds no lock while voxels move.

    Examples
    --------
    >>> import numpy as np, fastremap
    >>> fastremap.tobytes(np.arange(4, dtype=np.uint8).reshape(2, 2), (1, 2))
    [b'\\x00\\x01', b'\\x02\\x03']
    """
    array = _fixed_size_array(image)
    if order not in ("C", "F"):
        raise ValueError(f'order={order!r} is not known; expected "C" or "F"')
    sizes = tuple(map(operator.index, chunk_size))
    if len(sizes) != array.ndim or any(size < 1 or n % size for n, size in zip(array.shape, sizes, strict=True)):
        raise ValueError(f"chunk_size={sizes} does not divide the shape {array.shape}; expected a divisor of each axis")
    grid = tuple(n // size for n, size in zip(array.shape, sizes, strict=True))
    chunks = []
    for corner in np.ndindex(grid[::-1]):
        begins = [place * size for place, size in zip(corner[::-1], sizes, strict=True)]
        slices = (slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True))
        where: tuple[EllipsisType | slice, ...] = (
            ...,
            *slices,
        )  # the ellipsis makes an array, not a scalar, of no axes
        cutout = array[where]
        chunks.append(_kernels.copy_to_bytes(cutout if order == "C" else cutout.T))
    return chunks


def get_include() -> str:
    """Return the folder of the C++ header `ipt.hpp`.

    Returns
    -------
    str
        A folder to give to a compiler: ``-I``.

    Raises
    ------
    FileNotFoundError
        If the header was removed from the installation. Nothing is written.

    Notes
    -----
    Time and memory: constant.

    Examples
    --------
    >>> import os, fastremap
    >>> os.listdir(fastremap.get_include()).count("ipt.hpp")
    1
    """
    package = Path(__file__).resolve().parent
    # An installed package holds the header; in a source tree it is still where it is written.
    for folder in (package / "include", package.parent / "csrc"):
        if (folder / "ipt.hpp").is_file():
            return str(folder)
    raise FileNotFoundError(f"ipt.hpp is neither in {package / 'include'} nor in a source tree; reinstall fastremap")


def _fixed_size_array(arr: ArrayLike) -> np.ndarray:
    """Take an array as numpy does, of any dtype whose items are plain bytes."""
    array = as_array(arr, kinds=None)
    if array.dtype.hasobject:
        raise TypeError(f"dtype {array.dtype} is not supported; expected one whose items are plain bytes")
    return array


def _is_fortran(array: np.ndarray) -> bool:
    return array.flags.f_contiguous and not array.flags.c_contiguous


def _c_ordered(array: np.ndarray) -> np.ndarray:
    """The array in C order: itself, or its buffer rearranged, or a copy; never of no axes, as numpy has it."""
    if array.ndim == 0:
        array = array.reshape(1)
    if array.flags.c_contiguous and array.flags.writeable:
        return array
    if _is_fortran(array) and array.flags.writeable:
        return _rearranged(array.T, array.shape)
    return c_copy(array)


def _reversed(array: np.ndarray) -> np.ndarray:
    """The axes of an array reversed, C-ordered: its buffer rearranged if that is C-contiguous, or a copy."""
    if array.flags.c_contiguous and array.flags.writeable:
        return _rearranged(array, array.shape[::-1])
    return c_copy(array.T)


def _rearranged(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Reverse the axes of a C-ordered array within its buffer, and view that in the shape given."""
    _kernels.reverse_axes(array, array.shape)
    return array.reshape(shape)
