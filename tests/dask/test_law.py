"""The one law of Dask arrays: whatever the chunking, what `fastremap` says of the array in memory."""

from collections.abc import Iterator

import dask
import dask.array as da
import numpy as np
import pytest
from cases import CASES
from dasklaw import EXPRESSIONS, NAMES, VARIANTS, assert_law, by_name, computed, in_blocks
from generators import DTYPES, few, flat_labels, picked, special_floats
from hypothesis import given, settings
from hypothesis import strategies as st

import fastremap
import fastremap_dask

SHAPES = [(), (0,), (3, 0, 2), (40,), (7, 9), (5, 6, 7), (3, 2, 4, 3), (2, 3, 1, 2, 3)]


@pytest.fixture(autouse=True, scope="module")
def in_this_thread() -> Iterator[None]:
    """Run tasks one after another: the examples are small."""
    with dask.config.set(scheduler="synchronous"):
        yield


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


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(example=chunked(), data=st.data())
def test_any_function_on_any_chunks(name: str, example: tuple, data: st.DataObject) -> None:
    array, chunks = example
    variant = data.draw(st.sampled_from([variant for one, variant in VARIANTS if one == name]))
    assert_law(name, array, chunks, lambda: by_name(name, variant, array))


@given(chunked(), *[st.booleans()] * 5)
def test_unique(example: tuple, index: bool, inverse: bool, counts: bool, equal_nan: bool, in_order: bool) -> None:
    array, chunks = example
    # Without the index numpy gives NaNs that are told apart their inverse in no order.
    parts = {"return_index": index or not equal_nan, "return_inverse": inverse, "return_counts": counts}
    parts |= {"equal_nan": equal_nan, "sorted": in_order}
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


@settings(max_examples=60)
@given(chunked(DTYPES[:9]), st.integers(-3, 3), *[st.booleans()] * 4)
def test_slices(example: tuple, axis: int, index: bool, inverse: bool, counts: bool, in_order: bool) -> None:
    array, chunks = example
    parts = {"return_index": index, "return_inverse": inverse, "return_counts": counts, "sorted": in_order}
    assert_law("unique", array, chunks, (parts | {"axis": axis}).copy)


@settings(max_examples=40)
@given(chunked([np.dtype("u8"), np.dtype("i2"), np.dtype("?")]), st.integers(1, 7), st.booleans())
def test_edges(example: tuple, chunk: int, in_order: bool) -> None:
    edges = np.resize(example[0], (23, 2)) if example[0].size else np.zeros((0, 2), example[0].dtype)
    parts = {"return_index": True, "return_inverse": True, "return_counts": True, "sorted": in_order, "axis": 0}
    assert_law("unique", edges, (chunk, 1), parts.copy)
