"""Label tables as Zarr groups: exact, readable by any tool, and never half there or over anything else."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from generators import few
from zarr.storage import MemoryStore

from fastremap import LabelTable
from fastremap_dask import open_columns, open_table, save_table
from fastremap_dask.tableformat import CHUNK_LENGTH, create_columns, seal, write_rows

TABLE = LabelTable.from_dict({2**63 + 1: 1, 7: 2**40, 0: 0})
OTHER = LabelTable.from_dict({1: 2})


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
def test_round_trip_is_exact(dtype: str, tmp_path: Path) -> None:
    labels = few(np.dtype(dtype))
    table = LabelTable.from_arrays(labels, labels[::-1])
    save_table(table, tmp_path / "table")
    again = open_table(tmp_path / "table")
    assert again == table
    for one, other in ((again.old, table.old), (again.new, table.new)):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("n_labels", [0, 1, CHUNK_LENGTH + 1])
def test_lengths(n_labels: int) -> None:
    store = MemoryStore()
    table = LabelTable.from_arrays(np.arange(n_labels) * 3, np.arange(n_labels))
    save_table(table, store)
    assert open_table(store) == table


def test_other_tools_see_two_arrays_and_a_head(tmp_path: Path) -> None:
    save_table(TABLE, str(tmp_path / "table"))
    group = zarr.open_group(tmp_path / "table", mode="r")
    assert {name: group.attrs[name] for name in ("format", "version", "n_labels")} == {
        "format": "fastremap-label-table", "version": 2, "n_labels": 3
    }  # fmt: skip
    assert list(group.attrs["columns"]) == ["old", "new"]
    assert group["old"][:].tolist() == [0, 7, 2**63 + 1]
    assert group["new"][:].tolist() == [0, 2**40, 1]


def test_overwrite_replaces_a_table_alone(tmp_path: Path) -> None:
    place = tmp_path / "table"
    save_table(OTHER, place)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_table(TABLE, place)
    assert open_table(place) == OTHER
    (place / "note.txt").write_text("mine")
    save_table(TABLE, place, overwrite=True)
    assert open_table(place) == TABLE
    assert (place / "note.txt").read_text() == "mine"


def folder_of_files(place: Path) -> None:
    place.mkdir()
    (place / "note.txt").write_text("mine")


def foreign_group(place: Path) -> None:
    zarr.create_group(place, attributes={"a": 1}).create_array("old", data=np.arange(3))


FOREIGN: dict[str, Callable[[Path], object]] = {
    "array": lambda place: zarr.create_array(place, data=np.arange(5)),
    "group": foreign_group,
    "folder": folder_of_files,
    "file": lambda place: place.write_text("mine"),
}


def contents(place: Path) -> dict[str, bytes]:
    """Return all files at a place."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", FOREIGN)
def test_nothing_else_is_overwritten(kind: str, overwrite: bool, tmp_path: Path) -> None:
    place = tmp_path / "place"
    FOREIGN[kind](place)
    before = contents(place)
    with pytest.raises(FileExistsError, match="place"):
        save_table(TABLE, place, overwrite=overwrite)
    assert contents(place) == before


@pytest.mark.parametrize("kind", ["array", "group"])
def test_a_foreign_node_is_no_table(kind: str, tmp_path: Path) -> None:
    FOREIGN[kind](tmp_path / "place")
    with pytest.raises(ValueError, match="place holds no label table"):
        open_table(tmp_path / "place")


@pytest.mark.parametrize("kind", ["folder", "file", "nothing"])
def test_no_group_is_no_table(kind: str, tmp_path: Path) -> None:
    if kind != "nothing":
        FOREIGN[kind](tmp_path / "place")
    with pytest.raises(FileNotFoundError, match=r"no label table at .*place"):
        open_table(tmp_path / "place")


def without_chunk(place: Path) -> None:
    os.remove(place / "new" / "c" / "0")


def with_torn_chunk(place: Path) -> None:
    os.truncate(place / "old" / "c" / "0", 5)


def without_array(place: Path) -> None:
    os.remove(place / "old" / "zarr.json")


def with_torn_document(place: Path) -> None:
    os.truncate(place / "zarr.json", 20)


def with_torn_array_document(place: Path) -> None:
    os.truncate(place / "old" / "zarr.json", 20)


def with_other_numbers(place: Path) -> None:
    zarr.open_array(place / "new")[1] = 5


@pytest.mark.parametrize(
    "damage",
    [without_chunk, with_torn_chunk, without_array, with_torn_document, with_torn_array_document, with_other_numbers],
)
def test_damage_is_seen(damage: Callable[[Path], None], tmp_path: Path) -> None:
    save_table(TABLE, tmp_path / "place")
    damage(tmp_path / "place")
    with pytest.raises(ValueError, match=r"place (holds no label table|is damaged)"):
        open_table(tmp_path / "place")


def test_another_version_is_refused(tmp_path: Path) -> None:
    save_table(TABLE, tmp_path / "place")
    document = json.loads((tmp_path / "place" / "zarr.json").read_text())
    document["attributes"]["version"] = 3
    (tmp_path / "place" / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"has version 3, and versions up to 2 can be read"):
        open_table(tmp_path / "place")


def test_version_1_is_read(tmp_path: Path) -> None:
    save_table(TABLE, tmp_path / "place")
    group = zarr.open_group(tmp_path / "place")
    head = {"format": "fastremap-label-table", "version": 1, "n_labels": 3}
    group.attrs.put(head | {"digest": TABLE.digest})
    assert open_table(tmp_path / "place") == TABLE
    group.attrs.put(head | {"digest": OTHER.digest})
    with pytest.raises(ValueError, match="differ from its digest"):
        open_table(tmp_path / "place")


def test_a_table_without_new_labels_is_read_by_columns(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "place")
    columns = {"old": np.array([3, 9], np.uint8), "counts": np.array([5, 2**40])}
    create_columns(group, {name: column.dtype for name, column in columns.items()}, 2)
    seal(group, {name: write_rows(group[name], 0, column) for name, column in columns.items()})
    with pytest.raises(ValueError, match=r"place maps nothing: it has the columns old, counts .*open_columns"):
        open_table(tmp_path / "place")
    for name, column in open_columns(tmp_path / "place").items():
        np.testing.assert_array_equal(column, columns[name], strict=True)


def test_an_unfinished_table_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_table(OTHER, tmp_path / "place")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(zarr.AsyncArray, "setitem", cut_power)
        save_table(TABLE, tmp_path / "place", overwrite=True)
    with pytest.raises(ValueError, match="unfinished"):
        open_table(tmp_path / "place")


def cut_power(*args: object) -> None:
    raise RuntimeError("power cut")
