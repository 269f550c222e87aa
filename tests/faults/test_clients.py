"""Jobs whose own process is killed: another run goes on, with other memory, other workers, another scheduler."""

import json
import os
import random
import signal
import threading
from pathlib import Path

import pytest
import zarr
from distributed import LocalCluster
from faultjobs import JOBS, LAYOUTS, opens, products, renumber, run_process, source_at, undisturbed
from faultstores import chunks_read, faulty
from stores import files

pytestmark = pytest.mark.slow


def run_until(stop: int | str, job: str, source: Path, target: Path, delay_s: float = 0.0, **options) -> bool:
    """Run a job, and kill its process some time after so many steps, or a certain one; tell whether it ended before."""
    with run_process(job, source, target, **options) as process:
        for n, line in enumerate(process.stdout):
            if stop in (n, line.strip()):
                threading.Timer(delay_s, process.send_signal, [signal.SIGKILL]).start()
        errors = process.stderr.read()
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode == 0


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again(tmp_path, seed):
    """On threads, worker processes, and a running scheduler in turn; each time with half the memory."""
    rng = random.Random(seed)
    source = source_at(tmp_path, shape=(200, 200), chunks=(4, 5), shards=(20, 20))
    expected = undisturbed(renumber, source, tmp_path / "expected")
    before = files(source)
    target = tmp_path / "out" / "b.zarr"
    ways = [{"threads": 1}, {"workers": 2, "memory_limit": "400MB"}, {"threads": 2, "memory_limit": "300MB"}]
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        ways.append({"scheduler": cluster.scheduler_address})
        rng.shuffle(ways)
        for options in ways:
            begun = target.with_suffix(".job").joinpath("job.json").exists()
            if run_until(rng.randrange(60), "renumber", source, target, rng.random() / 20, resume=begun, **options):
                break
            assert not opens(target)
    if not opens(target):
        assert renumber(source, target, resume=True, threads=2).resumed
    assert products(tmp_path / "out") == expected
    assert files(source) == before


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("job", JOBS)
def test_any_job_is_killed_and_gone_on_with(tmp_path, job, layout):
    source = source_at(tmp_path, layout)
    expected = undisturbed(JOBS[job], source, tmp_path / "expected")
    n_steps = []
    JOBS[job](source, tmp_path / "counted" / "b.zarr", threads=1, progress=lambda *step: n_steps.append(step))
    target = tmp_path / "out" / "b.zarr"
    stop = random.Random(f"{job} {layout}").randrange(len(n_steps) - 2)
    if not run_until(stop, job, source, target, threads=1):
        assert not opens(target)
        JOBS[job](source, target, resume=True, threads=2)
    assert products(tmp_path / "out") == expected


def test_finished_units_are_not_read_again(tmp_path):
    source = source_at(tmp_path)
    log = tmp_path / "log"
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    n_units = sum(name.startswith("c/") for name in files(source))
    assert not run_until("write ids: 3", "renumber", source, target, threads=1)
    folder = target.with_suffix(".job")
    marks = [path for path in (folder / "work" / "written").rglob("*") if path.is_file() and path.suffix != ".partial"]
    sizes = [json.loads(path.read_text()) for path in marks]
    assert marks, "killed too early to show anything"
    head = json.loads((folder / "job.json").read_text())
    read = faulty(tmp_path, "a.zarr", log=log)
    head["settings"]["source"] = [str(read)]  # the same volume, looked at through a store that notes what is read
    (folder / "job.json").write_text(json.dumps(head))
    renumber(read, target, resume=True, threads=1)
    assert len(set(chunks_read(log))) <= n_units - sum(map(len, sizes))
    assert products(tmp_path / "out") == expected


def test_workers_of_a_killed_client_do_no_harm(tmp_path):
    """They live on for a moment; whoever goes on has the lock, and their tasks refuse."""
    source = source_at(tmp_path, shape=(200, 200), chunks=(4, 5), shards=(20, 20))
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    assert not run_until("write ids: 3", "renumber", source, target, workers=2)
    renumber(source, target, resume=True, threads=2)
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_signals(tmp_path, sign):
    source = source_at(tmp_path)
    expected = undisturbed(renumber, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    with run_process("renumber", source, target, threads=1) as process:
        for line in process.stdout:
            if line.startswith("write ids: 2"):
                process.send_signal(sign)
    assert process.returncode == -sign or process.returncode == 1
    assert not opens(target)
    assert renumber(source, target, resume=True).resumed
    assert products(tmp_path / "out") == expected


def damage_after_a_kill(tmp_path: Path, layout: str) -> tuple[Path, Path]:
    """Leave a job that was killed while it wrote; return its source and its target."""
    source = source_at(tmp_path, layout)
    target = tmp_path / "out" / "b.zarr"
    assert not run_until("write ids: 3", "renumber", source, target, threads=1)
    assert not opens(target)
    return source, target


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("which", ["written", "not written"])
@pytest.mark.parametrize("torn", [b"", b"garbage"], ids=["empty", "garbage"])
def test_a_torn_object_of_an_earlier_crash(tmp_path, layout, which, torn):
    source, target = damage_after_a_kill(tmp_path, layout)
    unit = target / ("5.4" if layout == "format 2" else "c/5/4")
    if which == "written":
        chunks = [path for path in target.rglob("*") if path.is_file() and path.name[0].isdigit()]
        assert chunks, "killed too early to show anything"
        unit = sorted(chunks)[0]
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_bytes(torn)
    (target / f"x.{os.getpid()}.partial").write_bytes(b"half")
    renumber(source, target, resume=True)
    assert products(tmp_path / "out") == undisturbed(renumber, source, tmp_path / "expected")


def test_a_source_chunk_that_was_damaged_and_mended(tmp_path):
    codec = zarr.codecs.ZstdCodec(checksum=True)
    source = source_at(tmp_path, chunks=(8, 8), compressors=codec)
    chunk = source / "c" / "3" / "3"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    target = tmp_path / "out" / "b.zarr"
    with run_process("renumber", source, target, threads=1) as process:
        errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors.startswith("JobError: find labels: block ")
    assert not opens(target)
    chunk.write_bytes(whole)
    renumber(source, target, resume=True)
    assert products(tmp_path / "out") == undisturbed(renumber, source, tmp_path / "expected")
