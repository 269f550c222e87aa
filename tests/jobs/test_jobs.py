"""All jobs give what the function of the same name gives in memory: any layout, format, region, list of volumes."""

import json

import numcodecs
import numpy as np
import pytest
import zarr
from stores import files, labels_of, stored
from zarr.storage import MemoryStore, StorePath

import fastremap
import fastremap_dask
from fastremap_dask import (
    component_map_zarr,
    mask_zarr,
    open_columns,
    open_table,
    remap_zarr,
    renumber_zarr,
    save_table,
    transpose_zarr,
    unique_zarr,
)

SHAPE = (20, 15, 10)
LAYOUTS = {
    "shards": {"chunks": (4, 4, 4), "shards": (8, 8, 8)},
    "chunks": {"chunks": (7, 5, 3)},
    "format 2": {"chunks": (7, 5, 3), "zarr_format": 2},
    "transposed": {"chunks": (8, 4, 8), "filters": [zarr.codecs.TransposeCodec(order=(2, 0, 1))]},
}
REGION = (slice(3, 17), slice(None), slice(2, 9))


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def layout(request) -> dict:
    return request.param


@pytest.fixture
def source(tmp_path, layout):
    return stored(tmp_path / "a.zarr", labels_of(SHAPE), **layout)


def voxels(path) -> np.ndarray:
    return zarr.open_array(path, mode="r")[...]


@pytest.mark.parametrize("region", [None, REGION])
@pytest.mark.parametrize(
    ("options", "in_memory"),
    [
        ({"missing": "keep"}, {"preserve_missing_labels": True}),
        ({"missing": 7}, {"fill_value": 7}),
        ({"missing": 300, "dtype": "i8"}, {"fill_value": 300, "dtype": "i8"}),
    ],
)
def test_remap(source, tmp_path, region, options, in_memory):
    labels = labels_of(SHAPE)[region or ...]
    table = {int(label): at for at, label in enumerate(np.unique(labels)[::2])}
    remap_zarr(source, tmp_path / "b.zarr", table, region=region, **options)
    expected = fastremap.remap(labels, table, **in_memory)
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), expected)
    assert voxels(tmp_path / "b.zarr").dtype == expected.dtype


@pytest.mark.parametrize("form", ["dict", "table", "pair", "place"])
def test_tables_of_any_form(source, tmp_path, form):
    labels = labels_of(SHAPE)
    table = fastremap.LabelTable.from_order(np.unique(labels))
    save_table(table, tmp_path / "t.zarr")
    forms = {
        "dict": table.to_dict(),
        "table": table,
        "pair": (table.old, table.new),
        "place": tmp_path / "t.zarr",
    }
    remap_zarr(source, tmp_path / "b.zarr", forms[form])
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), fastremap.remap(labels, table))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("value", [0, 5])
def test_mask(source, tmp_path, invert, value):
    labels = labels_of(SHAPE)
    some = [*np.unique(labels)[1:9].tolist(), 2**70, -1, 12345]
    mask_zarr(source, tmp_path / "b.zarr", some, value=value, invert=invert)
    expected = (fastremap.mask_except if invert else fastremap.mask)(labels, some, value=value)
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), expected)


def test_a_mask_value_that_does_not_fit_widens(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE, dtype="u1"), chunks=(8, 8, 8))
    mask_zarr(source, tmp_path / "b.zarr", [0], value=300)
    expected = fastremap.mask(labels_of(SHAPE, dtype="u1"), [0], value=300)
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), expected)
    assert voxels(tmp_path / "b.zarr").dtype == expected.dtype == np.uint16


@pytest.mark.parametrize("region", [None, REGION])
def test_transpose(source, tmp_path, region):
    transpose_zarr(source, tmp_path / "b.zarr", region=region)
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), labels_of(SHAPE)[region or ...].T)
    one, other = (zarr.open_array(tmp_path / name, mode="r") for name in ("a.zarr", "b.zarr"))
    assert other.chunks == one.chunks[::-1]
    assert other.shards == (one.shards and one.shards[::-1])


def test_transpose_reverses_the_names_of_axes(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(4, 5, 6), dimension_names=["x", "y", "z"])
    transpose_zarr(source, tmp_path / "b.zarr")
    transpose_zarr(tmp_path / "b.zarr", tmp_path / "c.zarr")
    assert zarr.open_array(tmp_path / "b.zarr").metadata.dimension_names == ("z", "y", "x")
    assert files(tmp_path / "c.zarr") == files(source)


