"""A real segmentation against numpy: 32 and 63 bit ids, both memory orders."""

import numpy as np
import pytest

import fastremap

SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it modulo 2**63 loses no label


@pytest.fixture(scope="module", params=["real_corner", pytest.param("real_volume", marks=pytest.mark.slow)])
def volume(request: pytest.FixtureRequest) -> np.ndarray:
    """Return the C-ordered uint32 volume."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module", params=["uint32", "63 bits"])
def labels(request: pytest.FixtureRequest, volume: np.ndarray) -> np.ndarray:
    """Return the volume with its own ids, or with ids spread over 63 bits; 0 stays 0."""
    if request.param == "uint32":
        return volume
    return (volume.astype(np.uint64) * SPREAD) & np.uint64(2**63 - 1)


@pytest.fixture(scope="module")
def parts(labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the labels, first indices, inverse and counts as numpy has them."""
    return np.unique(labels, return_index=True, return_inverse=True, return_counts=True)


@pytest.fixture(scope="module", params=["C", "F"])
def ordered(request: pytest.FixtureRequest, labels: np.ndarray) -> np.ndarray:
    """Return the volume in both memory orders, read-only."""
    array = np.array(labels, order=request.param)
    array.flags.writeable = False
    return array


@pytest.fixture(scope="module")
def ranks(ordered: np.ndarray, parts: tuple) -> np.ndarray:
    """Return for each voxel the rank of its label, in the memory order of the volume."""
    return np.array(parts[2], order="F" if ordered.flags.f_contiguous else "C")


def assert_equal(actual: np.ndarray, expected: np.ndarray) -> None:
    """Require equal dtypes, shapes and items, at the cost of one pass."""
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert (actual == expected).all()


def with_head_room(ids: np.ndarray) -> np.ndarray:
    """Return ids in the smallest unsigned dtype that also holds the greatest one plus 1."""
    return ids.astype(np.min_scalar_type(ids.max() + 1))


def test_unique(ordered: np.ndarray, parts: tuple, ranks: np.ndarray) -> None:
    values, index, _, counts = parts
    assert_equal(fastremap.unique(ordered), values)
    found = fastremap.unique(ordered, return_index=True, return_inverse=True, return_counts=True)
    for actual, expected in zip(found, (values, index, ranks, counts), strict=True):
        assert_equal(actual, expected)
    for wanted, expected in (("return_counts", counts), ("return_index", index)):
        found = fastremap.unique(ordered, **{wanted: True})
        assert_equal(found[0], values)
        assert_equal(found[1], expected)


def test_renumber_by_first_appearance(ordered: np.ndarray, parts: tuple, ranks: np.ndarray) -> None:
    values = parts[0]
    walked = ranks.ravel(order="K")
    first = np.empty(values.size, dtype=np.intp)
    first[walked[::-1]] = np.arange(walked.size)[::-1]  # of equal places the last assignment stays
    first[values == 0] = -1
    ids = np.argsort(np.argsort(first)) + (0 not in values)
    result, mapping = fastremap.renumber(ordered)
    assert result.flags.f_contiguous == ordered.flags.f_contiguous
    assert_equal(result, with_head_room(ids)[ranks])
    assert mapping == dict(zip(values.tolist(), ids.tolist(), strict=True)) | {0: 0}
    buffer = ordered.copy(order="K")
    fastremap.renumber(buffer, in_place=True)
    assert_equal(buffer, ids.astype(buffer.dtype)[ranks])


def test_renumber_by_label(ordered: np.ndarray, parts: tuple, ranks: np.ndarray) -> None:
    values = parts[0]
    result, table = fastremap.renumber(ordered, order="sorted", preserve_zero=False, start=7, mapping="table")
    assert_equal(result, with_head_room(np.arange(values.size) + 7)[ranks])
    np.testing.assert_array_equal(table.old, values)


def test_remap(ordered: np.ndarray, parts: tuple, ranks: np.ndarray) -> None:
    values = parts[0]
    new = np.random.default_rng(0).permutation(values)
    table = dict(zip(values.tolist(), new.tolist(), strict=True))
    assert_equal(fastremap.remap(ordered, table), new[ranks])
    buffer = ordered.copy(order="K")
    assert fastremap.remap(buffer, fastremap.LabelTable.from_arrays(values, new), in_place=True) is buffer
    assert_equal(buffer, new[ranks])


def test_remap_of_half_the_labels(ordered: np.ndarray, parts: tuple, ranks: np.ndarray) -> None:
    values = parts[0]
    listed = np.arange(values.size) % 2 == 0
    half = dict.fromkeys(values[listed].tolist(), 77)
    kept = fastremap.remap(ordered, half, preserve_missing_labels=True)
    assert_equal(kept, np.where(listed, 77, values).astype(values.dtype)[ranks])
    filled = fastremap.remap(ordered, half, fill_value=5)
    assert_equal(filled, np.where(listed, 77, 5).astype(values.dtype)[ranks])
    with pytest.raises(KeyError, match=str(values.size // 2)):
        fastremap.remap(ordered, half)


def test_measures(ordered: np.ndarray, parts: tuple) -> None:
    assert fastremap.minmax(ordered) == (int(parts[0][0]), int(parts[0][-1]))
    assert fastremap.foreground(ordered) == np.count_nonzero(ordered)
