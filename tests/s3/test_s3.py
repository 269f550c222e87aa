"""Jobs on an S3 endpoint: a server on this machine, spoken to over HTTP."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from faultjobs import JOBS, LAYOUTS, SHAPE, products, renumber, source_at, undisturbed
from stores import labels_of
from zarr.storage import FsspecStore, StorePath

from fastremap_dask import JobLocked, open_table

pytest.importorskip("s3fs", reason="s3fs is not installed")
pytest.importorskip("moto.server", reason='moto is not installed: pip install "moto[server]"')
pytestmark = pytest.mark.slow
NUMBERS = count()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Yield the address of a server that keeps what it gets in memory."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    server.stop()


class Bucket:
    """A bucket of the server, of its own for each test."""

    def __init__(self, endpoint: str, name: str):
        import s3fs

        self.url = f"s3://{name}"
        self.options = {
            "key": "k",
            "secret": "s",
            "client_kwargs": {"endpoint_url": endpoint, "region_name": "eu-central-1"},
        }
        self.files = s3fs.S3FileSystem(**self.options)
        self.files.mkdir(name)

    def store(self, folder: Path) -> None:
        """Put all files under a folder into the bucket."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.files.pipe(f"{self.url}/{path.relative_to(folder)}", path.read_bytes())

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return all that lies under a prefix."""
        self.files.invalidate_cache()
        found = self.files.find(f"{self.url}/{prefix}")
        begin = len(self.url.removeprefix("s3://")) + len(prefix) + 2
        return {name[begin:]: self.files.cat(name) for name in found}


@pytest.fixture
def bucket(endpoint) -> Bucket:
    return Bucket(endpoint, f"bucket-{next(NUMBERS)}")


def left(bucket: Bucket) -> dict[str, bytes]:
    """Return what a job has left under `out`, but its report."""
    return {name: data for name, data in bucket.objects("out").items() if name != "b.report.json"}


# Each job in one layout, and two of them in all.
PAIRS = [(job, layout) for job in JOBS for layout in LAYOUTS if layout == "shards" or job in ("renumber", "transpose")]


@pytest.mark.parametrize(("job", "layout"), PAIRS)
def test_any_job_from_s3_to_s3(tmp_path, bucket, job, layout):
    source = source_at(tmp_path / "in", layout)
    expected = undisturbed(JOBS[job], source, tmp_path / "out")
    bucket.store(tmp_path / "in")
    run = {"component_map": component_map}.get(job, JOBS[job])
    report = run(f"{bucket.url}/a.zarr", f"{bucket.url}/out/b.zarr", threads=2, storage_options=bucket.options)
    assert left(bucket) == expected
    assert (report.targets or (report.table,))[0] == f"{bucket.url}/out/b.zarr"
    assert bucket.objects("a.zarr") == {
        str(path.relative_to(source)): path.read_bytes() for path in source.rglob("*") if path.is_file()
    }


def component_map(source: str, target: str, **options: Any) -> Any:
    from fastremap_dask import component_map_zarr

    return component_map_zarr(source, source.replace("a.zarr", "p.zarr"), target, **options)


@pytest.mark.parametrize("job", ["renumber", "remap"])
def test_worker_processes(tmp_path, bucket, job):
    source = source_at(tmp_path / "in")
    expected = undisturbed(JOBS[job], source, tmp_path / "out")
    bucket.store(tmp_path / "in")
    JOBS[job](f"{bucket.url}/a.zarr", f"{bucket.url}/out/b.zarr", workers=2, storage_options=bucket.options)
    assert left(bucket) == expected


def test_between_here_and_there(tmp_path, bucket):
    source = source_at(tmp_path / "in")
    expected = undisturbed(renumber, source, tmp_path / "out")
    renumber(source, f"{bucket.url}/out/b.zarr", storage_options=bucket.options)
    assert left(bucket) == expected
    bucket.store(tmp_path / "in")
    renumber(f"{bucket.url}/a.zarr", tmp_path / "back" / "b.zarr", storage_options=bucket.options)
    assert products(tmp_path / "back") == expected
    renumber(
        f"{bucket.url}/a.zarr", tmp_path / "c" / "b.zarr", storage_options=bucket.options, scratch=f"{bucket.url}/x"
    )
    assert products(tmp_path / "c") == expected
    assert not bucket.objects("x")


@pytest.mark.parametrize("stage", ["find labels", "merge parts", "write ids"])
def test_resume_and_overwrite(tmp_path, bucket, stage):
    source = source_at(tmp_path / "in")
    expected = undisturbed(renumber, source, tmp_path / "out")
    url, given = f"{bucket.url}/out/b.zarr", {"storage_options": bucket.options}

    def stop(name, n_done, n_blocks):
        if (name, n_done) == (stage, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renumber(source, url, threads=1, progress=stop, **given)
    with pytest.raises(FileNotFoundError):
        zarr.open(url, mode="r", **given)
    with pytest.raises(FileExistsError, match="is unfinished: resume goes on with the job"):
        renumber(source, url, **given)
    assert renumber(source, url, resume=True, **given).resumed
    assert left(bucket) == expected
    with pytest.raises(FileExistsError, match=r"s3://bucket-\d+/out/b.zarr exists and is left as it is"):
        renumber(source, url, **given)
    renumber(source, url, overwrite=True, **given)
    assert left(bucket) == expected
    assert renumber(source, url, resume=True, **given).notes[-1].startswith("the job was done already")


def test_a_second_job_is_told(tmp_path, bucket):
    source = source_at(tmp_path / "in")
    url, given = f"{bucket.url}/out/b.zarr", {"storage_options": bucket.options}

    def second(name, n_done, n_blocks):
        if (name, n_done) == ("write ids", 1):
            with pytest.raises(JobLocked, match=f"process {os.getpid()} of .* remove {bucket.url}/out/b.job/lock"):
                renumber(source, url, resume=True, **given)

    renumber(source, url, threads=1, progress=second, **given)
    table = open_table(StorePath(FsspecStore.from_url(f"{bucket.url}/out/b.table.zarr", **given)))
    np.testing.assert_array_equal(table.old, np.unique(np.append(labels_of(SHAPE), 0)))


def test_other_spellings_of_the_source_are_no_target(tmp_path, bucket):
    source_at(tmp_path / "in")
    bucket.store(tmp_path / "in")
    before = bucket.objects("")
    for spelled in ("a.zarr", "a.zarr/", "./a.zarr"):
        with pytest.raises(ValueError, match="is the source itself, which is never written"):
            renumber(f"{bucket.url}/a.zarr", f"{bucket.url}/{spelled}", storage_options=bucket.options, overwrite=True)
    with pytest.raises(ValueError, match="is the source itself"):
        renumber(
            f"{bucket.url}/a.zarr", f"{bucket.url}/a.zarr".replace("s3://", "s3a://"), storage_options=bucket.options
        )
    with pytest.raises(ValueError, match="lies inside the source"):
        renumber(f"{bucket.url}/a.zarr", f"{bucket.url}/a.zarr/c/b.zarr", storage_options=bucket.options)
    assert bucket.objects("") == before


def test_a_bucket_that_is_not_there(tmp_path, bucket):
    source = source_at(tmp_path / "in")
    with pytest.raises(FileNotFoundError, match=r"there is no Zarr array at s3://no-such-bucket/a\.zarr"):
        renumber("s3://no-such-bucket/a.zarr", tmp_path / "b.zarr", storage_options=bucket.options)
    with pytest.raises(OSError, match="bucket"):
        renumber(source, "s3://no-such-bucket/b.zarr", storage_options=bucket.options)


def test_stores_of_obstore(tmp_path, bucket, endpoint):
    obstore = pytest.importorskip("obstore.store", reason="obstore is not installed")
    from zarr.storage import ObjectStore

    source = source_at(tmp_path / "in")
    expected = undisturbed(renumber, source, tmp_path / "out")
    bucket.store(tmp_path / "in")
    store = obstore.S3Store(
        bucket.url.removeprefix("s3://"),
        endpoint=endpoint,
        access_key_id="k",
        secret_access_key="s",
        region="eu-central-1",
        client_options={"allow_http": True},
    )
    place = StorePath(ObjectStore(store))
    renumber(place / "a.zarr", place / "out" / "b.zarr", threads=2)
    assert left(bucket) == expected
