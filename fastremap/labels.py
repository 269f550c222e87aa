"""The labels of an array: which there are, and giving them new ids."""

import operator
from collections.abc import Callable
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _kernels, _rows
from ._arrays import NUMBERS, Walk, as_array, bits, can_write, cast, is_supported, native, supported_dtype, walk
from .dtypes import bounds, ids_dtype, ladder, require_fit
from .newids import NumberedLabels
from .table import LabelTable

# Flags that are variables fit none of its overloads.
_unique_of_numpy: Callable[..., Any] = np.unique


class _UniqueOptions(TypedDict, total=False):
    axis: int | None
    equal_nan: bool
    sorted: bool


class _RenumberOptions(TypedDict, total=False):
    order: Literal["first", "sorted"]
    dtype: DTypeLike | None


_Yes = Literal[True]
_Two = tuple[np.ndarray, np.ndarray]
_Three = tuple[np.ndarray, np.ndarray, np.ndarray]
_Four = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@overload
def unique(labels: ArrayLike, **options: Unpack[_UniqueOptions]) -> np.ndarray: ...
@overload
def unique(labels: ArrayLike, *, return_index: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(labels: ArrayLike, *, return_inverse: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(labels: ArrayLike, *, return_counts: _Yes, **options: Unpack[_UniqueOptions]) -> _Two: ...
@overload
def unique(
    labels: ArrayLike, *, return_index: _Yes, return_inverse: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: ArrayLike, *, return_index: _Yes, return_counts: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: ArrayLike, *, return_inverse: _Yes, return_counts: _Yes, **options: Unpack[_UniqueOptions]
) -> _Three: ...
@overload
def unique(
    labels: ArrayLike,
    *,
    return_index: _Yes,
    return_inverse: _Yes,
    return_counts: _Yes,
    **options: Unpack[_UniqueOptions],
) -> _Four: ...
@overload
def unique(
    labels: ArrayLike,
    return_index: bool = ...,
    return_inverse: bool = ...,
    return_counts: bool = ...,
    axis: int | None = ...,
    *,
    equal_nan: bool = ...,
    sorted: bool = ...,
) -> Any: ...
def unique(
    labels: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Find the distinct labels of an array.

    Equal to `numpy.unique` in values, dtypes and shapes of all parts.

    Parameters
    ----------
    labels : array_like
        Any shape, order and strides. bool, integer and float dtypes (float16 to float64) take the fast path; any
        other dtype that numpy takes is handed to `numpy.unique`, and so are other slices than rows of two.
    return_index : bool
        Also return the C-order index of the first voxel of each label, whatever the memory order.
    return_inverse : bool
        Also return, for every voxel, the place of its label in the result.
    return_counts : bool
        Also return the number of voxels of each label.
    axis : int, optional
        Find distinct slices along an axis instead. Rows of an (N, 2) integer array (an edge list) take a fast path.
    equal_nan : bool
        All NaNs are one label.
    sorted : bool
        Ascending labels; otherwise they come in the order in which they are first met in memory, or, where numpy does
        the work (an `axis`, other dtypes, NaNs that are not one label), in whatever order numpy has.

    Returns
    -------
    numpy.ndarray or tuple of numpy.ndarray
        (U,) labels of the input's dtype in native byte order; then, as asked for, (U,) intp index, intp inverse of
        the input's shape, and (U,) intp counts.

    Raises
    ------
    TypeError
        If the input is a masked array. Nothing is written.

    Notes
    -----
    Time: O(n) expected for n voxels. Peak extra bytes: about 60 to 120 for each distinct label, or a copy of the
    input where a sample shows nearly every voxel to have a label of its own, since then they are sorted; 8 n for the
    inverse; a copy of the input if it is strided, unaligned, byte-swapped or of a float dtype. Holds no lock.

    References
    ----------
    .. [1] D. E. Knuth, The Art of Computer Programming, volume 3, section 6.4: hashing with linear probing; section
       5.2.5: radix sort.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.unique([[7, 7, 0], [0, 7, 9]], return_counts=True)
    (array([0, 7, 9]), array([2, 3, 1]))
    """
    array = as_array(labels, kinds=None)
    if axis in (0, -2) and array.ndim == 2 and array.shape[1] == 2 and is_supported(array.dtype, "iu"):
        codes, unpack = _rows.pack(native(array), unique)
        parts = unique(codes, return_index, return_inverse, return_counts, sorted=sorted)
        return (unpack(parts[0]), *parts[1:]) if isinstance(parts, tuple) else unpack(parts)
    by_numpy = axis is not None or not is_supported(array.dtype, NUMBERS)
    if by_numpy or (not equal_nan and array.dtype.kind == "f" and np.isnan(array).any()):
        parts = _unique_of_numpy(
            native(array), return_index, return_inverse, return_counts, axis, equal_nan=equal_nan, sorted=sorted
        )
        if axis is None and return_inverse:
            place = 1 + return_index
            inverse = np.empty_like(array, dtype=np.intp, subok=False)  # in the memory order of the input
            np.copyto(inverse, parts[place])
            parts = (*parts[:place], inverse, *parts[place + 1 :])
        return parts
    way = walk(array)
    keys = bits(way.flat)
    values, counts, first = distinct(way, keys, return_counts, return_index, sorted)
    results: list[np.ndarray | None] = [values]
    if return_index:
        results.append(first)
    if return_inverse:
        ranks = np.empty(keys.size, np.intp)
        _kernels.Lookup(bits(values), np.arange(values.size, dtype=np.intp)).strict(keys, ranks)
        results.append(way.shaped(ranks))
    if return_counts:
        results.append(counts)
    return tuple(results) if len(results) > 1 else values


def distinct(
    way: Walk, keys: np.ndarray, with_counts: bool, with_first: bool, ascending: bool
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The distinct labels, ascending or as first met in memory, with counts and least C-order indices if asked for."""
    dtype = way.flat.dtype
    if ascending and not with_first and _kernels.strategy(keys) == "sort":
        found, counts = _kernels.unique_by_sort(keys, dtype.kind, with_counts)
        return found.view(dtype), counts, None
    by_lines = way.fortran and with_first  # else positions do not matter, and the array is one line
    shape = way.array.shape if by_lines else (keys.size,)
    found, counts, first = _kernels.unique(keys, shape, by_lines, with_counts, with_first, not ascending)
    values = found.view(dtype)
    if not ascending or (dtype.kind != "f" and _kernels.is_ordered(values, dtype.kind, True)):
        return values, counts, first
    if not (with_counts or with_first):
        return _kernels.sort(found, dtype.kind).view(dtype), None, None
    found, order = _kernels.sort_with_places(found, dtype.kind)
    return found.view(dtype), None if counts is None else counts[order], None if first is None else first[order]


@overload
def renumber(
    arr: ArrayLike,
    start: int = ...,
    preserve_zero: bool = ...,
    in_place: bool = ...,
    *,
    mapping: Literal["dict"] = ...,
    **options: Unpack[_RenumberOptions],
) -> tuple[np.ndarray, dict[Any, Any]]: ...
@overload
def renumber(
    arr: ArrayLike,
    start: int = ...,
    preserve_zero: bool = ...,
    in_place: bool = ...,
    *,
    mapping: Literal["table"],
    **options: Unpack[_RenumberOptions],
) -> tuple[np.ndarray, LabelTable]: ...
def renumber(
    arr: ArrayLike,
    start: int = 1,
    preserve_zero: bool = True,
    in_place: bool = False,
    *,
    order: Literal["first", "sorted"] = "first",
    dtype: DTypeLike | None = None,
    mapping: Literal["dict", "table"] = "dict",
) -> tuple[np.ndarray, dict[Any, Any] | LabelTable]:
    """Give the labels of an array the ids `start`, `start + 1`, ... without gaps.

    Parameters
    ----------
    arr : array_like
        Any shape, order and strides; bool, integer or float dtype.
    start : int
        The first id.
    preserve_zero : bool
        0 stays 0, and the mapping holds ``{0: 0}`` whether or not a 0 occurs.
    in_place : bool
        Also write the ids into `arr`, where its dtype holds them; otherwise an `InPlaceWarning` tells why not.
    order : {"first", "sorted"}
        Number by first appearance, walking memory in C order (F order for an array that is F- and not C-contiguous),
        or by ascending label.
    dtype : dtype, optional
        Of the result. Default: the smallest of the input's kind whose maximum is greater than every new id.
    mapping : {"dict", "table"}
        Return a dict, or a LabelTable, which has no Python object per label.

    Returns
    -------
    array : numpy.ndarray
        The ids, in the shape and memory order of the input. Float input gives float32, or float64 beyond 2**24; bool
        gives uint8, but for ``start=1, preserve_zero=True``, which returns a copy. With `in_place`, `arr` itself if the
        dtypes are the same.
    mapping : dict or LabelTable
        Old label to new label; a dict in the order of the ids.

    Raises
    ------
    TypeError
        If the dtype is not supported. Nothing is written.
    ValueError
        If an id does not fit `dtype` or 64 bits, is negative for unsigned input, or would be 0 while 0 is a label
        that stays 0. Nothing is written.

    Notes
    -----
    Time: O(n) expected. Peak extra bytes: the result, for a moment also one of half its item size where the ids
    outgrow a dtype, and about 60 for each distinct label (a dict takes 100 more), or 8 for each voxel where a sample
    shows that most have a label of their own, and 16 for each that has not; a copy of the input if it is strided,
    unaligned, byte-swapped or of a float dtype. Holds no lock.

    Examples
    --------
    >>> import fastremap
    >>> fastremap.renumber([[900, 900, 0], [7, 0, 900]])
    (array([[1, 1, 0],
           [2, 0, 1]], dtype=int8), {0: 0, 900: 1, 7: 2})
    """
    for value, choices, name in ((order, ("first", "sorted"), "order"), (mapping, ("dict", "table"), "mapping")):
        if value not in choices:
            raise ValueError(f"{name}={value!r} is not supported; expected one of {choices}")
    array, start = as_array(arr), operator.index(start)
    if array.dtype.kind == "b" and start == 1 and preserve_zero and dtype is None:
        result = array if in_place and can_write(arr, array.dtype) else native(array).copy(order="K")
        return result, _mapping(mapping, NumberedLabels(np.unique(np.append(array, False)), 1, True))
    way, wanted = walk(array), None if dtype is None else supported_dtype(dtype)
    keys, label_dtype, rungs = bits(way.flat), way.flat.dtype, _rungs(way.flat.dtype, wanted)
    over = None  # the labels, if ids are written over them at once
    if order == "first":
        if in_place and wanted is None and _is_overwritable(arr, keys, start, bool(preserve_zero)):
            over = keys.view(label_dtype)
        flat, numbering = _ids_by_appearance(keys, start, bool(preserve_zero), rungs, over)
        old = numbering.labels().view(label_dtype)
    else:
        old = distinct(way, keys, False, False, True)[0]
        old = np.append(label_dtype.type(0), old[old != 0]) if preserve_zero else old
    numbered = NumberedLabels(old, start, bool(preserve_zero))
    numbered.check(preserve_zero and start <= 0 and _kernels.count_nonzero(keys, 2**64 - 1) < keys.size)
    lowest, highest = numbered.extremes()
    out_dtype = ids_dtype(label_dtype, lowest, highest) if wanted is None else wanted
    if wanted is not None or label_dtype.kind == "f":
        require_fit(numbered.ids(), out_dtype, "new id")
    if order == "sorted":
        flat = np.empty(keys.size, out_dtype if len(rungs) > 1 else rungs[0])
        _kernels.Lookup(bits(old), numbered.ids().astype(flat.dtype)).strict(keys, flat)
    result = way.shaped(cast(flat, out_dtype))
    if over is not None:
        result = array if array.dtype == result.dtype else result
    elif in_place:
        low, high = bounds(label_dtype)
        if can_write(arr, label_dtype if low <= lowest and highest <= high else result.dtype):
            np.copyto(array, result, casting="unsafe")
            result = array if array.dtype == result.dtype else result
    return result, _mapping(mapping, numbered)


def _rungs(label_dtype: np.dtype, wanted: np.dtype | None) -> list[np.dtype]:
    """The integer dtypes in which ids are written, each tried until the ids outgrow it."""
    if (wanted or label_dtype).kind == "f" or (wanted and wanted.kind == "b"):
        return [np.dtype(np.int64)]
    return ladder(label_dtype) if wanted is None else [wanted]


def _ids_by_appearance(
    keys: np.ndarray, start: int, preserve_zero: bool, rungs: list[np.dtype], over: np.ndarray | None
) -> tuple[np.ndarray, _kernels.Numbering]:
    """Flat ids and the numbers of the labels; ids end where the last rung is full, for the caller to refuse.

    Unless it is None, `over` is the labels, over which the ids are written too.
    """
    numbering = _kernels.Numbering(keys, preserve_zero)
    flat: np.ndarray = np.empty(0, np.uint8)
    done = 0
    for rung in rungs:
        low, high = bounds(rung)
        highest = high - (rung is not rungs[-1])  # as `ids_dtype` has it, or the ids would be cast in the end
        n_ids = max(0, highest + 1 - start) if start >= low else 0
        is_over = over is not None and over.dtype == rung
        narrow = flat
        flat = over if over is not None and is_over else np.empty(keys.size, rung)
        flat[:done] = narrow[:done]
        also = over is not None and not is_over
        done = numbering.run(keys, done, flat, also, start % 2**64, min(n_ids + preserve_zero, 2**64 - 1))
        if done == keys.size:
            break
    return flat, numbering


def _is_overwritable(arr: ArrayLike, keys: np.ndarray, start: int, preserve_zero: bool) -> bool:
    """Tell whether ids may be written over the labels at once: whatever the labels are, no id can be refused."""
    if not (isinstance(arr, np.ndarray) and arr.flags.writeable and np.may_share_memory(arr, keys)):
        return False
    n_most = min(keys.size, 2 ** (8 * arr.dtype.itemsize) - preserve_zero)
    return arr.dtype.kind in "iu" and start >= 1 and start + n_most - 1 <= bounds(arr.dtype)[1]


def _mapping(kind: str, numbered: NumberedLabels) -> dict[Any, Any] | LabelTable:
    if kind == "table":
        return LabelTable._of_numbered(numbered)
    old = numbered.labels
    return _kernels.as_dict(old.view(np.uint8) if old.dtype.kind == "b" else old, numbered.ids())
