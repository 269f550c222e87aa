"""What a user's own code sees of the types: run as tests, and checked by mypy in strict mode (`.ci/run`)."""

from collections import defaultdict
from pathlib import Path
from typing import Any, assert_type

import dask.array as da
import numpy as np
import zarr

import fastremap
import fastremap_dask
from fastremap import LabelTable
from fastremap_dask import Forecast, Report, open_table, renumber_zarr

LABELS = np.array([[7, 7, 0], [0, 7, 9]], np.uint32)


def test_unique() -> None:
    assert_type(fastremap.unique(LABELS), np.ndarray)
    values, counts = fastremap.unique(LABELS, return_counts=True)
    assert_type(counts, np.ndarray)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {0: 2, 7: 3, 9: 1}
    values, index, inverse, counts = fastremap.unique(
        LABELS, return_index=True, return_inverse=True, return_counts=True, sorted=True
    )
    assert np.array_equal(values[inverse], LABELS)
    assert np.array_equal(LABELS.ravel()[index], values)


def test_renumber_and_remap() -> None:
    ids, mapping = fastremap.renumber(LABELS)
    assert_type(mapping, dict[Any, Any])
    ids, table = fastremap.renumber(LABELS, start=10, mapping="table", order="sorted", dtype=np.uint8)
    assert_type(table, LabelTable)
    assert_type(ids, np.ndarray)
    back: np.ndarray = fastremap.remap(ids, table.inverse())
    assert np.array_equal(back, LABELS)
    assert fastremap.remap(LABELS, {7: 1}, fill_value=0).max() == 1
    assert fastremap.mask(LABELS, [7]).max() == 9
    assert fastremap.remap_from_array(LABELS, np.arange(10), in_place=False).max() == 9
    assert sorted(label for label in table) == [0, 7, 9]
    assert table == LabelTable.from_dict(table.to_dict())


def test_measures() -> None:
    assert_type(fastremap.foreground(LABELS), int)
    assert_type(fastremap.is_solid(LABELS), bool)
    low, high = fastremap.minmax(LABELS)
    assert (low, high) == (0, 9)
    clouds = fastremap.point_cloud(LABELS)
    assert_type(clouds, dict[Any, np.ndarray])
    assert_type(fastremap.component_map(LABELS, LABELS), dict[Any, Any])
    assert_type(fastremap.inverse_component_map(LABELS, LABELS), defaultdict[Any, list[Any]])
    pieces: list[bytes] = fastremap.tobytes(LABELS, (1, 3), order="F")
    assert b"".join(pieces) == LABELS.tobytes()
    assert fastremap.fit_dtype(np.uint8, 300) is np.uint16


def test_dask_arrays() -> None:
    volume = da.from_array(LABELS, chunks=(1, 2))
    assert_type(fastremap_dask.unique(volume), da.Array)
    values, counts = fastremap_dask.unique(volume, return_counts=True, split_every=2)
    assert_type(counts, da.Array)
    ids, table = fastremap_dask.renumber(volume, start=5)
    assert_type(table, LabelTable)
    again, later = fastremap_dask.renumber(volume, dtype="uint8")
    assert later.compute() == fastremap.renumber(LABELS, mapping="table")[1]
    mapped: da.Array = fastremap_dask.remap(again, {1: 2}, preserve_missing_labels=True)
    assert mapped.dtype == np.uint8
    assert int(counts.sum().compute()) == ids.size == 6
    assert values.dtype == LABELS.dtype


def test_zarr_volumes(tmp_path: Path) -> None:
    source = tmp_path / "labels.zarr"
    zarr.create_array(source, data=LABELS, chunks=(1, 3))
    forecast = renumber_zarr(source, tmp_path / "ids.zarr", dry_run=True)
    assert_type(forecast, Forecast)
    assert forecast.n_blocks == 2
    report = renumber_zarr(source, tmp_path / "ids.zarr", threads=1)
    assert_type(report, Report)
    assert report.n_labels == len(open_table(tmp_path / "ids.table.zarr")) == 3