@pytest.mark.parametrize("region", [None, REGION])
def test_unique(source, tmp_path, region):
    report = unique_zarr(source, tmp_path / "t.zarr", region=region)
    found, first, counts = np.unique(labels_of(SHAPE)[region or ...], return_index=True, return_counts=True)
    columns = open_columns(tmp_path / "t.zarr")
    for name, expected in {"old": found, "first": first, "counts": counts}.items():
        np.testing.assert_array_equal(columns[name], expected)
    assert report.n_labels == len(found)


@pytest.mark.parametrize("parents", [{"chunks": (6, 6, 6)}, {"chunks": (5, 15, 2), "zarr_format": 2}])
def test_component_map(source, tmp_path, parents):
    labels = labels_of(SHAPE)
    above = labels_of(SHAPE, 9, "u2", seed=1)
    component_map_zarr(source, stored(tmp_path / "p.zarr", above, **parents), tmp_path / "t.zarr")
    assert open_table(tmp_path / "t.zarr").to_dict() == fastremap.component_map(labels, above)


def test_volumes_that_are_not_aligned_are_refused(source, tmp_path):
    other = stored(tmp_path / "p.zarr", labels_of((3, 3, 3)), chunks=(2, 2, 2))
    with pytest.raises(ValueError, match=r"components have shape \(20, 15, 10\) and parents \(3, 3, 3\)"):
        component_map_zarr(source, other, tmp_path / "t.zarr")


@pytest.mark.parametrize("order", ["first", "sorted"])
def test_several_volumes_share_one_numbering(source, tmp_path, order):
    other = stored(tmp_path / "o.zarr", labels_of((9, 9), 30, "u4", seed=3), chunks=(4, 4))
    targets = [tmp_path / "b.zarr", tmp_path / "c.zarr"]
    report = renumber_zarr([source, other], targets, order=order, counts=True, start=3)
    joined = np.concatenate([labels_of(SHAPE).ravel(), labels_of((9, 9), 30, "u4", seed=3).ravel().astype("u8")])
    expected, table = fastremap.renumber(joined, start=3, order=order)
    ids = np.concatenate([voxels(target).ravel() for target in targets])
    np.testing.assert_array_equal(ids, expected)
    assert ids.dtype == expected.dtype
    assert open_table(report.table).to_dict() == table
    assert open_columns(report.table)["counts"].sum() == joined.size
    with pytest.raises(ValueError, match="2 sources need 2 targets, not 1"):
        renumber_zarr([source, other], [tmp_path / "d.zarr"])


def test_volumes_without_a_common_dtype_are_refused(tmp_path):
    sources = [stored(tmp_path / f"{dtype}.zarr", np.zeros(3, dtype), chunks=(2,)) for dtype in ("u8", "i1")]
    with pytest.raises(ValueError, match="no common integer dtype"):
        renumber_zarr(sources, [tmp_path / "b", tmp_path / "c"])


@pytest.mark.parametrize("form", ["table", "place"])
def test_known_labels_keep_their_ids(source, tmp_path, form):
    labels = labels_of(SHAPE)
    known = fastremap.LabelTable.from_dict({int(label): 1000 - at for at, label in enumerate(np.unique(labels)[1::3])})
    save_table(known, tmp_path / "known.zarr")
    given = known if form == "table" else tmp_path / "known.zarr"
    renumber_zarr(source, tmp_path / "b.zarr", table=given, workers=None)
    ids, table = voxels(tmp_path / "b.zarr"), open_table(tmp_path / "b.table.zarr")
    np.testing.assert_array_equal(fastremap.remap(labels, table), ids)
    assert all(table[label] == new for label, new in known.items())
    new = [table[label] for label in np.unique(labels).tolist() if label not in known and label != 0]
    assert sorted(new) == list(range(1001, 1001 + len(new)))


def test_a_source_in_another_grid_than_the_target(source, tmp_path):
    expected, _ = fastremap.renumber(labels_of(SHAPE))
    sharded = zarr.open_array(source, mode="r").metadata.zarr_format == 3
    options = {"chunks": (3, 3, 3), "shards": (6, 9, 12) if sharded else None}
    renumber_zarr(source, tmp_path / "b.zarr", **options)
    array = zarr.open_array(tmp_path / "b.zarr", mode="r")
    np.testing.assert_array_equal(array[...], expected)
    assert (array.chunks, array.shards) == (options["chunks"], options["shards"])


