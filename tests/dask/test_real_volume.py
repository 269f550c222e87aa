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


# Each function as called on an array of either kind by the module for that kind; `some` are labels of the volume.
CALLS: dict[str, Callable[[Any, Any, list[int]], Any]] = {
    "values, index, counts": lambda f, a, some: f.unique(a, return_index=True, return_counts=True),
    "inverse": lambda f, a, some: f.unique(a, return_inverse=True)[1],
    "in order of appearance": lambda f, a, some: f.unique(a, sorted=False),
    "renumber": lambda f, a, some: f.renumber(a)[0],
    "renumber, sorted": lambda f, a, some: f.renumber(a, order="sorted", dtype="u4")[0],
    "remap": lambda f, a, some: f.remap(a, dict(zip(some, some[::-1], strict=True)), fill_value=1),
    "mask": lambda f, a, some: f.mask(a, some),
    "mask_except": lambda f, a, some: f.mask_except(a, some, value=2**40),
    "component_map": lambda f, a, some: f.component_map(a, a // 1000),
    "inverse_component_map": lambda f, a, some: f.inverse_component_map(a // 1000, a),
    "minmax": lambda f, a, some: f.minmax(a),
    "foreground": lambda f, a, some: f.foreground(a),
    "pixel_pairs": lambda f, a, some: f.pixel_pairs(a),
    "indices": lambda f, a, some: f.indices(a, some[0]),
    "is_solid": lambda f, a, some: f.is_solid(a),
    "is_sorted": lambda f, a, some: f.is_sorted(a),
    "refit": lambda f, a, some: f.refit(a.astype("u8")),
    "transpose": lambda f, a, some: f.transpose(a.copy()),
    "asfortranarray": lambda f, a, some: f.asfortranarray(a.copy()),
    "point_cloud": lambda f, a, some: f.point_cloud(a[::2, ::3, ::3]),
    "point_cloud, shell": lambda f, a, some: f.point_cloud(a[::4, ::4, ::4], shell=True),
    "tobytes": lambda f, a, some: f.tobytes(a[::4, ::4, ::4], (8, 8, 16)),
}


def assert_equal(actual: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        for one, other in zip(actual, expected, strict=True):
            assert_equal(one, other)
    elif isinstance(expected, np.ndarray):
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        assert (actual == expected).all()
    elif isinstance(expected, dict) and isinstance(next(iter(expected.values())), np.ndarray):
        assert list(actual) == list(expected)
        for label, points in expected.items():
            assert_equal(actual[label], points)
    else:
        assert actual == expected


def assert_law(blocks: da.Array, volume: np.ndarray) -> None:
    some = np.unique(volume[::16, ::16, ::16])[1::2].tolist()
    for call in CALLS.values():
        made = call(fastremap_dask, blocks, some)
        actual = dask.compute(*made) if isinstance(made, tuple) else made.compute()
        assert_equal(actual, call(fastremap, volume, some))


SCHEDULERS = [on_threads, on_processes, on_workers]


@pytest.mark.parametrize("scheduler", [on_threads, *(pytest.param(s, marks=pytest.mark.slow) for s in SCHEDULERS[1:])])
def test_corner(scheduler: Callable, real_volume_path: Any, real_corner: np.ndarray) -> None:
    array = zarr.open_array(real_volume_path, mode="r")
    corner = da.from_array(array, chunks=(100, 77, 131))[tuple(map(slice, real_corner.shape))]
    with scheduler():
        assert_law(corner, real_corner)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheduler", "chunks"),
    [(on_threads, (512, 70, 512)), (on_processes, (128, 128, 128)), (on_workers, (128, 128, 128))],
)
def test_volume_from_its_store(
    scheduler: Callable, chunks: tuple[int, ...], real_volume_path: Any, real_volume: np.ndarray
) -> None:
    array = zarr.open_array(real_volume_path, mode="r")
    with scheduler():
        assert_law(da.from_array(array, chunks=chunks), real_volume)
