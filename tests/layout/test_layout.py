"""transpose, asfortranarray, ascontiguousarray and tobytes against numpy."""

import os
import random
from collections.abc import Callable

import numpy as np
import pytest

import fastremap

NAMES = ["transpose", "asfortranarray", "ascontiguousarray"]
DTYPES = ["?", "u1", "i2", "f2", "u4", "f8", "c8", "c16", "g", "M8[s]", ">u4", "S3", "U2", "V7", "V48", "u1,f8"]


def filled(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """An array of random bytes that are valid items, in C order."""
    kind = np.dtype(dtype)
    n_items = int(np.prod(shape))
    if kind.kind in "bUg" or kind.names:
        return (np.random.default_rng(seed).integers(0, 100, n_items).astype(kind)).reshape(shape)
    return np.frombuffer(random.Random(seed).randbytes(n_items * kind.itemsize), kind).reshape(shape).copy()


def raw(array: np.ndarray) -> bytes:
    return array.tobytes()  # as they lie in C order; NaNs compare as bytes


def check(name: str, array: np.ndarray) -> np.ndarray:
    """Call the function on an array and compare with numpy's result on a copy."""
    expected = getattr(np, name)(array.copy(order="K"))
    result = getattr(fastremap, name)(array)
    assert type(result) is np.ndarray and result.flags.writeable
    assert (result.shape, result.dtype, raw(result)) == (expected.shape, expected.dtype, raw(expected))
    return result


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_dtype_in_its_own_buffer(name: str, dtype: str, order: str) -> None:
    for shape in [(5, 9), (3, 4, 5), (40, 1, 33), (2, 3, 4, 5), (17,), (1, 1), (0, 3), (4, 0, 2)]:
        array = np.array(filled(shape, dtype), order=order)
        result = check(name, array)
        assert result.size == 0 or np.shares_memory(result, array)


@pytest.mark.parametrize("name", NAMES)
def test_scalars_have_the_shape_that_numpy_gives_them(name: str) -> None:
    check(name, np.array(5, dtype=np.uint16))
    assert getattr(fastremap, name)([[1, 2], [3, 4]]).dtype == np.int64


@pytest.mark.parametrize("name", NAMES)
def test_memory_order(name: str) -> None:
    for order in "CF":
        result = getattr(fastremap, name)(np.zeros((3, 4), order=order))
        wanted = {"transpose": order, "asfortranarray": "F", "ascontiguousarray": "C"}[name]
        assert result.flags.c_contiguous == (wanted == "C") and result.flags.f_contiguous == (wanted == "F")


@pytest.mark.parametrize("name", NAMES)
def test_read_only_and_strided_input_is_copied(name: str) -> None:
    base = filled((8, 9, 10), "u4")
    views = [base[::2], base[:, ::-1], base[..., 1:4], base.transpose(1, 0, 2), np.broadcast_to(base[0], (4, 9, 10))]
    frozen = [base.copy(), np.array(base, order="F")]
    for array in frozen:
        array.flags.writeable = False
    for array in views + frozen:
        before = raw(array)
        assert not np.shares_memory(check(name, array), array)
        assert raw(array) == before


@pytest.mark.parametrize("name", [*NAMES, "tobytes"])
def test_objects_and_masks_are_refused(name: str) -> None:
    more = ((1, 1),) if name == "tobytes" else ()
    for dtype in ("O", [("a", "i4"), ("b", "O")]):
        with pytest.raises(TypeError, match=r"dtype .*(object|'O')"):
            getattr(fastremap, name)(np.empty((2, 2), dtype=dtype), *more)
    with pytest.raises(TypeError, match="masked"):
        getattr(fastremap, name)(np.ma.zeros((2, 2)), *more)


LARGE = [
    (1009, 1013), (640, 48, 20, 3), (3, 512, 700), (128, 64, 70), (65, 43, 23, 11), (7,) * 7, (2,) * 20,
    (3, 400_003), (400_003, 3), (100, 101, 102), (1024, 1024), (1030, 2049), (96, 33, 96), (40_000, 64), (64, 40_001),
]  # fmt: skip


@pytest.mark.parametrize("item_nbytes", [1, 2, 3, 4, 7, 8, 12, 16, 48])
@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_large_shapes(shape: tuple[int, ...], item_nbytes: int) -> None:
    if np.prod(shape) * item_nbytes > 20e6:
        pytest.skip("too large for the plain run")
    dtype = f"u{item_nbytes}" if item_nbytes in (1, 2, 4, 8) else f"V{item_nbytes}"
    array = filled(shape, dtype)
    expected = raw(array.T) if item_nbytes in (1, 2, 4, 8) else raw(np.ascontiguousarray(array.T))
    assert raw(fastremap.transpose(array)) == expected


@pytest.mark.parametrize("offset", [0, 1, 5])
@pytest.mark.parametrize(("shape", "dtype"), [((256, 32, 256), "u8"), ((68, 2048, 68), "u8"), ((64, 512, 64), "u4")])
def test_rows_many_whole_pages_apart(shape: tuple[int, ...], dtype: str, offset: int) -> None:
    n_items = int(np.prod(shape))
    buffer = filled((n_items + 8,), dtype)
    array = buffer[offset : offset + n_items].reshape(shape)
    expected, around = raw(array.T), raw(buffer[:offset]) + raw(buffer[offset + n_items :])
    result = fastremap.transpose(array)
    assert np.shares_memory(result, buffer) and raw(result) == expected
    assert raw(buffer[:offset]) + raw(buffer[offset + n_items :]) == around


@pytest.mark.parametrize("seed", range(20))
def test_random_shapes(seed: int) -> None:
    chance = np.random.default_rng(seed)
    for _ in range(5):
        item_nbytes = int(chance.choice([1, 2, 4, 8, 16, 3, 6, 24]))
        n_axes = int(chance.integers(2, 6))
        n_items = 2.0 ** chance.uniform(15, np.log2(8e6 / item_nbytes))
        shape = tuple(max(int(n_items**part), 1) for part in chance.dirichlet(np.ones(n_axes)))
        array = filled(shape, f"V{item_nbytes}", seed)
        expected = raw(np.ascontiguousarray(array.T))
        frozen = array.copy()
        frozen.flags.writeable = False
        assert raw(fastremap.transpose(frozen)) == expected, (shape, item_nbytes)
        assert raw(fastremap.transpose(array)) == expected, (shape, item_nbytes)


@pytest.mark.slow
def test_beyond_32_bits() -> None:
    rows, columns = 65_537, 65_543
    if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") < 6 * 2**30:
        pytest.skip("needs 6 GiB of memory")
    array = np.empty((rows, columns), dtype=np.uint8)
    column = (np.arange(columns) * 40_503 >> 7).astype(np.uint8)
    for i in range(rows):
        np.add(column, i * 2_654_435_761 >> 11 & 255, out=array[i], dtype=np.uint8, casting="unsafe")
    row = (np.arange(rows) * 2_654_435_761 >> 11).astype(np.uint8)
    result = fastremap.transpose(array)
    assert all(np.array_equal(result[j], row + column[j]) for j in range(columns))


CUTS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((6, 4), (3, 2)), ((8, 6, 4), (4, 6, 1)), ((5,), (1,))]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray, lambda a: np.flip(a)])
@pytest.mark.parametrize(("shape", "chunk"), CUTS)
def test_tobytes(shape: tuple[int, ...], chunk: tuple[int, ...], arrange: Callable, order: str) -> None:
    image = arrange(filled(shape, "u2"))
    grid = np.ndindex(*[n // size for n, size in zip(shape[::-1], chunk[::-1], strict=True)])
    expected = [
        image[tuple(slice(i * size, (i + 1) * size) for i, size in zip(place[::-1], chunk, strict=True))].tobytes(order)
        for place in grid
    ]
    assert fastremap.tobytes(image, list(chunk), order) == expected


@pytest.mark.parametrize(
    ("chunk", "order", "error"),
    [((3, 2), "K", ValueError), ((4, 2), "C", ValueError), ((0, 2), "C", ValueError), ((3,), "C", ValueError),
     ((3, -2), "C", ValueError), ((3.0, 2), "C", TypeError)],
)  # fmt: skip
def test_tobytes_refuses(chunk: tuple, order: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        fastremap.tobytes(np.zeros((6, 4)), chunk, order)
