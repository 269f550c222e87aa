"""Labels never pass through float64: expectations written out by hand, above 2**53 and across signedness."""

from typing import Any

import numpy as np
import pytest

import fastremap
from fastremap import LabelTable

BIG = 864691135385150081
TOP = 2**64 - 1

# Labels, their dtype, a table, and what is due (missing labels kept).
TABLES: dict[str, tuple[list, str, Any, list, str]] = {
    "neighbours beyond 2**53": ([BIG, BIG + 1], "u8", {BIG: 1, BIG + 1: 2}, [1, 2], "u8"),
    "numpy keys of many dtypes": (
        [BIG, 7, 8],
        "u8",
        {np.uint64(BIG): 1, np.int8(7): np.array(2), 8: 3},
        [1, 2, 3],
        "u8",
    ),
    "Python and numpy keys": ([BIG, BIG + 1, 0], "i8", {np.uint64(BIG): 5, BIG + 1: 6, 0: 0}, [5, 6, 0], "i8"),
    "values beyond 2**53": ([1, 2], "u4", {1: BIG, 2: BIG + 1}, [BIG, BIG + 1], "u8"),
    "numpy and Python values": ([1, 2, 3], "u8", {1: np.uint64(TOP), 2: BIG, 3: np.int8(5)}, [TOP, BIG, 5], "u8"),
    "a key of -1 is not the top of uint64": ([TOP, 5], "u8", {-1: 1}, [TOP, 5], "u8"),
    "the top of uint64 is not a key of -1": ([-1, 5], "i8", {TOP: 1}, [-1, 5], "i8"),
    "2**63 is no int64": ([-(2**63), 5], "i8", {2**63: 1}, [-(2**63), 5], "i8"),
    "-2**63 is no uint64": ([2**63, 5], "u8", {-(2**63): 1}, [2**63, 5], "u8"),
    "keys beyond 64 bits": ([0, 1], "u8", {2**64: 7, 2**64 + 1: 8, -(2**64): 9}, [0, 1], "u8"),
    "a key of 256 is no uint8 0": ([0, 1], "u1", {256: 7, -255: 8}, [0, 1], "u1"),
    "integral float keys": ([2**60, 3], "i8", {2.0**60: 1, np.float32(3): 2}, [1, 2], "i8"),
    "float and exact keys mix": ([BIG, BIG + 1, 4], "u8", {4.0: 1, BIG + 1: 2}, [BIG, 2, 1], "u8"),
    "2.0**53 is not 2**53 + 1": ([2**53 + 1], "i8", {2.0**53: 1}, [2**53 + 1], "i8"),
    "2.0**63 is no int64": ([2**63 - 1], "i8", {2.0**63: 1}, [2**63 - 1], "i8"),
    "2.0**64 is no uint64": ([TOP, 0], "u8", {2.0**64: 1}, [TOP, 0], "u8"),
    "fractions, NaN and infinities are absent": (
        [0, 1],
        "i4",
        {0.5: 1, float("nan"): 2, float("inf"): 3},
        [0, 1],
        "i4",
    ),
    "bool keys are 0 and 1": ([0, 1, 2], "u1", {False: 5, True: 6}, [5, 6, 2], "u1"),
    "bool values are 0 and 1": ([3, 4], "i2", {3: True, 4: np.False_}, [1, 0], "i2"),
    "integral float values": ([3, 4], "u1", {3: 2.0, 4: np.float16(300)}, [2, 300], "u2"),
    "arrays of both signs": ([BIG, 5], "u8", (np.array([5, -1]), np.array([BIG, 1], dtype="u8")), [BIG, BIG], "u8"),
    "lists of mixed integers": ([BIG, 5], "u8", ([np.uint64(BIG), 5], [np.int16(1), TOP]), [1, TOP], "u8"),
    "float array of keys": ([2**62, 5], "u8", (np.array([2.0**62, 5.5]), [1, 2]), [1, 5], "u8"),
    "a LabelTable": ([BIG, BIG + 1], "u8", LabelTable.from_dict({BIG: BIG + 2, -1: 5}), [BIG + 2, BIG + 1], "u8"),
    "bool stays bool": ([0, 1], "?", {0: 1, 1: 0}, [1, 0], "?"),
    "bool widens": ([0, 1], "?", {1: 300}, [0, 300], "u2"),
}


