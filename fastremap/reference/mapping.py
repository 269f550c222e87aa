"""Twins of the functions that give labels new values."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _inputs as inputs
from ._inputs import Number


def remap(
    arr: Any,
    table: Any,
    preserve_missing_labels: bool = False,
    in_place: bool = False,
    *,
    fill_value: Any = None,
    dtype: Any = None,
) -> np.ndarray:
    """Twin of `fastremap.remap`."""
    array = inputs.label_array(arr)
    keys, values = inputs.columns(table)
    result = looked_up(array, keys, values, preserve_missing_labels, fill_value, inputs.asked_dtype(dtype))
    return inputs.deliver(arr, result, in_place)


def remap_from_array(arr: Any, vals: Any, in_place: bool = True) -> np.ndarray:
    """Twin of `fastremap.remap_from_array`: the keys are 0 .. len(vals) - 1."""
    array = inputs.label_array(arr, "biu")
    values = inputs.label_array(vals, "biu") if np.size(vals) else np.empty(0, dtype=np.uint8)
    if values.ndim != 1:
        raise ValueError(f"vals must have one dimension, got the shape {values.shape}")
    result = looked_up(array, range(values.size), values.tolist(), True, None, None)
    return inputs.deliver(arr, result, in_place)


def remap_from_array_kv(
    arr: Any,
    keys: Any,
    vals: Any,
    preserve_missing_labels: bool = True,
    in_place: bool = True,
    *,
    fill_value: Any = None,
) -> np.ndarray:
    """Twin of `fastremap.remap_from_array_kv`: `remap`, but missing labels are kept unless told otherwise."""
    array = inputs.label_array(arr)
    keys, values = inputs.pair(keys, vals)
    result = looked_up(array, keys, values, preserve_missing_labels, fill_value, None)
    return inputs.deliver(arr, result, in_place)


def mask(arr: Any, labels: Any, in_place: bool = False, value: Any = 0) -> np.ndarray:
    """Twin of `fastremap.mask`."""
    return inputs.deliver(arr, overwritten(arr, labels, value, inside=True), in_place)


def mask_except(arr: Any, labels: Any, in_place: bool = False, value: Any = 0) -> np.ndarray:
    """Twin of `fastremap.mask_except`."""
    return inputs.deliver(arr, overwritten(arr, labels, value, inside=False), in_place)


def overwritten(arr: Any, labels: Any, value: Any, inside: bool) -> np.ndarray:
    """Return a copy in which the listed labels, or all others, have the value."""
    array = inputs.label_array(arr)
    dtype = table_dtype(array, [value], None)
    if array.size == 0:
        return inputs.filled_like(array, dtype, array)
    chosen = {inputs.key_of(label, array.dtype) for label in inputs.numbers(labels)}
    return replaced(array, dtype, lambda label: value if (label in chosen) == inside else label)


def looked_up(
    array: np.ndarray, keys: Any, values: Any, keep_missing: bool, fill_value: Any, asked: np.dtype | None
) -> np.ndarray:
    """Return the values of the labels, by the one rule of every table."""
    if keep_missing and fill_value is not None:
        raise ValueError("missing labels are either kept or set to fill_value: give one of the two, not both")
    if len(keys) != len(values):
        raise ValueError(f"as many values as keys are needed, got {len(keys)} keys and {len(values)} values")
    dtype = table_dtype(array, values if fill_value is None else [*values, fill_value], asked)
    if array.size == 0:
        return inputs.filled_like(array, dtype, array)
    table = {inputs.key_of(key, array.dtype): value for key, value in zip(keys, values, strict=True)}  # the last wins
    table.pop(None, None)  # keys that this dtype cannot hold
    missing = [label for label in inputs.distinct(array)[0] if label not in table]
    if missing and not keep_missing and fill_value is None:
        raise KeyError(
            f"{len(missing)} labels are not in the table, among them {missing[:5]}; add them, or use "
            "preserve_missing_labels=True or fill_value="
        )
    return replaced(array, dtype, lambda label: table.get(label, label if keep_missing else fill_value))


def table_dtype(array: np.ndarray, values: list[Any], asked: np.dtype | None) -> np.dtype:
    """Return the result's dtype. It depends on the table alone; an empty array never raises for its table."""
    try:
        read = [inputs.value_of(value, array.dtype) for value in values]
        if asked is None:
            return inputs.widened(array.dtype, read)
        for value in read:
            inputs.require_fit(value, asked)
    except (TypeError, ValueError):
        if array.size:
            raise
    return array.dtype if asked is None else asked


def replaced(array: np.ndarray, dtype: np.dtype, image: Callable[[Number], Any]) -> np.ndarray:
    """Return a fresh array in which each label has become its image; ValueError if a kept label does not fit."""
    labels, _, ranks = inputs.distinct(array)
    images = [inputs.value_of(image(label), array.dtype) for label in labels]
    for number in images:
        inputs.require_fit(number, dtype)
    return inputs.filled_like(array, dtype, np.array(images, dtype=dtype)[ranks])
