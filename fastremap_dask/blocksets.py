"""Sets of blocks: one bit a block, in pages that exist only where a block is in the set; and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .plan import Grids, Piece

# Small enough that a unit far from all others costs little, large enough that a page is mostly bits.
PAGE_BITS = 2**10


class BlockSet:
    """
    Hold numbers of blocks, in a bit each.

    Notes
    -----
    Memory: about 300 bytes for each 1024 successive numbers of which one is in the set. A volume of 1e8 blocks takes
    30 MB, and one of 1e11 of which a hundred are stored 30 kB.
    """

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._pages: dict[int, bytearray] = {}
        self._n = 0
        for number in numbers:
            self.add(number)

    def add(self, number: int) -> None:
        """Put a block into the set."""
        page, at = divmod(number, PAGE_BITS)
        bits = self._pages.setdefault(page, bytearray(PAGE_BITS // 8))
        if not bits[at >> 3] >> (at & 7) & 1:
            bits[at >> 3] |= 1 << (at & 7)
            self._n += 1

    def __contains__(self, number: int) -> bool:
        page, at = divmod(number, PAGE_BITS)
        bits = self._pages.get(page)
        return bits is not None and bool(bits[at >> 3] >> (at & 7) & 1)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[int]:
        for page in sorted(self._pages):
            bits = np.unpackbits(np.frombuffer(self._pages[page], np.uint8), bitorder="little")
            yield from (np.flatnonzero(bits) + page * PAGE_BITS).tolist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlockSet) and list(self) == list(other)

    __hash__ = None

    @property
    def nbytes(self) -> int:
        """Return the bytes of the pages."""
        return len(self._pages) * PAGE_BITS // 8

    def first_absent(self, n: int) -> int | None:
        """Return the least number below `n` that is not in the set, or None."""
        for page in range(-(-n // PAGE_BITS)):
            bits = self._pages.get(page)
            if bits is None:
                return page * PAGE_BITS
            absent = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little") == 0)
            if absent.size and (number := page * PAGE_BITS + int(absent[0])) < n:
                return number
        return None

    def last_absent(self, n: int) -> int | None:
        """Return the greatest number below `n` that is not in the set, or None."""
        for page in reversed(range(-(-n // PAGE_BITS))):
            here = min(PAGE_BITS, n - page * PAGE_BITS)
            bits = self._pages.get(page)
            if bits is None:
                return page * PAGE_BITS + here - 1
            absent = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[:here] == 0)
            if absent.size:
                return page * PAGE_BITS + int(absent[-1])
        return None


Levels = Mapping[int, BlockSet]


def covering(blocks: BlockSet, grids: Grids, level: int) -> BlockSet:
    """
    Return the blocks of a level that hold any of some stored units.

    Parameters
    ----------
    blocks : BlockSet
        Numbers of units, which are the blocks of level 0.
    grids : Grids
        The blocks of the volume.
    level : int
        The level.

    Returns
    -------
    BlockSet
        Numbers of its blocks.
    """
    units, grid = grids.grid(0), grids.grid(level)
    return BlockSet(grid.index_at(units.block(number).offset) for number in blocks)


def pieces_left(
    volume: int, grids: Grids, blocks: Iterable[tuple[int, int]], level: int, done: Levels
) -> Iterator[Piece]:
    """
    Generate the pieces that are left to do.

    Parameters
    ----------
    volume : int
        The number of the volume.
    grids : Grids
        Its blocks.
    blocks : iterable of (int, int)
        Level and number of the blocks in question, disjoint.
    level : int
        No piece is larger than the blocks of this level; what is, is split.
    done : mapping of int to BlockSet
        For each level the blocks that are done.

    Yields
    ------
    Piece
        Pieces that cover what is in question and not done. None is larger than need be to leave out what is done.

    Notes
    -----
    Time: O(log n) for each piece and each block that is done, n being the number of blocks.
    """
    ladder = [grids.grid(at) for at in range(len(grids.shapes))]
    begun = {at: BlockSet() for at in range(len(ladder))}
    for low, numbers in done.items():
        for number in numbers:
            offset = ladder[low].block(number).offset
            for at in range(low + 1, len(ladder)):
                begun[at].add(ladder[at].index_at(offset))

    def left(at: int, number: int) -> Iterator[Piece]:
        if number in done.get(at, ()):
            return
        block = ladder[at].block(number)
        if at <= level and number not in begun[at]:
            yield Piece(volume, at, block)
            return
        for child in _children(ladder, at, block.offset):
            yield from left(at - 1, child)

    for at, number in blocks:
        offset = ladder[at].block(number).offset
        if not any(ladder[high].index_at(offset) in done.get(high, ()) for high in range(at + 1, len(ladder))):
            yield from left(at, number)


def _children(ladder: list[Any], level: int, offset: tuple[int, ...]) -> Iterator[int]:
    """Generate the one or two blocks of the level below that a block consists of."""
    above, below = ladder[level], ladder[level - 1]
    first = below.index_at(offset)
    yield first
    pairs = zip(offset, above.block_shape, below.block_shape, above.shape, strict=True)
    for axis, (start, long, short, extent) in enumerate(pairs):
        if long > short and start + short < extent:
            second = list(offset)
            second[axis] += short
            yield below.index_at(tuple(second))
