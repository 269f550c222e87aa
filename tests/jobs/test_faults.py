"""What goes wrong is said in one line, and leaves neither a changed source nor anything that looks like a target."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr
from stores import counting, files, labels_of, stored
from zarr.storage import LocalStore, StorePath

import fastremap
from fastremap_dask import renumber_zarr
from fastremap_dask.plan import Block
from fastremap_dask.stages import JobError
from fastremap_dask.stored import Stored
from fastremap_dask.writing import write_block

SHARDED = {"chunks": (4, 4), "shards": (8, 8)}
CHUNKED = {"chunks": (8, 8)}


@pytest.fixture
def source(tmp_path) -> Path:
    return stored(tmp_path / "a.zarr", labels_of((40, 30)), **SHARDED)


@pytest.fixture
def locked() -> Iterator[Path]:
    """Yield a folder in which this process may not write, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        locked = folder / "locked"
        locked.mkdir(mode=0o555)
        superuser = os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        try:
            yield locked
        finally:
            if superuser:
                os.seteuid(0)
            locked.chmod(0o755)


def damage(source: Path, change: Callable[[bytes], bytes]) -> Path:
    """Change one stored object of a volume."""
    target = source / "c" / "1" / "2"
    target.write_bytes(change(target.read_bytes()))
    return target


@pytest.mark.parametrize("layout", [SHARDED, CHUNKED, CHUNKED | {"compressors": None}], ids=["shards", "chunks", "raw"])
@pytest.mark.parametrize("keep", [0, 20, -1])
def test_a_truncated_chunk_names_its_block(tmp_path, layout, keep):
    source = stored(tmp_path / "a.zarr", labels_of((40, 30)), **layout)
    whole = files(source)
    renumber_zarr(source, tmp_path / "expected.zarr")
    damaged = damage(source, lambda data: data[:keep])
    before = files(source)
    with pytest.raises(JobError, match=r"^find labels: block \d+ \[.*\]: .+") as caught:
        renumber_zarr(source, tmp_path / "b.zarr", threads=2)
    assert "\n" not in str(caught.value)
    assert files(source) == before
    assert not (tmp_path / "b.zarr").exists()
    damaged.write_bytes(whole["c/1/2"])
    renumber_zarr(source, tmp_path / "b.zarr", resume=True)
    assert files(tmp_path / "b.zarr") == files(tmp_path / "expected.zarr")


