"""One job on one target: who comes second is told, what a dead one has left is taken over, and late tasks refuse."""

import json
import os
import threading
from pathlib import Path

import pytest
import zarr
from faultjobs import opens, products, renumber, run_process, source_at, undisturbed
from stores import files
from zarr.storage import LocalStore, StorePath

from fastremap_dask import JobLocked, journal, running, tasks
from fastremap_dask.journal import Journal
from fastremap_dask.stages import JobError


@pytest.fixture
def source(tmp_path) -> Path:
    return source_at(tmp_path)


def stop_at(stage: str):
    """Return a `progress` that interrupts a job in a stage."""

    def progress(name, n_done, n_blocks):
        if (name, n_done) == (stage, 1):
            raise KeyboardInterrupt

    return progress


def stopped(source: Path, target: Path, stage: str = "write ids", **options) -> Path:
    """Leave a job that was stopped; return its folder."""
    with pytest.raises(KeyboardInterrupt):
        renumber(source, target, threads=1, progress=stop_at(stage), **options)
    return target.with_suffix(".job")


def lock_of(**changed) -> bytes:
    """Return a lock as this process would write it, with changes."""
    folder = StorePath(LocalStore("/nowhere"), "b.zarr")
    taken = {}
    own = Journal(folder)
    own.__dict__["folder"] = type("Folder", (), {"put_new": lambda _, name, data: taken.update({name: data}) or True})()
    own._take()
    return json.dumps(json.loads(taken["lock"]) | changed).encode()


def test_of_two_threads_one_wins(source, tmp_path):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    errors = []

    def second(name, n_done, n_blocks):
        if (name, n_done) == ("write ids", 2):
            for options in ({}, {"resume": True}, {"overwrite": True}):
                with pytest.raises((JobLocked, FileExistsError)) as caught:
                    renumber(source, tmp_path / "out" / "b.zarr", threads=1, **options)
                errors.append(caught.value)

    renumber(source, tmp_path / "out" / "b.zarr", threads=1, progress=second)
    assert products(tmp_path / "out") == expected
    assert [type(error) for error in errors] == [FileExistsError, JobLocked, JobLocked]
    assert f"process {os.getpid()} of " in str(errors[1])


def test_of_many_that_begin_together_one_wins(source, tmp_path):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    outcomes, together = [], threading.Barrier(4)

    def begin():
        together.wait()
        try:
            outcomes.append(renumber(source, tmp_path / "out" / "b.zarr", threads=1))
        except (JobLocked, FileExistsError) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert products(tmp_path / "out") == expected


@pytest.mark.slow
def test_of_two_processes_one_wins(source, tmp_path):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    both = [run_process("renumber", source, target, threads=1) for _ in range(2)]
    outcomes = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 1], outcomes
    assert outcomes[codes.index(1)].startswith(("JobLocked: another job holds", "FileExistsError: "))
    assert products(tmp_path / "out") == expected


def test_a_lock_of_another_machine_is_explained_and_broken_by_hand(source, tmp_path):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    lock = stopped(source, target) / "lock"
    assert not lock.exists()
    lock.write_bytes(lock_of(machine="elsewhere/123", user="somebody", pid=77))
    before = files(tmp_path / "out")
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(JobLocked, match=r"process 77 of somebody on elsewhere, last seen at 20\S+ ") as caught:
            renumber(source, target, **options)
        assert f"If it is gone, remove {lock} and resume" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert files(tmp_path / "out") == before
    lock.unlink()
    renumber(source, target, resume=True)
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize(
    "changed",
    [{"pid": 2**22 + 1}, {"pid": 1, "process_began": 5.0}, {"run": "one of this process that has ended"}],
    ids=["no such process", "the number went to another process", "this process"],
)
def test_a_lock_of_what_is_dead_is_taken_over(source, tmp_path, changed):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    folder = stopped(source, tmp_path / "out" / "b.zarr")
    (folder / "lock").write_bytes(lock_of(**changed))
    renumber(source, tmp_path / "out" / "b.zarr", resume=True)
    assert products(tmp_path / "out") == expected


def test_a_torn_lock_is_explained(source, tmp_path):
    folder = stopped(source, tmp_path / "b.zarr")
    (folder / "lock").write_bytes(b'{"run": "ab')
    with pytest.raises(JobLocked, match=f"remove {folder}/lock and resume"):
        renumber(source, tmp_path / "b.zarr", resume=True)


