"""The one law of Dask arrays, as tests ask for it: a call in memory, the same call in blocks, and how both compare."""

import inspect
from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from assertions import assert_same_outcome, outcome
from cases import CASES

import fastremap
import fastremap_dask

EXPRESSIONS = bool(dask.config.get("array.query-planning", False))
NAMES = [case.name for case in CASES.values() if case.dask]
# Python numbers in memory are arrays of no axes here; None: of the dtype of the array.
SCALARS = {"minmax": None, "foreground": np.intp, "pixel_pairs": np.intp, "is_solid": bool, "is_sorted": bool}
# What the functions have in memory alone.
IN_MEMORY_ALONE = {"mapping"}


def in_memory(name: str, array: np.ndarray, **arguments: Any) -> Any:
    """Call the function of `fastremap`, with results as the Dask function has them."""
    function = getattr(fastremap, name)
    parameters = inspect.signature(function).parameters
    arguments |= {"in_place": False} if "in_place" in parameters else {}
    arguments |= {"mapping": "table"} if "mapping" in parameters else {}
    result = function(array.copy() if CASES[name].moves_buffer else array, **arguments)
    if name in SCALARS:
        dtype = SCALARS[name] or array.dtype
        return tuple(map(in_c_order, result, [dtype] * 2)) if name == "minmax" else in_c_order(result, dtype)
    return plain(result)


def in_blocks(name: str, array: da.Array, **arguments: Any) -> Any:
    """Call the function of `fastremap_dask`, and compute all parts of its result together."""
    arguments |= {key: blocks_of(arguments[key]) for key in ("parent_labels", "component_labels") if key in arguments}
    return plain(computed(getattr(fastremap_dask, name)(array, **arguments)))


def blocks_of(array: Any) -> Any:
    """Return the second array of a function of two, in chunks of its own."""
    return da.from_array(np.asarray(array), chunks=(2,) * np.ndim(array))


def computed(result: Any) -> Any:
    """Compute the parts of a result; each array must be what it declared."""
    parts = result if isinstance(result, tuple) else (result,)
    values = dask.compute(*parts)
    for part, value in zip(parts, values, strict=True):
        if isinstance(part, da.Array):
            assert part.dtype == value.dtype
            assert part.ndim == value.ndim
            assert all(np.isnan(length) or length == real for length, real in zip(part.shape, value.shape, strict=True))
    return values if isinstance(result, tuple) else values[0]


def plain(result: Any) -> Any:
    """Return the arrays of a result as Dask joins blocks: in C order."""
    if isinstance(result, tuple):
        return tuple(map(plain, result))
    return in_c_order(result) if isinstance(result, np.ndarray | np.generic) else result


def in_c_order(array: Any, dtype: Any = None) -> Any:
    """Return a copy; None stays None."""
    return None if array is None else np.array(array, dtype, order="C")


def by_name(name: str, variant: str, array: np.ndarray) -> dict[str, Any]:
    """Return fresh arguments of a variant of the registry by their names, in place aside."""
    args, kwargs = CASES[name].variants[variant](array)
    bound = inspect.signature(getattr(fastremap, name)).bind(array, *args, **kwargs)
    return dict(list(bound.arguments.items())[1:])


def is_refused(name: str, array: np.ndarray, arguments: dict[str, Any]) -> bool:
    """Tell what Dask functions refuse by design: slices of floats; more in array-expression mode."""
    if arguments.get("axis") is not None and array.ndim != 1:
        return EXPRESSIONS or array.dtype.kind == "f"
    return EXPRESSIONS and bool(arguments.get("return_inverse") or (name == "renumber" and "dtype" in arguments))


def assert_law(name: str, array: np.ndarray, chunks: Any, arguments: Callable[[], dict]) -> None:
    """Require the same values, dtypes, shapes and tables, or the same kind of error; `arguments` makes them afresh."""
    expected = outcome(in_memory, name, array, **arguments())
    given = arguments()
    blocks = da.from_array(array, chunks=chunks)
    if is_refused(name, array, given):
        with pytest.raises((NotImplementedError, type(expected.error)) if expected.error else NotImplementedError):
            in_blocks(name, blocks, **given)
        return
    actual = outcome(in_blocks, name, blocks, **given)
    assert_same_outcome(actual, expected)


def supported(name: str, variant: str) -> bool:
    """Tell whether the Dask function has the parameters of a variant of the registry."""
    return not IN_MEMORY_ALONE & by_name(name, variant, np.zeros((2, 2), np.uint8)).keys()


VARIANTS = [(name, variant) for name in NAMES for variant in CASES[name].variants if supported(name, variant)]
