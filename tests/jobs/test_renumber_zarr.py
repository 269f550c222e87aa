"""`renumber_zarr` gives what `fastremap.renumber` gives of the whole volume, in any layout."""

import json

import numcodecs
import numpy as np
import pytest
import zarr
from stores import files, labels_of, stored
from zarr.storage import LocalStore, MemoryStore, StorePath

import fastremap
import fastremap_dask
from fastremap_dask import renumber_zarr
from fastremap_dask.check import verify

LAYOUTS = {
    "shards": {"chunks": (4, 4, 8), "shards": (8, 8, 8)},
    "one shard": {"chunks": (8, 8, 8), "shards": (64, 64, 64)},
    "odd chunks": {"chunks": (7, 5, 3)},
    "chunk beyond the volume": {"chunks": (100, 4, 4)},
    "raw": {"chunks": (8, 8, 8), "compressors": None},
    "transposed": {"chunks": (8, 4, 8), "filters": [zarr.codecs.TransposeCodec(order=(2, 0, 1))]},
    "blosc": {"chunks": (8, 8, 8), "compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="shuffle")},
    "dots": {"chunks": (8, 8, 8), "chunk_key_encoding": {"name": "v2", "separator": "."}},
    "format 2": {"chunks": (8, 5, 8), "zarr_format": 2},
    "format 2, F order": {"chunks": (8, 5, 8), "zarr_format": 2, "order": "F"},
    "format 2, delta": {
        "chunks": (9, 9, 9),
        "zarr_format": 2,
        "filters": [numcodecs.Delta("<u8")],
        "compressors": numcodecs.Blosc(),
    },
}


def check(source, target, **options):
    """Run the job and compare array, dtype and table with the in-memory function."""
    before = files(source)
    report = renumber_zarr(source, target, threads=2, **options)
    labels, ids = zarr.open_array(source, mode="r"), zarr.open_array(target, mode="r")
    expected, table = fastremap.renumber(np.ascontiguousarray(labels[...]), **options, mapping="table")
    np.testing.assert_array_equal(ids[...], expected)
    assert ids.dtype.newbyteorder("=") == expected.dtype == np.dtype(report.target_dtype)
    assert fastremap_dask.open_table(report.table) == table
    assert files(source) == before
    return ids, report


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_any_layout(tmp_path, layout):
    source = stored(tmp_path / "a.zarr", labels_of((19, 16, 21)), **layout)
    ids, report = check(source, tmp_path / "b.zarr")
    labels = zarr.open_array(source, mode="r")
    assert (ids.chunks, ids.shards, ids.order) == (labels.chunks, labels.shards, labels.order)
    assert ids.metadata.zarr_format == labels.metadata.zarr_format
    assert (report.n_labels, report.lowest_id, report.highest_id) == (61, 0, 60)


@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"])
def test_any_dtype(tmp_path, dtype):
    source = stored(tmp_path / "a.zarr", labels_of((60, 60), 500, dtype), chunks=(32, 32))
    check(source, tmp_path / "b.zarr")
    check(source, tmp_path / "c.zarr", start=7, order="sorted")


def test_a_byte_order_on_disk_stays(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of((60, 60), 500, ">u4"), chunks=(32, 32), zarr_format=2)
    ids, _ = check(source, tmp_path / "b.zarr")
    assert ids.dtype == np.dtype(">u2")


@pytest.mark.parametrize("shape", [(), (1,), (201,), (0,), (3, 0, 2), (1, 1, 1, 1), (5, 4, 3, 2, 6)])
def test_any_shape(tmp_path, shape):
    labels = labels_of(shape) if np.prod(shape) else np.zeros(shape, "u8")
    check(stored(tmp_path / "a.zarr", labels, chunks=tuple(2 for _ in shape)), tmp_path / "b.zarr")


@pytest.mark.parametrize(
    "options",
    [
        {"order": "sorted"},
        {"start": 1000},
        {"start": 2**40},
        {"preserve_zero": False},
        {"preserve_zero": False, "start": 0},
        {"dtype": "u8"},
        {"dtype": np.int16},
        {"start": 195, "dtype": np.uint8},
    ],
)
def test_options_are_those_of_renumber(tmp_path, options):
    check(stored(tmp_path / "a.zarr", labels_of((20, 30)), chunks=(8, 8)), tmp_path / "b.zarr", **options)


@pytest.mark.parametrize("n_labels", [254, 255, 256, 65534, 65535])
def test_the_dtype_is_the_smallest_with_room_for_one_more(tmp_path, n_labels):
    labels = np.arange(1, n_labels + 1, dtype=np.uint32) * 3
    ids, _ = check(stored(tmp_path / "a.zarr", labels, chunks=(4096,)), tmp_path / "b.zarr")
    assert ids.dtype == {254: "u1", 255: "u2", 256: "u2", 65534: "u2", 65535: "u4"}[n_labels]


def test_blocks_of_many_units_and_of_one_give_the_same(tmp_path, monkeypatch):
    labels = labels_of((32, 24, 40), 500)
    source = stored(tmp_path / "a.zarr", labels, chunks=(8, 8, 8))
    _, many = check(source, tmp_path / "b.zarr")
    monkeypatch.setattr("fastremap_dask.plan.BLOCK_NBYTES", 1)
    _, single = check(source, tmp_path / "c.zarr")
    assert many.stages[0].n_blocks < single.stages[0].n_blocks == 4 * 3 * 5
    assert files(tmp_path / "b.zarr") == files(tmp_path / "c.zarr")


def test_metadata_is_carried_over(tmp_path):
    attributes = {"resolution": [32, 32, 40], "nested": {"a": None}}
    layout = {"chunks": (4, 4), "shards": (8, 8), "attributes": attributes, "dimension_names": ["y", "x"]}
    source = stored(tmp_path / "a.zarr", labels_of((20, 30)), **layout)
    ids, _ = check(source, tmp_path / "b.zarr", start=1000)
    changed = {"data_type": "uint16", "fill_value": 0}
    documents = [json.loads((tmp_path / name / "zarr.json").read_text()) for name in ("a.zarr", "b.zarr")]
    assert documents[1] == documents[0] | changed
    assert dict(ids.attrs) == attributes


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_the_fill_value_is_mapped_and_absent_chunks_stay_absent(tmp_path, zarr_format):
    labels = np.full((16, 16), 900, np.uint16)
    labels[:8, :8] = 5
    labels[8:, 8:] = 0
    source = stored(tmp_path / "a.zarr", labels, chunks=(8, 8), fill_value=900, zarr_format=zarr_format)
    assert zarr.open_array(source, mode="r").nchunks_initialized == 2
    ids, _ = check(source, tmp_path / "b.zarr")
    assert (ids.fill_value, ids.nchunks_initialized) == (2, 2)


def test_a_fill_value_that_no_voxel_holds_becomes_0(tmp_path):
    ids, _ = check(
        stored(tmp_path / "a.zarr", labels_of((20, 30)), chunks=(8, 8), fill_value=2**63), tmp_path / "b.zarr"
    )
    assert ids.fill_value == 0


@pytest.mark.parametrize("preserve_zero", [True, False])
def test_a_format_2_fill_value_left_open_reads_as_0(tmp_path, preserve_zero):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(16,), dtype="u4", chunks=(8,), zarr_format=2, fill_value=None)
    array[8:] = 7
    ids, _ = check(tmp_path / "a.zarr", tmp_path / "b.zarr", preserve_zero=preserve_zero)
    assert ids.fill_value == (0 if preserve_zero else 1)


