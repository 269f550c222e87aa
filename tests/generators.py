"""Hard inputs by name, each deterministic: contents (what the labels are) and layouts (how they lie in memory)."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

DTYPES = [np.dtype(code) for code in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]]
# The kernels walk vectors of 64 bytes and pieces of 2048 items: one less, the border, one more.
BORDER_LENGTHS = [1, 2, 63, 64, 65, 127, 129, 2047, 2048, 2049, 4095, 4096, 4097]

Content = Callable[[np.dtype], np.ndarray]
Layout = Callable[[np.ndarray], np.ndarray]


def limits(dtype: np.dtype) -> tuple[int, int]:
    """Return the least and the greatest label: for floats, of the integers that none of them skips."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        exact = 2 ** (np.finfo(dtype).nmant + 1)
        return -exact, exact
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def spread(dtype: np.dtype, n_labels: int) -> np.ndarray:
    """Return at most `n_labels` distinct labels, ascending, at even distances over the whole range of a dtype."""
    low, high = limits(dtype)
    n_labels = min(n_labels, high - low + 1)
    return np.array(sorted({low + (high - low) * i // max(n_labels - 1, 1) for i in range(n_labels)}), dtype=dtype)


def picked(labels: np.ndarray, length: int, run: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return `length` items in runs of random length within `run`, each of a random label."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.choice(labels, length), rng.integers(run[0], run[1] + 1, length))[:length]


def few(dtype: np.dtype) -> np.ndarray:
    """Return eleven labels: 0, neighbours, and both ends of the dtype."""
    low, high = limits(dtype)
    wanted = [0, 1, 2, 3, 7, low, low + 1, -1, high - 1, high, high // 2 + 1]
    return np.array(sorted({label for label in wanted if low <= label <= high}), dtype=dtype)


def counted(dtype: np.dtype, n_labels: int) -> np.ndarray:
    """Return 0, 1, 2, ... as far as the dtype goes, at most `n_labels` of them."""
    return np.arange(min(n_labels, limits(dtype)[1] + 1)).astype(dtype)


def shuffled(labels: np.ndarray) -> np.ndarray:
    """Return the labels in a fixed random order."""
    return np.random.default_rng(1).permutation(labels)


def one_other(dtype: np.dtype, length: int, place: int) -> np.ndarray:
    """Return a constant array with one other label, so that a run of one item lies at `place`."""
    array = np.full(length, limits(dtype)[1], dtype=dtype)
    array[place] = 0
    return array


def steps(dtype: np.dtype) -> np.ndarray:
    """Return runs that begin exactly at the borders of pieces, and one that crosses two of them."""
    few_labels = few(dtype)
    starts = np.zeros(8200, dtype=np.intp)
    starts[[64, 2048, 2049, 4095, 4096, 8191, 8192, 8199]] = 1
    return few_labels[np.cumsum(starts) % len(few_labels)]


def low_bits_zero(dtype: np.dtype) -> np.ndarray:
    """Return labels that differ in their high bits only: a hash by low bits puts all of them in one place."""
    shift = 4 * dtype.itemsize if dtype.kind in "iu" else 0
    top = min(limits(dtype)[1] >> shift, 900)
    return shuffled(np.array([number << shift for number in range(top + 1)], dtype=dtype))


def all_bits_set(dtype: np.dtype) -> np.ndarray:
    """Return 0, 1 and the label of which all bits are set, by which a table may mark its empty places."""
    ones = 1 if dtype.kind == "b" else np.full(dtype.itemsize, 255, dtype="u1").view(dtype)[0]
    return np.array([0, 1, ones], dtype=dtype)


def constants_of_the_kernels(dtype: np.dtype) -> np.ndarray:
    """Return labels that the kernels' source contains as constants: a table marks its free places by one of them."""
    sources = (Path(__file__).resolve().parent.parent / "csrc").rglob("*.hpp")
    found = {
        int(number, 16)
        for path in sources
        for number in re.findall(r"0x([0-9A-Fa-f]{4,16})(?![0-9A-Fa-f])", path.read_text())
    }
    if dtype.kind == "b":
        return np.array([0, 1], dtype=dtype)
    labels = np.array(sorted(found | {0, 1}), dtype="u8").astype(f"u{dtype.itemsize}").view(dtype)
    return labels[~np.isnan(labels)]


def around_the_end_of_a_table(dtype: np.dtype) -> np.ndarray:
    """Return labels of which some belong in the last slot of a hash table of the least size, so in its first ones.

    The multiplier and the number of slots are those of csrc/fastremap/table.hpp.
    """
    labels = spread(dtype, 1 << 14)  # so far apart that they are hashed
    keys = labels.view(f"u{dtype.itemsize}").astype("u8")
    is_last = keys * np.uint64(0xD6E8FEB86659FD93) >> np.uint64(64 - 8) == 255
    return np.concatenate([labels[is_last][:6], labels[~is_last][::400]])


def special_floats(dtype: np.dtype) -> np.ndarray:
    """Return NaNs of several payloads and signs, both zeros, infinities, subnormals and the extremes."""
    info = np.finfo(dtype)
    bits = np.dtype(f"u{dtype.itemsize}")
    quiet = np.array(np.nan, dtype=dtype).view(bits)
    sign = bits.type(1) << bits.type(8 * dtype.itemsize - 1)
    nans = np.array([quiet, quiet | bits.type(1), quiet | bits.type(5), quiet | sign], dtype=bits).view(dtype)
    others = [0.0, -0.0, np.inf, -np.inf, info.max, info.min, info.tiny, info.smallest_subnormal, 0.1, 1, -1, 2.5]
    return picked(np.concatenate([nans, np.array(others, dtype=dtype)]), 700, (1, 3))


# Name -> maker of a flat array of a dtype.
CONTENTS: dict[str, Content] = {
    "empty": lambda dtype: np.empty(0, dtype=dtype),
    "zeros": lambda dtype: np.zeros(130, dtype=dtype),
    "constant": lambda dtype: np.full(3000, limits(dtype)[1], dtype=dtype),
    "long runs": lambda dtype: picked(few(dtype), 5000, (50, 400)),
    "runs of 2-4": lambda dtype: picked(spread(dtype, 60), 3000, (2, 4)),
    "checkerboard": lambda dtype: few(dtype)[np.arange(2500) % 2],
    "dense": lambda dtype: picked(counted(dtype, 90), 2500, (1, 1)),
    "sparse": lambda dtype: picked(spread(dtype, 300), 2500, (1, 1)),
    "all distinct": lambda dtype: shuffled(spread(dtype, 2100)),
    "sorted": lambda dtype: np.sort(picked(spread(dtype, 200), 900, (1, 3))),
    "reversed": lambda dtype: np.sort(picked(spread(dtype, 200), 900, (1, 3)))[::-1].copy(),
    "extremes": lambda dtype: picked(few(dtype)[[0, -1]], 300, (1, 3)),
    "no zero": lambda dtype: picked(few(dtype)[few(dtype) != 0], 300, (1, 3)),
    "all bits set": lambda dtype: picked(all_bits_set(dtype), 300, (1, 3)),
    "constants of the kernels": lambda dtype: picked(constants_of_the_kernels(dtype), 300, (1, 3)),
    "around the end of a table": lambda dtype: picked(around_the_end_of_a_table(dtype), 300, (1, 3)),
    "low bits zero": low_bits_zero,
    "last differs": lambda dtype: one_other(dtype, 2049, -1),
    "first differs": lambda dtype: one_other(dtype, 4097, 0),
    "steps": steps,
}
FLOAT_CONTENTS: dict[str, Content] = {"special floats": special_floats}
LENGTHS: dict[str, Content] = {
    f"length {n}": lambda dtype, n=n: picked(few(dtype), n, (1, 4), seed=n) for n in BORDER_LENGTHS
}


def contents(dtype: np.dtype) -> dict[str, np.ndarray]:
    """Return every content that a dtype can have, by name."""
    makers = CONTENTS | (FLOAT_CONTENTS if dtype.kind == "f" else {})
    return {name: make(dtype) for name, make in makers.items()}


def full_range(dtype: np.dtype) -> np.ndarray:
    """Return every value of an 8 or 16 bit integer dtype once, in a fixed random order."""
    low, high = limits(dtype)
    return shuffled(np.arange(low, high + 1).astype(dtype))


def cube(flat: np.ndarray, shape: tuple[int, ...] = (5, 6, 7)) -> np.ndarray:
    """Return a fresh C-ordered array of a shape, filled from `flat` over and over."""
    return np.resize(flat, shape) if flat.size else np.zeros((0, *shape[1:]), dtype=flat.dtype)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _strided(flat: np.ndarray) -> np.ndarray:
    source = cube(flat)
    holder = cube(flat[::-1], (2 * len(source), 7, 21))  # other labels lie between the items
    view = holder[::2, 1:, ::3]
    view[...] = source
    return view


def _unaligned(flat: np.ndarray) -> np.ndarray:
    source = cube(flat)
    holder = np.zeros(source.nbytes + 1, dtype=np.uint8)
    view = np.ndarray(source.shape, dtype=source.dtype, buffer=holder.data, offset=1)
    view[...] = source
    return view


def _one_row_for_all(flat: np.ndarray) -> np.ndarray:
    row = cube(flat, (7,)) if flat.size else np.zeros(7, dtype=flat.dtype)
    return np.lib.stride_tricks.as_strided(row, (4, 7), (0, row.itemsize))


def _memory_mapped(flat: np.ndarray, mode: str) -> np.ndarray:
    source = cube(flat)
    if source.size == 0:  # an empty file cannot be mapped
        return source
    with tempfile.TemporaryFile() as file:
        file.write(source.tobytes())
        file.flush()
        return np.memmap(file, dtype=source.dtype, mode=mode, shape=source.shape)


def _byte_swapped(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("S"), order="K")


# Name -> maker of an array in this layout from a flat array, which is left alone.
LAYOUTS: dict[str, Layout] = {
    "C": cube,
    "F": lambda flat: np.asfortranarray(cube(flat)),
    "0-d": lambda flat: cube(flat, (1,)).reshape(()) if flat.size else np.zeros((), dtype=flat.dtype),
    "1-d": lambda flat: flat.copy(),
    "2-d": lambda flat: cube(flat, (14, 15)),
    "two columns": lambda flat: cube(flat[:40], (90, 2)),  # an edge list with rows that come again
    "two columns F": lambda flat: np.asfortranarray(cube(flat[:40], (90, 2))),
    "5-d": lambda flat: cube(flat, (3, 2, 4, 1, 5)),
    "6-d F": lambda flat: np.asfortranarray(cube(flat, (2, 3, 1, 4, 2, 3))),
    "no columns": lambda flat: np.zeros((3, 0, 2), dtype=flat.dtype),
    "one item": lambda flat: cube(flat, (1, 1, 1)),
    "axes permuted": lambda flat: cube(flat).transpose(1, 2, 0),
    "axes swapped": lambda flat: cube(flat).transpose(0, 2, 1),
    "byte-swapped": lambda flat: _byte_swapped(cube(flat)),
    "byte-swapped F": lambda flat: _byte_swapped(np.asfortranarray(cube(flat))),
    "read-only": lambda flat: _frozen(cube(flat)),
    "read-only F": lambda flat: _frozen(np.asfortranarray(cube(flat))),
    "strided": _strided,
    "strided F": lambda flat: _strided(flat).T,
    "reversed": lambda flat: cube(flat)[::-1, ::-1, ::-1],
    "last axis reversed": lambda flat: cube(flat)[..., ::-1],
    "1-d reversed": lambda flat: flat.copy()[::-1],
    "every other": lambda flat: np.repeat(flat, 2)[::2],
    "unaligned": _unaligned,
    "broadcast": lambda flat: np.broadcast_to(cube(flat, (6, 7)), (4, *cube(flat, (6, 7)).shape)),
    "broadcast inside": lambda flat: np.broadcast_to(cube(flat, (6, 1)), (*cube(flat, (6, 1)).shape[:1], 5)),
    "broadcast writeable": _one_row_for_all,
    "memory-mapped": lambda flat: _memory_mapped(flat, "r"),
    "memory-mapped writeable": lambda flat: _memory_mapped(flat, "r+"),
}


def _ends(dtype: np.dtype) -> st.SearchStrategy:
    """Return labels with the ends of the dtype, 0 and their neighbours far more often than chance would."""
    if dtype.kind == "f":
        return hnp.from_dtype(dtype) | st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf")])
    low, high = limits(dtype)
    return st.sampled_from([low, low + 1, 0, 1, high - 1, high]) | st.integers(low, high)


@st.composite
def few_valued(draw: st.DrawFn, dtype: np.dtype, max_runs: int = 60) -> np.ndarray:
    """Draw runs of a few labels; long ones among them, so that pieces and vectors are crossed."""
    pool = np.array(draw(st.lists(_ends(dtype), min_size=1, max_size=8)), dtype=dtype)
    run = st.tuples(st.integers(0, len(pool) - 1), st.integers(1, 5) | st.sampled_from([63, 64, 65, 1023, 2049]))
    runs = np.array(draw(st.lists(run, max_size=max_runs)), dtype=np.intp).reshape(-1, 2)
    return np.repeat(pool[runs[:, 0]], runs[:, 1])[:9000]


@st.composite
def flat_labels(draw: st.DrawFn, dtypes: list[np.dtype] | None = None) -> np.ndarray:
    """Draw a flat array of labels of any supported dtype, few-valued or wild."""
    dtype = draw(st.sampled_from(dtypes or DTYPES))
    wild = hnp.arrays(dtype, st.integers(0, 70))
    return draw(few_valued(dtype) | wild)


@st.composite
def label_arrays(draw: st.DrawFn, dtypes: list[np.dtype] | None = None) -> np.ndarray:
    """Draw an array of labels of any supported dtype, contents and layout."""
    flat = draw(flat_labels(dtypes))
    return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](flat)
