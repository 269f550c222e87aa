"""The one law of Dask arrays: whatever the chunking, what `fastremap` says of the array in memory."""

import inspect
from collections.abc import Iterator
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from assertions import assert_same_outcome, outcome
from cases import CASES
from generators import DTYPES, few, flat_labels, picked, special_floats
from hypothesis import given, settings
from hypothesis import strategies as st

import fastremap
import fastremap_dask

EXPRESSIONS = bool(dask.config.get("array.query-planning", False))
NAMES = [case.name for case in CASES.values() if case.dask]
SHAPES = [(), (0,), (3, 0, 2), (40,), (7, 9), (5, 6, 7), (3, 2, 4, 3), (2, 3, 1, 2, 3)]
# Python numbers in memory are arrays of no axes here; None: of the dtype of the array.
SCALARS = {"minmax": None, "foreground": np.intp, "pixel_pairs": np.intp, "is_solid": bool, "is_sorted": bool}
# What the functions have in memory alone.
IN_MEMORY_ALONE = {"axis", "mapping"}


@pytest.fixture(autouse=True, scope="module")
def in_this_thread() -> Iterator[None]:
    """Run tasks one after another: the examples are small."""
    with dask.config.set(scheduler="synchronous"):
        yield


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


def assert_law(name: str, array: np.ndarray, chunks: Any, arguments: Any) -> None:
    """Require the same values, dtypes, shapes and tables, or the same kind of error; `arguments` makes them afresh."""
    expected = outcome(in_memory, name, array, **arguments())
    given = arguments()
    blocks = da.from_array(array, chunks=chunks)
    if EXPRESSIONS and (given.get("return_inverse") or (name == "renumber" and "dtype" in given)):
        with pytest.raises((NotImplementedError, type(expected.error)) if expected.error else NotImplementedError):
            in_blocks(name, blocks, **given)
        return
    actual = outcome(in_blocks, name, blocks, **given)
    assert_same_outcome(actual, expected)


@st.composite
def chunked(draw: st.DrawFn, dtypes: list[np.dtype] | None = None) -> tuple[np.ndarray, tuple[tuple[int, ...], ...]]:
    """Draw a C-ordered array and chunks of any sizes, 0 and 1 among them."""
    flat = draw(flat_labels(dtypes))
    shape = draw(st.sampled_from(SHAPES))
    array = np.resize(flat, shape) if flat.size else np.zeros(shape, flat.dtype)
    if array.size <= 40 and draw(st.booleans()):
        return array, tuple((1,) * length or (0,) for length in shape)
    cuts = [sorted(draw(st.lists(st.integers(0, length), max_size=2 if len(shape) > 2 else 4))) for length in shape]
    borders = [[0, *inner, length] for inner, length in zip(cuts, shape, strict=True)]
    return array, tuple(tuple(np.diff(border).tolist()) for border in borders)


def supported(name: str, variant: str) -> bool:
    """Tell whether the Dask function has the parameters of a variant of the registry."""
    return not IN_MEMORY_ALONE & by_name(name, variant, np.zeros((2, 2), np.uint8)).keys()


