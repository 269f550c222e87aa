"""Stores and volumes for the tests of jobs."""

import asyncio
from collections import Counter
from pathlib import Path

import numpy as np
import zarr
from zarr.storage import LocalStore, StorePath, WrapperStore

SPREAD = 0x9E3779B97F4A7C15


class CountingStore(WrapperStore):
    """A store that counts what is written, and may fail at one write, with those begun beside it still under way."""

    def __init__(self, store, fail_at: int = -1, spare: str | None = None):
        super().__init__(store)
        self.sets, self.fail_at, self.spare = Counter(), fail_at, spare

    async def set(self, key, value):
        if self.spare is not None and key.endswith(self.spare):
            await super().set(key, value)
            return
        self.sets[key] += 1
        if self.sets.total() == self.fail_at:
            raise OSError(28, "No space left on device", key)
        await self._delay()
        await super().set(key, value)

    async def set_if_not_exists(self, key, value):
        await self._delay()
        await super().set_if_not_exists(key, value)

    async def _delay(self):
        if self.fail_at > 0:
            await asyncio.sleep(0.01)


def counting(folder: Path, name: str, fail_at: int = -1, spare: str | None = None) -> StorePath:
    """Return a place in a counting store over a folder; keys that end in `spare` do not count."""
    return StorePath(CountingStore(LocalStore(folder), fail_at, spare), name)


def labels_of(shape, n_labels=60, dtype="u8", seed=0) -> np.ndarray:
    """Return runs of labels spread over the dtype, 0 among them; some occur once, at the very end."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    flat = np.repeat(rng.integers(0, n_labels, size // 5 + 1), 5)[:size].astype(np.uint64)
    flat[-1:] = n_labels + 1
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return (flat % 2).astype(bool).reshape(shape)
    bits = 8 * dtype.itemsize - (dtype.kind == "i")
    spread = (flat * np.uint64(SPREAD)) & np.uint64(2**bits - 1)
    return spread.astype(dtype.newbyteorder("=")).astype(dtype).reshape(shape)


def stored(path: Path, labels: np.ndarray, **layout) -> Path:
    """Store an array with zarr."""
    array = zarr.create_array(path, shape=labels.shape, dtype=labels.dtype, **layout)
    array[...] = labels
    return path


def files(folder: Path) -> dict[str, bytes]:
    """Return all that lies under a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
