"""Transpose one array in an address space that does not hold a second one, and compare every item.

    python tests/benchmarks/layout_child.py DTYPE N [N ...]      prints "right" or "wrong", or dies of a MemoryError

The limit is what the process took before it had the array, plus the array, plus the bound on scratch that the
documentation states. Items are a hash of their place, so that the result needs no second array to compare with.
"""

import resource
import sys

import numpy as np

import fastremap

PIECE = 1 << 17  # items that are made or compared at once


def hashed(places: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """What stands at these flat places (uint64) of the array as it was."""
    return (places * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(23) ^ places).astype(dtype)


def filled(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of hashes in C order."""
    array = np.empty(shape, dtype)
    flat = array.reshape(-1)
    for begin in range(0, flat.size, PIECE):
        end = min(begin + PIECE, flat.size)
        flat[begin:end] = hashed(np.arange(begin, end, dtype=np.uint64), dtype)
    return array


def is_reversed(result: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Tell whether a C-ordered result is the array of hashes of this shape with its axes reversed."""
    flat = result.reshape(-1)
    for begin in range(0, flat.size, PIECE):
        end = min(begin + PIECE, flat.size)
        places = np.arange(begin, end, dtype=np.uint64)
        sources, step = np.zeros_like(places), 1
        for n in shape:  # the first axis is the fastest of the result
            sources += places % np.uint64(n) * np.uint64(np.prod(shape, dtype=object) // (step * n))
            places //= np.uint64(n)
            step *= n
        if not np.array_equal(flat[begin:end], hashed(sources, result.dtype)):
            return False
    return True


def address_space() -> int:
    """Bytes of address space that the process has taken."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def main(dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Print whether `transpose` gives the right result within its bound."""
    nbytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    small = (256, PIECE // 128)
    is_reversed(fastremap.transpose(filled(small, dtype)), small)  # what the pieces take belongs to the start
    limit = address_space() + nbytes + max(nbytes // 50, 16 << 20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    result = fastremap.transpose(filled(shape, dtype))
    print("right" if is_reversed(result, shape) else "wrong")


if __name__ == "__main__":
    main(np.dtype(sys.argv[1]), tuple(map(int, sys.argv[2:])))
