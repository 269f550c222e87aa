"""Digests notice what has changed, whatever the strides, and are the same on every instruction set."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fastremap.digests import digest

PROGRAM = """
import numpy as np
from fastremap.digests import digest
items = np.arange(40 * 50 * 60, dtype="u8").reshape(40, 50, 60) * 0x9E3779B97F4A7C15
print([digest(items.astype(dtype)[1:, :, 3:-2]) for dtype in ("u1", "u2", "u4", "u8")])
"""


def changed(items: np.ndarray, *indices: int, by: int = 1) -> np.ndarray:
    copy = items.copy()
    for index in indices:
        copy.flat[index] ^= by
    return copy


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u4", "i8", "c16"])
@pytest.mark.parametrize("shape", [(1,), (1000,), (0, 3), (7, 1), (5, 6, 7), (2, 3, 4, 5)])
def test_strides_make_no_difference(dtype, shape):
    items = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    wide = np.zeros(tuple(2 * n for n in shape), dtype)
    view = wide[tuple(slice(None, None, 2) for _ in shape)]
    view[...] = items
    assert digest(items) == digest(np.asfortranarray(items)) == digest(view) == digest(items.copy())


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("bit", [0, 7])
def test_every_changed_item_is_noticed(dtype, bit):
    items = np.random.default_rng(1).integers(0, 200, (3, 5, 130)).astype(dtype)
    whole = digest(items)
    assert all(digest(changed(items, index, by=1 << bit)) != whole for index in range(0, items.size, 7))


def test_pairs_of_changes_do_not_cancel():
    """Of the top bit at places a stripe apart too, and of two labels that change places."""
    items = np.random.default_rng(2).integers(0, 4, (64, 64)).astype("u1")
    found = {digest(items)}
    for step in (1, 8, 64, 256, 512, 1024):
        for by in (1, 128):
            for index in range(0, 2048, 97):
                found.add(digest(changed(items, index, index + step, by=by)))
    assert len(found) == 1 + 6 * 2 * len(range(0, 2048, 97))
    swapped = items.copy()
    swapped[items == 1], swapped[items == 2] = 2, 1
    assert digest(swapped) != digest(items)


@pytest.mark.parametrize("isa", ["scalar", "avx2"])
def test_instruction_sets(isa):
    outputs = [
        subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ | {"FASTREMAP_ISA": name}, capture_output=True)
        for name in (isa, "")
    ]
    assert outputs[0].stdout == outputs[1].stdout != b""
