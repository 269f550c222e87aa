"""Ways around the general one, for plain arrays, labels in order and narrow tallies: each gives what the twins give."""

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


@pytest.mark.parametrize("step", [64, 256, 4096])
@pytest.mark.parametrize("n", [8192, 100_000, 2**20 + 5000])
@pytest.mark.parametrize("code", ["u2", "i2"])
def test_labels_of_two_bytes_with_low_bits_in_common(code: str, n: int, step: int) -> None:
    places = np.random.default_rng(3).integers(0, 2**16 // step, n)
    labels = (places * step + 5).astype("u2").view(code)
    for actual, expected in zip(
        fastremap.unique(labels, return_counts=True), np.unique(labels, return_counts=True), strict=True
    ):
        np.testing.assert_array_equal(actual, expected, strict=True)


@pytest.mark.parametrize("code", ["u1", "i2", "u4", "i8"])
def test_the_least_index_in_c_order_of_labels_in_fortran_order(code: str) -> None:
    labels = np.random.default_rng(4).integers(0, 100, (21, 30, 40)).astype(code)
    if labels.itemsize > 2:
        labels[3, 20, 20], labels[9, 9, 9] = 2**30, 2**30  # beyond the range that the sample shows
    for array in (np.asfortranarray(labels), labels.T):
        assert fastremap._kernels.strategy(array.T.ravel().view(f"u{labels.itemsize}")) == "dense"
        for actual, expected in zip(
            fastremap.unique(array, return_index=True), np.unique(array, return_index=True), strict=True
        ):
            np.testing.assert_array_equal(actual, expected, strict=True)


@pytest.mark.parametrize("shift", [32, 33])
@pytest.mark.parametrize("n_labels", [2500, 25_000, 100_000])
def test_labels_at_even_intervals_which_lie_near_each_other_in_a_table(n_labels: int, shift: int) -> None:
    spread = np.arange(n_labels, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(shift)
    labels = np.random.default_rng(5).permutation(np.repeat(spread.astype("u4"), 3))
    found, counts = fastremap.unique(labels, return_counts=True)
    np.testing.assert_array_equal(found, np.unique(spread.astype("u4")), strict=True)
    np.testing.assert_array_equal(counts, 3)
    ids = np.arange(found.size, dtype="u4")
    mapped = fastremap.remap_from_array_kv(labels.copy(), found, ids)
    np.testing.assert_array_equal(found[mapped], labels)
    numbers, by_label = fastremap.renumber(labels, mapping="table")
    np.testing.assert_array_equal(numbers, fastremap.remap(labels, by_label))


@pytest.mark.parametrize("code", ["u4", "u8"])
@pytest.mark.parametrize("is_key", [True, False])
def test_the_label_that_marks_free_slots_is_a_label(code: str, is_key: bool) -> None:
    mark = np.uint64(0xA24BAED4963EE407).astype(code)  # of csrc/fastremap/table.hpp, where its bits flipped are 0
    keys = np.array([5, 2**31, mark if is_key else 6], code)
    labels = np.array([mark, 5, 5, mark, 9, 2**31, 7, mark], code)
    by_key = {5: 50, 2**31: 51} | ({int(mark): 52} if is_key else {6: 52})
    for missing in ({"preserve_missing_labels": True}, {"fill_value": 3}):
        expected = [by_key.get(label, missing.get("fill_value", label)) for label in labels.tolist()]
        for in_place in (False, True):
            result = fastremap.remap(labels.copy(), (keys, np.array([50, 51, 52], code)), in_place=in_place, **missing)
            assert result.tolist() == expected
    only = fastremap.mask_except(labels, keys.tolist())
    assert only.tolist() == [label if label in by_key else 0 for label in labels.tolist()]


# How components arrive; more than 8,192 runs in no order are looked up in tables, fewer are sorted.
ARRIVALS = {
    "ascending": np.sort,
    "descending": lambda labels: np.sort(labels)[::-1],
    "at random": lambda labels: labels,
    "in order but for the last": lambda labels: np.append(np.sort(labels[:-1]), labels[:1]),
    "one": lambda labels: np.full_like(labels, labels[0] if labels.size else 0),
}
# Parents of components: a function of them, but for one voxel, or none.
PARENTHOODS = {
    "one each": lambda labels: labels // 2,
    "two at the first voxel": lambda labels: np.where(np.arange(labels.size) < 1, 7, labels // 2),
    "two at the last voxel": lambda labels: np.where(np.arange(labels.size) < labels.size - 1, labels // 2, 7),
    "many": lambda labels: np.random.default_rng(1).integers(0, 100, labels.size),
    "another each": lambda labels: np.arange(labels.size),
}


@pytest.mark.parametrize("shape", [(0, 5), (), (4, 15), (40, 60), (3, 50, 10)])
@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("code", ["u1", "i4", "f8"])
def test_relations_of_labels_however_they_arrive(code: str, arrival: str, shape: tuple[int, ...]) -> None:
    labels = np.random.default_rng(0).integers(0 if code[0] == "u" else -100, 100, int(np.prod(shape)))
    components = ARRIVALS[arrival](labels * 300 if code[1] in "48" else labels)
    for make_parents in PARENTHOODS.values():
        pair = components.astype(code), make_parents(components).astype("i4")
        for laid in laid_out(pair, shape):
            found, expected = fastremap.component_map(*laid), reference.component_map(*laid)
            assert list(found.items()) == list(expected.items())
            inverse, expected_inverse = (m.inverse_component_map(*laid[::-1]) for m in (fastremap, reference))
            assert list(inverse.items()) == list(expected_inverse.items())


def laid_out(pair: tuple[np.ndarray, np.ndarray], shape: tuple[int, ...]) -> list[tuple[np.ndarray, ...]]:
    """Give two flat arrays a shape: in memory order C, F, as they are in each; C and F in one; strided."""
    in_c = tuple(flat.reshape(shape) for flat in pair)
    as_f = tuple(flat.reshape(shape[::-1]).T for flat in pair)
    strided = tuple(np.repeat(array[..., None], 2, axis=-1)[..., 0] for array in in_c)
    return [in_c, as_f, (in_c[0], as_f[1]), (as_f[0], in_c[1]), strided]


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_relations_with_many_runs(arrival: str) -> None:
    components = ARRIVALS[arrival](np.random.default_rng(0).integers(0, 2**63, 10_000) // 2**48)
    for make_parents in PARENTHOODS.values():
        for laid in laid_out((components, make_parents(components)), (50, 200))[:2]:
            assert list(fastremap.component_map(*laid).items()) == list(reference.component_map(*laid).items())
            assert fastremap.inverse_component_map(*laid) == reference.inverse_component_map(*laid)


def test_equal_numbers_of_a_mapping_may_be_one_object_but_keep_their_type() -> None:
    mapping = fastremap.component_map(np.array([1, 2, 3000, 4000], "u4"), np.array([1.0, 1.0, 3000.0, 5.5], "f4"))
    assert [type(parent) for parent in mapping.values()] == [float] * 4
    assert fastremap.component_map([1, 2**40, 2**41], [5, 2**40, 2**40]) == {1: 5, 2**40: 2**40, 2**41: 2**40}
