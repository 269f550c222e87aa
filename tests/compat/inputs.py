"""Arrays as tools have them in hand; every call returns a fresh one, equal to the last."""

import numpy as np

BIG_ID = 864691135385150081  # the ids of proofread cells have 60 bits: beyond what float64 holds exactly


def blocks(n_labels: int, seed: int) -> np.ndarray:
    """Return (16, 12, 9) ranks from 0 to `n_labels`, in blocks of 4 x 3 x 3 voxels."""
    ranks = np.random.default_rng(seed).integers(0, n_labels, (4, 4, 3), endpoint=True)
    return np.kron(ranks, np.ones((4, 3, 3), ranks.dtype))


def volume(dtype: type = np.uint32) -> np.ndarray:
    """Return a C-ordered 3-d volume of 20 small labels and background."""
    return blocks(20, seed=1).astype(dtype)


def halved() -> dict[int, int]:
    """Return a table that merges pairs of the labels of `volume()`."""
    return {label: label // 2 for label in range(21)}


def cutout(n_labels: int = 20) -> np.ndarray:
    """Return an F-ordered uint64 cutout with a channel axis and ids of 60 bits, as cloud volumes give them."""
    ranks = blocks(n_labels, seed=2).astype(np.uint64)
    ids = np.where(ranks > 0, ranks * np.uint64(7919) + np.uint64(BIG_ID), np.uint64(0))
    return np.asfortranarray(ids[..., np.newaxis])


def every_label(n_labels: int, dtype: type = np.uint64) -> np.ndarray:
    """Return background and `n_labels` labels, each once, in descending order."""
    return np.arange(n_labels, -1, -1, dtype=dtype)


def components() -> np.ndarray:
    """Return connected pieces of `volume()`: its blocks along the first axis told apart."""
    labels = volume()
    piece = np.arange(16, dtype=np.uint32)[:, np.newaxis, np.newaxis] // 4
    return np.where(labels > 0, labels * 4 + piece, 0)


def edges() -> np.ndarray:
    """Return an (N, 2) list of pairs of ids with repeated rows."""
    ends = np.random.default_rng(3).integers(0, 9, (60, 2)).astype(np.uint64)
    return ends + np.uint64(BIG_ID)


class Cutout(np.ndarray):
    """A subclass that carries no more than its name, as volume libraries return it."""


def read_only(array: np.ndarray) -> np.ndarray:
    """Return the array as a file format decodes it: over bytes that cannot be written."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
