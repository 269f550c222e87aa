"""Stores that fail or stall: what may pass is tried again and counted, what is lasting ends the job at once."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faultjobs import JOBS, opens, products, renumber, source_at, undisturbed
from faultstores import Fault, chunks_read, deny, disconnect, faulty, stall, time_out
from stores import files

from fastremap_dask import objects
from fastremap_dask.stages import JobError


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(objects, "PAUSES_S", (0.001, 0.001, 0.001))


@pytest.fixture
def notes(tmp_path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:coroutine:RuntimeWarning", "ignore:.*coroutine:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(("method", "failure"), [("set", disconnect), ("get", time_out)])
def test_any_access_may_fail_for_a_while(tmp_path, method, failure):
    """Each access of a job in turn fails once; a sign of life may, it comes again."""
    source = source_at(tmp_path, shape=(16, 16))
    expected = undisturbed(renumber, source, tmp_path / "expected")
    n = 0
    while True:
        notes = tmp_path / f"notes{n}"
        notes.mkdir()
        fault = Fault(failure, r"^(?!.*beat$)", notes, method=method, passed=n)
        report = renumber(source, faulty(tmp_path / str(n), "b.zarr", fault), threads=1)
        assert products(tmp_path / str(n)) == expected
        if not fault.n_happened():
            break
        assert sum(stage.n_retries for stage in report.stages) <= 1
        n += 1
    assert n > 25


@pytest.mark.parametrize("job", ["renumber", "unique", "remap", "component_map"])
def test_a_source_that_fails_for_a_while(tmp_path, notes, job):
    source = source_at(tmp_path)
    expected = undisturbed(JOBS[job], source, tmp_path / "expected")
    fault = Fault(disconnect, r"a\.zarr/c/", notes, method="get", passed=20, times=3)
    report = JOBS[job](faulty(tmp_path, "a.zarr", fault), tmp_path / "out" / "b.zarr", threads=1)
    assert products(tmp_path / "out") == expected
    assert 1 <= sum(stage.n_retries for stage in report.stages) <= 3  # of chunks that were on their way together


def test_what_fails_again_and_again_ends_the_job(tmp_path, notes):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    fault = Fault(disconnect, r"b\.zarr/c/2/2", notes, times=100)
    with pytest.raises(
        JobError, match=r"^write ids: block \d+ \[.*\]: connection reset while b.zarr/c/2/2 was"
    ) as caught:
        renumber(source, faulty(tmp_path / "out", "b.zarr", fault), threads=2)
    assert "\n" not in str(caught.value)
    assert fault.n_happened() == 1 + len(objects.PAUSES_S)
    assert not opens(tmp_path / "out" / "b.zarr")
    report = renumber(source, tmp_path / "out" / "b.zarr", resume=True)
    assert report.stages[0].n_blocks == 0
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("method", ["set", "get"])
def test_what_is_lasting_is_not_tried_again(tmp_path, notes, method):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    before = files(source)
    keys = r"b\.zarr/c/2/2" if method == "set" else r"a\.zarr/c/2/2"
    fault = Fault(deny, keys, notes, times=100, method=method)
    read = faulty(tmp_path, "a.zarr", fault if method == "get" else None)
    with pytest.raises(JobError, match=r"block \d+ \[.*\]: \[Errno 13\] Permission denied: '.\.zarr/c/2/2'(?m:$)"):
        renumber(read, faulty(tmp_path / "out", "b.zarr", fault if method == "set" else None), threads=1)
    assert fault.n_happened() == 1
    assert files(source) == before
    assert not opens(tmp_path / "out" / "b.zarr")
    renumber(faulty(tmp_path, "a.zarr"), tmp_path / "out" / "b.zarr", resume=True)
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("method", ["set", "get"])
def test_a_store_that_stalls(tmp_path, notes, monkeypatch, method, times):
    monkeypatch.setattr(objects, "STALLED_S", 0.3)
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    keys = r"b\.zarr/c/2/2" if method == "set" else r"a\.zarr/c/2/2"
    fault = Fault(stall, keys, notes, times=times, method=method)
    read = faulty(tmp_path, "a.zarr", fault if method == "get" else None)
    target = faulty(tmp_path / "out", "b.zarr", fault if method == "set" else None)
    if times == 1:
        report = renumber(read, target, threads=2)
        assert sum(stage.n_retries for stage in report.stages) == 1
    else:
        with pytest.raises(JobError, match=r"block \d+ \[.*\]: the store gave no answer for 0.3 s(?m:$)"):
            renumber(read, target, threads=2)
        assert fault.n_happened() == 1 + len(objects.PAUSES_S)
        assert not opens(tmp_path / "out" / "b.zarr")
        renumber(faulty(tmp_path, "a.zarr"), tmp_path / "out" / "b.zarr", resume=True)
    assert products(tmp_path / "out") == expected


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Yield a folder that holds 2 MB, or skip where nothing can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("room_nbytes", [0, 30_000, 100_000, 150_000])
def test_a_disk_that_is_full(tmp_path, small_disk, room_nbytes):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    before = files(source)
    ballast = small_disk / "ballast"
    with open(ballast, "wb") as file:
        file.write(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - room_nbytes))
    with pytest.raises((JobError, OSError), match="No space left on device") as caught:
        renumber(source, small_disk / "b.zarr", threads=2)
    assert "\n" not in str(caught.value)
    assert files(source) == before
    assert not opens(small_disk / "b.zarr")
    ballast.unlink()
    begun = (small_disk / "b.job" / "job.json").exists()
    renumber(source, small_disk / "b.zarr", resume=begun)
    assert products(small_disk) == expected


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """Yield a folder of this user's, who is not one that may do everything, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        superuser = os.geteuid() == 0
        if superuser:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if superuser:
                os.seteuid(0)