@pytest.mark.parametrize("codec", ["zstd", "gzip", None])
def test_codecs(tmp_path, codec):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(4, 4, 4), shards=(8, 8, 8))
    renumber_zarr(source, tmp_path / "b.zarr", codecs=[codec] if codec else [], shards=False)
    document = json.loads((tmp_path / "b.zarr" / "zarr.json").read_text())
    assert [each["name"] for each in document["codecs"]] == ["bytes", codec][: 1 + (codec is not None)]
    with pytest.raises(ValueError, match=r"codecs=.*zstandard.*is no codec of Zarr format 3"):
        renumber_zarr(source, tmp_path / "c.zarr", codecs=["zstandard"])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"chunks": (3, 3)}, "3 positive integers"),
        ({"chunks": (3, 0, 3)}, "3 positive integers"),
        ({"chunks": (3, 3, 3), "shards": (4, 4, 4)}, "no whole number of chunks"),
        ({"region": (slice(0, 5, 2),)}, "slices without steps"),
        ({"region": (slice(0, 99),)}, "reaches beyond the array"),
        ({"region": (slice(None),) * 4}, "at most one for each of the 3 axes"),
        ({"resume": True, "overwrite": True}, "give one of them"),
    ],
)
def test_wrong_options_write_nothing(tmp_path, options, text):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(4, 4, 4))
    with pytest.raises(ValueError, match=text):
        renumber_zarr(source, tmp_path / "b.zarr", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize(
    ("job", "others"),
    [
        (renumber_zarr, ()),
        (remap_zarr, ({1: 2}, "keep")),
        (mask_zarr, ([1],)),
        (transpose_zarr, ()),
        (unique_zarr, ()),
    ],
)
def test_a_dry_run_reads_no_voxel_and_writes_nothing(tmp_path, job, others):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(4, 4, 4))
    for chunk in (source / "c").rglob("[0-9]"):
        if chunk.is_file():
            chunk.write_bytes(b"no codec reads this")
    given = {"missing": others[1]} if job is remap_zarr else {}
    forecast = job(source, tmp_path / "b.zarr", *others[:1], **given, dry_run=True, memory_limit="400MB")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    assert isinstance(forecast, fastremap_dask.Forecast)
    assert forecast.n_blocks == forecast.n_stored_blocks > 1
    assert forecast.read_nbytes == forecast.passes * 8 * np.prod(SHAPE)
    assert forecast.process_nbytes <= 400e6
    assert "nothing was read or written" in str(forecast)
    assert json.dumps(forecast.to_dict())


def test_the_read_factor_of_grids_that_do_not_divide(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of((60,)), chunks=(6,))
    assert renumber_zarr(source, tmp_path / "b.zarr", chunks=(12,), dry_run=True, memory_limit="1GB").read_factor == 1
    forecast = renumber_zarr(source, tmp_path / "b.zarr", chunks=(5,), dry_run=True, threads=8)
    assert forecast.block_shapes == ((5,),)
    assert forecast.read_factor == pytest.approx((10 + 11 - 1) / 10)


def sparse(path, fill_value, zarr_format=3):
    array = zarr.create_array(
        path, shape=(10**6, 10**6, 10**4), chunks=(64,) * 3, dtype="u8", fill_value=fill_value, zarr_format=zarr_format
    )
    rng = np.random.default_rng(0)
    for corner in rng.integers(0, [15625, 15625, 156], (12, 3)).tolist():
        array[tuple(slice(64 * at, 64 * at + 64) for at in corner)] = rng.integers(1, 500, (64,) * 3, np.uint64)
    return array


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_volume_of_ten_quadrillion_voxels_costs_what_it_stores(tmp_path, order, zarr_format):
    array = sparse(tmp_path / "a.zarr", 77, zarr_format)
    report = renumber_zarr(tmp_path / "a.zarr", tmp_path / "b.zarr", order=order, counts=True)
    columns = open_columns(report.table)
    n_stored = 12 * 64**3
    assert columns["counts"].sum() == report.n_voxels == 10**16
    assert columns["counts"][columns["old"] == 77][0] > 10**16 - n_stored
    ids = zarr.open_array(tmp_path / "b.zarr", mode="r")
    assert ids.fill_value == columns["new"][columns["old"] == 77][0] == (1 if order == "first" else 77)
    assert len(files(tmp_path / "b.zarr")) == 12 + (1 if zarr_format == 3 else 2)
    assert array.fill_value == 77