def take_over(folder: Path) -> None:
    """Have another run hold the lock, as when the first is thought to be dead."""
    (folder / "another").write_bytes(lock_of(run="another", machine="elsewhere/1", pid=5))
    (folder / "another").replace(folder / "lock")


@pytest.mark.parametrize("stage", ["find labels", "merge parts", "write ids"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_job_that_was_taken_over_stops_and_removes_nothing(source, tmp_path, stage, overwrite):
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    if overwrite:
        stopped(source, target)

    def progress(name, n_done, n_blocks):
        if (name, n_done) == (stage, 1 if stage != "merge parts" else 0):
            take_over(target.with_suffix(".job"))

    with pytest.raises((JobError, RuntimeError), match="the job was taken over by process 5 on elsewhere"):
        renumber(source, target, threads=1, progress=progress, overwrite=overwrite)
    folder = target.with_suffix(".job")
    assert json.loads((folder / "lock").read_text())["run"] == "another"
    assert (folder / "job.json").exists()
    assert not opens(target)
    (folder / "lock").unlink()
    renumber(source, target, resume=True)
    assert products(tmp_path / "out") == expected


def test_a_job_that_was_taken_over_at_its_very_end_publishes_nothing(source, tmp_path, monkeypatch):
    target = tmp_path / "out" / "b.zarr"
    sweep = running._sweep

    def late(product):
        if product.path == "b.zarr":
            take_over(target.with_suffix(".job"))
        sweep(product)

    monkeypatch.setattr(running, "_sweep", late)
    with pytest.raises(RuntimeError, match="the job was taken over by process 5 on elsewhere"):
        renumber(source, target, threads=1)
    assert not opens(target)
    assert (target.with_suffix(".job") / "job.json").exists()


def test_the_heartbeat_notices_that_a_job_was_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "BEAT_S", 0.01)
    own = Journal(StorePath(LocalStore(tmp_path), "b.zarr"))
    own.worth_keeping = True
    with pytest.raises(JobError, match="taken over by process 5"), own.held({}, resume=False):
        take_over(tmp_path / "b.job")
        while True:
            own.check()


def test_settings_that_cannot_work_do_not_remove_what_another_run_holds(tmp_path):
    own = Journal(StorePath(LocalStore(tmp_path), "b.zarr"))
    with pytest.raises(ValueError, match="these settings"), own.held({}, resume=False):
        take_over(tmp_path / "b.job")
        raise ValueError("these settings")
    assert (tmp_path / "b.job" / "job.json").exists()
    assert json.loads((tmp_path / "b.job" / "lock").read_text())["run"] == "another"


@pytest.mark.parametrize("returned", [0, 1])
def test_tasks_may_run_twice(source, tmp_path, monkeypatch, returned):
    """A scheduler runs a task again when it does not know that it has ended."""
    expected = undisturbed(renumber, source, tmp_path / "expected")
    once = tasks.tracked

    def twice(argument, *, function, lock):
        return [once(argument, function=function, lock=lock) for _ in range(2)][returned]

    monkeypatch.setattr(tasks, "tracked", twice)
    renumber(source, tmp_path / "out" / "b.zarr", threads=2)
    assert products(tmp_path / "out") == expected


def test_a_task_that_runs_late_refuses(source, tmp_path, monkeypatch):
    """Of a run that has ended, while another has the lock, and when the job is done."""
    target, kept, once = tmp_path / "out" / "b.zarr", [], tasks.tracked

    def noted(argument, *, function, lock):
        kept.append(lambda: once(argument, function=function, lock=lock))
        return once(argument, function=function, lock=lock)

    monkeypatch.setattr(tasks, "tracked", noted)
    stopped(source, target)
    late = kept[:]
    before = files(tmp_path / "out")
    for task in late:
        with pytest.raises(RuntimeError, match="lock is not there"):
            task()
    assert files(tmp_path / "out") == before

    def meanwhile(name, n_done, n_blocks):
        for task in late[-2:]:
            with pytest.raises(RuntimeError, match="the job was taken over by process"):
                task()

    renumber(source, target, resume=True, progress=meanwhile)
    done = files(tmp_path / "out")
    for task in kept:
        with pytest.raises(RuntimeError, match="lock is not there"):
            task()
    assert files(tmp_path / "out") == done
    assert zarr.open_array(target, mode="r").shape == zarr.open_array(source, mode="r").shape
