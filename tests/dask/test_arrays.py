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

import fastremap
import fastremap_dask
from fastremap import LabelTable

LABELS = np.array([[7, 0, 7, 300], [5, 5, 0, 9], [300, 1, 2, 3]], np.uint16)
BLOCKS = da.from_array(LABELS, chunks=(2, 3))
FUNCTIONS = [
    fastremap_dask.unique,
    fastremap_dask.renumber,
    fastremap_dask.minmax,
    lambda array: fastremap_dask.remap(array, {1: 2}, preserve_missing_labels=True),
]


def of_unknown_length(array: np.ndarray) -> da.Array:
    """Return a Dask array of the same rows, of which it does not know how many a chunk has."""
    blocks = da.from_array(array, chunks=(2, 3))
    return blocks[da.from_array(np.ones(len(array), bool), chunks=2)]


@pytest.fixture(autouse=True)
def in_this_thread() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("array", [LABELS, LABELS.tolist(), 5])
def test_only_dask_arrays_are_taken(function: Callable, array: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a dask\.array\.Array, not (ndarray|list|int)"):
        function(array)


@pytest.mark.parametrize("function", FUNCTIONS[1:])
def test_dtypes_that_are_no_labels_are_refused(function: Callable) -> None:
    with pytest.raises(TypeError, match="complex128"):
        function(BLOCKS.astype(complex))


def test_masked_blocks_are_refused() -> None:
    masked = da.ma.masked_equal(BLOCKS, 5)
    for result in (fastremap_dask.unique(masked), fastremap_dask.remap(masked, {}, fill_value=1)):
        with pytest.raises(TypeError, match="masked"):
            result.compute()


@pytest.mark.parametrize("split_every", [1, 0, 2.5, "8"])
def test_fan_in_is_checked(split_every: Any) -> None:
    with pytest.raises(ValueError, match=f"split_every must be an integer of at least 2, not {split_every!r}"):
        fastremap_dask.unique(BLOCKS, split_every=split_every)


def test_all_after_the_table_is_keyword_only() -> None:
    for call in (
        lambda: fastremap_dask.unique(BLOCKS, True),
        lambda: fastremap_dask.renumber(BLOCKS, 5),
        lambda: fastremap_dask.remap(BLOCKS, {}, True),
        lambda: fastremap_dask.minmax(BLOCKS, 4),
    ):
        with pytest.raises(TypeError, match="positional argument"):
            call()


def test_missing_labels_are_named() -> None:
    result = fastremap_dask.remap(BLOCKS, {0: 0, 7: 1})
    with pytest.raises(KeyError, match="not in the table"):
        result.compute()


def test_ids_that_do_not_fit_are_refused_when_computed() -> None:
    result, table = fastremap_dask.renumber(BLOCKS, start=250, dtype="u1")
    for lazy in (result, table):
        with pytest.raises(ValueError, match=r"25[67]"):
            lazy.compute()


def test_positions_need_known_chunk_sizes() -> None:
    blocks = of_unknown_length(LABELS)
    for call in (
        lambda: fastremap_dask.unique(blocks, return_index=True),
        lambda: fastremap_dask.renumber(blocks),
        lambda: fastremap_dask.renumber(blocks, dtype="u4"),
    ):
        with pytest.raises(ValueError, match=r"chunk sizes are unknown \(nan\) along axes \[0\].*compute_chunk_sizes"):
            call()


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
    tests = Path(__file__).with_name("test_law.py")
    options = ["-q", "-p", "no:cacheprovider", "-k", "u8 or test_renumber or tables"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tests)],
        cwd=tests.parents[2],
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
    assert [line.count("array.query-planning") for line in ran.stdout.splitlines()] == [1, 1]
