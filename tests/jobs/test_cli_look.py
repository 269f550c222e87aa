"""The commands that look: info, unique, preview, verify, doctor; and the colours of labels."""

import json

import numpy as np
import pytest
import zarr
from clicommands import assert_one_line_error, invoke
from stores import labels_of, stored

import fastremap
from fastremap_dask import LabelTable, renumber_zarr, save_table
from fastremap_dask.colours import BACKGROUND, colours_of, old_labels
from fastremap_dask.given import open_sources
from fastremap_dask.options import Options
from fastremap_dask.pictures import read_section

LABELS = labels_of((20, 40, 30))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the working folder, with a volume and its renumbering."""
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "a.zarr", LABELS, chunks=(4, 4, 4), shards=(8, 8, 8), dimension_names=["z", "y", "x"])
    renumber_zarr("a.zarr", "b.zarr")
    return tmp_path


def pixels(path) -> np.ndarray:
    from matplotlib.image import imread

    return np.round(255 * imread(path)[..., :3]).astype(np.uint8)


def colours_in(path) -> set[tuple[int, ...]]:
    return set(map(tuple, np.unique(pixels(path).reshape(-1, 3), axis=0).tolist()))


def test_info(place):
    result = invoke("info", "a.zarr")
    assert (result.exit_code, result.stderr) == (0, "")
    for text in ("24,000 of shape (20, 40, 30), uint64, axes z y x", "(4, 4, 4), 512 bytes each", "(8, 8, 8), 4.1 kB"):
        assert text in result.stdout
    assert "none: a bit that flips" in result.stdout
    facts = json.loads(invoke("info", "a.zarr", "--json").stdout)
    assert (facts["n_units"], facts["n_stored_units"], facts["nbytes"]) == (60, 60, LABELS.nbytes)
    assert facts["stored_nbytes"] == sum(
        path.stat().st_size for path in (place / "a.zarr").rglob("*") if path.is_file()
    )
    assert facts["job"]["passes"] == 2


@pytest.mark.parametrize(
    ("layout", "checksum"),
    [
        ({"compressors": None}, ""),
        ({"compressors": zarr.codecs.Crc32cCodec()}, "crc32c"),
        ({"compressors": zarr.codecs.ZstdCodec(checksum=True)}, "zstd (level 0, checksum True)"),
        ({"compressors": zarr.codecs.GzipCodec(), "shards": (8, 8)}, "gzip (level 5)"),
        ({"zarr_format": 2, "compressors": None}, ""),
    ],
)
def test_info_knows_checksums(tmp_path, layout, checksum):
    stored(tmp_path / "a.zarr", labels_of((16, 16)), chunks=(4, 4), **layout)
    assert json.loads(invoke("info", tmp_path / "a.zarr", "--json").stdout)["checksum"] == checksum


def test_info_of_a_volume_of_which_little_is_stored(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(10**6, 10**6, 10**4), dtype="u8", chunks=(64, 64, 64))
    array[:64, :64, :64] = 3
    result = invoke("info", tmp_path / "a.zarr")
    assert "10.0 quadrillion of shape" in result.stdout
    assert "1 of 38.3 billion chunks" in result.stdout


@pytest.mark.parametrize("missing", ["", "--missing keep", "--missing fill --fill-value 77"])
@pytest.mark.parametrize("dtype", ["u8", "i8", "u1", "?"])
def test_verify_finds_every_wrong_voxel(tmp_path, missing, dtype):
    labels = labels_of((30, 20, 10), dtype=dtype)
    known = np.unique(labels)
    table = LabelTable.from_arrays(known[:-1] if missing else known, np.arange(len(known) - bool(missing)) + 300)
    table.save(tmp_path / "t.npz")
    fill = {"--missing keep": None, "": None}.get(missing, 77)
    right = fastremap.remap(labels, table, preserve_missing_labels="keep" in missing, fill_value=fill)
    stored(tmp_path / "a.zarr", labels, chunks=(8, 8, 8))
    arguments = ["verify", tmp_path / "a.zarr", tmp_path / "b.zarr", "--table", tmp_path / "t.npz", *missing.split()]
    target = zarr.open_array(stored(tmp_path / "b.zarr", right, chunks=(5, 20, 7)), mode="r+")
    assert invoke(*arguments).exit_code == 0
    for voxel in [(29, 19, 9), (3, 17, 8), (3, 17, 2)]:
        wrong = right.copy()
        wrong[voxel] = right[voxel] ^ 1
        wrong[-1, -1, -1] = 0
        target[...] = wrong
        result = invoke(*arguments, "--json")
        assert result.exit_code == 1
        n_wrong = 1 + (voxel != (29, 19, 9))
        assert result.stderr.splitlines()[-1].startswith(f"error: wrong voxels: {n_wrong} of 6,000; the first: voxel")
        first = {"index": list(voxel), "old": int(labels[voxel]), "expected": int(right[voxel])}
        found = json.loads(result.stdout)
        assert (found["n_wrong"], found["right"]) == (n_wrong, False)
        assert found["first_wrong"] == {**first, "found": int(wrong[voxel]), "volume": 0}


def test_verify_of_a_label_that_the_table_lacks(place):
    known = np.unique(LABELS)
    LabelTable.from_arrays(known[1:], known[1:]).save("t.csv")
    result = invoke("verify", "a.zarr", "a.zarr", "--table", "t.csv", "--quiet")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"wrong voxels: {(known[0] == LABELS).sum():,}" in result.stderr
    assert result.stderr.rstrip().endswith("which the table lacks")
    empty = LabelTable.from_arrays(known[:0], known[:0])
    save_table(empty, "empty.zarr")
    assert invoke("verify", "a.zarr", "a.zarr", "--table", "empty.zarr").exit_code == 1
    assert invoke("verify", "a.zarr", "a.zarr", "--table", "empty.zarr", "--missing", "keep").exit_code == 0


def test_verify_of_what_is_not_stored(tmp_path):
    shape = (10**6, 10**6, 10**4)
    for name, fill in (("a.zarr", 5), ("b.zarr", 9), ("c.zarr", 8)):
        array = zarr.create_array(tmp_path / name, shape=shape, dtype="u8", chunks=(64, 64, 64), fill_value=fill)
        array[64:128, :64, :64] = 3
    LabelTable.from_dict({3: 3, 5: 9}).save(tmp_path / "t.csv")
    right, wrong = (
        invoke("verify", tmp_path / "a.zarr", tmp_path / name, "--table", tmp_path / "t.csv", "--json")
        for name in ("b.zarr", "c.zarr")
    )
    assert right.exit_code == 0
    found = json.loads(wrong.stdout)
    assert found["n_wrong"] >= 10**16 - 10**9
    assert found["first_wrong"] == {"index": [0, 0, 0], "old": 5, "expected": 9, "found": 8, "volume": 0}


def test_verify_of_a_region_and_of_a_npy_file(place):
    np.save("a.npy", LABELS)
    renumber_zarr("a.npy", "c.zarr", region=(slice(3, 9),), dtype="u4")
    assert invoke("verify", "a.npy", "c.zarr", "--table", "c.table.zarr", "--region", "3:9").exit_code == 0
    assert invoke("verify", "a.npy", "c.zarr", "--table", "c.table.zarr", "--region", "4:10").exit_code == 1


def test_a_label_has_one_colour_and_others_have_others():
    labels = np.arange(-500, 1500)
    colours = colours_of(labels)
    np.testing.assert_array_equal(colours[labels == 0], [BACKGROUND])
    assert len(np.unique(colours, axis=0)) > 1990
    for dtype in ("u1", "i2", "u4", "u8", "i8", ">i4"):
        some = np.array([0, 1, 77, 100], dtype)
        np.testing.assert_array_equal(colours_of(some), colours[some.astype(int) + 500])
    near = np.abs(np.diff(colours.astype(int), axis=0)).sum(axis=1)
    assert np.median(near) > 60
    assert (colours[labels != 0].max(axis=1) > 100).all()


@pytest.mark.parametrize("step", [1, 2, 10])
def test_old_labels_come_from_the_table_in_any_parts(step):
    table = LabelTable.from_dict({9: 3, 4: 3, 70: 1, 2**63 + 5: 8})
    parts = [{"old": table.old[at : at + step], "new": table.new[at : at + step]} for at in range(0, 4, step)]
    old, listed = old_labels(np.array([1, 3, 6, 8], "u4"), parts)
    np.testing.assert_array_equal(listed, [True, True, False, True])
    np.testing.assert_array_equal(old, np.array([70, 4, 6, 2**63 + 5], np.uint64))
    old, listed = old_labels(np.array([-1, 3], "i2"), [{"old": np.array([-9, -7]), "new": np.array([3, -1])}])
    np.testing.assert_array_equal(old, [-7, -9])


def test_preview_keeps_colours_across_slices_and_through_the_table(place):
    """The same labels in another slice, and their ids beside them, are drawn in the same colours."""
    for command in (
        "a.zarr one.png --index 3",
        "a.zarr two.png --index 9",
        "b.zarr plain.png --index 3",
        "b.zarr ids.png --index 3 --table b.table.zarr",
        "a.zarr b.zarr both.png --index 3 --table b.table.zarr",
    ):
        result = invoke("preview", *command.split())
        assert result.exit_code == 0, result.stderr
    for name, index in (("one.png", 3), ("two.png", 9)):
        assert {tuple(colour) for colour in colours_of(np.unique(LABELS[index])).tolist()} <= colours_in(name)
    np.testing.assert_array_equal(_panel(pixels("ids.png")), _panel(pixels("one.png")))
    assert (_panel(pixels("plain.png")) != _panel(pixels("one.png"))).any()
    both = pixels("both.png")
    half = (both.shape[1] - 56) // 2
    np.testing.assert_array_equal(_panel(both[:, :half]), _panel(both[:, half:]))


def _panel(image: np.ndarray) -> np.ndarray:
    """Cut the picture of the labels out: 480 x 360 pixels for 40 x 30 voxels, right of and below fixed margins."""
    return image[64 + 2 : 64 + 40 * 12 - 2, 56 + 2 : 56 + 30 * 12 - 2]


def test_preview_says_what_it_drew(place):
    result = invoke("preview", "a.zarr", "b.zarr", "x.png", "--axis", 1, "--index", 5, "--json")
    facts = json.loads(result.stdout)
    assert facts["path"] == "x.png"
    assert facts["n_labels"] == [len(np.unique(LABELS[:, 5]))] * 2
    assert facts["sections"][1] == f"{place}/b.zarr at y = 5"
    assert pixels("x.png").shape[:2] == (facts["height"], facts["width"])
    assert_one_line_error(invoke("preview", "a.zarr", "x.png"), "give --overwrite")
    assert invoke("preview", "a.zarr", "x.png", "--overwrite", "--quiet").stdout == ""


@pytest.mark.parametrize(
    ("shape", "region", "axis", "index", "expected"),
    [
        ((6, 7, 8), None, None, None, np.s_[3]),
        ((6, 7, 8), None, 2, 1, np.s_[:, :, 1]),
        ((6, 7, 8), np.s_[2:5, 1:4], 1, 2, np.s_[2:5, 2, :]),
        ((6, 7), None, None, None, np.s_[:, :]),
        ((6,), None, None, None, np.s_[None, :]),
        ((4, 5, 6, 7), None, 1, 4, np.s_[2, 4]),
        ((), None, None, None, np.s_[None, None]),
        ((5000, 3), None, None, None, np.s_[1476:3524]),
    ],
)
def test_sections(tmp_path, shape, region, axis, index, expected):
    labels = labels_of(shape, dtype="i4")
    np.save(tmp_path / "a.npy", labels)
    source = open_sources(tmp_path / "a.npy", Options(region=region))[0]
    np.testing.assert_array_equal(read_section(source, axis, index).labels, labels[expected])


def test_doctor(tmp_path):
    result = invoke("doctor", "--path", tmp_path, "--threads", 2)
    assert result.exit_code == 0, result.stderr
    for text in (
        f"fastremap {fastremap.__version__}",
        "zarr 3",
        "million voxels/s",
        "with --durable",
        "small objects/s",
    ):
        assert text in result.stdout
    assert not list(tmp_path.iterdir())
    facts = json.loads(invoke("doctor", "--json").stdout)
    assert facts["instruction_set"] in ("scalar", "avx2", "avx512")
    assert facts["store"] == {}


@pytest.mark.slow
def test_from_a_real_volume_to_a_verified_and_previewed_one(real_volume_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    box = "0:256,0:256,0:256"
    layout = ["--codec", "zstd", "--codec", "crc32c", "--chunks", "64", "--shards", "128"]
    assert invoke("renumber", real_volume_path, "ids.zarr", "--region", box, *layout).exit_code == 0
    check = ["verify", real_volume_path, "ids.zarr", "--table", "ids.table.zarr", "--region", box]
    assert invoke(*check).exit_code == 0
    pair = ["preview", real_volume_path, "ids.zarr", "both.png", "--table", "ids.table.zarr", "--region", box]
    assert invoke(*pair).exit_code == 0
    assert "(0 %)" not in invoke("info", "ids.zarr").stdout
    array = zarr.open_array("ids.zarr", mode="r+")
    array[200, 100, 255] = right = int(array[200, 100, 255]) + 1
    result = invoke(*check)
    assert result.exit_code == 1
    assert "voxel (200, 100, 255) with the label" in result.stderr
    assert f"has the id {right}, expected {right - 1}" in result.stderr
