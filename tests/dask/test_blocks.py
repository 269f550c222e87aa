"""Blocks as they come: in any memory order, read-only, held by others, of another library, of any dtype."""

from collections.abc import Callable, Iterator

import dask
import dask.array as da
import numpy as np
import pytest
from assertions import assert_same_outcome, outcome
from cases import CASES
from dasklaw import EXPRESSIONS, NAMES, by_name, in_blocks, in_memory
from distributed import Client, LocalCluster

import fastremap
import fastremap_dask

LABELS = np.resize(np.array([7, 7, 0, 300, 5, 5, 0, 9, 300, 1, 2], np.uint16), (5, 6, 4))


@pytest.fixture(autouse=True)
def in_this_thread() -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


def read_only(block: np.ndarray) -> np.ndarray:
    block = block.copy()
    block.flags.writeable = False
    return block


def strided(block: np.ndarray) -> np.ndarray:
    return np.repeat(block, 2, axis=-1)[..., ::2]


BLOCKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "F": np.asfortranarray,
    "read-only": read_only,
    "read-only F": lambda block: read_only(np.asfortranarray(block)),
    "strided": strided,
    "reversed": lambda block: block[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "broadcast": lambda block: np.broadcast_to(block[:1, :1, :1], block.shape),
}


@pytest.mark.parametrize("layout", BLOCKS)
@pytest.mark.parametrize("name", NAMES)
def test_memory_order_makes_no_difference(name: str, layout: str) -> None:
    blocks = da.from_array(LABELS, chunks=(3, 6, 2)).map_blocks(BLOCKS[layout], dtype=LABELS.dtype, meta=LABELS[:0])
    array = blocks.compute()
    for variant in list(CASES[name].variants)[:2]:
        arguments = by_name(name, variant, array)
        if EXPRESSIONS and "return_inverse" in arguments:
            continue
        expected = outcome(in_memory, name, array, **arguments)
        assert_same_outcome(outcome(in_blocks, name, blocks, **by_name(name, variant, array)), expected)


@pytest.mark.parametrize("name", NAMES)
def test_source_is_never_written(name: str) -> None:
    source = LABELS.copy()
    in_blocks(name, da.from_array(source, chunks=(3, 6, 2)), **by_name(name, next(iter(CASES[name].variants)), source))
    np.testing.assert_array_equal(source, LABELS, strict=True)


def hidden_mask(array: da.Array) -> da.Array:
    """Return blocks with a mask of which Dask does not know."""
    return array.map_blocks(np.ma.masked_equal, 5, dtype=array.dtype, meta=np.empty((0,) * array.ndim, array.dtype))


@pytest.mark.parametrize("mask", [hidden_mask, lambda array: da.ma.masked_equal(array, 5)], ids=["hidden", "known"])
@pytest.mark.parametrize("name", NAMES)
def test_masks_are_refused(name: str, mask: Callable) -> None:
    for masked in (mask(da.from_array(LABELS, chunks=3)), mask(da.from_array(np.asfortranarray(LABELS), chunks=3))):
        with pytest.raises(TypeError, match=r"^(a )?masked array.*ignored"):
            in_blocks(name, masked, **by_name(name, next(iter(CASES[name].variants)), LABELS))


class OtherArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Stand for an array of another library, as CuPy's, in what Dask asks of it."""

    __array_priority__ = 50

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __getattr__(self, name: str) -> object:
        return getattr(self.array, name)

    def __getitem__(self, where: object) -> "OtherArray":
        return OtherArray(self.array[where])

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **kwargs: object) -> "OtherArray":
        return OtherArray(getattr(ufunc, method)(*(getattr(each, "array", each) for each in inputs), **kwargs))

    def __array_function__(self, function: Callable, types: object, args: tuple, kwargs: dict) -> "OtherArray":
        return OtherArray(function(*(getattr(each, "array", each) for each in args), **kwargs))


