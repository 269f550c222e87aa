"""The smallest, the next wider and the next narrower dtype of a kind, for callers who choose dtypes themselves."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ._arrays import as_array, native
from .dtypes import bounds
from .measures import minmax

# By kind, narrowest first. What only `exotics` admits, as a result of each function, is listed below.
_CHAINS: dict[str, list[type]] = {
    "b": [np.bool_],
    "i": [np.int8, np.int16, np.int32, np.int64],
    "u": [np.uint8, np.uint16, np.uint32, np.uint64],
    "f": [np.float16, np.float32, np.float64, np.longdouble],
    "c": [np.complex64, np.complex128, np.clongdouble],
}
_NEVER_FITTED = (np.longdouble, np.clongdouble)
_EXOTIC_FITS = (np.float16, np.complex128)
_EXOTIC_WIDENINGS = (np.longdouble, np.complex128, np.clongdouble)
_EXOTIC_NARROWINGS = (np.float16,)


def fit_dtype(dtype: DTypeLike, value: Any, exotics: bool = False) -> type:
    """Find the smallest dtype of a kind that holds a value.

    Parameters
    ----------
    dtype : dtype
        Its kind counts: bool, signed, unsigned, float or complex.
    value : number
        What is to be held: an integer exactly, a float within the range.
    exotics : bool
        Admit float16 and complex128, which many programs do not read.

    Returns
    -------
    type
        The scalar type, such as ``numpy.uint16``.

    Raises
    ------
    TypeError
        If the dtype is of another kind, or the value is no number. Nothing is written.
    ValueError
        If no dtype of the kind holds the value, a negative value for an unsigned kind included. Nothing is written.

    See Also
    --------
    refit : Cast an array to the dtype that fits it.

    Notes
    -----
    Time and memory: constant.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.fit_dtype("uint8", 256)
    <class 'numpy.uint16'>
    """
    refused = _NEVER_FITTED if exotics else _NEVER_FITTED + _EXOTIC_FITS
    candidates = [scalar for scalar in _chain(dtype) if scalar not in refused]
    number = value.item() if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0 else value
    if not isinstance(number, bool | int | float | complex):
        raise TypeError(f"a value must be a number; got {value!r} of type {type(value).__name__}")
    for scalar in candidates:
        if _holds(np.dtype(scalar), number):
            return scalar
    raise ValueError(f"{value} fits no dtype of the kind of {np.dtype(dtype)}; the widest is {candidates[-1].__name__}")


def widen_dtype(dtype: DTypeLike, exotics: bool = False) -> type:
    """Find the next wider dtype of a kind.

    Parameters
    ----------
    dtype : dtype
        Of bool, integer, float or complex kind.
    exotics : bool
        Go on to longdouble, complex128 and clongdouble.

    Returns
    -------
    type
        The scalar type; that of `dtype` itself at the end.

    Raises
    ------
    TypeError
        If the dtype is of another kind. Nothing is written.

    See Also
    --------
    narrow_dtype : The other direction.

    Notes
    -----
    Time and memory: constant.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.widen_dtype("uint8"), fastremap.widen_dtype("int64")
    (<class 'numpy.uint16'>, <class 'numpy.int64'>)
    """
    return _neighbour(dtype, _chain(dtype), () if exotics else _EXOTIC_WIDENINGS)


def narrow_dtype(dtype: DTypeLike, exotics: bool = False) -> type:
    """Find the next narrower dtype of a kind.

    Parameters
    ----------
    dtype : dtype
        Of bool, integer, float or complex kind.
    exotics : bool
        Go on to float16.

    Returns
    -------
    type
        The scalar type; that of `dtype` itself at the end.

    Raises
    ------
    TypeError
        If the dtype is of another kind. Nothing is written.

    See Also
    --------
    widen_dtype : The other direction.

    Notes
    -----
    Time and memory: constant.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.narrow_dtype("uint16"), fastremap.narrow_dtype("float32")
    (<class 'numpy.uint8'>, <class 'numpy.float32'>)
    """
    return _neighbour(dtype, _chain(dtype)[::-1], () if exotics else _EXOTIC_NARROWINGS)


def refit(arr: ArrayLike, value: Any = None, increase_only: bool = False, exotics: bool = False) -> np.ndarray:
    """Cast an array to the smallest dtype of its kind that holds it.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer, float or complex dtype.
    value : number, optional
        Fit this value instead of the array's extremes.
    increase_only : bool
        Never narrow.
    exotics : bool
        Admit float16 and complex128.

    Returns
    -------
    numpy.ndarray
        The array itself if it has that dtype, else a cast copy in its memory order. bool stays bool; an empty array
        takes the smallest dtype, or that of `value`. NaN and infinities fit every float dtype.

    Raises
    ------
    TypeError
        If the dtype is not supported, or `value` is no number. Nothing is written.
    ValueError
        If no dtype of the kind holds `value`, or the dtype for `value` would not hold a voxel. Nothing is written.

    See Also
    --------
    fit_dtype : The dtype alone.

    Notes
    -----
    Time: O(n). Peak extra bytes: the result; for floats with NaN or infinities and for complex numbers a copy of the
    input. Holds no lock, but for float16 and complex numbers, which numpy handles.

    Examples
    --------
    >>> import fastremap, numpy as np
    >>> fastremap.refit(np.array([1, 300], dtype=np.uint64)).dtype
    dtype('uint16')
    """
    array = as_array(arr, kinds=None)
    if array.dtype.kind not in _CHAINS or array.dtype.type in _NEVER_FITTED:
        raise TypeError(
            f"dtype {array.dtype} is not supported; expected bool, an integer, float16 to float64 or complex"
        )
    itself = arr if isinstance(arr, np.ndarray) else array
    if array.dtype.kind == "b":
        return itself
    voxels = _extremes(array)
    wanted = _fit_all(array.dtype, voxels if value is None else [value], exotics)
    if increase_only and wanted.itemsize < array.dtype.itemsize:
        wanted = array.dtype.newbyteorder("=")
    for voxel in voxels:
        if not _holds(wanted, voxel):
            both = _fit_all(array.dtype, [*voxels, value], exotics)
            raise ValueError(
                f"{wanted}, which holds the value {value}, does not hold the voxel {voxel}; {both} holds both"
            )
    if array.dtype == wanted:
        return itself
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return array.astype(wanted, order="K")


def _chain(dtype: DTypeLike) -> list[type]:
    kind = np.dtype(dtype).kind
    if kind not in _CHAINS:
        raise TypeError(
            f"dtype {np.dtype(dtype)} is not supported; expected bool, an integer, a float or a complex dtype"
        )
    return _CHAINS[kind]


def _neighbour(dtype: DTypeLike, chain: list[type], refused: tuple[type, ...]) -> type:
    scalar = np.dtype(dtype).newbyteorder("=").type
    following = chain[chain.index(scalar) + 1 :]
    return following[0] if following and following[0] not in refused else scalar


def _fit_all(dtype: np.dtype, values: list[Any], exotics: bool) -> np.dtype:
    return max((np.dtype(fit_dtype(dtype, value, exotics)) for value in values), key=lambda fit: fit.itemsize)


def _holds(dtype: np.dtype, value: Any) -> bool:
    """Tell whether a dtype holds a number: an integer exactly, a float within the range."""
    if dtype.kind == "c":
        part = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
        return _holds(part, complex(value).real) and _holds(part, complex(value).imag)
    if isinstance(value, complex):
        return False
    if dtype.kind == "f":
        return not math.isfinite(value) or abs(value) <= float(np.finfo(dtype).max)
    if dtype.kind == "b":
        return value in (0, 1)
    low, high = bounds(dtype)
    return bool(low <= value <= high and value == int(value))


def _extremes(array: np.ndarray) -> list[Any]:
    """The least and the greatest number of an array, NaN and infinities aside; 0 if there is none."""
    if array.dtype.kind == "c":
        return _extremes(array.real) + _extremes(array.imag)
    ends: tuple[Any, Any] = minmax(array)
    if array.dtype.kind == "f" and None not in ends and not all(map(math.isfinite, ends)):
        ends = minmax(native(array)[np.isfinite(array)])
    return [0] if None in ends else list(ends)
