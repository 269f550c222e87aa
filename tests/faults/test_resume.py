"""What may change when a job goes on, and what may not; and what `overwrite` leaves alone."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from faultjobs import JOBS, LAYOUTS, opens, products, renumber, source_at, undisturbed
from faultstores import chunks_read, faulty
from stores import files, labels_of, stored

from fastremap_dask import LabelTable, mask_zarr, remap_zarr, renumber_zarr, running
from fastremap_dask.stages import JobError


def stopping(stage: str | None = None):
    """Return a `progress` that interrupts a job after a block of a stage, by default of any but the first."""
    begun: dict[str, int] = {}

    def progress(name, n_done, n_blocks):
        wanted = name == stage if stage is not None else name not in ("find labels", "check written")
        if wanted and n_done > begun.setdefault(name, n_done):
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("job", JOBS)
def test_any_job_goes_on(tmp_path, monkeypatch, job, layout):
    """Stopped at several points, and gone on with on more threads and with less memory."""
    monkeypatch.setattr(running, "MARKS", 2)  # else one task would look at all marks
    source = source_at(tmp_path, layout, shape=(24, 20))
    expected = undisturbed(JOBS[job], source, tmp_path / "expected")
    target, ways = (
        tmp_path / "out" / "b.zarr",
        [{"threads": 2}, {"threads": 1, "memory_limit": "300MB"}, {"threads": 2}],
    )
    for n, options in enumerate(ways):
        with pytest.raises(KeyboardInterrupt):
            progress = stopping("find labels" if n == 0 and job in ("renumber", "unique") else None)
            JOBS[job](source, target, resume=n > 0, progress=progress, **options)
        assert not opens(target)
    report = JOBS[job](source, target, resume=True)
    assert report.resumed
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: None])
def test_what_was_damaged_since_is_written_again(tmp_path, damage):
    source = source_at(tmp_path, "chunks", shape=(24, 20))
    expected = undisturbed(renumber_zarr, source, tmp_path / "expected")
    target = tmp_path / "out" / "b.zarr"
    with pytest.raises(KeyboardInterrupt):
        renumber_zarr(source, target, progress=stopping("write ids"), threads=1)
    unit = next(path for path in sorted((target / "c").rglob("*")) if path.is_file())
    damaged = damage(unit.read_bytes())
    unit.unlink()
    if damaged is not None:
        unit.write_bytes(damaged)
    renumber_zarr(source, target, resume=True)
    assert products(tmp_path / "out") == expected


def table_of(n: int) -> LabelTable:
    keys = np.unique(labels_of((48, 36)))[:n]
    return LabelTable.from_arrays(keys, np.arange(keys.size, dtype=np.uint64))


CHANGES = {
    "start": (renumber_zarr, {"start": 7}, "start was 1 and is now 7"),
    "order": (renumber_zarr, {"order": "sorted"}, 'order was "first" and is now "sorted"'),
    "dtype": (renumber_zarr, {"dtype": "u8"}, 'dtype was null and is now "uint64"'),
    "preserve_zero": (renumber_zarr, {"preserve_zero": False}, "preserve_zero was true and is now false"),
    "counts": (renumber_zarr, {"counts": True}, "counts was false and is now true"),
    "table": (renumber_zarr, {"table": LabelTable.from_dict({5: 6})}, "table was null and is now"),
    "region": (renumber_zarr, {"region": (slice(8, 48),)}, "region was"),
    "chunks": (renumber_zarr, {"chunks": (8, 4)}, "layout was"),
    "shards": (renumber_zarr, {"shards": (16, 8)}, "layout was"),
    "codecs": (renumber_zarr, {"codecs": ["gzip"]}, "layout was"),
    "a table of others": (remap_zarr, {"table": table_of(3)}, "table was"),
    "missing": (remap_zarr, {"missing": 4}, 'missing was "keep" and is now 4'),
    "dtype of a remap": (remap_zarr, {"dtype": "i8"}, 'dtype was "uint64" and is now "int64"'),
    "labels": (mask_zarr, {"labels": [1, 2]}, "table was"),
    "value": (mask_zarr, {"value": 3}, "table was"),
    "invert": (mask_zarr, {"invert": True}, "missing was"),
}
GIVEN = {
    renumber_zarr: {},
    remap_zarr: {"table": table_of(9), "missing": "keep"},
    mask_zarr: {"labels": table_of(9).old.tolist()},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_done", [False, True])
def test_what_decides_the_voxels_may_not_change(tmp_path, change, is_done):
    job, changed, text = CHANGES[change]
    source = stored(tmp_path / "a.zarr", labels_of((48, 36)) >> np.uint64(1), **LAYOUTS["shards"])
    target = tmp_path / "out" / "b.zarr"
    if is_done:
        job(source, target, **GIVEN[job])
    else:
        with pytest.raises(KeyboardInterrupt):
            job(source, target, threads=1, progress=stopping(), **GIVEN[job])
    before = files(tmp_path)
    with pytest.raises(ValueError, match="other settings") as caught:
        job(source, target, resume=True, **(GIVEN[job] | changed))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before
    job(source, target, resume=True, **GIVEN[job])
    assert opens(target)


@pytest.mark.parametrize("change", ["another source", "another shape", "another job"])
def test_another_job_does_not_go_on_with_this_one(tmp_path, change):
    source, target = source_at(tmp_path), tmp_path / "out" / "b.zarr"
    with pytest.raises(KeyboardInterrupt):
        renumber(source, target, threads=1, progress=stopping())
    job = renumber
    if change == "another source":
        source = stored(tmp_path / "c.zarr", labels_of((48, 36)), **LAYOUTS["shards"])
    elif change == "another shape":
        zarr.open_array(source, mode="r+").resize((48, 20))
    else:
        job = JOBS["transpose"]
    names = {"another source": "source was", "another shape": "source's metadata was", "another job": "job was"}
    with pytest.raises(ValueError, match=rf"cannot be resumed with other settings: .*{names[change]}"):
        job(source, target, resume=True)


def test_what_does_not_decide_them_may(tmp_path):
    source, target = source_at(tmp_path), tmp_path / "out" / "b.zarr"
    expected = undisturbed(renumber, source, tmp_path / "expected")
    changes = [
        {"memory_limit": "300MB"},
        {"threads": 3},
        {"durable": True, "memory_limit": 10**9},
        {"worker_timeout": 5.0},
    ]
    for n, options in enumerate(changes):
        with pytest.raises(KeyboardInterrupt):
            renumber(source, target, progress=stopping("write ids"), resume=n > 0, **options)
    renumber(source, target, resume=True)
    assert products(tmp_path / "out") == expected


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_is_done_stays_as_it_is(tmp_path, job):
    source_at(tmp_path)
    log = tmp_path / "log"
    read = faulty(tmp_path, "a.zarr", log=log)
    target = tmp_path / "out" / "b.zarr"
    JOBS[job](read, target)
    before = files(tmp_path / "out")
    chunks_read(log)
    report = JOBS[job](read, target, resume=True, threads=1, progress=lambda *step: pytest.fail("it does something"))
    assert report.notes[-1] == "the job was done already: nothing was done now"
    assert not chunks_read(log)
    assert files(tmp_path / "out") == before


def make_foreign_folder(at: Path) -> None:
    at.mkdir()
    (at / "notes.txt").write_text("x")


def make_group(at: Path) -> None:
    zarr.create_group(at).create_array("seg", shape=(3,), dtype="u4")


def make_array_with_a_foreign_file(at: Path) -> None:
    stored(at, np.ones((3, 3)), chunks=(2, 2))
    (at / "c" / "notes.txt").write_text("x")


def make_file(at: Path) -> None:
    at.write_text("x")


@pytest.mark.parametrize("make", [make_foreign_folder, make_group, make_array_with_a_foreign_file, make_file])
@pytest.mark.parametrize("name", ["b.zarr", "b.table.zarr"])
def test_what_is_no_array_is_not_overwritten(tmp_path, make, name):
    source = source_at(tmp_path)
    make(tmp_path / name)
    before = files(tmp_path)
    with pytest.raises(FileExistsError, match=rf"^{tmp_path}/{name} "):
        renumber(source, tmp_path / "b.zarr", overwrite=True)
    assert files(tmp_path) == before


def test_what_holds_the_source_or_leads_to_it_is_not_overwritten(tmp_path):
    group = tmp_path / "group.zarr"
    zarr.create_group(group)
    source = source_at(group)
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "to-group").symlink_to(group)
    before = files(tmp_path)
    for target in (group, tmp_path, source, tmp_path / "link", tmp_path / "to-group", tmp_path / "to-group" / "a.zarr"):
        with pytest.raises(ValueError, match=r"lies inside the target|is the source itself"):
            renumber(source, target, overwrite=True)
    for target in (source / "c", source / "c" / "b.zarr", tmp_path / "link" / "b.zarr"):
        with pytest.raises(ValueError, match="lies inside the source"):
            renumber(source, target, overwrite=True)
    assert files(tmp_path) == before


@pytest.mark.parametrize("job", ["renumber", "unique"])
def test_what_is_overwritten_goes_only_when_the_first_pass_has_succeeded(tmp_path, job):
    source = source_at(tmp_path)
    target = tmp_path / "out" / "b.zarr"
    first = undisturbed(JOBS[job], source, tmp_path / "out")
    zarr.open_array(source, mode="r+")[:8] = 3
    chunk = source / "c" / "2" / "2"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-3])
    with pytest.raises(JobError, match="find labels"):
        JOBS[job](source, target, overwrite=True)
    assert opens(target)
    assert {name: data for name, data in products(tmp_path / "out").items() if "b.job" not in name} == first
    chunk.write_bytes(whole)
    JOBS[job](source, target, resume=True)
    assert products(tmp_path / "out") == undisturbed(JOBS[job], source, tmp_path / "expected") != first