def test_a_flipped_bit_is_found_where_there_is_a_checksum(tmp_path):
    codec = zarr.codecs.ZstdCodec(checksum=True)
    source = stored(tmp_path / "a.zarr", labels_of((40, 30)), **CHUNKED, compressors=codec)
    damage(source, lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    with pytest.raises(JobError, match=r"block \d+"):
        renumber_zarr(source, tmp_path / "b.zarr")


def test_a_missing_source(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"^there is no Zarr array at {tmp_path}/a.zarr$"):
        renumber_zarr(tmp_path / "a.zarr", tmp_path / "b.zarr")
    assert not list(tmp_path.iterdir())


def test_a_group_is_no_source(tmp_path):
    zarr.create_group(tmp_path / "a.zarr").create_array("seg", shape=(3,), dtype="u4")
    with pytest.raises(TypeError, match=r'lack "multiscales"; its arrays: seg: name one, such as .*/a.zarr/seg$'):
        renumber_zarr(tmp_path / "a.zarr", tmp_path / "b.zarr")


@pytest.mark.filterwarnings("ignore:The data type")
@pytest.mark.parametrize("dtype", ["f4", "c8", "M8[s]", "U3"])
def test_only_labels_are_renumbered(tmp_path, dtype):
    zarr.create_array(tmp_path / "a.zarr", shape=(3,), dtype=dtype)
    with pytest.raises(TypeError, match=r"labels are bool or integers of 8 to 64 bits$"):
        renumber_zarr(tmp_path / "a.zarr", tmp_path / "b.zarr")
    assert not (tmp_path / "b.zarr").exists()


@pytest.mark.parametrize("name", ["b.zarr", "b.table.zarr"])
@pytest.mark.parametrize("content", ["file", "array", "group", "foreign folder"])
def test_what_exists_is_left_alone(source, tmp_path, name, content):
    if content == "file":
        (tmp_path / name).write_text("x")
    elif content == "array":
        stored(tmp_path / name, np.ones((3, 3)), chunks=(2, 2))
    elif content == "group":
        zarr.create_group(tmp_path / name)
    else:
        (tmp_path / name / "deep" / "deeper").mkdir(parents=True)
        (tmp_path / name / "deep" / "deeper" / "notes.txt").write_text("x")
    before = files(tmp_path)
    with pytest.raises(FileExistsError, match=f"^{tmp_path}/{name} exists and is left as it is"):
        renumber_zarr(source, tmp_path / "b.zarr")
    assert files(tmp_path) == before


def test_the_source_itself_is_no_target(source, tmp_path):
    before = files(tmp_path)
    for target in (source, zarr.open_array(source, mode="r+"), tmp_path / "link.zarr"):
        if isinstance(target, Path) and target.name == "link.zarr":
            target.symlink_to(source)
        for options in ({}, {"overwrite": True}):
            with pytest.raises(ValueError, match="is the source itself, which is never written"):
                renumber_zarr(source, target, **options)
    (tmp_path / "link.zarr").unlink()
    assert files(tmp_path) == before


def test_a_target_inside_the_source_is_refused(source, tmp_path):
    (tmp_path / "link").symlink_to(source)
    before = files(tmp_path)
    for target in (source / "b.zarr", source / "c" / "b.zarr", tmp_path / "link" / "b.zarr"):
        with pytest.raises(ValueError, match="lies inside the source"):
            renumber_zarr(source, target)
    place = StorePath(zarr.storage.MemoryStore(), "a")
    zarr.create_array(place, shape=(3,), dtype="u4")
    with pytest.raises(ValueError, match="lies inside the source"):
        renumber_zarr(place, place / "b")
    assert files(tmp_path) == before


def test_an_empty_folder_is_no_target_yet(source, tmp_path):
    (tmp_path / "b.zarr").mkdir()
    renumber_zarr(source, tmp_path / "b.zarr")
    assert zarr.open_array(tmp_path / "b.zarr", mode="r").shape == (40, 30)


def test_a_target_under_a_file(source, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match=f"^{tmp_path}/file is a file"):
        renumber_zarr(source, tmp_path / "file" / "deep" / "b.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "file"]


def test_a_folder_without_permission(locked):
    source = StorePath(zarr.storage.MemoryStore(), "a")
    zarr.create_array(source, shape=(40, 30), dtype="u8", **CHUNKED)[...] = labels_of((40, 30))
    with pytest.raises(PermissionError, match=f"{locked}/b.job"):
        renumber_zarr(source, locked / "b.zarr")
    with pytest.raises(PermissionError, match=f"{locked}/new"):
        renumber_zarr(source, locked / "new" / "b.zarr")
    assert not list(locked.iterdir())


@pytest.mark.parametrize("fail_at", range(1, 24))
def test_a_store_that_fails_leaves_a_job_to_resume(source, tmp_path, fail_at):
    """No write but a sign of life may fail without an error, and none leaves anything that resuming does not mend."""
    renumber_zarr(source, tmp_path / "expected.zarr")
    target = counting(tmp_path, "b.zarr", fail_at, spare="beat")
    with pytest.raises((JobError, OSError), match="No space left on device"):
        renumber_zarr(source, target, threads=2)
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b.zarr", mode="r")
    if (tmp_path / "b.job" / "job.json").exists():
        renumber_zarr(source, tmp_path / "b.zarr", resume=True)
    else:
        renumber_zarr(source, tmp_path / "b.zarr")
    assert files(tmp_path / "b.zarr") == files(tmp_path / "expected.zarr")
    assert files(tmp_path / "b.table.zarr") == files(tmp_path / "expected.table.zarr")
    assert not (tmp_path / "b.job").exists()


def test_a_block_that_cannot_be_written_is_named(source, tmp_path):
    def block_the_way(stage, n_done, n_blocks):
        if stage == "write ids" and n_done == 0:
            (tmp_path / "new" / "b.zarr").mkdir()
            (tmp_path / "new" / "b.zarr" / "c").write_text("a file where a folder has to be")

    with pytest.raises(JobError, match=r"^write ids: block \d+ \[.*\]: .*b\.zarr/c"):
        renumber_zarr(source, tmp_path / "new" / "b.zarr", progress=block_the_way)
    (tmp_path / "new" / "b.zarr" / "c").unlink()
    renumber_zarr(source, tmp_path / "new" / "b.zarr", resume=True)
    renumber_zarr(source, tmp_path / "expected.zarr")
    assert files(tmp_path / "new" / "b.zarr") == files(tmp_path / "expected.zarr")


@pytest.mark.parametrize("stage", ["find labels", "merge parts", "merge route", "write ids"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_what_is_interrupted_is_resumed(source, tmp_path, stage, interruption):
    renumber_zarr(source, tmp_path / "expected.zarr")

    def interrupt(name, n_done, n_blocks):
        if (name, n_done) == (stage, 1):
            raise interruption

    for target in (tmp_path / "b.zarr", tmp_path / "new" / "deep" / "b.zarr"):
        before = files(source)
        with pytest.raises(interruption) as caught:
            renumber_zarr(source, target, threads=1, progress=interrupt)
        assert caught.value.__notes__ == ["what is done is kept, and resuming goes on with it"]
        assert files(source) == before
        with pytest.raises(FileNotFoundError):
            zarr.open(target, mode="r")
        with pytest.raises(FileExistsError, match="is unfinished: resume goes on with the job, overwrite begins it"):
            renumber_zarr(source, target)
        report = renumber_zarr(source, target, resume=True, threads=2)
        assert report.resumed
        assert sum(stage.n_skipped for stage in report.stages) >= (stage in ("find labels", "write ids"))
        assert files(target) == files(tmp_path / "expected.zarr")
        assert files(target.with_suffix(".table.zarr")) == files(tmp_path / "expected.table.zarr")
        assert sorted(path.name for path in target.parent.glob("b*")) == ["b.report.json", "b.table.zarr", "b.zarr"]


def test_the_target_opens_only_when_it_is_done(source, tmp_path):
    def look(name, n_done, n_blocks):
        for mode in ("r", "r+"):
            with pytest.raises(FileNotFoundError):
                zarr.open(tmp_path / "b.zarr", mode=mode)

    renumber_zarr(source, tmp_path / "b.zarr", progress=look)
    assert zarr.open_array(tmp_path / "b.zarr", mode="r").shape == (40, 30)


def gains_a_label(array: zarr.Array) -> None:
    array[39, 29] = 12345


def swaps_two_labels(array: zarr.Array) -> None:
    array[38:40, 29] = array[38:40, 29][::-1]


def gains_a_chunk(array: zarr.Array) -> None:
    array[8:16, 8:16] = 7


@pytest.mark.parametrize("change", [gains_a_label, swaps_two_labels, gains_a_chunk])
@pytest.mark.parametrize("layout", [SHARDED, CHUNKED], ids=["shards", "chunks"])
def test_a_source_that_changes_between_the_passes(tmp_path, layout, change):
    labels = labels_of((40, 30))
    labels[8:16, 8:16] = 0
    labels[38, 29] = labels[0, 0]
    assert labels[38, 29] != labels[39, 29]
    source = stored(tmp_path / "a.zarr", labels, **layout)

    def changing(stage, n_done, n_blocks):
        if (stage, n_done) == ("merge parts", 0):
            change(zarr.open_array(source, mode="r+"))

    with pytest.raises(JobError, match=r"block \d+ \[.*\].*changed since its labels were found|has come: begin anew"):
        renumber_zarr(source, tmp_path / "b.zarr", progress=changing, threads=1)
    with pytest.raises(FileNotFoundError):
        zarr.open(tmp_path / "b.zarr", mode="r")
    renumber_zarr(source, tmp_path / "b.zarr", overwrite=True)
    expected, _ = fastremap.renumber(zarr.open_array(source, mode="r")[...])
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b.zarr", mode="r")[...], expected)


@pytest.mark.parametrize("layout", [SHARDED, CHUNKED, {**CHUNKED, "zarr_format": 2}], ids=["shards", "chunks", "v2"])
def test_each_object_of_the_target_is_written_once(tmp_path, layout):
    labels = labels_of((40, 30))
    labels[:8, :8] = 0
    source = stored(tmp_path / "a.zarr", labels, **layout)
    target = counting(tmp_path / "out", "b.zarr")
    renumber_zarr(source, target, threads=2)
    written = {key: n for key, n in target.store.sets.items() if key.startswith("b.zarr/")}
    assert set(written.values()) == {1}
    assert {f"out/{key}" for key in written} == {key for key in files(tmp_path) if key.startswith("out/b.zarr/")}
    n_documents = 2 if layout.get("zarr_format") == 2 else 1
    assert len(written) == 5 * 4 - 1 + n_documents


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"start": -1}, ValueError, "the new id -1"),
        ({"start": 2**64}, ValueError, "does not fit uint64"),
        ({"start": 0}, ValueError, "start=0 would give the id 0"),
        ({"dtype": "u1", "start": 250}, ValueError, "does not fit dtype uint8"),
        ({"dtype": "f4"}, TypeError, "dtype=float32 is not supported"),
        ({"order": "random"}, ValueError, "order='random' is not supported"),
        ({"start": 1.5}, TypeError, "float"),
        ({"workers": 0}, ValueError, "workers must be at least 1, not 0"),
        ({"threads": -2}, ValueError, "threads must be at least 1, not -2"),
        ({"memory_limit": "100 MB"}, ValueError, "the memory limit is 100 MB"),
        ({"memory_limit": 0}, ValueError, "memory_limit must be at least 1"),
        ({"memory_limit": "many"}, ValueError, "many"),
        ({"client": object(), "workers": 2}, ValueError, "client= has workers of its own"),
    ],
)
def test_wrong_parameters_write_nothing(source, tmp_path, options, error, text):
    before = files(tmp_path)
    with pytest.raises(error, match=text):
        renumber_zarr(source, tmp_path / "b.zarr", **options)
    assert files(tmp_path) == before
    assert not (tmp_path / "b.zarr").exists()