@pytest.mark.parametrize(("labels", "dtype", "table", "expected", "result_dtype"), TABLES.values(), ids=TABLES)
def test_tables(labels: list, dtype: str, table: Any, expected: list, result_dtype: str) -> None:
    result = fastremap.remap(np.array(labels, dtype=dtype), table, preserve_missing_labels=True)
    assert result.tolist() == expected
    assert result.dtype == np.dtype(result_dtype)


BAD_VALUES: dict[str, tuple[str, Any, str]] = {
    "negative for unsigned": ("u4", -1, "-1"),
    "beyond uint64": ("u1", 2**64, str(2**64)),
    "beyond int64": ("i1", 2**63, str(2**63)),
    "below int64": ("i8", -(2**63) - 1, str(-(2**63) - 1)),
    "uint64 for signed": ("i8", np.uint64(TOP), str(TOP)),
    "fraction": ("u1", 1.5, "1.5"),
    "NaN": ("i4", float("nan"), "nan"),
    "infinity": ("i4", float("inf"), "inf"),
    "2.0**64": ("u8", 2.0**64, "18446744073709551616"),
}


@pytest.mark.parametrize(("dtype", "value", "named"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_value_that_fits_no_dtype_of_the_kind_is_named(dtype: str, value: Any, named: str) -> None:
    for table in ({1: value}, {1: 5, 77: value}, ([1, 2], [value, 5])):
        array = np.array([1, 1], dtype=dtype)
        with pytest.raises(ValueError) as caught:
            fastremap.remap(array, table, in_place=True)
        assert named in str(caught.value)
        assert array.tolist() == [1, 1]


@pytest.mark.parametrize("bad", ["1", b"1", None, 1j, (1,), object()])
def test_what_is_no_number_is_a_type_error(bad: Any) -> None:
    for table in ({1: bad}, {1: 2, bad: 1}, ([1, 2], [1, bad])):
        array = np.array([1, 1])
        with pytest.raises(TypeError):
            fastremap.remap(array, table, in_place=True)
        assert array.tolist() == [1, 1]


def test_lists_are_read_exactly() -> None:
    labels, inverse = fastremap.unique([np.uint64(BIG), 0, BIG + 1], return_inverse=True)
    assert labels.dtype == np.uint64
    assert labels.tolist() == [0, BIG, BIG + 1]
    assert inverse.tolist() == [1, 0, 2]
    result, mapping = fastremap.renumber([np.uint64(BIG), BIG + 1, 0])
    assert result.tolist() == [1, 2, 0]
    assert mapping == {0: 0, BIG: 1, BIG + 1: 2}
    assert fastremap.minmax([np.uint64(BIG), 0, BIG + 1]) == (0, BIG + 1)


@pytest.mark.parametrize("labels", [[2**63, -1], [2**64], [np.uint64(TOP), np.int8(-1)], [[-(2**63) - 1, 0]]])
def test_lists_that_no_integer_dtype_holds(labels: list) -> None:
    for call in (fastremap.unique, fastremap.renumber, fastremap.minmax, fastremap.foreground):
        with pytest.raises(ValueError, match="64"):
            call(labels)


def test_floats_widen_for_their_range_and_for_integers() -> None:
    floats = np.array([1.0], dtype=np.float16)
    assert fastremap.remap(floats, {1: 0.1}).dtype == np.float16
    assert fastremap.remap(floats, {1: 70_000.0}).dtype == np.float32
    assert fastremap.remap(floats, {1: 1e300}).dtype == np.float64
    assert fastremap.remap(floats, {1: 2**24 + 1}).tolist() == [2**24 + 1]
    for lost in (2**53 + 1, TOP, 10**400):
        with pytest.raises(ValueError, match=str(lost)):
            fastremap.remap(np.array([1.0]), {1: lost})


def test_float_keys_are_rounded_to_the_dtype_of_the_array() -> None:
    floats = np.array([0.1, np.nan, -0.0, np.inf, 3], dtype=np.float16)
    table = {0.1: 1, float("nan"): 2, 0: 3, float("inf"): 4, 1e9: 5, 10**400: 6, 3: 7}
    assert fastremap.remap(floats, table).tolist() == [1, 2, 3, 4, 7]


def test_mapping_holds_python_numbers() -> None:
    for dtype in ("u1", "i8", "u8", "?", "f2", "f8"):
        kind = float if dtype[0] == "f" else int
        _, mapping = fastremap.renumber(np.array([0, 1, 1], dtype=dtype))
        assert {type(number) for pair in mapping.items() for number in pair} == {kind}
    assert fastremap.renumber(np.array([True]))[1] == {0: 0, 1: 1}
    assert [type(number) for number in fastremap.minmax(np.array([True, False]))] == [bool, bool]
