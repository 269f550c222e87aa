"""The arrays that are timed, by name; each is made when it is first asked for."""

import functools
import os
import pathlib
from collections.abc import Callable

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
SPREAD = np.uint64(0x9E3779B97F4A7C15)
BITS_63 = np.uint64(2**63 - 1)


def real_volume(part: object = ...) -> np.ndarray | None:
    """The real segmentation, or a part of it, from FASTREMAP_REAL_VOLUME or the folder beside the project, or None."""
    path = os.environ.get("FASTREMAP_REAL_VOLUME", ROOT.parent / "shared" / "data" / "pinky40.zarr")
    if not os.path.isdir(path):
        return None
    import zarr

    return zarr.open_array(str(path), mode="r")[part]


def like_real(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Labels of about the statistics of the real volume: uint32 ids, 27 % background, runs of 25 along axis 0."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    lengths = rng.geometric(1 / 25, n // 20 + 9)
    ids = rng.integers(1, 98_340_797, 2524, dtype=np.uint32)
    runs = np.where(rng.random(lengths.size) < 0.27, 0, ids[rng.zipf(1.3, lengths.size) % ids.size])
    flat = np.repeat(runs.astype(np.uint32), lengths)
    return np.resize(flat, n).reshape(shape[::-1]).T


class Inputs:
    """The arrays for a size: 1 for the whole, smaller for a part of it."""

    def __init__(self, scale: float = 1.0, real: bool = True):
        side = max(8, round(512 * scale ** (1 / 3)))
        self.shape = (side,) * 3
        self.n = max(1000, int(2**26 * scale))
        self.real = real and scale == 1

    def __call__(self, name: str) -> np.ndarray:
        """The array of this name; it is writeable, since some of the others take no other."""
        return self._makers()[name]()

    def names(self) -> list[str]:
        """All names."""
        return list(self._makers())

    @functools.cached_property
    def _labels(self) -> np.ndarray:
        volume = real_volume() if self.real else None
        return np.asfortranarray(like_real(self.shape) if volume is None else volume)

    def _makers(self) -> dict[str, Callable[[], np.ndarray]]:
        def random(high: int, dtype: str, seed: int = 1) -> np.ndarray:
            return np.random.default_rng(seed).integers(0, high, self.n, dtype=dtype)

        def few(*shape: int) -> np.ndarray:
            return np.random.default_rng(2).integers(0, 30, shape, dtype="u4")

        def volume(dtype: str, order: str) -> np.ndarray:
            labels = self._labels
            if dtype == "u8":
                labels = (labels * SPREAD) & BITS_63
            elif dtype in ("u1", "u2"):
                labels = labels.astype(dtype)
            return np.array(labels, order=order)

        return {
            **{f"real {d} {o}": functools.partial(volume, d, o) for d in ("u8", "u4", "u2", "u1") for o in "FC"},
            "100 of u4": lambda: few(100),
            "1000 of u4": lambda: few(1000),
            "16 x 16 of u4": lambda: few(16, 16),
            "random u1": lambda: random(256, "u1"),
            "random u2": lambda: random(2**16, "u2"),
            "random u4 < 1e4": lambda: random(10_000, "u4"),
            "random u8, 1e5 labels": lambda: random(100_000, "u8") * SPREAD & BITS_63,
            "all distinct u8": lambda: np.random.default_rng(3).permutation(self.n).astype("u8") * SPREAD & BITS_63,
        }
