"""The commands that are jobs: their options reach the job, and the volumes are those of the functions in memory."""

import csv
import json

import numpy as np
import pytest
import zarr
from clicommands import assert_one_line_error, invoke
from stores import files, labels_of, stored

import fastremap
from fastremap_dask import LabelTable, exporting, open_columns, open_table, save_table

LABELS = labels_of((40, 30))
KNOWN = np.unique(LABELS)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the working folder, with a volume."""
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "a.zarr", LABELS, chunks=(4, 4), shards=(8, 8))
    return tmp_path


def run(command: str):
    """Run a command that succeeds, without a word."""
    result = invoke(*command.split(), "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", ""), result.output


def read(name: str) -> np.ndarray:
    return zarr.open_array(name, mode="r")[...]


@pytest.mark.parametrize("extra", ["", "--region 3:30,:20", "--threads 1 --memory-limit 1GB --durable --scratch work"])
def test_renumber(place, extra):
    run(f"renumber a.zarr b.zarr --counts {extra}")
    part = LABELS[3:30, :20] if "region" in extra else LABELS
    expected, table = fastremap.renumber(np.ascontiguousarray(part), mapping="table")
    np.testing.assert_array_equal(read("b.zarr"), expected)
    assert open_table("b.table.zarr") == table
    np.testing.assert_array_equal(open_columns("b.table.zarr")["counts"], np.unique(part, return_counts=True)[1])


def test_renumber_lays_the_target_out_as_asked(place):
    run("renumber a.zarr b.zarr --chunks 5,6 --shards 10,12 --codec zstd --codec crc32c")
    array = zarr.open_array("b.zarr", mode="r")
    assert (array.chunks, array.shards) == ((5, 6), (10, 12))
    assert "crc32c notices" in invoke("info", "b.zarr").stdout
    run("renumber a.zarr c.zarr --chunks 7 --shards none --codec none")
    array = zarr.open_array("c.zarr", mode="r")
    assert (array.chunks, array.shards, array.compressors) == ((7, 7), None, ())
    codec = json.dumps({"name": "gzip", "configuration": {"level": 2}}, separators=(",", ":"))
    run(f"renumber a.zarr d.zarr --codec {codec} --overwrite")
    assert zarr.open_array("d.zarr", mode="r").compressors[0].level == 2


def test_renumber_of_several_sources_shares_one_numbering(place):
    stored(place / "b.zarr", LABELS[::-1].copy(), chunks=(8, 8))
    run("renumber a.zarr b.zarr --target a2.zarr --target b2.zarr")
    expected, _ = fastremap.renumber(np.concatenate([LABELS, LABELS[::-1]]))
    np.testing.assert_array_equal(np.concatenate([read("a2.zarr"), read("b2.zarr")]), expected)


def test_remap_and_mask_of_several_sources(place):
    stored(place / "b.zarr", LABELS[::-1].astype("i8"), chunks=(8, 8))
    LabelTable.from_arrays(KNOWN, range(len(KNOWN))).save("t.csv")
    run("remap a.zarr b.zarr --target a2.zarr --target b2.zarr --table t.csv --missing keep")
    run("mask a.zarr a2.zarr --target a3.zarr --target b3.zarr --labels 0,1")
    for source, job, expected in (
        ("a.zarr", "a2.zarr", fastremap.remap(LABELS, LabelTable.open("t.csv"))),
        ("b.zarr", "b2.zarr", fastremap.remap(LABELS[::-1].astype("i8"), LabelTable.open("t.csv"), True)),
        ("a.zarr", "a3.zarr", fastremap.mask(LABELS, [0, 1])),
        ("a2.zarr", "b3.zarr", fastremap.mask(read("a2.zarr"), [0, 1])),
    ):
        np.testing.assert_array_equal(read(job), expected)
        assert read(job).dtype == expected.dtype
        assert zarr.open_array(job).chunks == zarr.open_array(source).chunks


def test_unique_of_several_sources(place):
    stored(place / "b.zarr", np.array([[5, 5, 0], [7, 5, 0], [9, 9, 9]], "u8"), chunks=(2, 2))
    stored(place / "c.zarr", np.array([8, 9, 9], "u1"), chunks=(2,))
    result = invoke("unique", "b.zarr", "c.zarr", "--table", "both.csv", "--top", 5)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[-5] == ["9", "5", "41.7", "%", "(2,", "0)"]
    assert lines[-1] == ["8", "1", "8.33", "%", "(0,)", "of", "volume", "1"]
    text = (place / "both.csv").read_text().splitlines()
    assert text == ["old,counts,first", "0,2,2", "5,3,0", "7,1,3", "8,1,9", "9,5,6"]
    run("unique c.zarr --table one.csv")
    assert (place / "one.csv").read_text().splitlines() == ["old,counts,first", "8,1,0", "9,2,1"]


@pytest.mark.parametrize("name", ["known.zarr", "known.csv", "known"])
def test_renumber_goes_on_from_a_table(place, name):
    known = LabelTable.from_arrays(KNOWN[3:6], [50, 51, 52])
    save_table(known, name) if name.endswith(".zarr") else known.save(name)
    run(f"renumber a.zarr b.zarr --table {name}")
    table = open_table("b.table.zarr")
    assert all(table[label] == known[label] for label in known)
    assert set(table.new.tolist()) == {0, 50, 51, 52, *range(53, 53 + len(KNOWN) - 4)}
    np.testing.assert_array_equal(read("b.zarr"), fastremap.remap(LABELS, table))


@pytest.mark.parametrize("name", ["t.zarr", "t.npz", "t.csv", "t.json", "t", "t.parquet"])
def test_remap_takes_tables_of_all_forms(place, name):
    table = LabelTable.from_arrays(KNOWN, KNOWN[::-1].copy())
    if name == "t.parquet":
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table({"old": table.old, "new": table.new}), name)
    elif name == "t.zarr":
        save_table(table, name)
    else:
        table.save(name)
    run(f"remap a.zarr b.zarr --table {name}")
    np.testing.assert_array_equal(read("b.zarr"), fastremap.remap(LABELS, table))


def test_remap_of_missing_labels(place):
    LabelTable.from_arrays(KNOWN[:9], range(9)).save("t.csv")
    table = LabelTable.open("t.csv")
    failed = invoke("remap", "a.zarr", "b.zarr", "--table", "t.csv")
    assert_one_line_error(failed, "not in the table")
    assert "--missing keep, or --missing fill with --fill-value" in failed.stderr
    run("remap a.zarr c.zarr --table t.csv --missing keep")
    np.testing.assert_array_equal(read("c.zarr"), fastremap.remap(LABELS, table, preserve_missing_labels=True))
    run("remap a.zarr d.zarr --table t.csv --missing fill --fill-value 7 --dtype uint8")
    np.testing.assert_array_equal(read("d.zarr"), fastremap.remap(LABELS, table, fill_value=7))
    assert zarr.open_array("d.zarr", mode="r").dtype == np.uint8


@pytest.mark.parametrize("given", ["inline", "text", "npy"])
def test_mask(place, given):
    listed = KNOWN[[1, 4, 7]]
    np.save("list.npy", listed)
    (place / "list.txt").write_text("\n".join(map(str, listed.tolist())) + "\n")
    text = {"inline": ",".join(map(str, listed.tolist())), "text": "@list.txt", "npy": "@list.npy"}[given]
    run(f"mask a.zarr b.zarr --labels {text}")
    np.testing.assert_array_equal(read("b.zarr"), fastremap.mask(LABELS, listed))
    run(f"mask a.zarr c.zarr --except {text} --value 5")
    np.testing.assert_array_equal(read("c.zarr"), fastremap.mask_except(LABELS, listed, value=5))


def test_transpose(place):
    run("transpose a.zarr b.zarr")
    np.testing.assert_array_equal(read("b.zarr"), LABELS.T)


@pytest.mark.parametrize("name", ["t.zarr", "t.csv", "t.npz"])
def test_component_map(place, name):
    stored(place / "parts.zarr", np.arange(LABELS.size).reshape(LABELS.shape) // 7, chunks=(8, 8))
    before = files(place)
    run(f"component-map parts.zarr a.zarr {name}")
    table = open_table(name) if name == "t.zarr" else LabelTable.open(name)
    assert table.to_dict() == fastremap.component_map(read("parts.zarr"), LABELS)
    if name != "t.zarr":
        assert set(files(place)) - set(before) == {name}


@pytest.mark.parametrize("name", ["t.zarr", "t.csv", "t.npz", "t.parquet"])
def test_unique_writes_tables(place, name):
    before = files(place)
    run(f"unique a.zarr {name}")
    known, first, counts = np.unique(LABELS, return_index=True, return_counts=True)
    if name == "t.zarr":
        columns = open_columns(name)
    elif name == "t.csv":
        header, *rows = csv.reader((place / name).read_text().splitlines())
        columns = {key: np.array([int(row[at]) for row in rows], np.uint64) for at, key in enumerate(header)}
    elif name == "t.npz":
        columns = dict(np.load(name))
    else:
        table = pytest.importorskip("pyarrow.parquet").read_table(name)
        columns = {key: table.column(key).to_numpy() for key in table.column_names}
    assert list(columns) == ["old", "counts", "first"]
    for key, expected in zip(columns, (known, counts, first), strict=True):
        np.testing.assert_array_equal(columns[key], expected)
    if name != "t.zarr":
        assert set(files(place)) - set(before) == {name}
    assert_one_line_error(invoke("unique", "a.zarr", name), "exists and is left as it is")
    run(f"unique a.zarr {name} --overwrite")


def test_unique_names_the_largest(place):
    stored(place / "b.zarr", np.array([[5, 5, 0], [7, 5, 0], [9, 9, 9]], "u2"), chunks=(2, 2))
    result = invoke("unique", "b.zarr", "--top", 2)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["the", "largest", "2", "of", "4", "labels:"] in lines
    assert lines[-2:] == [["5", "3", "33.3", "%", "(0,", "0)"], ["9", "3", "33.3", "%", "(2,", "0)"]]
    found = json.loads(invoke("unique", "b.zarr", "--region", "1:,1:", "--json", "--quiet").stdout)
    assert found["largest"][1] == {"label": 0, "voxels": 1, "volume": 0, "first": [1, 2]}
    assert found["table"] == ""
    assert {path.name for path in place.iterdir()} == {"a.zarr", "b.zarr"}


def test_an_export_that_was_stopped_goes_on(place, monkeypatch):
    monkeypatch.setitem(exporting.WRITERS, ".csv", lambda *_: 1 / 0)
    assert invoke("unique", "a.zarr", "t.csv", "--quiet").exit_code == 1
    assert not (place / "t.csv").exists()
    monkeypatch.undo()
    monkeypatch.chdir(place)
    run("unique a.zarr t.csv --resume")
    assert (place / "t.csv").read_text().splitlines()[0] == "old,counts,first"
    assert {path.name for path in place.iterdir()} == {"a.zarr", "t.csv"}


def test_a_npy_file_is_a_source(place):
    np.save("a.npy", LABELS)
    run("renumber a.npy b.zarr")
    np.testing.assert_array_equal(read("b.zarr"), fastremap.renumber(LABELS)[0])
    assert len(zarr.open_array("b.zarr", mode="r").compressors) == 1
    run("mask a.npy c.zarr --labels 0 --value 3 --codec none")
    assert zarr.open_array("c.zarr", mode="r").compressors == ()
