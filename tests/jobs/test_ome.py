"""OME-Zarr label images: all resolutions by one table, the metadata relabelled, nothing there before it is whole."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr
from omeimages import attributes, image, image_with_labels, levels
from stores import counting, files
from zarr.storage import LocalStore, MemoryStore, StorePath

import fastremap
from fastremap_dask import mask_zarr, open_columns, open_table, remap_zarr, renumber_zarr, transpose_zarr, unique_zarr
from fastremap_dask.ome import metadata
from fastremap_dask.stages import JobError


@pytest.fixture(params=[2, 3], ids=["0.4", "0.5"])
def zarr_format(request) -> int:
    return request.param


@pytest.fixture(params=["local", "memory"])
def labels(request, tmp_path, zarr_format) -> StorePath:
    """Return the place of a group of label images, with one of them, "cells"."""
    store = LocalStore(tmp_path) if request.param == "local" else MemoryStore()
    return image_with_labels(StorePath(store, "image.zarr"), zarr_format)


@pytest.fixture
def folder(tmp_path, zarr_format) -> Path:
    """Return the same as a path."""
    image_with_labels(StorePath(LocalStore(tmp_path), "image.zarr"), zarr_format)
    return tmp_path / "image.zarr" / "labels"


def arrays_in(place) -> list[np.ndarray]:
    group = zarr.open_group(place, mode="r")
    return [group[dataset["path"]][...] for dataset in metadata(group.attrs)["multiscales"][0]["datasets"]]


def found(place) -> dict:
    return metadata(zarr.open_group(place, mode="r").attrs.asdict())


def without(listed: dict, *names: str) -> dict:
    return {name: value for name, value in listed.items() if name not in names}


def joined() -> np.ndarray:
    return np.concatenate([array.ravel() for array in levels()])


@pytest.mark.parametrize("order", ["first", "sorted"])
def test_renumber(labels, order):
    report = renumber_zarr(labels / "cells", labels / "ids", order=order)
    expected, mapping = fastremap.renumber(joined(), order=order)
    ids = arrays_in(labels / "ids")
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in ids]), expected)
    assert [array.dtype for array in ids] == [expected.dtype] * 3
    assert open_table(StorePath(labels.store, f"{labels.path}/ids.table.zarr")).to_dict() == mapping
    assert (len(report.sources), len(report.targets), len(report.shapes)) == (1, 1, 3)
    assert report.n_voxels == joined().size

    old, new = found(labels / "cells"), found(labels / "ids")
    for key in ("colors", "properties"):
        entries = [{**entry, "label-value": mapping[entry["label-value"]]} for entry in old["image-label"][key]]
        assert new["image-label"][key] == entries
    assert without(new["image-label"], "colors", "properties") == without(old["image-label"], "colors", "properties")
    assert without(new["multiscales"][0], "name") == without(old["multiscales"][0], "name")
    assert new["multiscales"][0]["name"] == "ids"
    assert found(labels)["labels"] == ["cells", "ids"]


def test_the_result_is_valid(labels):
    models = pytest.importorskip("ome_zarr_models")
    for job, rest in ((renumber_zarr, ()), (mask_zarr, ([99],)), (remap_zarr, ({0: 0, 99: 5},))):
        options = {"missing": "keep"} if job is remap_zarr else {}
        job(labels / "cells", labels / job.__name__, *rest, **options)
        group = zarr.open_group(labels / job.__name__, mode="r")
        assert type(models.open_ome_zarr(group)).__name__ == "ImageLabel"
    listed = models.open_ome_zarr(zarr.open_group(labels, mode="r"))
    assert type(listed).__name__ == "Labels"
    assert len(metadata(zarr.open_group(labels, mode="r").attrs)["labels"]) == 4


def test_layouts_carry_over_and_can_be_chosen(folder):
    renumber_zarr(folder / "cells", folder / "ids")
    renumber_zarr(folder / "cells", folder / "large", chunks=(4, 16, 16), codecs=["gzip"])
    for path in "012":
        old, new, large = (zarr.open_array(folder / name / path, mode="r") for name in ("cells", "ids", "large"))
        assert (new.chunks, large.chunks) == (old.chunks, (4, 16, 16))
        assert "gzip" in str(large.compressors[0]).lower()
        assert getattr(new.metadata, "dimension_names", None) == getattr(old.metadata, "dimension_names", None)


def test_counts_are_those_of_the_highest_resolution(labels):
    table = StorePath(labels.store, "table.zarr")
    report = unique_zarr(labels / "cells", table)
    columns = open_columns(table)
    first_level = levels()[0]
    old, counts = np.unique(first_level, return_counts=True)
    np.testing.assert_array_equal(columns["old"], np.unique(joined()))
    np.testing.assert_array_equal(columns["counts"][np.isin(columns["old"], old)], counts)
    assert columns["counts"].sum() == first_level.size
    assert columns["counts"][columns["old"] == 99] == 0
    np.testing.assert_array_equal(joined()[columns["first"]], columns["old"])
    assert report.n_labels == len(columns["old"])


def test_chunks_that_are_not_stored_count_at_the_highest_resolution_alone(tmp_path, zarr_format):
    arrays = [np.full((4, 16, 16), 7, "u2"), np.full((4, 8, 8), 7, "u2")]
    group = image(tmp_path / "a.zarr", [array * 0 for array in arrays], zarr_format, paths=("s0", "s1"))
    for path in ("s0", "s1"):
        del group[path]
        group.create_array(path, shape=arrays[int(path[1])].shape, chunks=(2, 8, 8), dtype="u2", fill_value=7)
    unique_zarr(tmp_path / "a.zarr", tmp_path / "t.zarr")
    columns = open_columns(tmp_path / "t.zarr")
    assert (columns["old"].tolist(), columns["counts"].tolist()) == ([7], [arrays[0].size])


@pytest.mark.parametrize(("missing", "kept"), [("keep", True), (0, False), (3, False)])
def test_remap(labels, missing, kept):
    described = [entry["label-value"] for entry in found(labels / "cells")["image-label"]["colors"]]
    table = {0: 0, described[1]: 70_000, described[2]: 0, 99: 5}
    report = remap_zarr(labels / "cells", labels / "mapped", table, missing=missing)
    rule = {"preserve_missing_labels": True} if kept else {"fill_value": missing}
    for old, new in zip(levels(), arrays_in(labels / "mapped"), strict=True):
        np.testing.assert_array_equal(new, fastremap.remap(old, table, **rule))
    colors = found(labels / "mapped")["image-label"]["colors"]
    assert [color["label-value"] for color in colors] == [0, 70_000, *(described[3:] if kept else [])]
    assert [color["rgba"][0] for color in colors] == [0, 1, *([3] if kept else [])]
    left_out = 2 * (len(described) - len(colors))
    assert f"{left_out} colors and properties were left out" in report.notes[-1]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_resolutions_whose_blocks_differ(labels, threads):
    """Each has blocks of its own size, which follows from the number of threads."""
    remap_zarr(labels / "cells", labels / "mapped", {99: 5}, missing="keep", threads=threads)
    for old, new in zip(levels(), arrays_in(labels / "mapped"), strict=True):
        np.testing.assert_array_equal(new, fastremap.remap(old, {99: 5}, preserve_missing_labels=True))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("value", [0, 3])
def test_mask(labels, invert, value):
    described = [entry["label-value"] for entry in found(labels / "cells")["image-label"]["colors"]]
    listed = [*described[1:3], 99]
    mask_zarr(labels / "cells", labels / "masked", listed, invert=invert, value=value)
    function = fastremap.mask_except if invert else fastremap.mask
    for old, new in zip(levels(), arrays_in(labels / "masked"), strict=True):
        np.testing.assert_array_equal(new, function(old, listed, value=value))
    colors = found(labels / "masked")["image-label"]["colors"]
    assert [color["label-value"] for color in colors] == [label for label in described if (label in listed) == invert]


def test_labels_that_are_merged_share_one_entry(tmp_path, zarr_format):
    labels = image_with_labels(StorePath(LocalStore(tmp_path), "image.zarr"), zarr_format, [1, 2, 3, 4])
    remap_zarr(labels / "cells", labels / "merged", {1: 3, 2: 3, 3: 3, 4: 8}, missing="keep")
    colors = found(labels / "merged")["image-label"]["colors"]
    assert [(color["label-value"], color["rgba"][0]) for color in colors] == [(3, 2), (8, 3)]
    remap_zarr(labels / "cells", labels / "new", {1: 7, 2: 7, 3: 0, 4: 0}, missing="keep")
    colors = found(labels / "new")["image-label"]["colors"]
    assert [(color["label-value"], color["rgba"][0]) for color in colors] == [(7, 0)]
    mask_zarr(labels / "cells", labels / "none", [1, 2, 3, 4])
    assert without(found(labels / "none")["image-label"], "version", "source") == {}


def test_ids_of_one_table_for_images_and_arrays(folder):
    other = image_with_labels(StorePath(LocalStore(folder.parent.parent), "o.zarr"), 3, arrays=levels(seed=5))
    zarr.create_array(folder.parent.parent / "a.zarr", data=np.array([99, 5, 0], "u8"))
    base = folder.parent.parent
    targets = [base / "x.zarr", base / "b.zarr", base / "y.zarr"]
    report = renumber_zarr([folder / "cells", base / "a.zarr", other / "cells"], targets)
    table = open_table(base / "x.table.zarr")
    assert report.targets == tuple(map(str, targets))
    for target, arrays in ((targets[0], levels()), (targets[2], levels(seed=5))):
        for old, new in zip(arrays, arrays_in(target), strict=True):
            np.testing.assert_array_equal(new, fastremap.remap(old, table))
    np.testing.assert_array_equal(zarr.open_array(targets[1], mode="r")[:], [table[99], table[5], 0])
    for inside in ("0", "deep/er"):
        with pytest.raises(ValueError, match=rf"the target .*n\.zarr/{inside} lies in .*n\.zarr"):
            renumber_zarr([folder / "cells", base / "a.zarr"], [base / "n.zarr", base / "n.zarr" / inside])


def test_worker_processes(tmp_path):
    source = image(tmp_path / "a.zarr", levels(), 3).store_path
    renumber_zarr(source, tmp_path / "b.zarr", workers=1)
    renumber_zarr(source, tmp_path / "expected.zarr", threads=1)
    for path in "012":
        assert files(tmp_path / "b.zarr" / path) == files(tmp_path / "expected.zarr" / path)


@pytest.mark.parametrize("fail_at", range(1, 90, 8))
def test_a_store_that_fails_leaves_a_job_to_resume(folder, fail_at):
    source, base = folder / "cells", folder.parent.parent
    renumber_zarr(source, folder / "expected")
    listed = found(folder)["labels"]
    target = counting(base, "image.zarr/labels/ids", fail_at, spare="beat")
    with pytest.raises((JobError, OSError), match="No space left on device"):
        renumber_zarr(source, target, threads=2)
    with pytest.raises(FileNotFoundError):
        zarr.open(folder / "ids", mode="r")
    assert found(folder)["labels"] == listed
    renumber_zarr(source, folder / "ids", resume=(folder / "ids.job" / "job.json").exists())
    assert without(files(folder / "ids"), "zarr.json", ".zattrs") == without(
        files(folder / "expected"), "zarr.json", ".zattrs"
    )
    assert without(found(folder / "ids"), "multiscales") == without(found(folder / "expected"), "multiscales")
    assert found(folder)["labels"] == [*listed, "ids"]
    assert not (folder / "ids.job").exists()


def test_a_target_that_could_not_be_listed_is_when_the_job_is_resumed(folder):
    source, base = folder / "cells", folder.parent.parent
    probe = counting(base, "image.zarr/labels/probe", spare="beat")
    renumber_zarr(source, probe, threads=1)
    n_writes = probe.store.sets.total() - (zarr.open_group(folder).metadata.zarr_format == 2)
    target = counting(base, "image.zarr/labels/ids", n_writes, spare="beat")
    with pytest.raises(OSError, match="No space left on device"):
        renumber_zarr(source, target, threads=1)
    assert arrays_in(folder / "ids")[2].shape == arrays_in(source)[2].shape
    assert found(folder)["labels"] == ["cells", "probe"]
    with pytest.raises(FileExistsError, match="is unfinished: resume goes on"):
        renumber_zarr(source, folder / "ids")
    renumber_zarr(source, folder / "ids", resume=True)
    assert found(folder)["labels"] == ["cells", "probe", "ids"]


def test_places_at_urls(tmp_path, zarr_format):
    fsspec = pytest.importorskip("fsspec")
    image_with_labels(StorePath(LocalStore(tmp_path), "image.zarr"), zarr_format)
    url = f"memory://ome{zarr_format}"
    fsspec.filesystem("memory").put(str(tmp_path / "image.zarr"), f"/ome{zarr_format}/image.zarr", recursive=True)
    for name in ("ids", "deep/er/ids"):
        renumber_zarr(f"{url}/image.zarr/labels/cells", f"{url}/image.zarr/labels/{name}")
    assert found(f"{url}/image.zarr/labels")["labels"] == ["cells", "ids", "deep/er/ids"]
    fsspec.filesystem("memory").rm(f"/ome{zarr_format}/image.zarr/labels", recursive=True)
    renumber_zarr(str(tmp_path / "image.zarr/labels/cells"), f"{url}/image.zarr/labels/ids")
    assert found(f"{url}/image.zarr/labels")["labels"] == ["ids"]
    assert found(f"{url}/image.zarr/labels/ids")["image-label"]["source"] == {}


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is no JSON object: mend it"), ("[]", "is no JSON object"), (None, "is no list: mend")]
)
def test_a_list_of_label_images_that_is_none(folder, zarr_format, text, message):
    document = folder / (".zattrs" if zarr_format == 2 else "zarr.json")
    if text is None:
        zarr.open_group(folder).attrs.put(attributes(zarr_format, labels={"cells": 1}))
    else:
        document.write_text(text)
    before = files(folder)
    with pytest.raises(ValueError, match=message):
        renumber_zarr(folder / "cells", folder / "ids")
    assert files(folder) == before
    renumber_zarr(folder / "cells", folder.parent.parent / "ids.zarr")


def test_the_group_is_written_after_its_arrays_and_listed_last(folder):
    target = counting(folder.parent.parent, "image.zarr/labels/ids")
    renumber_zarr(folder / "cells", target, threads=1)
    written = [key.removeprefix("image.zarr/labels/") for key in target.store.sets]
    documents = [key for key in written if key.endswith(("zarr.json", ".zgroup", ".zarray")) and ".table" not in key]
    name = "zarr.json" if "zarr.json" in documents[-1] else ".zgroup"
    assert documents[-2:] == [f"ids/{name}", name]
    assert len(documents) == 5
    chunks = [at for at, key in enumerate(written) if key.startswith("ids/") and key not in documents]
    assert max(chunks[:-1]) < written.index(documents[-2])


def test_overwriting_replaces_the_group_and_what_lists_it(folder):
    renumber_zarr(folder / "cells", folder / "ids", start=7)
    with pytest.raises(FileExistsError, match=r"ids exists and is left as it is"):
        renumber_zarr(folder / "cells", folder / "ids")

    def look(stage, n_done, n_blocks):
        is_old = stage == "find labels"  # what is there goes when the labels are known
        assert found(folder)["labels"] == ["cells", *["ids"] * is_old]
        assert (folder / "ids" / ".zgroup").exists() + (folder / "ids" / "zarr.json").exists() == is_old

    renumber_zarr(folder / "cells", folder / "ids", overwrite=True, progress=look)
    assert max(array.max() for array in arrays_in(folder / "ids")) == len(np.unique(joined())) - 1
    assert found(folder)["labels"] == ["cells", "ids"]
    report = renumber_zarr(folder / "cells", folder / "ids", resume=True)
    assert report.notes[-1] == "the job was done already: nothing was done now"


@pytest.mark.parametrize("name", ["notes.txt", "1/notes.txt", "deep/zarr.json", "tables/0/0"])
def test_foreign_files_are_not_overwritten(folder, name):
    renumber_zarr(folder / "cells", folder / "ids")
    (folder / "ids" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "ids" / name).write_text("{}")
    before = files(folder)
    with pytest.raises(FileExistsError, match=f"{name}, which is no part of its array: it is not overwritten"):
        renumber_zarr(folder / "cells", folder / "ids", overwrite=True)
    assert files(folder) == before


def test_other_groups_are_not_overwritten(folder):
    before = files(folder.parent)
    zarr.create_group(folder / "other")
    with pytest.raises(FileExistsError, match=r"other is a group, and no OME-Zarr.*; it is not overwritten"):
        renumber_zarr(folder / "cells", folder / "other", overwrite=True)
    with pytest.raises(FileExistsError, match=r"image.zarr/0 is a Zarr array, and no OME-Zarr group"):
        renumber_zarr(folder / "cells", folder.parent / "0", overwrite=True)
    with pytest.raises(FileExistsError, match=r"cells is a Zarr group, and only arrays are overwritten"):
        renumber_zarr(folder.parent / "0", folder / "cells", overwrite=True)
    with pytest.raises(ValueError, match=r"cells lies inside the target .*image\.zarr: choose another"):
        renumber_zarr(folder / "cells", folder.parent, overwrite=True)
    with pytest.raises(ValueError, match="is the source itself"):
        renumber_zarr(folder / "cells", folder / "cells", overwrite=True)
    assert {name: data for name, data in files(folder.parent).items() if "other" not in name} == before


@pytest.mark.parametrize(("job", "rest"), [(renumber_zarr, ()), (unique_zarr, ()), (mask_zarr, ([1],))])
def test_a_dry_run_writes_nothing(folder, job, rest):
    before = files(folder)
    forecast = job(folder / "cells", folder / "ids", *rest, dry_run=True)
    assert len(forecast.block_shapes) == 3
    assert forecast.read_nbytes == forecast.passes * 8 * joined().size
    assert files(folder) == before


def test_nested_paths_and_several_images_of_one_group(tmp_path, zarr_format):
    source = image(tmp_path / "a.zarr", levels(), zarr_format, paths=("scale/0", "scale/1", "more/deep/2"))
    attrs = source.attrs.asdict()
    metadata(attrs)["multiscales"].append({**metadata(attrs)["multiscales"][0], "name": "the same again"})
    source.attrs.put(attrs)
    renumber_zarr(source, tmp_path / "b.zarr")
    assert metadata(zarr.open_group(tmp_path / "b.zarr").attrs)["multiscales"][1]["name"] == "the same again"
    expected, _ = fastremap.renumber(joined())
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in arrays_in(tmp_path / "b.zarr")]), expected)
    for inside in ("scale", "more", "more/deep"):
        assert zarr.open_group(tmp_path / "b.zarr" / inside, mode="r").metadata.zarr_format == zarr_format
    renumber_zarr(source, tmp_path / "b.zarr", overwrite=True)


def test_where_the_target_lies(folder):
    base = folder.parent.parent
    renumber_zarr(folder / "cells", base / "alone.zarr")
    assert found(base / "alone.zarr")["image-label"]["source"] == {"image": "../image.zarr"}
    renumber_zarr(folder / "cells", folder / "deep" / "er" / "ids")
    assert found(folder)["labels"] == ["cells", "deep/er/ids"]
    assert found(folder / "deep" / "er" / "ids")["image-label"]["source"] == {"image": "../../../.."}
    store = MemoryStore()
    renumber_zarr(folder / "cells", StorePath(store, "ids"))
    assert found(StorePath(store, "ids"))["image-label"]["source"] == {}


def test_an_image_without_label_images_gains_a_list_of_them(tmp_path, zarr_format):
    image(tmp_path / "seg.zarr", levels(), zarr_format)
    image(tmp_path / "image.zarr", levels(), zarr_format)
    renumber_zarr(tmp_path / "seg.zarr", tmp_path / "image.zarr" / "labels" / "ids")
    assert zarr.open_group(tmp_path / "image.zarr" / "labels", mode="r").attrs.asdict() == attributes(
        zarr_format, labels=["ids"]
    )
    renumber_zarr(tmp_path / "seg.zarr", tmp_path / "labels" / "ids")  # no image: only a name
    assert not (tmp_path / "labels" / "zarr.json").exists()


def test_formats_are_not_mixed(tmp_path):
    for each in (2, 3):
        image_with_labels(StorePath(LocalStore(tmp_path), f"image{each}.zarr"), each)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"ids would be of Zarr format 2, as its source is, in .*/labels of format 3"):
        renumber_zarr(tmp_path / "image2.zarr/labels/cells", tmp_path / "image3.zarr/labels/ids")
    assert files(tmp_path) == before


def test_consolidated_metadata_is_left_as_it_is_and_named(folder, zarr_format):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of format 3
        zarr.consolidate_metadata(folder.parent)
    report = renumber_zarr(folder / "cells", folder / "ids")
    assert f"{folder.parent} has consolidated metadata" in report.notes[-1]
    assert zarr.open_group(folder.parent, mode="r", use_consolidated=False)["labels"].attrs.asdict() == attributes(
        zarr_format, labels=["cells", "ids"]
    )


def test_only_whole_groups(folder):
    before = files(folder)
    with pytest.raises(ValueError, match=r"region= is for one array: name it, such as .*/cells/0$"):
        renumber_zarr(folder / "cells", folder / "ids", region=(slice(0, 2),))
    with pytest.raises(TypeError, match=r"is an OME-Zarr group of 3 resolutions.*name it, such as .*/cells/0$"):
        transpose_zarr(folder / "cells", folder / "ids")
    with pytest.raises(TypeError, match=r"is an image with label images beside it.*such as .*/labels/cells$"):
        renumber_zarr(folder.parent, folder / "ids")
    with pytest.raises(TypeError, match=r"is a list of label images, cells: name one, such as .*/labels/cells$"):
        renumber_zarr(folder, folder / "ids")
    assert files(folder) == before


WRONG = {
    "no images": ({"multiscales": []}, "is no list of at least one image"),
    "an object": ({"multiscales": {"datasets": []}}, "is no list of at least one image"),
    "no datasets": ({"multiscales": [{"name": "x"}]}, 'has an image without "datasets"'),
    "empty": ({"multiscales": [{"datasets": []}]}, 'has an image without "datasets"'),
    "no path": ({"multiscales": [{"datasets": [{"scale": 1}]}]}, 'has a dataset without a "path"'),
    "a number": ({"multiscales": [{"datasets": [{"path": 0}]}]}, 'has a dataset without a "path"'),
    "above": ({"multiscales": [{"datasets": [{"path": "../1"}]}]}, "the path '../1', which does not lie in the group"),
    "root": ({"multiscales": [{"datasets": [{"path": "/0"}]}]}, "the path '/0', which does not lie in the group"),
    "itself": ({"multiscales": [{"datasets": [{"path": ""}]}]}, "the path '', which does not lie in the group"),
    "nested": ({"multiscales": [{"datasets": [{"path": "0"}, {"path": "0/1"}]}]}, "'0/1' inside of another, '0'"),
    "missing": ({"multiscales": [{"datasets": [{"path": "9"}]}]}, "there is no Zarr array at .*/9, which the OME-Zarr"),
    "axes": ({"multiscales": [{"datasets": [{"path": "0"}, {"path": "flat"}]}]}, r"have \[3, 1\] axes"),
    "float": ({"multiscales": [{"datasets": [{"path": "f"}]}]}, "f holds float32; labels are"),
    "described": ({"image-label": []}, '"image-label" is no object'),
    "colors": ({"image-label": {"colors": {}}}, 'has "colors" that are no list'),
    "label": ({"image-label": {"colors": [{"rgba": []}]}}, 'an entry in "colors" whose "label-value" is None'),
    "text": ({"image-label": {"properties": [{"label-value": "7"}]}}, "whose \"label-value\" is '7', no integer"),
    "fraction": ({"image-label": {"properties": [{"label-value": 1.5}]}}, 'whose "label-value" is 1.5, no integer'),
}


@pytest.mark.parametrize(("content", "text"), WRONG.values(), ids=WRONG)
def test_wrong_metadata_is_named(tmp_path, zarr_format, content, text):
    group = image(tmp_path / "a.zarr", levels(), zarr_format, **content)
    group.create_array("flat", shape=(3,), dtype="u8")
    group.create_array("f", shape=(3, 3, 3), dtype="f4")
    before = files(tmp_path)
    for job in (renumber_zarr, unique_zarr):
        with pytest.raises((ValueError, TypeError, FileNotFoundError), match=text) as caught:
            job(tmp_path / "a.zarr", tmp_path / "b.zarr")
        assert "a.zarr" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_what_else_a_document_holds_remains(folder, zarr_format):
    listed = zarr.open_group(folder, mode="r+")
    listed.attrs["of others"] = {"deep": [1, 2.5]}
    renumber_zarr(folder / "cells", folder / "ids")
    document = json.loads((folder / (".zattrs" if zarr_format == 2 else "zarr.json")).read_text())
    attrs = document if zarr_format == 2 else document["attributes"]
    assert attrs == {**attributes(zarr_format, labels=["cells", "ids"]), "of others": {"deep": [1, 2.5]}}