@pytest.mark.parametrize("stage", ["find labels", "merge parts", "write ids"])
def test_permission_that_is_lost_half_way(own_folder, stage):
    source = source_at(own_folder)
    out = own_folder / "out"
    expected = undisturbed(renumber, source, own_folder / "expected")

    def folders() -> list[Path]:
        return [out, *(path for path in out.rglob("*") if path.is_dir())]

    def withdraw(name, n_done, n_blocks):
        if (name, n_done) == (stage, 1 if stage != "merge parts" else 0):
            for folder in folders():
                folder.chmod(0o555)

    with pytest.raises((JobError, PermissionError), match="Permission denied") as caught:
        renumber(source, out / "b.zarr", threads=1, progress=withdraw)
    assert "\n" not in str(caught.value)
    assert not opens(out / "b.zarr")
    for folder in folders():
        folder.chmod(0o755)
    report = renumber(source, out / "b.zarr", resume=True)
    assert report.resumed
    assert products(out) == expected


def test_finished_units_are_not_read_again(tmp_path):
    source = source_at(tmp_path)
    log = tmp_path / "log"
    read = faulty(tmp_path, "a.zarr", log=log)
    expected = undisturbed(renumber, read, tmp_path / "expected")
    chunks_read(log)
    units = [name for name in files(source) if name.startswith("c/")]

    def stop(name, n_done, n_blocks):
        if name == "write ids" and n_done == n_blocks // 2:
            raise KeyboardInterrupt

    target = tmp_path / "out" / "b.zarr"
    with pytest.raises(KeyboardInterrupt):
        renumber(read, target, threads=1, progress=stop)
    first = chunks_read(log)
    assert {key.removeprefix("a.zarr/") for key in first} == set(units)
    report = renumber(read, target, threads=2, resume=True)
    written = report.stages[-1]
    assert written.name == "write ids" and report.stages[0].n_blocks == 0
    assert 0 < len(set(chunks_read(log))) <= len(units) // 2
    assert products(tmp_path / "out") == expected
    again = renumber(read, target, resume=True)
    assert again.notes[-1] == "the job was done already: nothing was done now"
    assert chunks_read(log) == []


def test_durable_objects_are_on_the_disk(tmp_path, monkeypatch):
    source = source_at(tmp_path, "chunks", shape=(32, 32))
    synced = []
    fsync = os.fsync

    def noted(handle):
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    assert not synced
    out = tmp_path / "out"
    renumber(source, out / "b.zarr", durable=True, threads=1)
    assert products(out) == expected
    there = {str(path) for path in out.rglob("*") if path.is_file()}
    assert there <= set(synced)
    assert {str(out), str(out / "b.zarr"), str(out / "b.zarr" / "c")} <= set(synced)
    assert any("b.job/work/written" in path for path in synced)
