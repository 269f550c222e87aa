"""Twins of `unique` and `renumber`."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import _inputs as inputs

FLOAT32_EXACT = 2**24  # above it float32 skips integers
FLOAT64_EXACT = 2**53


class Table(NamedTuple):
    """What ``mapping="table"`` gives: old labels ascending, and their new labels."""

    old: np.ndarray
    new: np.ndarray


def unique(
    labels: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Twin of `fastremap.unique`; without `sorted` labels come in the order in which memory first has them."""
    array = inputs.as_array(labels)
    if array.dtype.kind in "biuf":
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if axis is not None or array.dtype.kind not in "biuf":
        of_numpy: Callable[..., Any] = np.unique  # flags that are variables fit none of its overloads
        return of_numpy(array, return_index, return_inverse, return_counts, axis, equal_nan=equal_nan)
    values, index, inverse, counts = np.unique(array, True, True, True, equal_nan=equal_nan)
    if not sorted:
        order = np.argsort(inputs.distinct(array, inputs.memory_order(array))[1])
        values, index, inverse, counts = values[order], index[order], np.argsort(order)[inverse], counts[order]
    inverse = inputs.filled_like(array, np.dtype(np.intp), inverse)
    asked = [(index, return_index), (inverse, return_inverse), (counts, return_counts)]
    parts = (values, *(part for part, wanted in asked if wanted))
    return parts if len(parts) > 1 else values


def renumber(
    arr: Any,
    start: int = 1,
    preserve_zero: bool = True,
    in_place: bool = False,
    *,
    order: str = "first",
    dtype: Any = None,
    mapping: str = "dict",
) -> tuple[np.ndarray, Any]:
    """Twin of `fastremap.renumber`."""
    array = inputs.label_array(arr)
    result_dtype = inputs.asked_dtype(dtype)
    start = operator.index(start)
    if order not in ("first", "sorted"):
        raise ValueError(f"order is 'first' or 'sorted', got {order!r}")
    if mapping not in ("dict", "table"):
        raise ValueError(f"mapping is 'dict' or 'table', got {mapping!r}")

    labels, first, ranks = inputs.distinct(array, inputs.memory_order(array))
    in_order = [labels[rank] for rank in np.argsort(first)] if order == "first" else labels
    table = numbered(in_order, start, preserve_zero, array.dtype)
    new = [table[label] for label in labels]
    unchanged = array.dtype.kind == "b" and start == 1 and preserve_zero
    if result_dtype is None:
        result_dtype = array.dtype if unchanged else ids_dtype(array.dtype, table.values())
    for number in table.values():
        inputs.require_fit(number, result_dtype)

    result = inputs.filled_like(array, result_dtype, np.array(new, dtype=result_dtype)[ranks])
    result = deliver_ids(arr, result, new, in_place)
    read = float if array.dtype.kind == "f" else int
    numbers = {label: read(id_) for label, id_ in table.items()}
    return result, (numbers if mapping == "dict" else sorted_table(numbers, array.dtype, result_dtype))


def numbered(labels: list[Any], start: int, preserve_zero: bool, dtype: np.dtype) -> dict[Any, int]:
    """Return label -> id in the order of ids, 0 first if it is preserved."""
    zero = 0.0 if dtype.kind == "f" else 0
    others = [label for label in labels if not (preserve_zero and label == 0)]
    table = {zero: 0} if preserve_zero else {}
    for number, label in enumerate(others, start):
        if number < 0 and dtype.kind in "bu":
            raise ValueError(f"id {number} is negative, labels of dtype {dtype} are not; choose a larger start")
        if number == 0 and preserve_zero and len(others) < len(labels):
            raise ValueError(f"label {label} would become 0, which is the background; choose a start above 0")
        table[label] = number
    return table


def ids_dtype(dtype: np.dtype, ids: Any) -> np.dtype:
    """Return the smallest dtype of the kind whose maximum is greater than every id; 64 bits may be used up."""
    ids = [0, *ids]
    if dtype.kind == "f":
        furthest = max(abs(min(ids)), abs(max(ids)))
        if furthest > FLOAT64_EXACT:
            raise ValueError(f"id {furthest} is not exact in float64")
        return np.dtype("f4" if furthest <= FLOAT32_EXACT else "f8")
    ladder = inputs.LADDERS["i" if dtype.kind == "i" else "u"]
    for code in ladder:
        limits = np.iinfo(code)
        head_room = 0 if code == ladder[-1] else 1
        if limits.min <= min(ids) and max(ids) + head_room <= limits.max:
            return np.dtype(code)
    raise ValueError(f"ids from {min(ids)} to {max(ids)} do not fit 64 bits of the kind of {dtype}")


def deliver_ids(arr: Any, result: np.ndarray, ids: list[int], in_place: bool) -> np.ndarray:
    """Write the ids into the given buffer too if asked for; the result is that buffer only if the dtypes agree."""
    if not in_place:
        return result
    reason = inputs.no_way_in(arr)
    if reason is None:
        misfit = next((number for number in ids if not inputs.fits(number, arr.dtype)), None)
        if misfit is not None:
            reason = f"id {misfit} does not fit the dtype {arr.dtype} of the array"
    if reason is not None:
        inputs.warn_not_in_place(reason)
        return result
    buffer = np.asarray(arr)
    buffer[...] = result
    return buffer if buffer.dtype == result.dtype else result


def sorted_table(table: dict[Any, Any], old: np.dtype, new: np.dtype) -> Table:
    """Return the table as two arrays, ascending by old label with NaN last."""
    labels = sorted(table, key=lambda label: (label != label, label))
    old = np.dtype(np.uint8) if old.kind == "b" else old
    return Table(np.array(labels, dtype=old), np.array([table[label] for label in labels], dtype=new))
