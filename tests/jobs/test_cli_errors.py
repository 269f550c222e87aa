"""Wrong use of the commands: one line that helps, the right exit status, and nothing written."""

import sys

import numpy as np
import pytest
import zarr
from clicommands import assert_one_line_error, invoke
from stores import files, labels_of, stored

from fastremap_dask import LabelTable, commandframe

USAGE = [
    ("renumber", "Missing argument"),
    ("renumber a.zarr", "give SOURCE and TARGET"),
    ("renumber a.zarr b.zarr c.zarr", "2 sources and 1 target"),
    ("renumber a.zarr --target b.zarr --target c.zarr", "1 source and 2 targets"),
    ("renumber a.zarr b.zarr --order random", "--order"),
    ("renumber a.zarr b.zarr --dtype nonsense", "no dtype such as uint32"),
    ("renumber a.zarr b.zarr --dtype float32", "no dtype of labels"),
    ("renumber a.zarr b.zarr --memory-limit much", "no number of bytes such as 2GB"),
    ("renumber a.zarr b.zarr --memory-limit 0", "no number of bytes"),
    ("renumber a.zarr b.zarr --workers 0", "--workers"),
    ("renumber a.zarr b.zarr --worker-timeout 0", "--worker-timeout"),
    ("renumber a.zarr b.zarr --scheduler tcp://x:1 --workers 2", "workers of its own"),
    ("renumber a.zarr b.zarr --resume --overwrite", "give one of them"),
    ("renumber a.zarr b.zarr --chunks 0", "no list of positive lengths such as 64,64,64"),
    ("renumber a.zarr b.zarr --shards some", "no list of positive lengths"),
    ("renumber a.zarr b.zarr --region 3", "no region such as"),
    ("renumber a.zarr b.zarr --codec {", "no codec in JSON"),
    ("renumber a.zarr b.zarr --codec none --codec zstd", "stands alone"),
    ("renumber a.zarr b.zarr --storage-option anon", "is not KEY=VALUE"),
    ("renumber a.zarr b.zarr --no-such-option", "No such option"),
    ("remap a.zarr b.zarr", "Missing option '--table'"),
    ("remap a.zarr b.zarr --table t.csv --missing fill", "belong together"),
    ("remap a.zarr b.zarr --table t.csv --fill-value 3", "belong together"),
    ("mask a.zarr b.zarr", "give one list of labels"),
    ("mask a.zarr b.zarr --labels 1,2 --except 3", "these are 2"),
    ("mask a.zarr b.zarr --labels 1,2 --labels @list.txt", "these are 2"),
    ("mask a.zarr b.zarr --labels 1,x", "'x' in the list is no label"),
    ("mask a.zarr b.zarr --labels @none.txt", "there is no file none.txt with labels"),
    ("mask a.zarr b.zarr --labels @words.txt", "'seven' in words.txt is no label"),
    ("mask a.zarr b.zarr --labels @floats.npy", "floats.npy holds float64"),
    ("unique a.zarr --resume", "need a TABLE"),
    ("unique a.zarr small.zarr t2.csv", "give --table for the labels of several sources: these are 3 arguments"),
    ("unique", "Missing argument"),
    ("info", "Missing argument 'SOURCE'"),
    ("info a.zarr --memory-limit some", "no number of bytes"),
    ("remap a.zarr b.zarr c.zarr --table t.csv", "2 sources and 1 target"),
    ("mask a.zarr --labels 1 --target b.zarr --target c.zarr", "1 source and 2 targets"),
    ("transpose a.zarr", "Missing argument 'TARGET'"),
    ("component-map a.zarr a.zarr", "Missing argument 'TABLE'"),
    ("doctor --threads none", "--threads"),
    ("preview a.zarr", "a file whose name ends in .png"),
    ("preview a.zarr a.zarr a.zarr b.png", "one or two volumes"),
    ("verify a.zarr a.zarr", "Missing option '--table'"),
    ("no-such-command", "No such command"),
    ("demo --size none", "no number of bytes"),
]
ERRORS = [
    ("renumber none.zarr b.zarr", "there is no Zarr array at"),
    ("renumber none.npy b.zarr", "none.npy"),
    ("renumber floats.npy b.zarr", "holds float64; labels are"),
    ("renumber group.zarr b.zarr", "group.zarr/one"),
    ("renumber f.zarr b.zarr", "holds float32; labels are"),
    ("renumber a.zarr a.zarr", "is the source itself, which is never written"),
    ("renumber a.zarr a.zarr/b", "lies inside the source"),
    ("renumber a.zarr f.zarr", "exists and is left as it is: remove it, choose another name, or give --overwrite"),
    ("renumber a.zarr b.npy", "choose a name that ends in .zarr"),
    ("renumber a.zarr b.zarr --start -1", "the new id -1"),
    ("renumber a.zarr b.zarr --start 300 --dtype uint8", "uint8"),
    ("renumber a.zarr b.zarr --start 0", "--start 0 would give the id 0 to a label while the command keeps 0 for"),
    ("renumber a.zarr b.zarr --resume", "there is no job on"),
    ("renumber a.zarr b.zarr --scheduler tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ("renumber a.zarr b.zarr --codec nonsense", "'nonsense' is no codec of Zarr format 3"),
    ("renumber a.zarr b.zarr --chunks 3,3,3", "--chunks (3, 3, 3) must be 2 positive integers"),
    ("renumber a.zarr b.zarr --shards 3", "no whole number of --chunks"),
    ("renumber a.zarr b.zarr --region 0:99", "--region 0:99 reaches beyond the array of shape (40, 30)"),
    ("renumber a.zarr b.zarr --memory-limit 1MB", "the memory limit is 1 MB: raise it"),
    ("renumber a.zarr b.zarr --table none.zarr", "none.zarr"),
    ("renumber a.zarr b.zarr --table words.csv", "words.csv is no table of labels"),
    ("renumber a.zarr small.zarr --target b.zarr --target b.zarr", "two targets are the same place"),
    ("renumber a.zarr small.zarr --target b.zarr --target b.zarr/0", "b.zarr/0 lies in"),
    ("renumber ill.zarr b.zarr", 'ill.zarr: the OME-Zarr metadata "multiscales" has an image without "datasets"'),
    ("renumber nonsense://x/y b.zarr", "nonsense://x/y cannot be opened"),
    ("remap a.zarr b.zarr --table none.csv", "there is no table at none.csv"),
    ("remap a.zarr b.zarr --table none.zarr", "there is no label table at"),
    ("remap a.zarr b.zarr --table a.zarr", "holds no label table"),
    ("remap a.zarr b.zarr --table words.csv", "words.csv is no table of labels with the columns old and new"),
    ("remap a.zarr b.zarr --table other.npz", "other.npz is no table of labels"),
    ("remap a.zarr b.zarr --table list.json", "list.json is no table of labels"),
    ("remap a.zarr b.zarr --table half.csv", "half.csv holds new labels that are no integers"),
    ("remap a.zarr b.zarr --table words.parquet", "words.parquet is no table of labels"),
    ("remap none.zarr b.zarr --table t.csv", "there is no Zarr array at"),
    ("remap f.zarr b.zarr --table t.csv", "holds float32; labels are"),
    ("remap group.zarr b.zarr --table t.csv", "group.zarr/one"),
    ("remap a.zarr b.zarr --table t.csv --missing keep --dtype uint8", "70000 does not fit dtype uint8"),
    ("remap a.zarr b.zarr --table t.csv --scheduler tcp://127.0.0.1:1", "no Dask scheduler answers"),
    ("mask none.zarr b.zarr --labels 1", "there is no Zarr array at"),
    ("mask f.zarr b.zarr --labels 1", "holds float32; labels are"),
    ("mask group.zarr b.zarr --labels 1", "group.zarr/one"),
    ("mask a.zarr b.zarr --labels 1 --value 300 --dtype uint8", "300 does not fit dtype uint8"),
    ("mask a.zarr b.zarr --labels 1 --scheduler tcp://127.0.0.1:1", "no Dask scheduler answers"),
    ("transpose none.zarr b.zarr", "there is no Zarr array at"),
    ("transpose f.zarr b.zarr", "holds float32; labels are"),
    ("transpose group.zarr b.zarr", "group.zarr/one"),
    ("transpose a.zarr a.zarr", "is the source itself"),
    ("transpose a.zarr b.zarr --scheduler nonsense", "no Dask scheduler answers at nonsense"),
    ("component-map a.zarr small.zarr t.zarr", "have shape (40, 30) and parents (3, 3)"),
    ("component-map none.zarr a.zarr t.zarr", "there is no Zarr array at"),
    ("component-map a.zarr f.zarr t.zarr", "holds float32; labels are"),
    ("component-map group.zarr a.zarr t.zarr", "group.zarr/one"),
    ("component-map a.zarr a.zarr t.zarr --scheduler tcp://127.0.0.1:1", "no Dask scheduler answers"),
    ("component-map a.zarr a.zarr t.xlsx", "t.xlsx: tables are written as Zarr, or as files on this machine in .csv"),
    ("unique none.zarr", "there is no Zarr array at"),
    ("unique f.zarr", "holds float32; labels are"),
    ("unique group.zarr t2.csv", "group.zarr/one"),
    ("unique a.zarr t2.csv --scheduler tcp://127.0.0.1:1", "no Dask scheduler answers"),
    ("unique a.zarr small.zarr --overwrite", "small.zarr is a Zarr array, and no label table"),
    ("unique a.zarr t.csv", "t.csv exists and is left as it is"),
    ("unique a.zarr t.json", "t.json: tables are written as Zarr"),
    ("unique a.zarr none/t2.csv", "there is no folder none"),
    ("unique a.zarr s3://x/t.csv", "as files on this machine"),
    ("info none.zarr", "there is no Zarr array at"),
    ("info group.zarr", "group.zarr/one"),
    ("info f.zarr", "holds float32; labels are"),
    ("info a.zarr --memory-limit 1MB", "the memory limit is 1 MB"),
    ("preview none.zarr b.png", "there is no Zarr array at"),
    ("preview f.zarr b.png", "holds float32; labels are"),
    ("preview group.zarr b.png", "group.zarr/one"),
    ("preview a.zarr old.png", "old.png exists and is left as it is"),
    ("preview a.zarr none/b.png", "there is no folder none"),
    ("preview a.zarr small.zarr b.png", "the volumes have the shapes (40, 30) and (3, 3)"),
    ("preview a.zarr b.png --axis 5 --index 1", "there is no axis 5"),
    ("preview a.zarr b.png --axis 0 --index 40", "index 40 of axis 0 is not within 0 to 39"),
    ("preview a.zarr b.png --table words.csv", "words.csv is no table of labels"),
    ("verify a.zarr small.zarr --table t.csv", "the source has shape (40, 30) and the target (3, 3)"),
    ("verify a.zarr none.zarr --table t.csv", "there is no Zarr array at"),
    ("verify f.zarr a.zarr --table t.csv", "holds float32; labels are"),
    ("verify a.zarr group.zarr --table t.csv", "group.zarr/one"),
    ("verify a.zarr a.zarr --table words.csv", "words.csv is no table of labels"),
    ("verify a.zarr a.zarr --table none.npz", "there is no table at none.npz"),
    ("doctor --path none", "none is no folder"),
    ("demo --keep a.zarr", "a.zarr exists: choose a new folder"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a volume, and with much that is none."""
    place = tmp_path_factory.mktemp("wrong")
    stored(place / "a.zarr", labels_of((40, 30)), chunks=(4, 4), shards=(8, 8))
    stored(place / "small.zarr", labels_of((3, 3)), chunks=(3, 3))
    stored(place / "f.zarr", np.ones((3, 3), "f4"), chunks=(2, 2))
    zarr.open_group(place / "group.zarr", mode="w").create_array("one", shape=(1,), dtype="u1")
    zarr.create_group(place / "ill.zarr", attributes={"ome": {"multiscales": [{}]}})
    np.save(place / "floats.npy", np.array([0.5]))
    LabelTable.from_dict({3: 70_000}).save(place / "t.csv")
    np.savez(place / "other.npz", one=np.arange(3))
    for name, text in {
        "words.txt": "3 seven",
        "list.txt": "1\n2",
        "words.csv": "a,b\n1,2\n",
        "half.csv": "old,new\n1,0.5\n",
        "list.json": "[1, 2]",
        "words.parquet": "hello",
        "old.png": "",
    }.items():
        (place / name).write_text(text)
    return place


@pytest.fixture(autouse=True)
def unchanged(place, monkeypatch):
    """See that nothing is written."""
    monkeypatch.setattr(commandframe, "CONNECT_S", 0.3)
    monkeypatch.chdir(place)
    before = files(place)
    yield
    assert files(place) == before
    assert not list(place.glob("none*"))


@pytest.mark.parametrize(("command", "text"), USAGE)
def test_wrong_usage_exits_with_2(command, text):
    result = invoke(*command.split())
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert text in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(("command", "text"), ERRORS)
def test_an_error_is_one_line_and_exits_with_1(command, text):
    assert_one_line_error(invoke(*command.split(), *(["--json"] if "demo" not in command else [])), text)


def test_debug_shows_the_traceback():
    result = invoke("renumber", "a.zarr", "a.zarr", "--debug")
    assert isinstance(result.exception, ValueError)


@pytest.mark.parametrize(
    ("module", "command", "extra"),
    [
        ("matplotlib", "preview a.zarr b.png", "pictures"),
        ("pyarrow", "remap a.zarr b.zarr --table words.parquet", "parquet"),
        ("pyarrow", "unique a.zarr b.parquet", "parquet"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, module, command, extra):
    monkeypatch.setitem(sys.modules, module, None)
    for name in list(sys.modules):
        if name.startswith(f"{module}."):
            monkeypatch.setitem(sys.modules, name, None)
    result = invoke(*command.split())
    assert_one_line_error(result, f'pip install "fastremap[{extra}]"')


def test_the_table_of_errors_is_about_all_commands():
    from fastremap_dask import cli

    assert {command.split()[0] for command, _ in [*USAGE, *ERRORS]} > set(cli.main.commands)
