"""Worker processes that die, are lost, or see other files: the job goes on and ends right, or says what is wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import zarr
from distributed import Client, LocalCluster
from faultjobs import opens, products, renumber, source_at, undisturbed
from faultstores import ElsewhereStore, Fault, faulty, kill, take_memory
from stores import files
from zarr.storage import LocalStore, StorePath

from fastremap_dask import plan, stages
from fastremap_dask.stages import JobError

pytestmark = pytest.mark.slow
TESTS = str(Path(__file__).parent.parent)


@pytest.fixture
def client() -> Iterator[Client]:
    """Yield a client of two worker processes; such as die are started anew."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def bare() -> Iterator[Client]:
    """Yield a client of a scheduler that starts no workers."""
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def workers(client: Client, *given: dict[str, str] | list[str]) -> Iterator[list[subprocess.Popen]]:
    """Run worker processes that nobody starts anew, with an environment or behind a command each."""
    address = client.scheduler.address
    line = [sys.executable, "-m", "dask", "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    with ExitStack() as stack:
        processes = []
        for each in given:
            before, environment = (each, {}) if isinstance(each, list) else ([], each)
            process = subprocess.Popen(
                [*before, *line], env=os.environ | {"PYTHONPATH": TESTS} | environment, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        client.wait_for_workers(len(given), timeout=60)
        yield processes


@pytest.fixture
def notes(tmp_path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_worker_is_killed_in_each_stage(client, tmp_path, notes, monkeypatch, when):
    """Before, during and after the first object that a worker writes in it."""
    monkeypatch.setattr(plan, "ROWS_NBYTES", 1_500)  # so that labels are merged in parts
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    armed = tmp_path / "armed"
    fault = Fault(kill, "", notes, times=100, when=when, spared=os.getpid(), armed=armed)
    begun = []

    def arm(stage, n_done, n_blocks):
        if n_done == 0 and stage not in begun:
            begun.append(stage)
            client.wait_for_workers(2, timeout=60)
            time.sleep(0.5)  # one that dies while its nanny still starts it is not started again
            armed.touch()

    report = renumber(source, faulty(tmp_path / "out", "b.zarr", fault), client=client, progress=arm)
    assert fault.n_happened() == len(begun) == len(report.stages) >= 8
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("keys", [r"b\.zarr/c/2/2$", r"/written/", r"/states/", r"/ids/", r"b\.table\.zarr/.*/c/"])
def test_a_worker_is_killed_between_put_and_mark(client, tmp_path, notes, keys):
    """After a chunk, or whatever has a mark, is there, and before its mark is."""
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    when = "before" if keys == "/written/" else "after"
    fault = Fault(kill, keys, notes, times=2, when=when, spared=os.getpid())
    renumber(source, faulty(tmp_path / "out", "b.zarr", fault), client=client)
    assert fault.n_happened() == 2
    assert products(tmp_path / "out") == expected


def test_a_worker_that_dies_of_memory(tmp_path, notes):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    before = files(source)
    fault = Fault(take_memory, r"a\.zarr/c/1/1$", notes, times=100, method="get", spared=os.getpid())
    message = (
        r"find labels: block \d+ \[.*\]: each worker process that took this task, projected at \d+ MB, died, most "
        r"likely for want of memory: .*resume with a lower memory_limit, which makes blocks smaller"
    )
    with pytest.raises(JobError, match=message) as caught:
        renumber(faulty(tmp_path, "a.zarr", fault), tmp_path / "out" / "b.zarr", workers=1, memory_limit="400MB")
    assert "\n" not in str(caught.value)
    assert fault.n_happened() > 1
    assert files(source) == before
    assert not opens(tmp_path / "out" / "b.zarr")
    renumber(faulty(tmp_path, "a.zarr"), tmp_path / "out" / "b.zarr", resume=True, threads=1, memory_limit="300MB")
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("stage", ["find labels", "write ids"])
def test_all_workers_are_lost(bare, tmp_path, monkeypatch, stage):
    monkeypatch.setattr(stages, "CHECK_S", 0.2)
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    with workers(bare, {}, {}) as processes:

        def kill_all(name, n_done, n_blocks):
            if (name, n_done) == (stage, 1):
                for process in processes:
                    process.send_signal(signal.SIGKILL)

        with pytest.raises(JobError, match="no worker process has been left for 1 s: all have died or were stopped"):
            renumber(source, target, client=bare, worker_timeout=1.0, progress=kill_all)
    assert not opens(target)
    with workers(bare, {}):
        report = renumber(source, target, client=bare, resume=True)
    assert report.resumed
    assert products(tmp_path / "out") == expected


def test_workers_that_come_back_in_time(bare, tmp_path):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    with ExitStack() as stack, workers(bare, {}) as processes:

        def replace(name, n_done, n_blocks):
            if (name, n_done) == ("write ids", 1):
                processes[0].kill()
                processes[0].wait()
                stack.enter_context(workers(bare, {}))

        renumber(source, tmp_path / "out" / "b.zarr", client=bare, progress=replace)
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("what", ["source", "other source", "target", "scratch"])
def test_a_worker_that_sees_other_files_under_the_same_path(bare, tmp_path, what):
    """Nothing is read of the labels, and nothing remains."""
    here, elsewhere = tmp_path / "here", tmp_path / "here-elsewhere"
    source, target = source_at(here), here / "b.zarr"
    elsewhere.mkdir()
    if what == "other source":
        source_at(elsewhere, shape=(10, 10))
    before = files(tmp_path)
    place = StorePath(ElsewhereStore(LocalStore(here)))
    options = {}
    if "source" in what:
        source = place / "a.zarr"
    elif what == "target":
        target = place / "b.zarr"
    else:
        options["scratch"] = place / "scratch"
    expected = {
        "source": "a worker does not see the source",
        "other source": "a worker sees another array at",
        "target": "a worker does not see the job's files",
        "scratch": "a worker does not see the job's files",
    }
    begun = []
    with (
        workers(bare, {}, {"TEST_ELSEWHERE": "-elsewhere"}),
        pytest.raises(RuntimeError, match=expected[what]) as caught,
    ):
        renumber(source, target, client=bare, progress=lambda *step: begun.append(step), **options)
    assert "\n" not in str(caught.value)
    assert not begun
    assert files(tmp_path) == before


def test_a_worker_behind_another_mount(bare, tmp_path):
    """The same path is another file system for one worker, as where a network file system is not mounted."""
    here = tmp_path / "here"
    source = source_at(here)
    before = files(tmp_path)
    script = f'mount -t tmpfs tmpfs {here} && exec "$@"'
    apart = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("mounts of a process's own are not permitted here")
    with workers(bare, [], apart), pytest.raises(RuntimeError, match="a worker does not see the job's files"):
        renumber(source, here / "b.zarr", client=bare)
    assert files(tmp_path) == before


def swaps_two_labels(source: Path) -> None:
    array = zarr.open_array(source, mode="r+")
    row = array[-1]
    row[-1], row[-7] = row[-7], row[-1]
    array[-1] = row


def test_a_source_that_changes_between_the_passes(client, tmp_path):
    source = source_at(tmp_path)

    def change(name, n_done, n_blocks):
        if (name, n_done) == ("write ids", 0):
            swaps_two_labels(source)

    target = tmp_path / "out" / "b.zarr"
    with pytest.raises(
        JobError, match=r"write ids: block \d+ \[.*\]: the source has changed since its labels were found"
    ):
        renumber(source, target, client=client, progress=change)
    assert not opens(target)
    with pytest.raises(JobError, match="the source has changed since its labels were found"):
        renumber(source, target, client=client, resume=True)
    renumber(source, target, client=client, overwrite=True)
    assert products(tmp_path / "out") == undisturbed(renumber, source, tmp_path / "expected")
