"""States of pairs, clouds and rows: merging is exact in any grouping and order."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from generators import DTYPES, flat_labels
from hypothesis import given, settings
from hypothesis import strategies as st

import fastremap
from fastremap_dask.points import CloudState
from fastremap_dask.relations import PairState, PartnerState
from fastremap_dask.rows import RowState


def partners(array: np.ndarray, begin: int, shape: tuple[int, ...]) -> PartnerState:
    return PartnerState.from_block(array, array[::-1], [begin], shape)


def pairs(array: np.ndarray, begin: int, shape: tuple[int, ...]) -> PairState:
    return PairState.from_block(array, array[::-1])


def cloud(array: np.ndarray, begin: int, shape: tuple[int, ...]) -> CloudState:
    return CloudState.from_block(array, [slice(0, len(array))], [begin], shape, shell=False)


def rows(array: np.ndarray, begin: int, shape: tuple[int, ...]) -> RowState:
    return RowState.from_block(np.stack([array, array], axis=1), begin)


MERGES: dict[Callable, Callable[[list, tuple], Any]] = {
    partners: lambda states, shape: PartnerState.merge(states),
    pairs: lambda states, shape: PairState.merge(states),
    cloud: CloudState.merge,
    rows: lambda states, shape: RowState.merge(states),
}


@pytest.mark.parametrize("make", MERGES)
@settings(max_examples=50)
@given(data=st.data())
def test_any_grouping_and_order_give_one_state(make: Callable, data: st.DataObject) -> None:
    array = data.draw(flat_labels(DTYPES[:9] if make is rows else None))
    cuts = sorted(data.draw(st.lists(st.integers(0, array.size), max_size=6)))
    borders = [(begin, end) for begin, end in pairwise([0, *cuts, array.size]) if end > begin] or [(0, array.size)]
    states = [make(array[begin:end], begin, array.shape) for begin, end in borders]
    whole = MERGES[make](states, array.shape)
    states = data.draw(st.permutations(states))
    while len(states) > 1:
        n_merged = data.draw(st.integers(2, len(states)))
        states = [*states[n_merged:], MERGES[make](states[:n_merged], array.shape)]
    again = MERGES[make](states, array.shape)
    for name in type(whole).__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name), strict=True)
    assert whole.nbytes == sum(getattr(whole, name).nbytes for name in type(whole).__slots__)
    assert whole.nbytes <= whole.__sizeof__() <= whole.nbytes + 200


def test_finalized_states_are_what_memory_gives() -> None:
    labels = np.array([5, 5, 0, 7, 5, 0, 9], np.uint64) * np.uint64(2**60 + 1)
    parents = np.array([1, 2, 1, 2, 2, 1, 1], np.int8)
    cut = [slice(0, 3), slice(3, 7)]
    found = [PartnerState.from_block(labels[part], parents[part], [part.start], labels.shape) for part in cut]
    assert PartnerState.merge(found).finalize() == fastremap.component_map(labels, parents)
    found = [PairState.from_block(parents[part], labels[part]) for part in cut]
    assert PairState.merge(found).finalize() == fastremap.inverse_component_map(parents, labels)