def test_sources_and_targets_are_given_in_many_ways(tmp_path, monkeypatch):
    stored(tmp_path / "a.zarr", labels_of((20, 30)), chunks=(8, 8))
    monkeypatch.chdir(tmp_path)
    sources = [
        "a.zarr",
        tmp_path / "a.zarr",
        LocalStore("a.zarr", read_only=True),
        StorePath(LocalStore(tmp_path), "a.zarr"),
        zarr.open_array("a.zarr", mode="r"),
    ]
    targets = ["b0.zarr", tmp_path / "b1", LocalStore("b2.zarr"), StorePath(LocalStore("."), "b3.zarr"), "new/b4.zarr"]
    reports = [renumber_zarr(source, target) for source, target in zip(sources, targets, strict=True)]
    assert {report.source for report in reports} == {str(tmp_path / "a.zarr")}
    assert [report.target for report in reports] == [
        str(tmp_path / name) for name in ("b0.zarr", "b1", "b2.zarr", "b3.zarr", "new/b4.zarr")
    ]
    assert [report.table for report in reports][:2] == [
        str(tmp_path / name) for name in ("b0.table.zarr", "b1.table.zarr")
    ]
    assert len({str(files(tmp_path / report.target)) for report in reports}) == 1
    assert not (tmp_path / "zarr.json").exists()


