"""Ways around the general one, for plain arrays, two labels and narrow tallies: each gives what the twins give."""

import numpy as np
import pytest

import fastremap
from fastremap import reference

CODES = ["i1", "u1", "i2", "u4", "i8", "u8"]


def labels_of(code: str, n: int = 300) -> np.ndarray:
    """Labels over the whole range of a dtype, few of them small."""
    labels = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64).astype(code)
    labels[::3] %= 7
    return labels


@pytest.mark.parametrize("n_values", [0, 5, 100, 200])
@pytest.mark.parametrize("code", CODES)
def test_values_by_place_and_by_key(code: str, n_values: int) -> None:
    labels, values = labels_of(code), labels_of(code, n_values)
    shaped = labels.reshape(10, 30)
    for array in (labels, shaped, np.asfortranarray(shaped), shaped[::2], np.array(shaped[0, 0])):
        expected = reference.remap_from_array(array.copy(), values)
        np.testing.assert_array_equal(fastremap.remap_from_array(np.array(array, order="A"), values), expected)
        keys = labels[: values.size][::-1]
        expected = reference.remap_from_array_kv(array.copy(), keys, values)
        np.testing.assert_array_equal(fastremap.remap_from_array_kv(np.array(array, order="A"), keys, values), expected)


def test_the_result_is_the_array_itself() -> None:
    labels = np.array([[0, 2], [1, 9]], dtype="u2", order="F")
    assert fastremap.remap_from_array(labels, np.array([10, 20, 30], "u2")) is labels
    assert labels.tolist() == [[10, 30], [20, 9]]
    assert fastremap.remap_from_array_kv(labels, np.array([9, 9], "u2"), np.array([1, 2], "u2")) is labels
    assert labels.tolist() == [[10, 30], [20, 2]]


def test_values_that_lie_in_the_array_itself() -> None:
    labels = np.array([1, 2, 0, 3], "u4")
    assert fastremap.remap_from_array(labels, labels).tolist() == [2, 0, 1, 3]
    labels = np.array([1, 2, 0, 3], "u4")
    assert fastremap.remap_from_array_kv(labels, labels[:2], labels[2:]).tolist() == [0, 3, 0, 3]


def test_what_is_not_plain_is_still_refused_or_told() -> None:
    labels, pair = np.arange(4, dtype="u4"), np.array([1, 2], "u4")
    with pytest.raises(ValueError, match="2 keys and 1 values"):
        fastremap.remap_from_array_kv(labels, pair, pair[:1])
    with pytest.raises(ValueError, match="one-dimensional"):
        fastremap.remap_from_array(labels, pair.reshape(1, 2))
    labels.flags.writeable = False
    for call in (
        lambda: fastremap.remap_from_array(labels, pair),
        lambda: fastremap.remap_from_array_kv(labels, pair, pair[::-1].copy()),
    ):
        with pytest.warns(fastremap.InPlaceWarning, match="read-only"):
            assert call() is not labels
    assert labels.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("code", CODES)
def test_places_of_python_integers(code: str) -> None:
    labels = labels_of(code)
    info = np.iinfo(code)
    for value in (0, 6, int(labels[1]), info.min, info.max, -1, 200, info.min - 1, info.max + 1, 2**64, -(2**80)):
        expected = np.array([at for at, label in enumerate(labels.tolist()) if label == value], np.intp)
        np.testing.assert_array_equal(fastremap.indices(labels, value), expected, strict=True)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 2047, 2048, 2049, 9000, 9001])
@pytest.mark.parametrize("code", ["u1", "u2", "i4", "u8"])
def test_two_labels_that_take_turns(code: str, n: int) -> None:
    board = np.array([3, np.iinfo(code).max], code)[np.arange(n) % 2]
    stripes = np.repeat(board, 3)
    for labels in (board, stripes):
        parts = {"return_index": True, "return_inverse": True, "return_counts": True}
        for actual, expected in zip(fastremap.unique(labels, **parts), np.unique(labels, **parts), strict=True):
            np.testing.assert_array_equal(actual, expected)
        np.testing.assert_array_equal(
            fastremap.unique(labels, return_counts=True)[1], np.unique(labels, return_counts=True)[1]
        )
        np.testing.assert_array_equal(fastremap.renumber(labels)[0], 1 + (labels != labels[0]))
        np.testing.assert_array_equal(fastremap.mask(labels, [3]), np.where(labels == 3, 0, labels))


@pytest.mark.parametrize("code", ["u1", "u2", "u4", "i8"])
def test_more_of_one_label_than_a_narrow_tally_holds(code: str) -> None:
    labels = np.random.default_rng(1).integers(0, 100, 300_000).astype(code)
    labels[::2] = 7
    if code == "i8":
        labels[[5000, 250_001]] = 2**40, -5  # where the sample does not look
    assert fastremap._kernels.strategy(labels.view(f"u{labels.itemsize}")) == "dense"
    for actual, expected in zip(
        fastremap.unique(labels, return_counts=True), np.unique(labels, return_counts=True), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("uneven", ["no", "from the start", "in the middle", "at the end", "one label 256 times"])
@pytest.mark.parametrize("code", ["u1", "i1", "u2", "i2"])
def test_counts_of_so_many_that_words_are_counted_in_bytes(code: str, uneven: str) -> None:
    labels = np.random.default_rng(2).integers(0, 2**16, 2**21 + 2**20 + 12345, dtype="u2").view(code)
    if uneven == "from the start":
        labels[: labels.size // 3] = 5
    elif uneven == "in the middle":
        labels[labels.size // 2 :][:100_000] = -1 if code[0] == "i" else 200
    elif uneven == "at the end":
        labels[-1000:] = 9
    elif uneven == "one label 256 times":
        labels[labels == 77] = 78
        labels[labels.size // 2 :][: 2 * 256] = 77
    for part in (labels, labels[1:], labels[:-1]):
        found, counts = fastremap.unique(part, return_counts=True)
        least = np.iinfo(code).min
        expected = np.bincount(part.astype(np.int64) - least)
        np.testing.assert_array_equal(found, (np.flatnonzero(expected) + least).astype(code), strict=True)
        np.testing.assert_array_equal(counts, expected[expected > 0], strict=True)