VARIANTS = [(name, variant) for name in NAMES for variant in CASES[name].variants if supported(name, variant)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(example=chunked(), data=st.data())
def test_any_function_on_any_chunks(name: str, example: tuple, data: st.DataObject) -> None:
    array, chunks = example
    variant = data.draw(st.sampled_from([variant for one, variant in VARIANTS if one == name]))
    assert_law(name, array, chunks, lambda: by_name(name, variant, array))


@given(chunked(), st.booleans(), st.booleans(), st.booleans())
def test_unique(example: tuple, index: bool, inverse: bool, counts: bool) -> None:
    array, chunks = example
    parts = {"return_index": index, "return_inverse": inverse and not EXPRESSIONS, "return_counts": counts}
    assert_law("unique", array, chunks, parts.copy)


@given(chunked())
def test_unique_is_that_of_numpy(example: tuple) -> None:
    array, chunks = example
    values, index, counts = in_blocks(
        "unique", da.from_array(array, chunks=chunks), return_index=True, return_counts=True
    )
    expected = np.unique(array, return_index=True, return_counts=True)
    np.testing.assert_array_equal(values, expected[0], strict=True)
    np.testing.assert_array_equal(counts, expected[2], strict=True)
    if array.dtype.kind != "f":  # among NaNs of several payloads numpy's index is that of any
        np.testing.assert_array_equal(index, expected[1], strict=True)


@given(chunked(), st.sampled_from([1, 0, 5, 250, -2]), st.booleans(), st.sampled_from(["first", "sorted"]))
def test_renumber(example: tuple, start: int, preserve_zero: bool, order: str) -> None:
    array, chunks = example
    rules = {"start": start, "preserve_zero": preserve_zero, "order": order}
    assert_law("renumber", array, chunks, rules.copy)


@pytest.mark.skipif(EXPRESSIONS, reason="needs two passes in one graph")
@given(chunked(), st.sampled_from([1, 250]), st.booleans(), st.sampled_from(["u1", "i4", "u8", "f8"]))
def test_renumber_to_a_dtype(example: tuple, start: int, preserve_zero: bool, dtype: str) -> None:
    array, chunks = example
    rules = {"start": start, "preserve_zero": preserve_zero, "dtype": dtype}
    assert_law("renumber", array, chunks, rules.copy)


@given(chunked(), st.integers(0, 2**30), st.sampled_from(["error", "keep", "fill"]), st.sampled_from([0, 300]))
def test_remap(example: tuple, left_out: int, missing: str, start: int) -> None:
    array, chunks = example
    old = np.unique(array)
    old = old[[not left_out >> place & 1 for place in np.arange(old.size) % 30]]
    table = old, np.arange(start, start + old.size)
    rules = {"error": {}, "keep": {"preserve_missing_labels": True}, "fill": {"fill_value": 7}}[missing]
    assert_law("remap", array, chunks, lambda: {"table": table, **rules})


@given(chunked())
def test_minmax(example: tuple) -> None:
    array, chunks = example
    assert_law("minmax", array, chunks, dict)


@settings(max_examples=25)
@given(chunked(DTYPES[1:9]), st.integers(2, 20))
def test_fan_in_makes_no_difference(example: tuple, split_every: int) -> None:
    array, chunks = example
    blocks = da.from_array(array, chunks=chunks)
    parts = {"return_index": True, "return_counts": True}
    for one, other in zip(
        computed(fastremap_dask.unique(blocks, **parts, split_every=split_every)),
        fastremap.unique(array, **parts),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other, strict=True)


def test_the_registry_is_run() -> None:
    assert set(CASES) - set(NAMES) == {"fit_dtype", "widen_dtype", "narrow_dtype"}
    left_out = {(name, variant) for name in NAMES for variant in CASES[name].variants} - set(VARIANTS)
    assert left_out == {
        ("unique", "axis 0"), ("unique", "last axis"), ("unique", "no such axis"),
        ("renumber", "table"), ("renumber", "sorted, table"), ("renumber", "unknown mapping"),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f4"])
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_registry(name: str, variant: str, dtype: str) -> None:
    dtype = np.dtype(dtype)
    labels = special_floats(dtype) if dtype.kind == "f" else picked(few(dtype), 300, (1, 4))
    array = np.resize(labels, (5, 6, 7))
    assert_law(name, array, (3, 6, 4), lambda: by_name(name, variant, array))


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_registry_of_no_voxels(name: str, variant: str) -> None:
    array = np.zeros((4, 0), np.int16)
    assert_law(name, array, (2, 1), lambda: by_name(name, variant, array))


def test_tables_of_one_length_are_not_mistaken_for_each_other() -> None:
    blocks = da.from_array(np.arange(6, dtype=np.uint8), chunks=4)
    tables = [dict(zip(range(6), np.roll(range(6), by).tolist(), strict=True)) for by in range(3)]
    given = [*tables, *map(fastremap.LabelTable.from_dict, tables), *((list(t), list(t.values())) for t in tables)]
    results = dask.compute(*(fastremap_dask.remap(blocks, table) for table in given))
    assert [result.tolist() for result in results] == [list(table.values()) for table in tables] * 3