def test_memory_stores_serve_threads():
    store = MemoryStore()
    zarr.create_array(store, name="a", shape=(20, 30), dtype="u8", chunks=(8, 8))[...] = labels_of((20, 30))
    report = renumber_zarr(StorePath(store, "a"), StorePath(store, "b"))
    expected, table = fastremap.renumber(labels_of((20, 30)))
    np.testing.assert_array_equal(zarr.open_array(store, path="b", mode="r")[...], expected)
    assert fastremap_dask.open_table(StorePath(store, "b.table.zarr")) == fastremap.LabelTable.from_dict(table)
    assert report.table.endswith("/b.table.zarr")


def test_the_report_counts(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of((20, 30)), chunks=(8, 8))
    seen = []
    _, report = check(source, tmp_path / "b.zarr")
    renumber_zarr(source, tmp_path / "c.zarr", threads=1, progress=lambda *state: seen.append(state))
    assert (report.n_voxels, report.source_nbytes, report.target_nbytes) == (600, 4800, 600)
    first, *merges, last = report.stages
    assert (first.name, first.read_nbytes, first.written_nbytes) == ("find labels", 4800, 0)
    assert (last.name, last.read_nbytes, last.written_nbytes) == ("write ids", 4800, 600)
    assert all(stage.name.startswith("merge ") and not stage.read_nbytes for stage in merges)
    assert 1 < first.n_blocks == last.n_blocks <= 12
    n = max(total for _, _, total in seen)
    for name in ("find labels", "write ids"):
        assert [state for state in seen if state[0] == name] == [(name, done, n) for done in range(n + 1)]
    assert report.seconds == sum(stage.seconds for stage in report.stages) > 0
    assert report.peak_nbytes[0] > 10**6
    assert "uint64 to uint8" in str(report)


def test_a_volume_without_voxels_reports_none(tmp_path):
    source = stored(tmp_path / "a.zarr", np.zeros((0, 4), "u2"), chunks=(2, 2))
    _, report = check(source, tmp_path / "b.zarr")
    assert (report.n_labels, report.n_voxels, report.stages[0].n_blocks) == (0, 0, 0)


def test_the_real_corner(tmp_path, real_corner):
    spread = (real_corner.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) & np.uint64(2**63 - 1)
    check(stored(tmp_path / "a.zarr", spread, chunks=(64,) * 3, shards=(128,) * 3), tmp_path / "b.zarr")
    check(stored(tmp_path / "c.zarr", real_corner, chunks=(50, 77, 131)), tmp_path / "d.zarr")


@pytest.mark.slow
def test_the_real_volume_tiled(tmp_path, real_volume):
    offsets = np.arange(8, dtype=np.uint64).reshape(2, 2, 2) << np.uint64(40)
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(1024,) * 3, dtype=np.uint64, chunks=(64,) * 3, shards=(256,) * 3
    )
    for index, offset in np.ndenumerate(offsets):
        tile = real_volume.astype(np.uint64)
        tile[tile != 0] += offset
        array[tuple(slice(512 * at, 512 * (at + 1)) for at in index)] = tile
    report = renumber_zarr(tmp_path / "a.zarr", tmp_path / "b.zarr", threads=2)
    assert report.n_labels == 8 * (len(np.unique(real_volume)) - 1) + 1
    assert report.target_dtype == "uint16"
    verdict = verify(tmp_path / "a.zarr", tmp_path / "b.zarr", 2, lambda *_: None)
    assert (verdict.n_wrong, verdict.first_wrong) == (0, "")
