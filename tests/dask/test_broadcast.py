"""How tables travel: about once to each worker, as a folder beyond a size, and past the loss of a worker."""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from workertasks import count_pickles_of_tables, slowly

import fastremap
import fastremap_dask
from fastremap import LabelTable
from fastremap_dask import broadcast
from fastremap_dask.broadcast import SentTable

LABELS = np.random.default_rng(0).integers(0, 50, (32, 32), np.uint64) * np.uint64(2**58 + 1)
BLOCKS = da.from_array(LABELS, chunks=4)  # 64 blocks
N_WORKERS = 2


def known(array: da.Array, **scratch: Any) -> da.Array:
    """Map by a table that is known when the graph is built."""
    return fastremap_dask.remap(array, dict(zip(np.unique(LABELS).tolist(), range(50), strict=True)), **scratch)


def lazy(array: da.Array, **scratch: Any) -> da.Array:
    """Map by a table that is computed with the rest."""
    return fastremap_dask.renumber(array, dtype="u2", **scratch)[0]


def inverse(array: da.Array, **scratch: Any) -> da.Array:
    return fastremap_dask.unique(array, return_inverse=True, **scratch)[1]


def masked(array: da.Array, **scratch: Any) -> da.Array:
    return fastremap_dask.mask_except(array, np.unique(LABELS)[::2], **scratch)


KINDS = [known, lazy, inverse, masked]


@pytest.fixture(scope="module")
def expected() -> dict[Callable, np.ndarray]:
    return {kind: kind(BLOCKS).compute(scheduler="synchronous") for kind in KINDS}


