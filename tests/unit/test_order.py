"""Sorting and numbering labels by parts, against numpy and against the other strategies."""

from collections.abc import Callable

import numpy as np
import pytest

import fastremap
from fastremap import _kernels
from fastremap._arrays import bits

N = 150_000  # more than are sorted at once


def full_range(dtype: np.dtype, n: int = N) -> np.ndarray:
    """Labels of random bits."""
    raw = np.frombuffer(np.random.default_rng(5).bytes(n * dtype.itemsize), dtype).copy()
    return raw if dtype.kind != "f" else np.where(np.isfinite(raw), raw, np.nan).astype(dtype)


def narrow(dtype: np.dtype) -> np.ndarray:
    return np.random.default_rng(6).integers(0, 100, N).astype(dtype)


def with_one_far_away(dtype: np.dtype) -> np.ndarray:
    """All but one fall into one part of the range, and then into the next one."""
    labels = narrow(dtype) if dtype.itemsize < 4 else np.arange(N).astype(dtype)[::-1].copy()
    labels[N // 2] = np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max
    labels[N // 3] = 2**22 if dtype.itemsize > 2 else 120
    return labels


def alike_in_high_bits(dtype: np.dtype) -> np.ndarray:
    """Labels that differ most in the bits below those that are sorted by at once."""
    labels = np.random.default_rng(7).integers(0, 3, N).astype("u8") << np.uint64(8 * dtype.itemsize - 4)
    return (labels + np.random.default_rng(8).integers(0, 2**7, N).astype("u8")).astype(dtype)


def part_of_range(dtype: np.dtype, part: float) -> np.ndarray:
    """Labels that are spread over a part of what the dtype holds, its ends included."""
    if dtype.kind == "f":
        return (np.random.default_rng(9).random(N) * part).astype(dtype)
    highest = int(np.iinfo(dtype).max * part)
    labels = np.random.default_rng(9).integers(0, highest, N, dtype="u8", endpoint=True).astype(dtype)
    labels[:2] = 0, highest
    return labels


CONTENTS: dict[str, Callable[[np.dtype], np.ndarray]] = {
    "full range": full_range,
    "few": lambda dtype: full_range(dtype, 1000),
    "one": lambda dtype: full_range(dtype, 1),
    "none": lambda dtype: full_range(dtype, 0),
    "all equal": lambda dtype: np.full(N, 7, dtype),
    "narrow": narrow,
    "ascending": lambda dtype: np.sort(full_range(dtype)),
    "descending": lambda dtype: np.sort(full_range(dtype))[::-1].copy(),
    "low bits zero": lambda dtype: full_range(dtype) * dtype.type(64) if dtype.kind != "f" else narrow(dtype) * 2.0**9,
    "one far away": with_one_far_away,
    "alike in high bits": alike_in_high_bits,
    "half of the range": lambda dtype: part_of_range(dtype, 0.5),
    "most of the range": lambda dtype: part_of_range(dtype, 0.9),
    "a little of the range": lambda dtype: part_of_range(dtype, 0.003),
    "an odd number": lambda dtype: full_range(dtype, N - 1),
}
DTYPES = [np.dtype(code) for code in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("content", CONTENTS)
def test_sorted_labels_and_their_places(content: str, dtype: np.dtype) -> None:
    with np.errstate(over="ignore"):
        labels = CONTENTS[content](dtype).astype(dtype)
    keys = bits(labels)
    expected = np.argsort(labels, kind="stable")
    np.testing.assert_array_equal(_kernels.sort(keys, dtype.kind), keys[expected])
    ordered, places = _kernels.sort_with_places(keys, dtype.kind)
    np.testing.assert_array_equal(ordered, keys[expected])
    np.testing.assert_array_equal(places, expected)


def zeros_and_repeated(dtype: np.dtype) -> np.ndarray:
    """Nearly all labels once; zeros, and labels that come again in some places alone."""
    labels = full_range(dtype)
    labels[::17] = 0
    labels[9000:20_000:3] = labels[100]
    labels[-5:] = labels[-20:-15]
    return labels


def made_to_collide(dtype: np.dtype) -> np.ndarray:
    """Labels of one hash, but for bits that the tables of `csrc/fastremap/renumber_parts.hpp` do not look at."""
    multipliers = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
    first, second = (np.uint64(pow(multiplier, -1, 2**64)) for multiplier in multipliers)
    mixed = (
        np.random.default_rng(10).integers(0, 2**13, 40_000).astype("u8") << np.uint64(32) | np.uint64(77)
    ) * second
    return ((mixed ^ mixed >> np.uint64(32)) * first).astype(dtype)


NUMBERED = {
    "made to collide": made_to_collide,
    "one label besides": lambda dtype: np.where(np.arange(N) % 2, full_range(dtype), dtype.type(9)),
    "all distinct": lambda dtype: full_range(dtype) | dtype.type(1),
    "zeros and repeated": zeros_and_repeated,
    "zero is the last": lambda dtype: np.append(full_range(dtype, N)[1:] | dtype.type(1), dtype.type(0)),
    "a few of each": lambda dtype: np.random.default_rng(3).permutation(np.repeat(full_range(dtype, N // 8), 8)),
    "a multiple of 64": lambda dtype: full_range(dtype, 4096 * 20),
    "shorter than a window": lambda dtype: full_range(dtype, 513),
}


@pytest.mark.parametrize("dtype", [np.dtype("i4"), np.dtype("u8")], ids=str)
@pytest.mark.parametrize("content", NUMBERED)
@pytest.mark.parametrize("preserve_zero", [True, False])
@pytest.mark.parametrize("start", [1, 70_000])
def test_ids_by_parts_are_those_by_one_table(
    content: str, dtype: np.dtype, preserve_zero: bool, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = NUMBERED[content](dtype)
    outcomes = []
    for strategy in ("runs", "sort"):
        monkeypatch.setenv("FASTREMAP_STRATEGY", strategy)
        assert _kernels.strategy(bits(labels)) == strategy
        array = labels.copy()
        ids, table = fastremap.renumber(array, start, preserve_zero, in_place=True, mapping="table")
        fresh_ids, mapping = fastremap.renumber(labels, start, preserve_zero)
        outcomes.append((ids, array, fresh_ids, table.old, table.new, list(mapping), list(mapping.values())))
    for by_table, by_parts in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(by_parts, by_table)


def test_ids_by_parts_that_outgrow_a_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = full_range(np.dtype("u8"))
    monkeypatch.setenv("FASTREMAP_STRATEGY", "sort")
    for mapping in ("dict", "table"):
        with pytest.raises(ValueError, match="the new id 65536 does not fit dtype uint16"):
            fastremap.renumber(labels, dtype="u2", mapping=mapping)
    assert fastremap.renumber(labels)[0].dtype == "u4"
    assert fastremap.renumber(labels, 2**32 - N)[0].dtype == "u8"
