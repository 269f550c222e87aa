"""The law on a real segmentation, under three schedulers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from distributed import Client, LocalCluster

import fastremap
import fastremap_dask


@contextmanager
def on_threads() -> Iterator[None]:
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


@contextmanager
def on_processes() -> Iterator[None]:
    with dask.config.set(scheduler="processes", num_workers=2):
        yield


@contextmanager
def on_workers() -> Iterator[None]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster),
    ):
        yield


def results(labels: Any, module: Any) -> dict[str, Any]:
    """Return what a module makes of a volume: every function once, and all parts of `unique`."""
    values, index, counts = module.unique(labels, return_index=True, return_counts=True)
    middle = int(labels[labels.shape[0] // 2, 0, 0])
    ids, _ = module.renumber(labels)
    parents = labels // 1000
    half = np.array(labels[::16, ::16, ::16])
    listed = np.unique(half)[::2]
    made = {
        "values": values,
        "index": index,
        "counts": counts,
        "inverse": module.unique(labels, return_inverse=True)[1],
        "renumber": ids,
        "renumber, sorted": module.renumber(labels, order="sorted", dtype="u4")[0],
        "remap": module.remap(labels, {middle: 5, 0: 7}, fill_value=1),
        "mask": module.mask(labels, listed),
        "mask_except": module.mask_except(labels, listed, value=2**40),
        "component_map": module.component_map(labels, parents),
        "inverse_component_map": module.inverse_component_map(parents, labels),
        "lowest": module.minmax(labels)[0],
        "highest": module.minmax(labels)[1],
        "foreground": module.foreground(labels),
        "pixel_pairs": module.pixel_pairs(labels),
        "indices": module.indices(labels, middle),
        "is_solid": module.is_solid(labels),
        "is_sorted": module.is_sorted(labels),
        "refit": module.refit(labels.astype("u8")),
        "transpose": module.transpose(labels.copy()),
        "asfortranarray": module.asfortranarray(labels.copy()),
        "point_cloud": module.point_cloud(labels[::2, ::2, ::2]),
        "point_cloud, shell": module.point_cloud(labels[::4, ::4, ::4], shell=True),
        "tobytes": module.tobytes(labels[::4, ::4, ::4], (8, 8, 16)),
    }
    return made


def assert_equal(actual: Any, expected: Any) -> None:
    if isinstance(expected, np.ndarray):
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        assert (actual == expected).all()
    elif isinstance(expected, dict) and isinstance(next(iter(expected.values())), np.ndarray):
        assert list(actual) == list(expected)
        for label, points in expected.items():
            assert_equal(actual[label], points)
    else:
        assert actual == expected


def assert_law(blocks: da.Array, volume: np.ndarray) -> None:
    expected = results(volume, fastremap)
    actual = results(blocks, fastremap_dask)
    for name, value in zip(actual, dask.compute(*actual.values()), strict=True):
        assert_equal(value, expected[name])


SCHEDULERS = [on_threads, on_processes, on_workers]


@pytest.mark.parametrize("scheduler", [on_threads, *(pytest.param(s, marks=pytest.mark.slow) for s in SCHEDULERS[1:])])
def test_corner(scheduler: Callable, real_corner: np.ndarray) -> None:
    with scheduler():
        assert_law(da.from_array(real_corner, chunks=(100, 77, 131)), real_corner)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_volume_from_its_store(scheduler: Callable, real_volume_path: Any, real_volume: np.ndarray) -> None:
    array = zarr.open_array(real_volume_path, mode="r")
    with scheduler():
        for chunks in ((128, 128, 128), (512, 70, 512)):
            assert_law(da.from_array(array, chunks=chunks), real_volume)
