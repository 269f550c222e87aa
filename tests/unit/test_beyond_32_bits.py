"""An array whose indices need more than 32 bits, with what matters at its end."""

import numpy as np
import pytest

import fastremap

N = 2**32 + 3
PLACES = {5: [17, 2**32, 2**32 + 2], 7: [2**31, 2**32 + 1]}  # of the labels; all else is 0


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    array = np.zeros(N, dtype=np.uint8)
    for label, places in PLACES.items():
        array[places] = label
    array.flags.writeable = False
    return array


@pytest.fixture(params=["runs", "dense"])
def strategy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Force a strategy: by itself this array would be looked at by runs."""
    monkeypatch.setenv("FASTREMAP_STRATEGY", request.param)


@pytest.mark.slow
@pytest.mark.usefixtures("strategy")
def test_unique(labels: np.ndarray) -> None:
    counted = fastremap.unique(labels, return_counts=True)
    assert [part.tolist() for part in counted] == [[0, 5, 7], [N - 5, 3, 2]]
    found, index, counts = fastremap.unique(labels, return_index=True, return_counts=True)
    assert found.tolist() == [0, 5, 7]
    assert index.tolist() == [0, 17, 2**31]
    assert counts.tolist() == [N - 5, 3, 2]


@pytest.mark.slow
@pytest.mark.usefixtures("strategy")
def test_renumber(labels: np.ndarray) -> None:
    ids, mapping = fastremap.renumber(labels, preserve_zero=False)
    assert mapping == {0: 1, 5: 2, 7: 3}
    assert (ids.dtype, ids.shape) == (np.dtype(np.uint8), (N,))
    assert ids[[0, 17, 2**31, 2**32, 2**32 + 1, 2**32 + 2]].tolist() == [1, 2, 3, 2, 3, 2]
    assert np.count_nonzero(ids == 1) == N - 5


@pytest.mark.slow
@pytest.mark.usefixtures("strategy")
def test_remap(labels: np.ndarray) -> None:
    mapped = fastremap.remap(labels, {5: 1, 7: 2}, preserve_missing_labels=True)
    assert mapped[-3:].tolist() == [1, 2, 1]
    assert np.count_nonzero(mapped) == 5


@pytest.mark.slow
def test_measures(labels: np.ndarray) -> None:
    assert fastremap.foreground(labels) == 5
    assert fastremap.minmax(labels) == (0, 7)
    # Each of the two places within the zeros parts two pairs; the three labels at the end part three.
    assert fastremap.pixel_pairs(labels) == N - 1 - 2 - 2 - 3
    for label, places in PLACES.items():
        assert fastremap.indices(labels, label).tolist() == places
