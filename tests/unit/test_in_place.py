"""`in_place=True`: what is written, and what a caller is told who drops the result."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from generators import LAYOUTS

import fastremap
from fastremap import InPlaceWarning


def test_remap_writes_into_a_strided_view_and_nothing_beside_it() -> None:
    holder = np.arange(24).reshape(4, 6)
    view = holder[::2, 1::2]
    expected = holder.copy()
    expected[::2, 1::2] += 100
    result = fastremap.remap(view, {label: label + 100 for label in view.ravel().tolist()}, in_place=True)
    assert np.shares_memory(result, holder)
    np.testing.assert_array_equal(holder, expected)


def test_remap_looks_up_the_old_label_once() -> None:
    array = np.arange(5000) % 7
    chain = {label: label + 1 for label in range(7)}
    expected = array + 1
    fastremap.remap(array, chain, in_place=True)
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("dtype", ["u4", "i8", "u2"])
@pytest.mark.parametrize(
    "new",
    [lambda label: 7, lambda label: label + 1, lambda label: 498 - label],
    ids=["all the same", "shifted", "reversed"],
)
def test_a_missing_label_leaves_the_buffer_whole(new: Callable[[int], int], dtype: str) -> None:
    array = np.repeat(np.arange(500, dtype=dtype), 40)
    before = array.copy()
    table = {label: new(label) for label in range(499)}
    with pytest.raises(KeyError, match="499"):
        fastremap.remap(array, table, in_place=True)
    np.testing.assert_array_equal(array, before)


def test_the_error_of_missing_labels_counts_them_and_names_the_ways_out() -> None:
    with pytest.raises(KeyError) as caught:
        fastremap.remap(np.arange(100), {0: 1})
    message = str(caught.value)
    assert "99" in message
    assert sum(str(label) in message.split("table")[-1] or str(label) in message for label in range(1, 100)) >= 5
    for way_out in ("preserve_missing_labels", "fill_value"):
        assert way_out in message


REASONS = {
    "read-only": (LAYOUTS["read-only"](np.array([1, 2], dtype="u1")), {1: 3, 2: 4}, "read-only"),
    "byte-swapped": (np.array([1, 2], dtype=">u2"), {1: 3, 2: 4}, "byte"),
    "wider": (np.array([1, 2], dtype="u1"), {1: 3, 2: 400}, "uint16"),
}


@pytest.mark.parametrize(("array", "table", "reason"), REASONS.values(), ids=REASONS)
def test_the_warning_names_the_reason_and_the_line_of_the_call(array: np.ndarray, table: dict, reason: str) -> None:
    before = array.copy()
    calls = {
        "remap": lambda: fastremap.remap(array, table, in_place=True),
        "remap_from_array_kv": lambda: fastremap.remap_from_array_kv(array, list(table), list(table.values())),
        "remap_from_array": lambda: fastremap.remap_from_array(array, [0, *table.values()]),
    }
    for name, call in calls.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call()
        assert [warning.category for warning in caught] == [InPlaceWarning], name
        assert reason in str(caught[0].message), name
        assert caught[0].filename == __file__, name
        assert result.ravel()[0] == 3
        assert result.flags.writeable and result.dtype.isnative
        np.testing.assert_array_equal(array, before)


def test_renumber_writes_the_ids_where_they_fit_although_the_result_is_narrower_or_wider() -> None:
    array = np.array([700, 0, 900, 700], dtype=np.uint32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result, _ = fastremap.renumber(array, in_place=True)
        assert result.dtype == np.uint8
        assert array.tolist() == result.tolist() == [1, 0, 2, 1]
        full = np.arange(256, dtype=np.uint8)[::-1].copy()  # ids up to 255 fit, though the result has head-room
        result, _ = fastremap.renumber(full, in_place=True)
    assert result.dtype == np.uint16
    assert full.tolist() == result.tolist() == [*range(1, 256), 0]


def test_renumber_warns_where_the_ids_do_not_fit_the_buffer() -> None:
    array = np.arange(256, dtype=np.uint8)
    with pytest.warns(InPlaceWarning, match="uint8") as caught:
        result, _ = fastremap.renumber(array, preserve_zero=False, in_place=True)
    assert caught[0].filename == __file__
    assert result.dtype == np.uint16
    assert array.tolist() == list(range(256))


def test_renumber_returns_the_buffer_when_the_dtypes_agree() -> None:
    for array in (np.array([9, 0, 9], dtype=np.uint8), np.array([True, False]), np.array([1.5], dtype=np.float32)):
        result, _ = fastremap.renumber(array, in_place=True)
        assert np.shares_memory(result, array)


@pytest.mark.parametrize("code", ["u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("stop", [1, 511, 512, 2048, 5000, 9000])
def test_a_stretch_of_one_label_that_ends_anywhere(code: str, stop: int) -> None:
    labels = np.full(9000, 7, code)
    labels[stop:] = np.arange(9000 - stop) % 5 + 6  # 7 again and again
    mapped = np.where(labels == 7, 3, labels)
    assert fastremap.mask(labels, [7], in_place=True, value=3) is labels
    np.testing.assert_array_equal(labels, mapped)
    fastremap.remap(labels, {3: 9}, in_place=True, fill_value=4)
    np.testing.assert_array_equal(labels, np.where(mapped == 3, 9, 4))


@pytest.mark.parametrize(("code", "spread"), [("u2", 20), ("u4", 1_000_003), ("u8", 10**15 + 37)])
@pytest.mark.parametrize("in_place", [False, True])
def test_missing_labels_that_are_few_at_first_and_many_later(code: str, spread: int, in_place: bool) -> None:
    rng = np.random.default_rng(2)
    is_missing = rng.random(400_000) < np.repeat([0, 0.01, 0.9, 0.2], 100_000)
    labels = spread * np.where(is_missing, 1000, 2000 + rng.integers(0, 900, is_missing.size)).astype(code)
    table = dict.fromkeys(labels[~is_missing].tolist(), 5)
    for missing in ({"preserve_missing_labels": True}, {"fill_value": 6}):
        expected = np.where(is_missing, missing.get("fill_value", labels), 5)
        result = fastremap.remap(labels.copy(), table, in_place=in_place, **missing)
        np.testing.assert_array_equal(result, expected)
