"""LabelTable: an immutable Mapping over two sorted arrays."""

import copy
import json
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from generators import LAYOUTS

import fastremap
from fastremap import LabelTable

BIG = 864691135385150081
TABLES = {
    "empty": {},
    "one": {5: 1},
    "unsorted": {9: 1, 3: 2, 7: 3},
    "negative": {-5: 2, 3: -1, 0: 0},
    "beyond 2**53": {BIG + 1: 1, BIG: 2, 0: 0},
    "values beyond 2**53": {1: BIG, 2: BIG + 1},
    "top of uint64": {2**64 - 1: 2**63, 2**63: 2**64 - 1, 0: 0},
    "bottom of int64": {-(2**63): 1, 2**63 - 1: -(2**63)},
    "floats": {1.5: 2.0, 0.25: 1.0, -3.0: 5.0},
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@every_table
def test_is_a_mapping_in_the_order_of_old_labels(table: dict) -> None:
    built = LabelTable.from_dict(table)
    assert isinstance(built, Mapping) and not isinstance(built, (dict, list, tuple))
    assert list(built) == built.old.tolist() == sorted(table)
    assert built.new.tolist() == [table[label] for label in sorted(table)]
    assert len(built) == len(table)
    assert built == table and built == LabelTable.from_dict(dict(reversed(table.items())))
    assert built.to_dict() == table
    assert {type(number) for pair in built.to_dict().items() for number in pair} <= {int, float}
    for label, new in table.items():
        assert label in built and built[label] == new and built.get(label) == new


@every_table
def test_copies_are_equal(table: dict, tmp_path: Path) -> None:
    built = LabelTable.from_dict(table)
    for ending in ("", ".npz", ".csv", ".json"):
        path = tmp_path / f"table{ending}"
        built.save(path)
        opened = LabelTable.open(path)
        for other in (opened, pickle.loads(pickle.dumps(opened))):
            assert other == built and other.digest == built.digest and hash(other) == hash(built)
            assert other.old.dtype == built.old.dtype and other.new.dtype == built.new.dtype
            assert other.to_dict() == table
    for other in (pickle.loads(pickle.dumps(built)), copy.copy(built), copy.deepcopy(built)):
        assert other == built and other.digest == built.digest


def test_lookups_never_compare_through_float64() -> None:
    table = LabelTable.from_dict({BIG: 1, 2**63: 2})
    for absent in (BIG + 1, -1, 2**64, float(2**53), "5", None, 0.5, float("nan"), -(2**63), 2**64 + BIG):
        assert absent not in table
        with pytest.raises(KeyError):
            table[absent]
    assert table[np.uint64(BIG)] == table[np.int64(BIG)] == 1
    assert table[2.0**63] == 2


def test_floats_have_one_nan_and_one_zero() -> None:
    table = LabelTable.from_arrays(np.array([np.nan, -0.0, 0.0, -np.nan, 2]), [1, 2, 3, 4, 5])
    assert len(table) == 3
    assert table[float("nan")] == 4 and table[0] == table[-0.0] == 3


def test_is_immutable() -> None:
    source = np.array([3, 1]), np.array([5, 6])
    table = LabelTable.from_arrays(*source)
    for array in (table.old, table.new):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    source[0][0] = source[1][0] = 9
    assert table.to_dict() == {1: 6, 3: 5}
    with pytest.raises(TypeError):
        table[3] = 4


def test_sorted_arrays_that_are_given_stay_writeable_and_apart() -> None:
    old, new = np.array([1, 2, 3], dtype=np.uint8), np.array([4, 5, 6], dtype=np.uint8)
    table = LabelTable.from_arrays(old, new)
    old[0], new[0] = 0, 0
    assert table.to_dict() == {1: 4, 2: 5, 3: 6}


def test_has_the_smallest_dtypes() -> None:
    assert LabelTable.from_dict({300: 1, 0: 255}).old.dtype == np.uint16
    assert LabelTable.from_dict({300: 1, 0: 255}).new.dtype == np.uint8
    assert LabelTable.from_dict({-129: 1}).old.dtype == np.int16
    assert LabelTable.from_arrays(np.array([7], dtype="u8"), np.array([9], dtype="i8")).new.itemsize == 1


def test_the_last_of_equal_keys_wins() -> None:
    assert LabelTable.from_arrays([1, 2, 1, 1], [5, 6, 7, 8]).to_dict() == {1: 8, 2: 6}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_in_any_layout(layout: str) -> None:
    old, new = (LAYOUTS[layout](np.arange(start, start + 210, dtype="i4")) for start in (5, 1000))
    labels, ids = old.reshape(-1).tolist(), new.reshape(-1).tolist()
    assert LabelTable.from_arrays(old, new).to_dict() == dict(zip(labels, ids, strict=True))


def test_inverse() -> None:
    table = LabelTable.from_dict({BIG: 3, BIG + 1: 1, 5: 2})
    assert table.inverse().to_dict() == {1: BIG + 1, 2: 5, 3: BIG}
    assert table.inverse().inverse() == table
    with pytest.raises(ValueError, match="inverse"):
        LabelTable.from_dict({1: 7, 2: 7}).inverse()


def test_compose() -> None:
    first, second = LabelTable.from_dict({1: 10, 2: 20}), LabelTable.from_dict({10: BIG, 20: 0, 30: 5})
    assert first.compose(second).to_dict() == {1: BIG, 2: 0}
    assert first.compose({10: 1, 20: 2}).to_dict() == {1: 1, 2: 2}
    with pytest.raises(KeyError):
        first.compose({10: 1})


def test_from_order() -> None:
    assert LabelTable.from_order([9, 0, 4]).to_dict() == {0: 0, 9: 1, 4: 2}
    assert LabelTable.from_order([9, 4]).to_dict() == {0: 0, 9: 1, 4: 2}
    assert LabelTable.from_order([9, 0, 4], preserve_zero=False).to_dict() == {9: 1, 0: 2, 4: 3}
    assert LabelTable.from_order([9, 4], start=254).to_dict() == {0: 0, 9: 254, 4: 255}
    assert LabelTable.from_order(np.array([2**64 - 1], dtype="u8"), start=2**64 - 1).to_dict() == {
        0: 0,
        2**64 - 1: 2**64 - 1,
    }
    for labels, start in (([9, 0], 0), ([9, 3, 0], -1), (np.array([9], dtype="u1"), -1), ([9], 2**63), ([9, 8], 2**64)):
        with pytest.raises(ValueError):
            LabelTable.from_order(labels, start=start)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u8", "f4"])
@pytest.mark.parametrize("order", ["first", "sorted"])
def test_renumber_gives_the_same_table_as_the_dict(dtype: str, order: str) -> None:
    array = np.array([5, 0, 9, 5, 3], dtype=dtype)
    for start, preserve_zero in ((1, True), (7, False)):
        kwargs = {"start": start, "preserve_zero": preserve_zero, "order": order}
        _, expected = fastremap.renumber(array, **kwargs)
        result, table = fastremap.renumber(array, **kwargs, mapping="table")
        assert isinstance(table, LabelTable)
        assert table == expected
        np.testing.assert_array_equal(fastremap.remap(array, table), result)


@pytest.mark.parametrize("start", [-9, 1, 250])
@pytest.mark.parametrize("preserve_zero", [True, False])
def test_the_table_of_renumber_before_and_after_it_is_first_read(start: int, preserve_zero: bool) -> None:
    labels = np.array([[9, -4, 9], [7, 70_000, 5]])
    array = labels.copy()
    _, mapping = fastremap.renumber(labels, start, preserve_zero)

    def unread() -> LabelTable:
        return fastremap.renumber(labels, start, preserve_zero, mapping="table")[1]

    inverse = {new: old for old, new in sorted(mapping.items(), key=lambda pair: pair[1])}
    assert list(unread().inverse().to_dict().items()) == list(inverse.items())
    _, table = fastremap.renumber(array, start, preserve_zero, in_place=True, mapping="table")
    array[:] = 0  # no part of the table
    assert len(table) == len(mapping)
    with ThreadPoolExecutor(4) as threads:
        columns = list(threads.map(lambda name: getattr(table, name), ["old", "new"] * 8))
    assert list(zip(columns[0].tolist(), columns[1].tolist(), strict=True)) == sorted(mapping.items())
    for old, new in zip(columns[::2], columns[1::2], strict=True):
        np.testing.assert_array_equal([old, new], columns[:2])
    assert table.old is table.old
    assert not table.old.flags.writeable
    assert not table.new.flags.writeable
    assert table == unread()
    assert pickle.loads(pickle.dumps(unread())) == table
    assert table.inverse() == unread().inverse()


def test_one_table_serves_arrays_of_every_dtype() -> None:
    table = LabelTable.from_dict({0: 0, 1: 100, 300: 2, -1: 7, BIG: 3})
    for _ in range(2):  # what the first round built serves the second
        for dtype, labels in (
            ("u1", [0, 1]),
            ("i2", [300, -1]),
            ("u8", [BIG, 300]),
            ("i8", [-1, BIG]),
            ("f4", [1, -1]),
        ):
            expected = [table[label] for label in labels]
            assert fastremap.remap(np.array(labels, dtype=dtype), table).tolist() == expected
            with pytest.raises(KeyError):
                fastremap.remap(np.array([5], dtype=dtype), table)


def test_an_opened_table_is_mapped_and_pickles_as_its_path(tmp_path: Path) -> None:
    labels = np.arange(100_000, dtype=np.uint64) * np.uint64(3)
    LabelTable.from_arrays(labels, labels[::-1]).save(tmp_path / "table")
    opened = LabelTable.open(tmp_path / "table")
    assert isinstance(opened.old.base, np.memmap) or isinstance(opened.old, np.memmap)
    assert len(pickle.dumps(opened)) < 1000
    assert fastremap.remap(labels, opened).tolist() == labels[::-1].tolist()


def test_saving_never_overwrites(tmp_path: Path) -> None:
    table = LabelTable.from_dict({1: 2})
    for name in ("folder", "table.npz", "table.csv", "table.json"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(FileExistsError):
            table.save(tmp_path / name)
        assert (tmp_path / name).read_text() == "mine"


def test_damaged_and_absent_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LabelTable.open(tmp_path / "absent")
    LabelTable.from_dict({1: 2, 3: 4}).save(tmp_path / "table")
    (tmp_path / "table" / "old.npy").write_bytes(b"")
    with pytest.raises((ValueError, FileNotFoundError, EOFError)):
        LabelTable.open(tmp_path / "table")


def test_json_keeps_bits_as_strings(tmp_path: Path) -> None:
    LabelTable.from_dict({BIG: BIG + 1}).save(tmp_path / "table.json")
    text = (tmp_path / "table.json").read_text()
    json.loads(text)
    assert f'"{BIG}"' in text and f'"{BIG + 1}"' in text


@pytest.mark.parametrize("bad", [{"a": 1}, {1: "a"}, {None: 1}, {1: 2**64}, {2**64: 1}, {-1: 1, 2**63: 1}])
def test_what_no_table_can_hold_is_refused(bad: dict) -> None:
    with pytest.raises((TypeError, ValueError)):
        LabelTable.from_dict(bad)


def test_notebooks_show_few_rows_of_any_number() -> None:
    rows = [f"<tr><td>{label}</td><td>{label + 1}</td></tr>" for label in range(10**5)]
    large = LabelTable.from_arrays(np.arange(10**5), np.arange(1, 10**5 + 1))._repr_html_()
    assert [row for row in rows if row in large] == rows[:4] + rows[-4:]
    assert "99,992 more" in large and "100,000 labels" in large and len(large) < 1000
    for n in (0, 1, 8, 9):
        small = LabelTable.from_arrays(np.arange(n), np.arange(1, n + 1))._repr_html_()
        assert [row in small for row in rows[:9]] == [at < n and (n < 9 or at != 4) for at in range(9)]
        assert ("more" in small) == (n == 9)
    assert str(BIG) in LabelTable.from_dict({BIG: 1})._repr_html_()