@pytest.mark.parametrize("name", NAMES)
def test_chunks_of_another_library_are_refused(name: str) -> None:
    blocks = da.from_array(OtherArray(LABELS), chunks=3, asarray=False, meta=OtherArray(LABELS[:0]))
    with pytest.raises(TypeError, match=r"the chunks are of type .*OtherArray, and the kernels read numpy arrays"):
        in_blocks(name, blocks, **by_name(name, next(iter(CASES[name].variants)), LABELS))


DTYPES = ["?", "i2", ">u4", "f2", "g", "c8", "G", "M8[s]", "m8[us]", "U3", "S5", "V3", [("a", "u1"), ("b", ">f8")]]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (7,), (5, 0), (5, 6), (3, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("name", ["transpose", "asfortranarray", "ascontiguousarray"])
def test_layout_moves_any_bytes(name: str, shape: tuple[int, ...], dtype: object) -> None:
    dtype = np.dtype(dtype)
    n_items = int(np.prod(shape))
    array = np.arange(n_items * dtype.itemsize).astype(np.uint8).reshape(n_items, dtype.itemsize) % 2
    array = np.ascontiguousarray(array).view(dtype).reshape(shape)
    blocks = da.from_array(array, chunks=(2,) * len(shape))
    result = getattr(fastremap_dask, name)(blocks)
    assert (result.dtype, type(result._meta)) == (dtype, np.ndarray)
    actual, expected = result.compute(), getattr(np, name)(array)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert actual.tobytes() == expected.tobytes()
    sizes = [max(length, 1) for length in shape]
    assert fastremap_dask.tobytes(blocks, sizes).compute() == ([array.tobytes()] if n_items else [])


@pytest.mark.parametrize("order", "CF")
def test_blocks_lie_as_they_should(order: str) -> None:
    in_order = {"C": np.ascontiguousarray, "F": np.asfortranarray}[order]
    blocks = da.from_array(LABELS, chunks=(3, 4, 2)).map_blocks(in_order, dtype=LABELS.dtype, meta=LABELS[:0])
    for name, flag in (("asfortranarray", "F"), ("ascontiguousarray", "C"), ("transpose", order)):
        for delayed in getattr(fastremap_dask, name)(blocks).to_delayed().flat:
            assert delayed.compute().flags[f"{flag}_CONTIGUOUS"]


def siblings(source: da.Array) -> list[da.Array]:
    """Return results that all read the same chunks, in an order in which some are done before others."""
    changed = [fastremap_dask.transpose(source), fastremap_dask.asfortranarray(source), fastremap_dask.refit(source)]
    others = [source.sum(axis=0), source + 1, fastremap_dask.foreground(source), source]
    return [*others[:2], *changed, *others[2:], fastremap_dask.transpose(source[1:])]


def assert_siblings(source: da.Array, in_memory: np.ndarray) -> None:
    before = in_memory.copy()
    expected = siblings(da.from_array(before.copy(), chunks=-1))
    expected = [each.compute(scheduler="synchronous") for each in expected]
    for one, other in zip(dask.compute(*siblings(source)), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(source.compute(), before)


WIDE = np.arange(96 * 80 * 4, dtype=np.uint32).reshape(96, 80, 4) % 1000


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("on_workers", [False, True])
def test_siblings_see_the_original(on_workers: bool, persisted: bool) -> None:
    array = WIDE.copy()
    source = da.from_array(array, chunks=(16, 16, 4)) * np.uint32(1)
    if not on_workers:
        with dask.config.set(scheduler="threads", num_workers=4):
            assert_siblings(source.persist() if persisted else source, WIDE)
        return
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        dask.config.set(scheduler=client.get),
    ):
        assert_siblings(source.persist() if persisted else source, WIDE)


def test_views_of_the_users_array_are_safe() -> None:
    array = WIDE.copy()
    source = da.from_array(array, chunks=(16, 16, 4))  # chunks are views of `array`, which is writeable
    with dask.config.set(scheduler="threads", num_workers=4):
        assert_siblings(source, WIDE)
    np.testing.assert_array_equal(array, WIDE, strict=True)
    np.testing.assert_array_equal(fastremap_dask.transpose(source).compute(), fastremap.transpose(WIDE.copy()))
