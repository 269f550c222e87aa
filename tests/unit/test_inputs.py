"""What is taken as an array, and what is refused."""

from typing import Any

import numpy as np
import pytest
from assertions import assert_same_outcome, assert_untouched, outcome, snapshot
from cases import CASES, Case

import fastremap
from fastremap import InPlaceWarning, reference

BIG = 864691135385150081  # an id as production volumes have them: float64 holds it not
ARRAY_CASES = {name: case for name, case in CASES.items() if case.needs_array}
array_cases = pytest.mark.parametrize("case", ARRAY_CASES.values(), ids=ARRAY_CASES)


class Wrapper:
    """A foreign array: all it has is `__array__`."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)


class Subclass(np.ndarray):
    """A subclass whose type no result may have."""


LISTS = {
    "list": [3, 0, 3, 7],
    "nested": [[3, 0], [3, 7]],
    "tuple": (5, 5),
    "empty": [],
    "bools": [True, False, True],
    "floats": [1.5, 0.0, -0.0, float("nan")],
    "Python int": 9,
    "numpy scalar": np.uint16(9),
    "uint64 and int": [np.uint64(BIG), 0],
    "uint64 and small": [np.uint64(5), np.int8(3)],
    "uint64 and negative": [np.uint64(BIG), -1],
    "nested uint64 and int": [[np.uint64(BIG), 0], [BIG + 1, BIG]],
    "rows of both signs": [np.array([BIG, 2], dtype="u8"), np.array([BIG + 1, -2])],
    "0-d arrays": [np.array(BIG, dtype="u8"), np.array(1), 2],
    "bool and uint64": [True, np.uint64(BIG)],
    "upper half of uint64": [2**63 + 1, 1],
    "both ends of int64": [-(2**63), 2**63 - 1],
    "too wide apart": [2**63, -1],
    "beyond 64 bits": [2**64, 0],
    "text": ["a", "b"],
    "a set": {1, 2},
    "None": None,
}


@array_cases
@pytest.mark.parametrize("given", LISTS.values(), ids=LISTS)
def test_lists_and_scalars(case: Case, given: Any) -> None:
    """Arguments come from an array of the labels, so that only the input is what varies."""
    try:
        model = reference.unique(given)
    except ValueError:
        model = np.array([1, 2])
    n_variants = 4
    if model.dtype.kind not in "biuf":  # one error is due, so nothing else may be wrong
        model, n_variants = np.array([1, 2]), 1
    for variant in list(case.variants)[:n_variants]:
        args, kwargs = case.variants[variant](model)
        twins_args, _ = case.variants[variant](model)
        actual = outcome(case.function, given, *args, **kwargs)
        assert_same_outcome(actual, outcome(case.twin, given, *twins_args, **kwargs))


@array_cases
def test_foreign_arrays_and_subclasses_give_plain_arrays(case: Case) -> None:
    array = np.array([[3, 0, 3], [7, 0, 1]], dtype=np.uint16)
    for given in (Wrapper(array.copy()), array.copy().view(Subclass)):
        variant = next(iter(case.variants))
        args, kwargs = case.variants[variant](array)
        more = {"in_place": False} if case.in_place else {}
        expected = outcome(case.twin, array.copy(), *args, **kwargs, **more)
        assert_same_outcome(outcome(case.function, given, *args, **kwargs, **more), expected)


@array_cases
def test_masked_arrays_are_refused(case: Case) -> None:
    array = np.ma.masked_equal(np.array([3, 0, 7]), 7)
    args, kwargs = case.variants[next(iter(case.variants))](np.array([3, 0, 7]))
    with pytest.raises(TypeError, match="mask"):
        case.function(array, *args, **kwargs)
    assert array.mask.tolist() == [False, False, True]


@array_cases
def test_other_dtypes_are_refused_by_name(case: Case) -> None:
    for code in case.refuses.split():
        array = np.zeros((2, 2), dtype=code)
        args, kwargs = case.variants[next(iter(case.variants))](np.array([[3, 0], [0, 7]]))
        before = snapshot(array) if code != "O" else None
        with pytest.raises(TypeError) as caught:
            case.function(array, *args, **kwargs)
        assert str(array.dtype) in str(caught.value) or array.dtype.name in str(caught.value)
        if before is not None:
            assert_untouched(array, before)


@pytest.mark.parametrize("dtype", ["U3", "S2", "M8[s]", "m8[s]", "c8", "c16", "g", [("a", "i4"), ("b", "u1")]])
def test_unique_hands_every_other_dtype_to_numpy(dtype: Any) -> None:
    array = np.array([3, 1, 3, 2, 1]).astype("M8[s]" if dtype == "M8[s]" else "i8")
    array = array.astype(dtype) if isinstance(dtype, str) else np.array([(3, 1), (1, 1), (3, 1)], dtype=dtype)
    parts = {"return_index": True, "return_inverse": True, "return_counts": True}
    for actual, expected in zip(fastremap.unique(array, **parts), np.unique(array, **parts), strict=True):
        np.testing.assert_array_equal(actual, expected, strict=True)


@pytest.mark.parametrize("array", [[4, 4, 5], np.uint8(4), Wrapper(np.array([4, 4, 5], dtype="u1"))])
def test_in_place_on_what_is_no_array_warns(array: Any) -> None:
    with pytest.warns(InPlaceWarning, match="array"):
        fastremap.remap(array, {4: 1, 5: 2}, in_place=True)


def test_an_empty_array_never_raises_for_its_table() -> None:
    for empty in (np.empty(0, dtype="u1"), np.empty((2, 0), dtype="i8"), np.empty(0, dtype="f4"), []):
        for table in ({}, {1: 2.5}, {1: "a"}, {"a": 1}, {1: -1}, {1: 2**64}, ([1], [None]), ([], [])):
            assert fastremap.remap(empty, table).shape == np.shape(empty)


def test_the_dtype_of_an_empty_result_depends_on_the_table() -> None:
    assert fastremap.remap(np.empty(0, dtype="u1"), {1: 300}).dtype == np.uint16
    assert fastremap.remap(np.empty(0, dtype="i1"), {1: 300}, fill_value=-(2**31)).dtype == np.int32


def test_masked_tables_and_labels_are_refused() -> None:
    masked = np.ma.masked_equal(np.array([3, 0, 7]), 7)
    array = np.array([3, 0, 7])
    for table in ((masked, array), (array, masked)):
        with pytest.raises(TypeError, match="mask"):
            fastremap.remap(array, table)
