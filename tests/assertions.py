"""Deep comparison of results, and of what a call did to its input."""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastremap import InPlaceWarning


@dataclass(frozen=True)
class Outcome:
    """What a call came to: its result or its exception, and the categories of the warnings that it gave."""

    result: Any
    error: Exception | None
    warned: tuple[type, ...]


def outcome(function: Callable, *args: Any, **kwargs: Any) -> Outcome:
    """Call a function; a warning that the contract does not know, and an error of no public kind, pass through."""
    result, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", InPlaceWarning)
        try:
            result = function(*args, **kwargs)
        except (KeyError, TypeError, ValueError) as raised:
            error = raised
    return Outcome(result, error, tuple(warning.category for warning in caught))


def assert_same_outcome(actual: Outcome, expected: Outcome) -> None:
    """Require the same kind of error, or the same result with the same warnings."""
    if actual.error is not None or expected.error is not None:
        assert type(actual.error) is type(expected.error), (
            f"{actual.error!r} instead of {expected.error!r}; results {actual.result!r}, {expected.result!r}"
        )
        return
    assert actual.warned == expected.warned, f"warnings {actual.warned} instead of {expected.warned}"
    assert_same_result(actual.result, expected.result)


def assert_same_result(actual: Any, expected: Any) -> None:
    """Require equality in depth: types, values with NaN equal to NaN, dtypes, shapes, memory order, order of items."""
    if hasattr(expected, "old") and hasattr(expected, "new"):
        np.testing.assert_array_equal(actual.old, expected.old)
        np.testing.assert_array_equal(actual.new, expected.new)
        return
    assert type(actual) is type(expected), f"a {type(actual)} instead of a {type(expected)}"
    if isinstance(expected, np.ndarray):
        assert_same_array(actual, expected)
    elif isinstance(expected, dict):
        if isinstance(expected, defaultdict):
            assert actual.default_factory is expected.default_factory
        assert_same_items(list(actual.keys()), list(expected.keys()))
        assert_same_items(list(actual.values()), list(expected.values()))
    elif isinstance(expected, (list, tuple)):
        assert_same_items(actual, expected)
    else:
        assert actual == expected or (actual != actual and expected != expected), f"{actual!r} instead of {expected!r}"


def assert_same_items(actual: Any, expected: Any) -> None:
    """Require two sequences of the same results in the same order."""
    assert len(actual) == len(expected), f"{len(actual)} items instead of {len(expected)}: {actual}, not {expected}"
    for one, other in zip(actual, expected, strict=True):
        assert_same_result(one, other)


def assert_same_array(actual: np.ndarray, expected: np.ndarray) -> None:
    """Require two plain arrays that no caller can tell apart."""
    assert actual.dtype == expected.dtype, f"dtype {actual.dtype} instead of {expected.dtype}"
    assert actual.shape == expected.shape, f"shape {actual.shape} instead of {expected.shape}"
    np.testing.assert_array_equal(actual, expected, strict=True)
    assert actual.flags.writeable == expected.flags.writeable, f"writeable is {actual.flags.writeable}"
    assert actual.flags.aligned == expected.flags.aligned, f"aligned is {actual.flags.aligned}"
    assert memory_order(actual) == memory_order(expected), (
        f"memory order {memory_order(actual)} instead of {memory_order(expected)}"
    )


def memory_order(array: np.ndarray) -> list[int]:
    """Return the axes longer than one by falling stride, which alone decide in what order the items lie."""
    axes = [axis for axis in range(array.ndim) if array.shape[axis] > 1] if array.size else []
    return sorted(axes, key=lambda axis: -abs(array.strides[axis]))


@dataclass(frozen=True)
class Snapshot:
    """All that a caller can see of an array, as it was."""

    items: bytes
    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    writeable: bool


def snapshot(array: Any) -> Snapshot:
    """Take down an input before a call."""
    array = np.asarray(array)
    return Snapshot(array.tobytes(), array.dtype, array.shape, array.strides, array.flags.writeable)


def assert_untouched(array: Any, before: Snapshot) -> None:
    """Require that an input is bit for bit what it was before the call."""
    assert snapshot(array) == before, "the call changed its input"


def arrays_in(result: Any) -> Iterator[np.ndarray]:
    """Yield every array of a result in depth."""
    if isinstance(result, np.ndarray):
        yield result
    elif isinstance(result, dict):
        for value in result.values():
            yield from arrays_in(value)
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from arrays_in(item)


def assert_no_shared_memory(result: Any, *inputs: Any) -> None:
    """Require that writing into the result changes none of the inputs."""
    for array in arrays_in(result):
        for given in inputs:
            if isinstance(given, np.ndarray):
                assert not np.shares_memory(array, given), "the result shares memory with an input"
