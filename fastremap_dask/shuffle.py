"""Shuffles: sorted sources are cut at common keys, so that one task each can merge all rows of a range of keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nlargest
from itertools import count
from typing import Any

import numpy as np

from .scratch import Item, Perform, Scratch

# Keys that a source tells of itself in a round: the parts of n sources come out within about 1 / sqrt(n) of this.
SAMPLES = 256


@dataclass(frozen=True)
class Sources:
    """
    Name sorted objects that are shuffled together.

    Parameters
    ----------
    scratch : Scratch
        Where they are.
    prefix : str
        Of the objects, which are numbered from 0.
    key : str
        The column of keys, ascending.
    n : int
        Number of objects.
    """

    scratch: Scratch
    prefix: str
    key: str
    n: int


@dataclass(frozen=True)
class Split:
    """
    Say how sources are split into parts by key.

    Parameters
    ----------
    sources : Sources
        What is split.
    cuts : str or None
        Prefix of the objects that hold, for each source, where each part begins; None where there is but one part.
    n_parts : int
        Number of parts.
    """

    sources: Sources
    cuts: str | None
    n_parts: int

    def bounds(self, source: int) -> np.ndarray:
        """Return where the parts of a source begin, and its length."""
        if self.cuts is None:
            return np.array([0, self.sources.scratch.open(self.sources.prefix, source).length(self.sources.key)])
        return self.sources.scratch.open(self.cuts, source).read("cuts")

    def forget(self) -> None:
        """Remove what says where the parts begin."""
        if self.cuts is not None:
            self.sources.scratch.drop(self.cuts)

    def pieces(self, part: int) -> Iterator[tuple[int, int, int]]:
        """Generate source, start and stop of the rows of a part."""
        for source in range(self.sources.n):
            start, stop = self.bounds(source)[part : part + 2].tolist()
            yield source, start, stop


def split(
    perform: Perform, step: str, sources: Sources, n_rows: int, capacity: int, dtype: np.dtype
) -> tuple[Split, list[int]]:
    """
    Split sources into parts of at most `capacity` rows.

    Parameters
    ----------
    perform : Perform
        Runs the tasks.
    step : str
        Names the stages and objects.
    sources : Sources
        What to split; no key occurs twice in one of them.
    n_rows : int
        Rows of all sources.
    capacity : int
        Rows of a part; it may have more only if there are more sources than that.
    dtype : numpy.dtype
        Of the keys.

    Returns
    -------
    split : Split
        The parts, ascending.
    counts : list of int
        Rows of each.

    Notes
    -----
    In each round the sources tell evenly spaced keys of the parts that are too large; weighted quantiles of these cut
    the parts into pieces of half the capacity, and the rows are counted. What is still twice as large as wanted is cut
    again. A part of one key has a row of each source at most, so every other part can be cut: the rounds end.
    The driver holds `SAMPLES` keys of each source and a number for each part.

    References
    ----------
    .. [1] H. Shi and J. Schaeffer, Parallel sorting by regular sampling, J. Parallel Distrib. Comput. 14 (1992).
    """
    scratch = sources.scratch
    at, counts, splitters = Split(sources, None, 1), [n_rows], []
    capacity = max(capacity, sources.n)
    for turn in count():
        heavy = nlargest(SAMPLES // 2, (p for p in range(at.n_parts) if counts[p] > capacity), counts.__getitem__)
        if not heavy:
            return at, counts
        pieces = {part: -(-2 * counts[part] // capacity) for part in sorted(heavy)}
        turn_of = partial(_cut_again, perform, f"{step}-{turn}", at, pieces, splitters, dtype)
        splitters, counts = scratch.once(f"{step}-{turn}", turn_of)
        at.forget()
        at = Split(sources, f"{step}-{turn}", len(counts))
    raise AssertionError("unreachable: the rounds end")


def _cut_again(
    perform: Perform, step: str, at: Split, pieces: dict[int, int], splitters: list[int], dtype: np.dtype
) -> tuple[list[int], list[int]]:
    """Cut some parts into pieces; return all splitters and the rows between them."""
    sources = at.sources
    told: list[Any] = [None] * sources.n
    sampling = partial(sample, at=at, parts=tuple(pieces), n_samples=max(2, SAMPLES // len(pieces)))
    items = [Item("source", source) for source in range(sources.n)]
    perform(f"{step} sample", sampling, items, sources.n, lambda result: told.__setitem__(*result))
    finer = [quantiles([keys[i] for keys in told], n_pieces) for i, n_pieces in enumerate(pieces.values())]
    merged = np.sort(np.concatenate([np.array(splitters, dtype), *finer]))
    sources.scratch.write({"splitters": merged}, "splitters", step)
    counts = np.zeros(merged.size + 1, np.int64)

    def add(source: int, n_rows: np.ndarray) -> None:
        counts[...] += n_rows

    cutting = partial(cut, sources=sources, step=step)
    indices = range(sources.n)
    sources.scratch.each(perform, step, cutting, items, indices, add, recall=lambda c: np.diff(c.read("cuts")))
    return merged.tolist(), counts.tolist()


def sample(
    source: Item, *, at: Split, parts: Sequence[int], n_samples: int
) -> tuple[int, list[tuple[np.ndarray, int]]]:
    """
    Tell evenly spaced keys of some parts of a source: a task.

    Parameters
    ----------
    source : Item
        Which.
    at : Split
        The parts.
    parts : sequence of int
        Which of them.
    n_samples : int
        The most keys to tell of each, at least 2: the first and the last are among them.

    Returns
    -------
    index : int
        Of the source.
    told : list of (numpy.ndarray, int)
        For each part the keys, and the rows that they stand for.
    """
    keys = at.sources.scratch.open(at.sources.prefix, source.index).read(at.sources.key)
    bounds, told = at.bounds(source.index).tolist(), []
    for part in parts:
        n = bounds[part + 1] - bounds[part]
        n_told = min(n, n_samples)
        told.append((keys[bounds[part] + np.arange(n_told) * (n - 1) // max(n_told - 1, 1)], n))
    return source.index, told


def quantiles(told: Sequence[tuple[np.ndarray, int]], n_pieces: int) -> np.ndarray:
    """
    Choose keys that cut a part into pieces of about as many rows.

    Parameters
    ----------
    told : sequence of (numpy.ndarray, int)
        Of each source some keys, the least and the greatest among them, and the rows that they stand for.
    n_pieces : int
        Pieces wanted.

    Returns
    -------
    numpy.ndarray
        Distinct keys, ascending, each greater than the least, at least one: the part holds two keys or more.
    """
    keys = np.concatenate([some for some, _ in told])
    weights = np.concatenate([np.full(some.size, n_rows / max(some.size, 1)) for some, n_rows in told])
    order = np.argsort(keys, kind="stable")
    keys, upto = keys[order], np.cumsum(weights[order])
    wanted = upto[-1] * np.arange(1, n_pieces) / n_pieces
    chosen = np.unique(keys[np.searchsorted(upto[:-1], wanted)])
    chosen = chosen[chosen > keys[0]]
    return chosen if chosen.size else keys[keys > keys[0]][:1]


def cut(source: Item, *, sources: Sources, step: str) -> np.ndarray:
    """
    Find where the parts of a source begin: a task.

    Parameters
    ----------
    source : Item
        Which.
    sources : Sources
        All of them.
    step : str
        Names the splitters, and the object to write.

    Returns
    -------
    numpy.ndarray of int64
        Rows of the source in each part.
    """
    scratch = sources.scratch
    splitters = scratch.open("splitters", step).read("splitters")
    keys = scratch.open(sources.prefix, source.index).read(sources.key)
    cuts = np.concatenate([[0], np.searchsorted(keys, splitters), [keys.size]]).astype(np.int64)
    scratch.write({"cuts": cuts}, step, source.index)
    return np.diff(cuts)


def gather(scratch: Scratch, prefix: str, source: int, n_parts: int, column: str) -> Iterator[tuple[Any, np.ndarray]]:
    """
    Generate what the parts have to say to a source, in the order of its rows.

    Parameters
    ----------
    scratch : Scratch
        Where the answers are.
    prefix : str
        Of the objects of the parts: `column` holds answers to one source after the other, `starts` where each begins.
    source : int
        Which source.
    n_parts : int
        Number of parts.
    column : str
        The answers.

    Yields
    ------
    facts : dict
        Those of the part.
    answers : numpy.ndarray
        One for each row of the source in the part.
    """
    for part in range(n_parts):
        columns = scratch.open(prefix, part)
        yield columns.facts, columns.read(column, *columns.read("starts", source, source + 2).tolist())
