"""Numbering of states: as renumber of the whole volume, whatever the memory, the machines and the interruptions."""

import numpy as np
import pytest
from generators import few
from numberings import Performer, Threads, Twice, contents, folder_at, ids_of_volume, numbered, oracle, rules

from fastremap_dask import open_columns, open_table

BORDERS = [1, 7, 90, 300, 301, 302, 700]
BUDGETS = [1, 300, 3_000, 10**9]


def volume_of(dtype: np.dtype, n: int = 800, seed: int = 0) -> np.ndarray:
    """Return labels in runs, spread over the dtype, its ends and 0 among them."""
    rng = np.random.default_rng(seed)
    labels = few(dtype)
    if dtype.kind != "b":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        labels = np.concatenate([labels, rng.integers(low, high, 200, dtype, endpoint=True)])
    return np.repeat(rng.choice(labels, n // 2), 2)


@pytest.mark.parametrize("order", ["first", "sorted"])
@pytest.mark.parametrize("preserve_zero", [True, False])
@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u1", "u4", "u8"])
def test_ids_and_table_are_those_of_renumber(dtype, preserve_zero, order, tmp_path):
    volumes = [volume_of(np.dtype(dtype))]
    numbering = rules(dtype, preserve_zero=preserve_zero, order=order, start=2 if dtype == "u4" else 1)
    ids, table = oracle(volumes, numbering)
    results = []
    for budget in BUDGETS:
        folder = folder_at(tmp_path / str(budget))
        names, facts = numbered(folder, volumes, BORDERS, numbering, budget_nbytes=budget)
        np.testing.assert_array_equal(ids_of_volume(folder, volumes, BORDERS, names), ids, strict=True)
        assert open_table(tmp_path / str(budget) / "table.zarr") == table
        assert np.dtype(facts.dtype) == ids.dtype
        assert (facts.lowest_id, facts.highest_id) == (ids.min(), ids.max())
        assert facts.n_labels == np.unique(volumes[0]).size
        results.append(contents(tmp_path / str(budget)))
    assert all(result == results[0] for result in results)
