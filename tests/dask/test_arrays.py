"""Dask arrays beyond the law: errors that say what to do, unknown chunk sizes, memory order, schedulers."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from dask.base import tokenize

import fastremap
import fastremap_dask
from fastremap import LabelTable

LABELS = np.array([[7, 0, 7, 300], [5, 5, 0, 9], [300, 1, 2, 3]], np.uint16)
BLOCKS = da.from_array(LABELS, chunks=(2, 3))
FUNCTIONS: dict[str, Callable] = {
    "unique": fastremap_dask.unique,
    "renumber": fastremap_dask.renumber,
    "minmax": fastremap_dask.minmax,
    "remap": lambda array: fastremap_dask.remap(array, {1: 2}, preserve_missing_labels=True),
    "remap_from_array": lambda array: fastremap_dask.remap_from_array(array, [2, 1, 0]),
    "remap_from_array_kv": lambda array: fastremap_dask.remap_from_array_kv(array, [1], [2]),
    "mask": lambda array: fastremap_dask.mask(array, [1]),
    "mask_except": lambda array: fastremap_dask.mask_except(array, [1]),
    "component_map": lambda array: fastremap_dask.component_map(array, array),
    "component_map of two": lambda array: fastremap_dask.component_map(BLOCKS, array),
    "inverse_component_map": lambda array: fastremap_dask.inverse_component_map(array, array),
    "foreground": fastremap_dask.foreground,
    "pixel_pairs": fastremap_dask.pixel_pairs,
    "indices": lambda array: fastremap_dask.indices(array, 1),
    "is_solid": fastremap_dask.is_solid,
    "is_sorted": fastremap_dask.is_sorted,
    "point_cloud": fastremap_dask.point_cloud,
    "refit": fastremap_dask.refit,
    "transpose": fastremap_dask.transpose,
    "asfortranarray": fastremap_dask.asfortranarray,
    "ascontiguousarray": fastremap_dask.ascontiguousarray,
    "tobytes": lambda array: fastremap_dask.tobytes(array, (1, 1)),
}
NEED_POSITIONS = [
    "renumber", "component_map", "component_map of two", "pixel_pairs", "indices", "is_sorted", "point_cloud", "tobytes"
]  # fmt: skip


def of_unknown_length(array: np.ndarray) -> da.Array:
    """Return a Dask array of the same rows, of which it does not know how many a chunk has."""
    blocks = da.from_array(array, chunks=(2, 3))
    return blocks[da.from_array(np.ones(len(array), bool), chunks=2)]


@pytest.fixture(autouse=True)
def in_this_thread() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("array", [LABELS, LABELS.tolist(), 5])
def test_only_dask_arrays_are_taken(function: Callable, array: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a dask\.array\.Array, not (ndarray|list|int)"):
        function(array)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_dtypes_that_are_no_labels_are_refused(function: Callable) -> None:
    if function is fastremap_dask.unique:  # as in memory it leaves them to numpy
        return
    with pytest.raises(TypeError, match="dtype object is not supported"):
        function(BLOCKS.astype(object))


@pytest.mark.parametrize("split_every", [1, 0, 2.5, "8"])
def test_fan_in_is_checked(split_every: Any) -> None:
    with pytest.raises(ValueError, match=f"split_every must be an integer of at least 2, not {split_every!r}"):
        fastremap_dask.unique(BLOCKS, split_every=split_every)


def test_all_after_the_table_is_keyword_only() -> None:
    for call in (
        lambda: fastremap_dask.unique(BLOCKS, True),
        lambda: fastremap_dask.renumber(BLOCKS, 5),
        lambda: fastremap_dask.remap(BLOCKS, {}, True),
        lambda: fastremap_dask.remap_from_array(BLOCKS, [1], True),
        lambda: fastremap_dask.remap_from_array_kv(BLOCKS, [1], [1], True),
        lambda: fastremap_dask.mask(BLOCKS, [1], False, 5),
        lambda: fastremap_dask.minmax(BLOCKS, 4),
        lambda: fastremap_dask.is_sorted(BLOCKS, False),
        lambda: fastremap_dask.point_cloud(BLOCKS, True),
        lambda: fastremap_dask.refit(BLOCKS, 300),
        lambda: fastremap_dask.tobytes(BLOCKS, (1, 1), "F"),
    ):
        with pytest.raises(TypeError, match="positional argument"):
            call()


def test_missing_labels_are_those_of_one_block() -> None:
    result = fastremap_dask.remap(BLOCKS, {0: 0, 7: 1})
    with pytest.raises(
        KeyError, match=r"in one block, and others may hold more: [12] label\(s\).* fill_value= replaces"
    ):
        result.compute()
    kept = fastremap_dask.remap_from_array_kv(BLOCKS, [0], [0], preserve_missing_labels=False)
    with pytest.raises(KeyError, match="in one block"):
        kept.compute()


@pytest.mark.parametrize(
    ("keys", "dtype"),
    [
        ([2**63 + 1, 0.5, float("nan"), -(2**70)], "u8"),
        ([2**63 + 1, 2**70, np.float16(7)], "u8"),
        ([np.uint64(2**64 - 1), np.int8(-1), np.array(3)], "i8"),
        ([True, 2, -0.0], "?"),
        ([0.1, np.float32(0.1), float("nan"), 2**200, float("inf")], "f4"),
        ([2**24 + 1, 2**15, 2**70], "f4"),
        ([np.float64(0.1), 1e300, np.inf], "f2"),
    ],
)
def test_keys_are_read_as_in_memory(keys: list, dtype: str) -> None:
    kind = np.dtype(dtype).kind
    array = np.array([0.1, np.nan, np.inf, 2**15, 1] if kind == "f" else [0, 1, 3, 7, 2], "f4").astype(dtype)
    if dtype == "u8":
        array = np.append(array, np.array([2**63 + 1, 2**64 - 1], dtype))
    blocks = da.from_array(array, chunks=2)
    values = [np.uint8(20 + place) for place in range(len(keys))]
    tables = [lambda: (keys, values), lambda: (iter(keys), values)]
    if not any(isinstance(key, np.ndarray) for key in keys):
        tables.append(lambda: dict(zip(keys[::-1], values, strict=True)))
    for table in tables:
        expected = fastremap.remap(array, table(), fill_value=9)
        actual = fastremap_dask.remap(blocks, table(), fill_value=9).compute()
        np.testing.assert_array_equal(actual, expected, strict=True)
    for name in ("mask", "mask_except"):
        expected = getattr(fastremap, name)(array, iter(keys))
        actual = getattr(fastremap_dask, name)(blocks, iter(keys)).compute()
        np.testing.assert_array_equal(actual, expected, strict=True)


def test_one_label_to_mask() -> None:
    for label in (7, np.uint64(7), np.array(7)):
        np.testing.assert_array_equal(fastremap_dask.mask(BLOCKS, label).compute(), fastremap.mask(LABELS, [7]))
    with pytest.raises(TypeError, match="text"):
        fastremap_dask.mask(BLOCKS, "7")


def test_arguments_may_be_changed_after_the_call() -> None:
    table, values = {1: 2}, np.array([5, 6, 7])
    results = fastremap_dask.remap(BLOCKS, table, fill_value=0), fastremap_dask.remap_from_array(BLOCKS, values)
    expected = fastremap.remap(LABELS, table, fill_value=0), fastremap.remap_from_array(LABELS, values, in_place=False)
    table[1], values[:] = 9, 9
    for one, other in zip(dask.compute(*results), expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_slices_of_floats_and_complex_nans_are_not_told_apart() -> None:
    with pytest.raises(NotImplementedError, match=r"axis=0 of a Dask array of dtype float32: .*fastremap\.unique"):
        fastremap_dask.unique(BLOCKS.astype("f4"), axis=0)
    with pytest.raises(NotImplementedError, match="equal_nan=False of a complex"):
        fastremap_dask.unique(BLOCKS.astype(complex), equal_nan=False)


@pytest.mark.parametrize("dtype", ["U3", "S2", "c8", "c16", "M8[s]", "m8[us]", "g"])
def test_unique_of_what_numpy_takes(dtype: str) -> None:
    array = LABELS.astype("M8[s]" if dtype[0] == "M" else dtype)
    if dtype[0] in "Mm":
        array[1, :2] = "NaT"
    blocks = da.from_array(array, chunks=(2, 3))
    asked = {"return_index": True, "return_inverse": True, "return_counts": True}
    for more in ({}, {"sorted": False}) if dtype[0] != "c" else ({},):
        for one, other in zip(
            dask.compute(*fastremap_dask.unique(blocks, **asked, **more)), np.unique(array, **asked), strict=True
        ):
            np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize(
    ("dtype", "to", "fits"),
    [
        ("u8", "u2", True), ("u8", "u1", False), ("i8", "i2", True), ("i8", "i1", False), ("u2", "u8", True),
        ("f8", "f4", True), ("f8", "f2", True), ("c16", "c8", True), ("c8", "c16", True), ("?", "?", True),
    ],
)  # fmt: skip
def test_refit_to_a_dtype_is_lazy(dtype: str, to: str, fits: bool) -> None:
    array = LABELS.astype(dtype)
    with dask.config.set(scheduler=None):
        result = fastremap_dask.refit(da.from_array(array, chunks=(2, 3)), dtype=to)
    assert result.dtype == np.dtype(to)
    if fits:
        np.testing.assert_array_equal(result.compute(), array.astype(to), strict=True)
    else:
        with pytest.raises(ValueError, match=r"does not hold the voxel 300; u?int16 holds both"):
            result.compute()


def test_refit_keeps_the_kind() -> None:
    with pytest.raises(TypeError, match="dtype=int64 is of another kind than the array, which is uint16"):
        fastremap_dask.refit(BLOCKS, dtype="i8")
    assert fastremap_dask.refit(BLOCKS) is BLOCKS


def test_a_voxel_that_does_not_fit_is_found_when_computed() -> None:
    result = fastremap_dask.refit(BLOCKS, value=1)
    assert result.dtype == np.uint8
    with pytest.raises(ValueError, match="does not hold the voxel 300"):
        result.compute()


def test_axes_too_long_for_coordinates() -> None:
    long = da.zeros((2**32 + 1, 1), chunks=2**32, dtype="u1")
    with pytest.raises(ValueError, match="too long for coordinates of 32 bits"):
        fastremap_dask.point_cloud(long)
    wide = da.zeros((70_000, 2), chunks=(70_000, 1), dtype="u1").map_blocks(np.add, 1, dtype="u1")
    cloud = fastremap_dask.point_cloud(wide).compute()
    assert cloud[1].dtype == np.uint32
    np.testing.assert_array_equal(cloud[1], fastremap.point_cloud(wide.compute())[1], strict=True)


def test_shapes_of_two_labelings() -> None:
    with pytest.raises(ValueError, match=r"have one shape; got \(3, 4\) and \(4, 3\)"):
        fastremap_dask.component_map(BLOCKS, BLOCKS.T)
    unknown = of_unknown_length(LABELS)
    with pytest.raises(ValueError, match=r"chunk sizes are unknown .* call compute_chunk_sizes"):
        fastremap_dask.inverse_component_map(unknown, BLOCKS.rechunk(1))
    result = fastremap_dask.inverse_component_map(unknown, BLOCKS)
    assert result.compute() == fastremap.inverse_component_map(LABELS, LABELS)
    with pytest.raises(ValueError, match="one shape"):
        fastremap_dask.inverse_component_map(unknown, BLOCKS[:2].rechunk((1, 3))).compute()


def test_lazy_results_name_themselves() -> None:
    clouds, table = fastremap_dask.point_cloud(BLOCKS), fastremap_dask.renumber(BLOCKS, dtype="u4")[1]
    assert repr(clouds).startswith("<Lazy dict ")
    assert repr(table).startswith("<Lazy LabelTable ")
    assert tokenize(clouds) == tokenize(fastremap_dask.point_cloud(BLOCKS)) != tokenize(table)
    assert table.persist().compute() == table.compute()


def test_ids_that_do_not_fit_are_refused_when_computed() -> None:
    result, table = fastremap_dask.renumber(BLOCKS, start=250, dtype="u1")
    for lazy in (result, table):
        with pytest.raises(ValueError, match=r"25[67]"):
            lazy.compute()


@pytest.mark.parametrize("name", NEED_POSITIONS)
def test_positions_need_known_chunk_sizes(name: str) -> None:
    with pytest.raises(ValueError, match=r"chunk sizes are unknown \(nan\) along axes \[0\].*compute_chunk_sizes"):
        FUNCTIONS[name](of_unknown_length(LABELS))


@pytest.mark.parametrize(
    "asked",
    [{"return_index": True}, {"sorted": False}, {"equal_nan": False, "return_inverse": True}],
)
def test_unique_needs_positions_for_some_parts(asked: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match=r"chunk sizes are unknown \(nan\)"):
        fastremap_dask.unique(of_unknown_length(LABELS).astype("f4"), **asked)


@pytest.mark.parametrize("name", FUNCTIONS.keys() - NEED_POSITIONS)
def test_unknown_chunk_sizes_make_no_difference_elsewhere(name: str) -> None:
    known, unknown = (FUNCTIONS[name](array) for array in (BLOCKS, of_unknown_length(LABELS)))
    for one, other in zip(*(dask.compute(each) for each in (known, unknown)), strict=True):
        np.testing.assert_equal(one, other)


def test_unknown_chunk_sizes_are_fine_elsewhere() -> None:
    blocks = of_unknown_length(LABELS)
    values, inverse, counts = dask.compute(*fastremap_dask.unique(blocks, return_inverse=True, return_counts=True))
    expected = np.unique(LABELS, return_inverse=True, return_counts=True)
    for one, other in zip((values, inverse, counts), expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    result, table = fastremap_dask.renumber(blocks, order="sorted")
    in_memory, expected_table = fastremap.renumber(LABELS, order="sorted", mapping="table")
    np.testing.assert_array_equal(result.compute(), in_memory, strict=True)
    assert table == expected_table
    np.testing.assert_array_equal(
        fastremap_dask.remap(blocks, {7: 1}, fill_value=0).compute(), (LABELS == 7).astype("u2"), strict=True
    )
    assert [extreme.compute() for extreme in fastremap_dask.minmax(blocks)] == [0, 300]


def test_extremes_of_nothing() -> None:
    assert fastremap_dask.minmax(da.zeros((3, 0), chunks=2)) == (None, None)
    nothing = BLOCKS.ravel()[BLOCKS.ravel() > 1000]
    with pytest.raises(ValueError, match="without voxels has no extremes"):
        fastremap_dask.minmax(nothing)[0].compute()


def test_first_is_first_by_index_whatever_the_memory_order() -> None:
    blocks = da.from_array(LABELS, chunks=(3, 2)).map_blocks(np.asfortranarray, dtype=LABELS.dtype)
    assert not blocks.to_delayed()[0, 0].compute().flags.c_contiguous
    result, table = fastremap_dask.renumber(blocks)
    in_memory, expected = fastremap.renumber(LABELS, mapping="table")
    np.testing.assert_array_equal(result.compute(), in_memory, strict=True)
    assert table == expected
    index = fastremap_dask.unique(blocks, return_index=True)[1]
    np.testing.assert_array_equal(index.compute(), np.unique(LABELS, return_index=True)[1], strict=True)


def test_chunks_of_others_are_not_changed() -> None:
    before = LABELS.copy()
    result, table = fastremap_dask.renumber(BLOCKS)
    dask.compute(result, fastremap_dask.remap(BLOCKS, table), fastremap_dask.unique(BLOCKS))
    np.testing.assert_array_equal(LABELS, before, strict=True)


def test_a_saved_table_serves_as_it_lies(tmp_path: Path) -> None:
    LabelTable.from_arrays(np.unique(LABELS), np.arange(8)).save(tmp_path / "table")
    table = LabelTable.open(tmp_path / "table")
    result = fastremap_dask.remap(BLOCKS, table)
    np.testing.assert_array_equal(result.compute(), fastremap.remap(LABELS, table), strict=True)


def test_processes() -> None:
    result, _ = fastremap_dask.renumber(BLOCKS)
    values, counts = fastremap_dask.unique(BLOCKS, return_counts=True)
    computed = dask.compute(result, values, counts, scheduler="processes", num_workers=2)
    expected = fastremap.renumber(LABELS)[0], *np.unique(LABELS, return_counts=True)
    for one, other in zip(computed, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_the_law_holds_in_array_expression_mode() -> None:
    tests = [Path(__file__).with_name(name) for name in ("test_law.py", "test_blocks.py")]
    options = ["-q", "-p", "no:cacheprovider", "-k", "(test_registry and u8) or test_renumber_to or memory_order"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *map(str, tests)],
        cwd=tests[0].parents[2],
        env=os.environ | {"DASK_ARRAY__QUERY_PLANNING": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert "1 skipped" in ran.stdout  # the one that needs two passes in a graph: so the mode was on


EXPRESSIONS_SCRIPT = """
import dask.array as da, fastremap_dask
blocks = da.ones((4, 4), chunks=2, dtype="u1")
for build in (
    lambda: fastremap_dask.renumber(blocks, dtype="u2"),
    lambda: fastremap_dask.unique(blocks, return_inverse=True),
    lambda: fastremap_dask.unique(blocks, axis=0),
):
    try:
        build()
    except NotImplementedError as error:
        print(error)
"""


def test_what_that_mode_lacks_names_the_setting() -> None:
    env = os.environ | {"DASK_ARRAY__QUERY_PLANNING": "True"}
    script = [sys.executable, "-c", EXPRESSIONS_SCRIPT]
    ran = subprocess.run(script, env=env, capture_output=True, text=True, check=True)
    assert [line.count("array.query-planning") for line in ran.stdout.splitlines()] == [1, 1, 1]


@pytest.mark.parametrize(
    "values", [[1, 300, 70_000], [1, -1, -70_000, 2**40], [1.0, 1e300, np.nan], [1 + 1j, 1e300j, 0], [0.5, -np.inf]]
)
@pytest.mark.parametrize("backward", [False, True])
def test_refit_holds_the_extremes_of_all_blocks(values: list, backward: bool) -> None:
    array = np.array(values[::-1] if backward else values)
    for exotics in (False, True) if array.dtype.kind != "c" else (True,):
        result = fastremap_dask.refit(da.from_array(array, chunks=1), exotics=exotics)
        np.testing.assert_array_equal(result.compute(), fastremap.refit(array, exotics=exotics), strict=True)