def test_the_fill_value_of_chunks_that_are_not_stored_counts_everywhere(tmp_path):
    labels = np.full((16, 16), 900, np.uint16)
    labels[8:, 8:] = np.arange(64).reshape(8, 8)
    source = stored(tmp_path / "a.zarr", labels, chunks=(8, 8), fill_value=900)
    parents = stored(tmp_path / "p.zarr", np.where(labels == 900, 4, labels // 9), chunks=(4, 8), fill_value=4)
    unique_zarr(source, tmp_path / "t.zarr")
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    columns = open_columns(tmp_path / "t.zarr")
    assert all((columns[name] == part).all() for name, part in {"old": found, "first": first, "counts": counts}.items())
    component_map_zarr(source, parents, tmp_path / "m.zarr")
    assert open_table(tmp_path / "m.zarr").to_dict() == fastremap.component_map(labels, voxels(parents))
    table = {int(label): 1 for label in found if label != 900}
    with pytest.raises(ValueError, match="hold the label 900, which the table lacks"):
        remap_zarr(source, tmp_path / "b.zarr", table)
    remap_zarr(source, tmp_path / "b.zarr", table, missing=3)
    assert zarr.open_array(tmp_path / "b.zarr").fill_value == 3
    np.testing.assert_array_equal(voxels(tmp_path / "b.zarr"), fastremap.remap(labels, table, fill_value=3))


def test_a_fill_value_outside_the_dtype_is_refused(tmp_path):
    source = stored(tmp_path / "a.zarr", np.zeros(8, "u2"), chunks=(4,), fill_value=900)
    with pytest.raises(ValueError, match="the fill value becomes 900, which does not fit dtype uint8"):
        remap_zarr(source, tmp_path / "b.zarr", {0: 1}, missing="keep", dtype="u1")


def test_missing_labels_name_their_block_and_leave_nothing(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(8, 8, 8))
    missing = int(labels_of(SHAPE)[-1, -1, -1])
    table = {label: 1 for label in np.unique(labels_of(SHAPE)).tolist() if label != missing}
    text = rf"^remap: block \d+ \[.*\]: 1 label\(s\) of the array are not in the table: {missing}: add them, or give "
    with pytest.raises(fastremap_dask.JobError, match=text):
        remap_zarr(source, tmp_path / "b.zarr", table)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    remap_zarr(source, tmp_path / "b.zarr", table, missing="keep")


@pytest.mark.parametrize(
    ("job", "options"),
    [
        (remap_zarr, {"table": {0: 70_000}, "missing": "keep"}),
        (remap_zarr, {"table": {0: 1}, "missing": 300}),
        (mask_zarr, {"labels": [0], "value": 70_000}),
    ],
)
def test_values_that_do_not_fit_write_nothing(tmp_path, job, options):
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=(8, 8, 8))
    with pytest.raises(ValueError, match="does not fit dtype uint8"):
        job(source, tmp_path / "b.zarr", dtype="u1", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_reports_lie_beside_the_target(source, tmp_path):
    report = renumber_zarr(source, tmp_path / "b.zarr")
    kept = json.loads((tmp_path / "b.report.json").read_text())
    assert fastremap_dask.Report.from_dict(kept["report"]) == report
    again = renumber_zarr(source, tmp_path / "b.zarr", resume=True)
    assert again.stages == report.stages
    assert "have no checksum" in report.notes[0]
    assert again.notes == (*report.notes, "the job was done already: nothing was done now")


@pytest.mark.parametrize("layout", [{"shards": (8, 8, 8)}, {}, {"zarr_format": 2}])
@pytest.mark.parametrize("level", [9, 10])
def test_a_slow_codec_is_named(tmp_path, layout, level):
    codec = numcodecs.Zstd(level=level) if "zarr_format" in layout else zarr.codecs.ZstdCodec(level=level)
    chunks = (4, 4, 4) if "shards" in layout else (8, 8, 8)
    source = stored(tmp_path / "a.zarr", labels_of(SHAPE), chunks=chunks, compressors=[codec], **layout)
    slow = "zstd of level 10 makes up most of the time of writing: of its default level it is many times faster"
    assert (slow in renumber_zarr(source, tmp_path / "b.zarr").notes) == (level == 10)
    assert slow not in renumber_zarr(source, tmp_path / "c.zarr", codecs=["zstd"]).notes


def test_memory_stores_serve_all_jobs():
    store = MemoryStore()
    zarr.create_array(store, name="a", shape=SHAPE, dtype="u8", chunks=(8, 8, 8))[...] = labels_of(SHAPE)
    transpose_zarr(StorePath(store, "a"), StorePath(store, "b"))
    unique_zarr(StorePath(store, "b"), StorePath(store, "t"))
    assert open_columns(StorePath(store, "t"))["counts"].sum() == np.prod(SHAPE)
    unique_zarr(StorePath(store, "b"), StorePath(store, "deep/t"))
    assert sorted({key.split("/")[0] for key in store._store_dict}) == [
        *("a", "b", "b.report.json", "deep", "t", "t.report.json", "zarr.json"),  # the last by zarr itself, above a
    ]
    assert "deep/zarr.json" not in store._store_dict
