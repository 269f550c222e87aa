"""OME-Zarr label images at the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from clicommands import assert_one_line_error, invoke
from omeimages import image_with_labels, levels
from zarr.storage import LocalStore, StorePath

from fastremap_dask.ome import metadata


@pytest.fixture(params=[2, 3], ids=["0.4", "0.5"])
def zarr_format(request, tmp_path, monkeypatch) -> int:
    """Make an image with label images in the working folder."""
    monkeypatch.chdir(tmp_path)
    image_with_labels(StorePath(LocalStore(tmp_path), "image.zarr"), request.param)
    return request.param


CELLS, IDS = "image.zarr/labels/cells", "image.zarr/labels/ids"


def test_info(zarr_format, tmp_path):
    lines = invoke("info", CELLS).stdout.splitlines()
    version = {2: "0.4", 3: "0.5"}[zarr_format]
    assert lines[0].endswith(f"{CELLS}, OME-Zarr {version}, Zarr format {zarr_format}")
    assert lines[1:3] == ["name          cells", "axes          z y x in micrometer"]
    for line, path, shape, size in zip(lines[3:6], "012", ("24, 30", "12, 15", "6, 8"), ("4", "8", "16"), strict=True):
        text = (
            f"{path} shape (4, {shape}), uint64, voxels of 40 x {size} x {size}, chunks of (2, 8, 8), 100 % stored as"
        )
        assert " ".join(line.split()).startswith(text)
    assert lines[6].endswith("4 with a color, 4 with properties, of the image ../../")
    facts = json.loads(invoke("info", CELLS, "--json").stdout)
    assert [level["shape"] for level in facts["levels"]] == [[4, 24, 30], [4, 12, 15], [4, 6, 8]]
    assert facts["job"]["read_nbytes"] == 2 * sum(array.nbytes for array in levels())


def test_info_of_metadata_that_says_little(zarr_format, tmp_path):
    group = zarr.open_group(CELLS, mode="r+")
    attributes = group.attrs.asdict()
    metadata(attributes)["multiscales"] = [{"datasets": [{"path": "1"}, {"path": "0"}]}]
    del metadata(attributes)["image-label"]
    group.attrs.put(attributes)
    lines = invoke("info", CELLS).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["label", "1", "0", "labels", "a", "memory"]
    assert "voxels of" not in lines[1]


def test_from_nothing_to_verified_ids(zarr_format):
    assert invoke("renumber", CELLS, IDS, "--quiet").output == ""
    right = invoke("verify", CELLS, IDS, "--table", f"{IDS}.table.zarr")
    assert right.exit_code == 0
    assert "none: the target is the source mapped by the table" in right.stdout
    assert json.loads(invoke("info", IDS, "--json").stdout)["name"] == "ids"
    level = zarr.open_array(f"{IDS}/1", mode="r+")
    level[1, 2, 3] = level[1, 2, 3] + 1
    wrong = invoke("verify", CELLS, IDS, "--table", f"{IDS}.table.zarr", "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["n_wrong"] == 1
    assert "wrong voxels: 1 of 3,792; the first: voxel (1, 2, 3) of volume 1" in wrong.stderr.splitlines()[-1]
    one = invoke("verify", CELLS, f"{IDS}/0", "--table", f"{IDS}.table.zarr")
    assert_one_line_error(one, "the source has 3 arrays and the target 1: give two of one kind")


def test_unique_remap_and_mask(zarr_format):
    result = invoke("unique", CELLS, "t.csv", "--top", 50)
    rows = [line.split() for line in result.stdout.splitlines()]
    label = np.unique(levels()[0])
    assert sum(int(row[1].replace(",", "")) for row in rows[-42:]) == levels()[0].size
    assert rows[-1] == ["99", "0", "0", "%", "(0,", "0,", "0)", "of", "volume", "2"]
    assert invoke("mask", CELLS, "image.zarr/labels/masked", "--labels", f"99,{label[3]}", "--quiet").output == ""
    assert zarr.open_array("image.zarr/labels/masked/2")[0, 0, 0] == 0
    Path("two.csv").write_text("old,new\n99,5\n0,1\n")
    done = invoke("remap", CELLS, "image.zarr/labels/two", "--table", "two.csv", "--missing", "keep")
    assert done.exit_code == 0
    assert zarr.open_array("image.zarr/labels/two/2")[0, 0, 0] == 5
    assert metadata(zarr.open_group("image.zarr/labels").attrs)["labels"] == ["cells", "masked", "two"]
    assert_one_line_error(invoke("preview", CELLS, "a.png"), f"name it, such as {Path(CELLS).resolve()}/0")
