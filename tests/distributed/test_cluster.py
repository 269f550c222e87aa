"""Jobs on worker processes: the same bytes as on threads, and errors that come back."""

import json
import operator
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zarr
from distributed import Client, LocalCluster
from stores import files, labels_of, stored
from workertasks import (
    die,
    die_of_seven,
    first_voxel,
    inverse_of_difference,
    malloc_settings,
    package_lost,
    tables_held,
    write_slowly,
)

import fastremap
from fastremap_dask import executors, remap_zarr, renumber_zarr, stages
from fastremap_dask.plan import Grid
from fastremap_dask.stages import IN_FLIGHT_PER_THREAD, JobError

COMMAND = [sys.executable, "-c", "from fastremap_command import main; main()"]


@pytest.fixture(scope="module")
def cluster():
    """Yield two worker processes, as a user's own cluster."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """Yield a client of the cluster."""
    with Client(cluster) as client:
        yield client


@pytest.fixture
def source(tmp_path) -> Path:
    return stored(tmp_path / "a.zarr", labels_of((40, 30, 20), 500), chunks=(4, 4, 4), shards=(8, 8, 8))


def same_as_on_threads(source: Path, target: Path) -> bool:
    """Compare all that a job wrote with what the same job writes on threads."""
    renumber_zarr(source, source.parent / "threads.zarr", threads=2)
    names = [(target.with_suffix(suffix), source.parent / f"threads{suffix}") for suffix in (".zarr", ".table.zarr")]
    return all(files(one) == files(other) for one, other in names)


def test_workers_of_its_own(source, tmp_path):
    seen = []
    report = renumber_zarr(
        source, tmp_path / "b.zarr", workers=2, memory_limit="400MB", progress=lambda *state: seen.append(state)
    )
    expected, _ = fastremap.renumber(labels_of((40, 30, 20), 500))
    ids = zarr.open_array(tmp_path / "b.zarr", mode="r")
    np.testing.assert_array_equal(ids[...], expected)
    assert ids.dtype == expected.dtype == np.uint16
    assert same_as_on_threads(source, tmp_path / "b.zarr")
    assert len(report.peak_nbytes) == 2
    assert all(10**7 < nbytes < 400 * 10**6 for nbytes in report.peak_nbytes)
    n = report.stages[0].n_blocks
    for name in ("find labels", "write ids"):
        assert [done for stage, done, _ in seen if stage == name] == list(range(n + 1))


def test_a_running_cluster(client, source, tmp_path):
    renumber_zarr(source, tmp_path / "b.zarr", client=client)
    assert same_as_on_threads(source, tmp_path / "b.zarr")
    assert client.nthreads().keys() == client.scheduler_info()["workers"].keys()


def test_relative_paths_are_those_of_the_caller(client, source, tmp_path, monkeypatch):
    client.run(os.chdir, "/")
    monkeypatch.chdir(tmp_path)
    renumber_zarr("a.zarr", "b.zarr", client=client)
    assert same_as_on_threads(source, tmp_path / "b.zarr")


def test_the_driver_never_gets_labels(client, source, tmp_path, monkeypatch):
    got = []
    gather = Client.gather

    def noted(self, *arguments, **options):
        values = gather(self, *arguments, **options)
        got.extend(values)
        return values

    monkeypatch.setattr(Client, "gather", noted)
    report = renumber_zarr(source, tmp_path / "b.zarr", client=client)
    assert len(got) == sum(stage.n_blocks for stage in report.stages)
    assert max(len(pickle.dumps(value)) for value in got) < 1000


def test_an_error_comes_back_with_its_block(client, source, tmp_path):
    shard = source / "c" / "1" / "2" / "0"
    shard.write_bytes(shard.read_bytes()[:-1])
    before = files(source)
    with pytest.raises(JobError, match=r"^find labels: block \d+ \[.*\]: .+") as caught:
        renumber_zarr(source, tmp_path / "b.zarr", client=client)
    assert "\n" not in str(caught.value)
    assert files(source) == before
    assert not (tmp_path / "b.zarr").exists()


def test_an_id_that_does_not_fit(client, source, tmp_path):
    with pytest.raises(ValueError, match="does not fit dtype uint8"):
        renumber_zarr(source, tmp_path / "b.zarr", client=client, dtype="u1")
    assert not (tmp_path / "b.table.zarr").exists()


@pytest.mark.parametrize("stage", ["find labels", "write ids"])
def test_what_is_interrupted_is_resumed(client, source, tmp_path, stage):
    def interrupt(name, n_done, n_blocks):
        if (name, n_done) == (stage, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renumber_zarr(source, tmp_path / "b.zarr", client=client, progress=interrupt)
    assert not any(client.processing().values())
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b.zarr", mode="r")
    report = renumber_zarr(source, tmp_path / "b.zarr", client=client, resume=True)
    assert sum(stage.n_skipped for stage in report.stages) >= 2
    assert same_as_on_threads(source, tmp_path / "b.zarr")


def test_no_task_runs_on_after_an_error(client, tmp_path):
    executor = executors.ClusterExecutor(client)
    with pytest.raises(JobError, match=r"^0: this one fails$"):
        stages.run(executor, partial(write_slowly, folder=tmp_path), range(1000))
    written = len(list(tmp_path.iterdir()))
    assert written < 4 * IN_FLIGHT_PER_THREAD
    time.sleep(0.2)
    assert len(list(tmp_path.iterdir())) == written


def test_tasks_in_flight_are_bounded(client):
    executor = executors.ClusterExecutor(client)
    taken, done = [], []

    def blocks():
        for block in Grid((60,), (1,)).blocks():
            taken.append(block)
            assert len(taken) - len(done) <= 2 * IN_FLIGHT_PER_THREAD
            yield block

    total = stages.reduce(executor, first_voxel, blocks(), sum, sum, 8, done.append)
    assert total == sum(range(60))
    assert done == list(range(1, 61))


def test_a_worker_holds_the_table_while_it_is_needed(client, source, tmp_path):
    held = []

    def look(stage, n_done, n_blocks):
        if n_done == n_blocks:
            held.extend(client.run(tables_held).values())

    remap_zarr(source, tmp_path / "b.zarr", {1: 2}, missing="keep", client=client, progress=look)
    assert max(held) == 1
    assert set(client.run(tables_held).values()) == {0}


def test_resources_of_a_cluster_are_its_own(client, source, tmp_path):
    with pytest.raises(ValueError, match="client= has workers of its own"):
        renumber_zarr(source, tmp_path / "b.zarr", client=client, threads=2)
    with pytest.raises(ValueError, match="only threads of this process share"):
        renumber_zarr(zarr.array(np.arange(4)), tmp_path / "b.zarr", client=client)
    big = zarr.create_array(tmp_path / "big.zarr", shape=(2000,) * 3, chunks=(500,) * 3, dtype="u8")
    with pytest.raises(ValueError, match="voxels, needs 4214 MB in a process, and the memory limit is 1000 MB"):
        renumber_zarr(big, tmp_path / "b.zarr", client=client)


@pytest.mark.slow
def test_a_cluster_without_workers(source, tmp_path, monkeypatch):
    monkeypatch.setattr("fastremap_dask.resources.FIRST_WORKER_S", 2.0)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
        pytest.raises(TimeoutError, match="no worker of the cluster at tcp://"),
    ):
        renumber_zarr(source, tmp_path / "b.zarr", client=client)
    assert not (tmp_path / "b.zarr").exists()


def test_a_task_of_a_scheduler_that_is_lost_has_not_ended_well(client):
    error = executors.ClusterExecutor(client).error(SimpleNamespace(status="cancelled"))
    assert isinstance(error, ConnectionError)


def test_a_local_cluster_leaves_the_environment_as_it_was(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "99")  # where there is a setting already, it holds
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    with executors.local_cluster(1, 1) as executor:
        assert executor.on_each_process(malloc_settings) == (("99", "1073741824"),)
    assert os.environ["MALLOC_TRIM_THRESHOLD_"] == "99"
    assert "MALLOC_MMAP_THRESHOLD_" not in os.environ


def test_a_task_has_several_blocks_where_there_are_many(client):
    executor, counts, got = executors.ClusterExecutor(client), [], []
    stages.run(executor, operator.neg, range(400), counts.append, got.append, 400)
    assert sorted(got) == list(range(-399, 1))
    assert counts == list(range(1, 401))
    assert 400 / executor.batch <= executor._n_submitted < 200


def test_the_block_of_several_that_fails_is_named(client):
    with pytest.raises(JobError, match=r"^137: ZeroDivisionError"):
        stages.run(executors.ClusterExecutor(client), inverse_of_difference, range(400), n=400)


@pytest.mark.slow
def test_the_block_of_several_that_kills_its_workers_is_named():
    with (
        executors.local_cluster(1, 1) as executor,
        pytest.raises(JobError, match=r"^7: each worker process that took this task died"),
    ):
        stages.run(executor, die_of_seven, range(100), n=100)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(source, tmp_path):
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):

        def kill(stage, n_done, n_blocks):
            if n_done == 2:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

        renumber_zarr(source, tmp_path / "b.zarr", client=client, progress=kill)
    assert same_as_on_threads(source, tmp_path / "b.zarr")


@pytest.mark.slow
def test_a_scheduler_that_is_lost_ends_the_job(tmp_path):
    source = stored(tmp_path / "a.zarr", labels_of((200, 200)), chunks=(4, 5))
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    begin_scheduler = [*dask, "scheduler", "--port", "0", "--dashboard-address", ":0", "--scheduler-file", file]
    begin_worker = [*dask, "worker", "--no-dashboard", "--scheduler-file", file]
    with (
        subprocess.Popen(begin_scheduler, cwd=tmp_path, stderr=subprocess.DEVNULL) as scheduler,
        subprocess.Popen(begin_worker, cwd=tmp_path, stderr=subprocess.DEVNULL) as worker,
    ):
        try:
            while not file.exists():
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            arguments = [*COMMAND, "renumber", str(source), str(tmp_path / "b.zarr"), "--scheduler", address]
            lines = []
            with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
                for line in process.stderr:
                    lines.append(line)
                    if line.startswith("write ids: 0 of"):
                        scheduler.kill()
        finally:
            scheduler.kill()
            worker.terminate()
    assert process.returncode == 1
    assert "the connection to the scheduler was lost" in lines[-1]
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b.zarr", mode="r")


@pytest.mark.slow
def test_a_task_that_kills_its_workers_is_named():
    with (
        executors.local_cluster(1, 1) as executor,
        pytest.raises(JobError, match=r"^7: each worker process that took this task died"),
    ):
        stages.run(executor, die, [7])


def test_a_cluster_whose_workers_are_gone_ends_the_job(monkeypatch):
    monkeypatch.setattr(stages, "CHECK_S", 0.2)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:

        def blocks():
            yield from range(3)
            cluster.scale(0)
            yield from range(3, 10)

        with (
            Client(cluster) as client,
            pytest.raises(JobError, match="no worker process has been left for 1 s"),
        ):
            stages.run(executors.ClusterExecutor(client, worker_timeout=1.0), time.sleep, blocks())


def test_a_result_that_dies_with_its_worker_is_computed_again(client):
    class Late(executors.ClusterExecutor):
        n_killed = 0

        def error(self, future):
            """Look at a task that has ended only when the worker that held its result is dead."""
            if not self.n_killed:
                self.n_killed = 1
                (worker,) = client.who_has([future])[future.key]
                os.kill(client.run(os.getpid, workers=[worker])[worker], signal.SIGKILL)
                while future.status == "finished":
                    time.sleep(0.01)
            return super().error(future)

    got = []
    stages.run(executor := Late(client), operator.neg, range(20), take=got.append)
    assert sorted(got) == list(range(-19, 1))
    assert executor.n_killed == 1


def test_results_that_no_worker_has_any_more_end_the_job(monkeypatch):
    """The last worker dies after its task has ended, and before what it returned is fetched."""
    monkeypatch.setattr(stages, "CHECK_S", 0.05)
    come_back = threading.Event()
    client = SimpleNamespace(gather=lambda futures: come_back.wait(), nthreads=dict, status="running")
    with pytest.raises(JobError, match="no worker process has been left for 0 s"):
        executors.ClusterExecutor(client, worker_timeout=0.2).results([None])
    come_back.set()


def test_results_that_cannot_be_fetched_end_the_job():
    def lost(futures):
        raise ConnectionError("the scheduler is gone")

    with pytest.raises(JobError, match=r"^the results of tasks were lost: the scheduler is gone$"):
        executors.ClusterExecutor(SimpleNamespace(gather=lost)).results([None])


def test_workers_without_the_package_are_refused(client, source, tmp_path):
    executor = executors.ClusterExecutor(client)
    with pytest.raises(RuntimeError, match=r"the workers cannot run the job: .*no_such_module.*install"):
        executor.on_each_process(package_lost)


def test_workers_of_another_version_are_refused(client, source, tmp_path, monkeypatch):
    monkeypatch.setattr("fastremap.__version__", "9.9")
    with pytest.raises(RuntimeError, match=r"a worker has fastremap 1\.\S+ and .*, and this process fastremap 9\.9"):
        renumber_zarr(source, tmp_path / "b.zarr", client=client)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_the_command_on_a_running_scheduler(cluster, source, tmp_path):
    arguments = ["renumber", "a.zarr", "b.zarr", "--scheduler", cluster.scheduler_address]
    done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "in each of 2 processes" in done.stdout
    assert same_as_on_threads(source, tmp_path / "b.zarr")


def test_the_command_on_workers_of_its_own_and_ctrl_c(tmp_path):
    """The signal goes to all processes of the command, as a terminal sends it."""
    source = stored(tmp_path / "a.zarr", labels_of((200, 200)), chunks=(4, 5))
    arguments = [*COMMAND, "renumber", str(source), str(tmp_path / "b.zarr"), "--workers", "2"]
    lines = []
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        for line in process.stderr:
            lines.append(line)
            if line.startswith("write ids: 0 of"):
                os.killpg(process.pid, signal.SIGINT)
    assert process.returncode == 130, lines
    assert lines[-1].startswith("stopped: what is done is kept; go on with: fastremap renumber ")
    assert lines[-1].endswith(" --resume\n")
    assert {line.split(":")[0] for line in lines[:-1]} >= {"find labels", "write ids"}
    renumber_zarr(source, tmp_path / "b.zarr", resume=True)
    assert same_as_on_threads(source, tmp_path / "b.zarr")


@pytest.mark.slow
def test_the_demonstration():
    done = subprocess.run([*COMMAND, "demo"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "every voxel is right, by numpy alone" in done.stdout
    memory = next(line for line in done.stdout.splitlines() if line.startswith("memory"))
    together = float(memory.split(" MB together")[0].split()[-1])
    assert together < 600


@pytest.mark.slow
def test_the_real_volume(tmp_path, real_volume):
    expected, _ = fastremap.renumber(real_volume)
    for name, layout in {"a": {"chunks": (64,) * 3, "shards": (256,) * 3}, "b": {"chunks": (100, 77, 131)}}.items():
        source = stored(tmp_path / f"{name}.zarr", real_volume, **layout)
        for kind, options in {"threads": {"threads": 2}, "workers": {"workers": 2}}.items():
            renumber_zarr(source, tmp_path / f"{name}-{kind}.zarr", **options)
            ids = zarr.open_array(tmp_path / f"{name}-{kind}.zarr", mode="r")[...]
            np.testing.assert_array_equal(ids, expected)
            assert ids.dtype == expected.dtype
