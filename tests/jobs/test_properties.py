"""Any shape, grid, region, dtype and interruption: `renumber_zarr` gives what `fastremap.renumber` gives."""

import numpy as np
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import labels_of
from zarr.storage import MemoryStore, StorePath

import fastremap
import fastremap_dask
from fastremap_dask import open_table, renumber_zarr

DTYPES = ["?", "u1", "i2", "u4", "i8", "u8"]


class Stop(Exception):
    """What interrupts a job."""


@st.composite
def volumes(draw) -> dict:
    """Draw the shape, grid and values of a volume, and where a part of it begins and ends."""
    shape = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    chunks = [draw(st.integers(1, 6)) for _ in shape]
    shards = [length * draw(st.integers(1, 3)) for length in chunks] if draw(st.booleans()) else None
    region = tuple(slice(*sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n))))) for n in shape)
    return {
        "shape": tuple(shape),
        "chunks": tuple(chunks),
        "shards": shards and tuple(shards),
        "dtype": draw(st.sampled_from(DTYPES)),
        "region": region if draw(st.booleans()) else None,
        "holes": draw(st.booleans()),
    }


@given(
    volume=volumes(),
    order=st.sampled_from(["first", "sorted"]),
    preserve_zero=st.booleans(),
    stop_at=st.integers(0, 12),
    target_chunks=st.integers(1, 5),
    n_threads=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_renumber(volume, order, preserve_zero, stop_at, target_chunks, n_threads):
    store, shape = MemoryStore(), volume["shape"]
    labels = labels_of(shape, 9, volume["dtype"])
    fill_value = labels.flat[0].item()
    if volume["holes"]:
        labels[tuple(slice(n // 3, None) for n in shape)] = fill_value
    layout = {"chunks": volume["chunks"], "shards": volume["shards"], "fill_value": fill_value}
    zarr.create_array(store, name="a", shape=shape, dtype=volume["dtype"], **layout)[...] = labels
    expected, table = fastremap.renumber(
        np.ascontiguousarray(labels[volume["region"] or ...]), order=order, preserve_zero=preserve_zero
    )
    left = [stop_at]

    def stop(stage: str, n_done: int, n_blocks: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Stop

    source, target = StorePath(store, "a"), StorePath(store, "b")
    options = {"order": order, "preserve_zero": preserve_zero, "region": volume["region"], "threads": n_threads}
    options |= {"chunks": (target_chunks,) * len(shape), "shards": False}
    try:
        renumber_zarr(source, target, **options, progress=stop)
    except Stop:
        renumber_zarr(source, target, **options | {"threads": 1}, resume=True)
    array = zarr.open_array(target, mode="r")
    np.testing.assert_array_equal(array[...], expected)
    assert array.dtype == expected.dtype
    assert open_table(StorePath(store, "b.table.zarr")).to_dict() == table
    assert not [key for key in store._store_dict if key.startswith("b.job")]


@given(volume=volumes())
@settings(max_examples=30, deadline=None)
def test_two_transpositions_are_none(volume):
    store = MemoryStore()
    labels = labels_of(volume["shape"], 9, volume["dtype"])
    layout = {"chunks": volume["chunks"], "shards": volume["shards"]}
    zarr.create_array(store, name="a", shape=labels.shape, dtype=labels.dtype, **layout)[...] = labels
    fastremap_dask.transpose_zarr(StorePath(store, "a"), StorePath(store, "b"))
    fastremap_dask.transpose_zarr(StorePath(store, "b"), StorePath(store, "c"))
    np.testing.assert_array_equal(zarr.open_array(store, path="b")[...], labels.T)
    np.testing.assert_array_equal(zarr.open_array(store, path="c")[...], labels)
