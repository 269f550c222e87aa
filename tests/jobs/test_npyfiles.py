"""Files of format .npy as sources: any job reads them, on threads and on workers, and nothing writes them."""

import numpy as np
import pytest
import zarr
from stores import labels_of, stored

import fastremap
from fastremap_dask import remap_zarr, renumber_zarr
from fastremap_dask.npyfiles import NpyStore
from fastremap_dask.places import locate
from fastremap_dask.volumes import open_source


@pytest.mark.parametrize("dtype", ["?", "u1", "<i8", ">u4"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(70, 130, 40), (600, 500), (300_001,), (3, 17, 6, 18), (0, 3)])
def test_the_array_is_that_of_the_file(tmp_path, dtype, order, shape):
    labels = labels_of(shape, dtype=dtype) if np.prod(shape) else np.zeros(shape, dtype)
    np.save(tmp_path / "a.npy", np.array(labels, order=order))
    array = open_source(tmp_path / "a.npy").open()
    np.testing.assert_array_equal(array[...], labels)
    assert (array.dtype.newbyteorder("="), array.shape) == (labels.dtype.newbyteorder("="), shape)


def test_a_job_on_workers_reads_a_file(tmp_path):
    labels = labels_of((90, 70, 40))
    np.save(tmp_path / "a.npy", labels)
    before = (tmp_path / "a.npy").read_bytes()
    renumber_zarr(tmp_path / "a.npy", tmp_path / "b.zarr", workers=1, codecs=["zstd"])
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b.zarr")[...], fastremap.renumber(labels)[0])
    assert (tmp_path / "a.npy").read_bytes() == before


def test_parts_of_objects_are_those_of_any_store(tmp_path):
    from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
    from zarr.core.sync import sync

    np.save(tmp_path / "a.npy", np.arange(10, dtype="u1"))
    store = NpyStore(tmp_path / "a.npy")
    for request, expected in [
        (None, range(10)),
        (RangeByteRequest(2, 5), range(2, 5)),
        (OffsetByteRequest(7), range(7, 10)),
        (SuffixByteRequest(4), range(6, 10)),
    ]:
        assert list(sync(store.get("c/0", byte_range=request)).to_bytes()) == list(expected)
    assert sync(store.get("c/1")) is None
    assert sync(store.getsize("c/0")) == 10


def test_what_is_no_file_of_labels_is_refused(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of((4, 4)), chunks=(2, 2))
    np.save(tmp_path / "f.npy", np.ones(3))
    np.save(tmp_path / "o.npy", np.array([None]), allow_pickle=True)
    np.save(tmp_path / "short.npy", np.arange(100))
    for name, data in [("text.npy", b"hello"), ("short.npy", (tmp_path / "short.npy").read_bytes()[:-9])]:
        (tmp_path / name).write_bytes(data)
    for name, error, text in [
        ("none.npy", FileNotFoundError, "none.npy"),
        ("f.npy", TypeError, "holds float64; labels are"),
        ("o.npy", ValueError, "o.npy is no .npy file of labels"),
        ("text.npy", ValueError, "text.npy is no .npy file of labels"),
        ("short.npy", ValueError, "short.npy is no .npy file of labels"),
    ]:
        with pytest.raises(error, match=text):
            remap_zarr(tmp_path / name, tmp_path / "b.zarr", {1: 2})
    with pytest.raises(ValueError, match="which is only read"):
        remap_zarr(source, tmp_path / "b.npy", {1: 2}, missing="keep")
    assert not list(tmp_path.glob("b*"))


def test_a_folder_may_have_such_a_name(tmp_path):
    source = stored(tmp_path / "a.npy", labels_of((4, 4)), chunks=(2, 2))
    assert not isinstance(locate(source, read_only=True).store, NpyStore)