@pytest.fixture
def pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return a counter of the pickles of tables, in this process and in those that are told to count."""
    folder = tmp_path / "pickles"
    folder.mkdir()
    monkeypatch.setattr(LabelTable, "__reduce__", LabelTable.__reduce__)  # put back at the end
    count_pickles_of_tables(folder)
    return lambda: len(list(folder.iterdir()))


@pytest.fixture(autouse=True)
def no_table_is_kept() -> None:
    """Forget the tables that earlier tests have sent."""
    broadcast._LATEST.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_pickle_no_table(kind: Callable, expected: dict, pickles: Callable) -> None:
    np.testing.assert_array_equal(kind(BLOCKS).compute(scheduler="threads"), expected[kind], strict=True)
    assert pickles() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_processes_pickle_a_table_about_once(kind: Callable, expected: dict, pickles: Callable, tmp_path: Path) -> None:
    counting = {"initializer": count_pickles_of_tables, "initargs": (tmp_path / "pickles",)}
    with (
        ProcessPoolExecutor(N_WORKERS, mp_context=get_context("spawn"), **counting) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        np.testing.assert_array_equal(kind(BLOCKS).compute(), expected[kind], strict=True)
    assert 1 <= pickles() <= N_WORKERS + 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Yield workers in processes of their own."""
    with LocalCluster(
        n_workers=N_WORKERS, threads_per_worker=1, memory_limit="1GB", dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


@pytest.mark.parametrize("kind", KINDS)
def test_workers_get_a_table_about_once(
    kind: Callable, expected: dict, cluster: LocalCluster, pickles: Callable, tmp_path: Path
) -> None:
    with Client(cluster) as client:
        client.run(count_pickles_of_tables, tmp_path / "pickles")
        np.testing.assert_array_equal(kind(BLOCKS).compute(), expected[kind], strict=True)
    assert 1 <= pickles() <= N_WORKERS + 2


def test_a_process_has_a_table_once() -> None:
    table = LabelTable.from_dict({1: 2})
    pickled = pickle.dumps(SentTable(table))
    broadcast._LATEST.clear()
    first, second = pickle.loads(pickled), pickle.loads(pickled)
    assert first is second
    assert first.table == table
    assert sys.getsizeof(first) > sys.getsizeof(table)


def test_few_tables_are_kept() -> None:
    pickled = [pickle.dumps(SentTable(LabelTable.from_dict({label: 1}))) for label in range(10)]
    digests = [pickle.loads(each).table.digest for each in pickled]
    assert [digest in broadcast._BY_DIGEST for digest in digests] == [False] * 8 + [True] * 2


def test_no_dict_is_in_a_graph() -> None:
    for table in ({1: 2, 3: 4}, {0.5: 1, 7: 2}, ([1, 2**63 + 5], [3, 4])):
        for array in (BLOCKS, BLOCKS.astype("f4")):
            result = fastremap_dask.remap(array, table, preserve_missing_labels=True)
            found: list[Any] = []
            search(dict(result.__dask_graph__()), found, depth=12)
            assert found


def search(value: Any, tables: list, depth: int) -> None:
    """Gather the tables in a graph; a dict with labels as keys must not be there."""
    if isinstance(value, SentTable):
        tables.append(value)
    elif depth and isinstance(value, dict):
        assert not {1, 0.5} & value.keys()
        for part in value.values():
            search(part, tables, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for part in value:
            search(part, tables, depth - 1)
    elif (depth and hasattr(value, "args")) or hasattr(value, "keywords"):
        for name in ("args", "kwargs", "keywords", "func"):
            search(getattr(value, name, None), tables, depth - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_scratch_sends_a_path(kind: Callable, expected: dict, cluster: LocalCluster, tmp_path: Path) -> None:
    scratch = tmp_path / "deep" / "scratch"
    with Client(cluster), dask.config.set({"array.chunk-size": "1MiB"}):
        for _ in range(2):  # the second time the folder is there
            result = kind(BLOCKS, scratch=scratch)
            np.testing.assert_array_equal(result.compute(), expected[kind], strict=True)
    (folder,) = scratch.iterdir()
    table = LabelTable.open(folder)
    assert folder.name == f"{table.digest}.table"
    assert len(pickle.dumps(SentTable(table))) < 1000


def test_scratch_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = lazy(BLOCKS, scratch="here")
    monkeypatch.chdir("/")
    result.compute()
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_scratch_is_no_url_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"scratch='s3://bucket/tables' is a URL"):
        known(BLOCKS, scratch="s3://bucket/tables")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file"):
        known(BLOCKS, scratch=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_another_table_in_the_place_is_found_out(tmp_path: Path) -> None:
    digest = LabelTable.from_dict({1: 2}).digest
    LabelTable.from_dict({1: 3}).save(tmp_path / f"{digest}.table")
    with pytest.raises(ValueError, match="does not hold the table that its name stands for"):
        fastremap_dask.remap(BLOCKS, {1: 2}, fill_value=0, scratch=tmp_path)


@pytest.fixture
def small_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Yield a client of a worker in this process, 5 % of whose memory is less than the tables here."""
    monkeypatch.setattr(broadcast, "MOST_SENT_SHARE", 1e-7)
    with (
        LocalCluster(n_workers=1, processes=False, memory_limit="1GB", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("kind", KINDS)
def test_beyond_a_share_of_memory_scratch_is_required(
    kind: Callable, expected: dict, small_workers: Client, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"the table has .* MB, and no more than 0\.0 MB are sent.* scratch=FOLDER"):
        kind(BLOCKS).compute()
    np.testing.assert_array_equal(kind(BLOCKS, scratch=tmp_path).compute(), expected[kind], strict=True)
    if kind is known:  # a table that lies in a folder already needs no other
        known(BLOCKS, scratch=tmp_path)
        table = LabelTable.open(next(tmp_path.iterdir()))
        np.testing.assert_array_equal(fastremap_dask.remap(BLOCKS, table).compute(), expected[kind], strict=True)


def test_beyond_64_mb_scratch_is_required(expected: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "MOST_SENT_NBYTES", 100)
    for kind in (known, lazy):  # where nothing is sent there is no limit
        np.testing.assert_array_equal(kind(BLOCKS).compute(scheduler="threads"), expected[kind], strict=True)
    with pytest.raises(ValueError, match="scratch=FOLDER"):
        known(BLOCKS).compute(scheduler="processes", num_workers=1)


@pytest.mark.parametrize("kind", [known, pytest.param(lazy, marks=pytest.mark.slow)])
def test_a_worker_may_be_lost(kind: Callable, expected: dict) -> None:
    slow = BLOCKS.map_blocks(slowly, dtype=BLOCKS.dtype)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        (result,) = client.compute([kind(slow)])
        time.sleep(1)  # of 64 blocks at 0.05 s, some are done by now
        assert not result.done()
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        np.testing.assert_array_equal(result.result(), expected[kind], strict=True)


def test_threads_share_what_is_built_from_a_table() -> None:
    result = known(BLOCKS)
    with dask.config.set(scheduler="threads", num_workers=4):
        result.compute()
    found: list[Any] = []
    search(dict(result.__dask_graph__()), found, depth=12)
    assert len({id(sent.table) for sent in found}) == 1
    assert found[0].table._built  # by the first block; all others used it
    assert fastremap.remap(LABELS, found[0].table).shape == LABELS.shape
