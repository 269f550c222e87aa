"""Losses that were seen in software of this kind: each must never happen here."""

from typing import Any

import numpy as np
import pytest
from cases import CASES

import fastremap


def needs(name: str) -> pytest.MarkDecorator:
    """Leave a test out until `fastremap` has the function."""
    return pytest.mark.skipif(name not in CASES, reason=f"fastremap.{name} is still to come")


@pytest.mark.parametrize("code", ["i1", "i2", "u1", "u2"])
def test_unique_of_the_full_range_of_a_narrow_dtype(code: str) -> None:
    info = np.iinfo(code)
    array = np.arange(info.min, info.max + 1).astype(code)[::-1].copy()
    np.testing.assert_array_equal(fastremap.unique(array), array[::-1], strict=True)


def test_unique_of_a_range_wider_than_the_dtype_of_a_difference() -> None:
    array = np.array([-100, 100] * 200, dtype=np.int8)
    values, counts = fastremap.unique(array, return_counts=True)
    assert values.tolist() == [-100, 100]
    assert counts.tolist() == [200, 200]


@pytest.mark.parametrize("shape", [(7, 5), (3, 4, 5), (2, 3, 1, 5)])
def test_unique_gives_the_first_index_in_c_order_whatever_the_memory_order(shape: tuple) -> None:
    array = np.random.default_rng(0).integers(0, 6, shape)
    expected = np.unique(array, return_index=True)[1]
    for order in ("C", "F"):
        found = fastremap.unique(np.array(array, order=order), return_index=True)[1]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("code", "n_labels"), [("u1", 256), ("i1", 256), ("u2", 65536), ("i2", 65536)])
def test_renumber_keeps_all_labels_of_a_full_dtype(code: str, n_labels: int) -> None:
    info = np.iinfo(code)
    array = np.arange(info.min, info.max + 1).astype(code)
    result, mapping = fastremap.renumber(array, preserve_zero=False)
    assert result.tolist() == list(range(1, n_labels + 1))
    assert len(mapping) == n_labels


@pytest.mark.parametrize(("n_labels", "code"), [(254, "u1"), (255, "u2"), (65534, "u2"), (65535, "u4")])
def test_renumber_leaves_head_room(n_labels: int, code: str) -> None:
    result, _ = fastremap.renumber(np.arange(1, n_labels + 1, dtype=np.uint32))
    assert result.dtype == np.dtype(code)
    assert (result + 1).max() == n_labels + 1


def test_renumber_takes_all_nans_as_one_label() -> None:
    result, mapping = fastremap.renumber(np.array([np.nan, 1.5, -np.nan, 0.0, -0.0, np.nan]))
    assert result.tolist() == [1, 2, 1, 0, 0, 1]
    assert len(mapping) == 3


def test_remap_matches_nan() -> None:
    assert fastremap.remap(np.array([np.nan, 2.0]), {float("nan"): 5, 2: 6}).tolist() == [5, 6]


def test_remap_in_place_writes_nothing_when_a_label_is_missing() -> None:
    array = np.array([1, 2, 3] * 1000 + [4])
    with pytest.raises(KeyError):
        fastremap.remap(array, {1: 7, 2: 8, 3: 9}, in_place=True)
    assert array.tolist() == [1, 2, 3] * 1000 + [4]


@pytest.mark.parametrize("key", [-1, 256, 2**63, 2**64, -(2**70)])
def test_a_key_outside_the_dtype_is_absent(key: int) -> None:
    array = np.array([0, 255], dtype=np.uint8)
    assert fastremap.remap(array, {key: 7}, preserve_missing_labels=True).tolist() == [0, 255]


@needs("remap_from_array")
@pytest.mark.parametrize("order", ["C", "F"])
def test_remap_from_array_takes_empty_values_and_any_shape(order: str) -> None:
    array = np.array([[0, 1, 2], [3, 0, 1]], dtype=np.uint8, order=order)
    assert fastremap.remap_from_array(array, np.array([], dtype="u1"), in_place=False).tolist() == array.tolist()
    assert fastremap.remap_from_array(array, np.array([7, 8]), in_place=False).tolist() == [[7, 8, 2], [3, 7, 8]]


@needs("mask_except")
def test_mask_except_in_place_of_a_strided_view() -> None:
    holder = np.arange(12, dtype=np.int32)
    fastremap.mask_except(holder[::3], [3, 9], in_place=True)
    assert holder.tolist() == [0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11]


@needs("refit")
def test_refit_keeps_both_ends() -> None:
    array = np.array([-128, 128], dtype=np.int16)
    assert fastremap.refit(array).tolist() == [-128, 128]
    assert fastremap.refit(array).dtype == np.int16


@needs("point_cloud")
def test_point_cloud_of_a_long_axis() -> None:
    array = np.zeros((2, 70_000), dtype=np.uint8)
    array[1, 65_535:65_538] = 1
    cloud = fastremap.point_cloud(array)[1]
    assert cloud.tolist() == [[1, 65_535], [1, 65_536], [1, 65_537]]
    assert cloud.dtype == np.uint32


@needs("point_cloud")
def test_point_cloud_shell_has_each_point_once_and_no_background() -> None:
    array = np.zeros((7, 7, 7), dtype=np.uint8)
    array[1:6, 1:6, 1:6] = 3
    clouds = fastremap.point_cloud(array, shell=True)
    assert list(clouds) == [3]
    assert len(np.unique(clouds[3], axis=0)) == len(clouds[3]) == 98


@needs("transpose")
@pytest.mark.parametrize("order", ["C", "F"])
def test_transpose_reverses_the_shape_and_moves_the_items(order: str) -> None:
    array = np.array(np.arange(6).reshape(2, 3), order=order)
    expected = array.T.copy()
    result = fastremap.transpose(array)
    assert np.shares_memory(result, array)
    np.testing.assert_array_equal(result, expected, strict=True)


@needs("asfortranarray")
@pytest.mark.parametrize("dtype", ["c16", "f2", ">u4", "u1"])
@pytest.mark.parametrize("writeable", [True, False])
def test_layout_functions_take_every_dtype_and_read_only_arrays(dtype: Any, writeable: bool) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    array.flags.writeable = writeable
    expected = array.copy()
    result = fastremap.asfortranarray(array)
    assert result.flags.f_contiguous
    assert np.shares_memory(result, array) == writeable
    np.testing.assert_array_equal(result, expected, strict=True)


def test_signalling_nans_are_cast_without_a_warning() -> None:
    array = np.array([0x7F800001, 0x3F800000], dtype="u4").view("f4")
    result = fastremap.refit(array, value=1e300)
    np.testing.assert_array_equal(result, [np.nan, 1.0], strict=True)
    np.testing.assert_array_equal(fastremap.unique(array), np.array([1, np.nan], "f4"))


def test_point_cloud_of_slabs() -> None:
    """In Fortran order the array is walked in slabs of 64 MB, here two and a part."""
    labels = np.zeros((300, 700, 700), np.uint8, order="F")
    for place in np.random.default_rng(1).integers(0, labels.size, 5000):
        labels[np.unravel_index(place, labels.shape)] = place % 7
    labels[-1, -1, -1], labels[0, 0, 0] = 5, 6
    cloud = fastremap.point_cloud(labels)
    assert list(cloud) == list(range(1, 7))
    for label, points in cloud.items():
        np.testing.assert_array_equal(points, np.argwhere(labels == label))