def test_wrong_places(source):
    with pytest.raises(TypeError, match="not as int"):
        renumber_zarr(3, "b.zarr")
    with pytest.raises(ValueError, match="names no array inside a bucket"):
        renumber_zarr(source, "s3://b.zarr")
    with pytest.raises(ImportError, match=r"nothing://x/y cannot be opened: .* obstore"):
        renumber_zarr(source, "nothing://x/y")
    with pytest.raises(ValueError, match="must have a path inside"):
        renumber_zarr(source, zarr.storage.MemoryStore())
    with pytest.raises(ValueError, match="only threads of this process share"):
        renumber_zarr(source, StorePath(zarr.storage.MemoryStore(), "b"), workers=2)


def test_a_lossy_codec_is_refused_before_any_voxel_is_read(tmp_path):
    lossy = [{"name": "numcodecs.bitround", "configuration": {"keepbits": 4}}]
    source = tmp_path / "a.zarr"
    with pytest.warns(UserWarning, match="Numcodecs codecs"):
        zarr.create_array(source, shape=(16,), dtype="u4", chunks=(8,), filters=lossy)
        with pytest.raises(ValueError, match=r"the codecs of .* cannot store ids"):
            renumber_zarr(source, tmp_path / "b.zarr", progress=lambda *_: pytest.fail("it has begun"))


class SlowToOpen(LocalStore):
    """A folder that takes its time to open."""

    async def _open(self, **options) -> None:
        time.sleep(0.2)
        await super()._open(**options)


def test_threads_that_write_first_open_a_store_once(tmp_path):
    stored(tmp_path / "a.zarr", np.zeros((2, 4), "u4"), chunks=(1, 4))
    target = Stored(StorePath(SlowToOpen(tmp_path), "a.zarr"), zarr.open_array(tmp_path / "a.zarr").metadata.to_dict())
    rows = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], "u4")

    def write(row: int) -> None:
        write_block(target, Block(row, (row, 0), (1, 4)), rows[row : row + 1], durable=False)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, range(2)))
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a.zarr")[:], rows)
