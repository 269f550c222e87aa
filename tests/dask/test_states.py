"""States of labels: what a block gives, and that merging is exact in any grouping."""

import pickle
import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest
from generators import DTYPES, flat_labels
from hypothesis import given
from hypothesis import strategies as st

from fastremap import LabelTable
from fastremap_dask.states import LabelState, labels_in_order, merge, volume_index

COLUMNS = ("labels", "counts", "first")


def assert_same_state(actual: LabelState, expected: LabelState) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), strict=True)


def states_of(array: np.ndarray, cuts: list[int]) -> list[LabelState]:
    """Return the states of a 1-D array cut into pieces, empty ones among them."""
    borders = [0, *sorted(cuts), array.size]
    return [
        LabelState.from_block(array[begin:end], [begin], array.shape, counts=True, first=True)
        for begin, end in pairwise(borders)
    ]


@given(flat_labels(), st.data())
def test_any_grouping_and_order_give_the_state_of_the_whole(array: np.ndarray, data: st.DataObject) -> None:
    states = states_of(array, data.draw(st.lists(st.integers(0, array.size), max_size=6)))
    states = data.draw(st.permutations(states))
    while len(states) > 1:
        n_merged = data.draw(st.integers(2, len(states)))
        states = [*states[n_merged:], merge(states[:n_merged])]
    assert_same_state(states[0], LabelState.from_block(array, [0], array.shape, counts=True, first=True))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_columns_are_exact(dtype: np.dtype) -> None:
    array = np.array([5, 1, 0, 5, 5, 1]).astype(dtype)
    state = merge(states_of(array, [1, 1, 4]))
    labels, first, counts = np.unique(array, return_index=True, return_counts=True)
    assert_same_state(state, LabelState(labels, counts.astype(np.int64), first.astype(np.int64)))


@pytest.mark.parametrize("dtype", ["u8", "i8"])
def test_labels_beyond_float64_stay_apart(dtype: str) -> None:
    near = np.array([2**62 + 1, 2**62, 2**62 + 2], dtype)
    assert merge(states_of(near, [1, 2])).labels.tolist() == [2**62, 2**62 + 1, 2**62 + 2]


def test_nans_are_one_label_that_comes_last() -> None:
    nans = np.array([np.nan, -np.nan, 3.0, np.nan, -0.0, 0.0])
    state = merge(states_of(nans, [2, 4]))
    np.testing.assert_array_equal(state.labels, [0, 3, np.nan])
    assert state.counts.tolist() == [2, 1, 3]
    assert state.first.tolist() == [4, 2, 0]


def test_columns_that_nobody_asked_for_are_absent() -> None:
    state = LabelState.from_block(np.array([3, 1]), [np.nan], [np.nan])
    assert (state.counts, state.first) == (None, None)
    assert merge([state, state]).labels.tolist() == [1, 3]


def test_states_that_do_not_belong_together_are_refused() -> None:
    def state(dtype: str, **columns: bool) -> LabelState:
        return LabelState.from_block(np.ones(3, dtype), [0], [3], **columns)

    for states in ([], [state("i8"), state("u8")], [state("i8"), state("i8", counts=True)]):
        with pytest.raises(ValueError, match="share one dtype and the same columns"):
            merge(states)


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (4, 3, 5), (2, 3, 1, 4)])
def test_volume_index(shape: tuple[int, ...]) -> None:
    whole = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    for corner in product(*(range(length) for length in shape)):
        block = whole[tuple(slice(begin, begin + 2) for begin in corner)]
        actual = volume_index(np.arange(block.size), block.shape, corner, shape)
        np.testing.assert_array_equal(actual, block.ravel())


def test_volume_index_reaches_far_but_not_beyond_int64() -> None:
    shape = (10**6, 10**6, 10**4)
    last = volume_index(np.array([0]), (1, 1, 1), [length - 1 for length in shape], shape)
    assert last.tolist() == [10**16 - 1]
    with pytest.raises(ValueError, match=r"more than 2\*\*63 - 1 voxels"):
        volume_index(np.array([0]), (1, 1), (0, 0), (2**32, 2**31))


def test_labels_in_order() -> None:
    state = LabelState.from_block(np.array([9, 4, 9, 0, 7], np.uint8), [0], [5], first=True)
    assert labels_in_order(state, "first").tolist() == [9, 4, 0, 7]
    assert labels_in_order(state, "sorted").tolist() == [0, 4, 7, 9]
    assert LabelTable.from_order(labels_in_order(state, "first")).to_dict() == {0: 0, 4: 2, 7: 3, 9: 1}
    with pytest.raises(ValueError, match='must be "first" or "sorted", not \'last\''):
        labels_in_order(state, "last")
    with pytest.raises(ValueError, match="first=True"):
        labels_in_order(LabelState(state.labels), "first")


def test_a_state_is_as_large_as_its_arrays() -> None:
    block = np.arange(10_000, dtype=np.uint32)
    state = LabelState.from_block(block[:5000], [0], [10_000], counts=True, first=True)
    assert state.nbytes == 5000 * (4 + 8 + 8)
    assert state.nbytes <= state.__sizeof__() <= state.nbytes + 200
    assert len(pickle.dumps(state)) <= state.nbytes + 1000
    assert not np.shares_memory(state.labels, block)


@pytest.mark.parametrize("columns", [{}, {"first": True}, {"first": True, "counts": True}])
def test_merging_takes_the_memory_that_it_states(columns: dict[str, bool]) -> None:
    n_states, n_labels = 8, 30_000
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 2**63, (n_states, n_labels))
    states = [LabelState.from_block(row, [at, 0], blocks.shape, **columns) for at, row in enumerate(blocks[:, None])]
    tracemalloc.start()
    merge(states)
    peak_nbytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stated_nbytes = 2 * sum(state.nbytes for state in states) + 16 * blocks.size
    assert peak_nbytes <= 1.01 * stated_nbytes + 100_000
