"""The demonstration: its volume, and a check that finds a single wrong voxel."""

import numpy as np
import pytest
import zarr
from stores import labels_of, stored

import fastremap
from fastremap_dask import check, cli, demo, renumber_zarr
from fastremap_dask.plan import Grid


def ignore(stage, n_done, n_blocks):
    """Take the place of a progress."""


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    """Return a volume of the demonstration and its renumbering."""
    folder = tmp_path_factory.mktemp("demo")
    demo.make_volume(folder / "a.zarr", 26_000_000, 2, ignore)
    renumber_zarr(folder / "a.zarr", folder / "b.zarr", threads=2)
    return folder / "a.zarr", folder / "b.zarr"


@pytest.fixture
def target(volumes, tmp_path):
    """Return a copy of the renumbering, to be spoiled."""
    ids = zarr.open_array(volumes[1], mode="r")
    return stored(tmp_path / "b.zarr", ids[...], chunks=(64, 64, 64))


def test_the_volume_is_what_is_promised(volumes):
    array = zarr.open_array(volumes[0], mode="r")
    labels = array[...]
    assert abs(labels.nbytes - 26_000_000) < 1_000_000
    assert array.shards == (128, 128, 128)
    assert any(extent % 128 for extent in array.shape)
    known, counts = np.unique(labels, return_counts=True)
    assert len(known) >= 100_000
    assert known[0] == 0
    assert 0.05 < counts[0] / labels.size < 0.25
    quarters = np.bincount((known[1:] >> np.uint64(61)).astype(int))
    assert len(quarters) == 4
    assert (quarters > len(known) / 5).all()
    first, second = labels[:128], labels[128:]
    assert len(np.intersect1d(first, second)) > 100


def test_the_volume_does_not_depend_on_its_blocks():
    shape = (40, 50, 30)
    whole = demo.cell_labels(Grid(shape, shape).block(0), 5)
    parts = np.zeros(shape, np.uint64)
    for block in Grid(shape, (16, 50, 7)).blocks():
        parts[block.slices] = demo.cell_labels(block, 5)
    np.testing.assert_array_equal(parts, whole)


def test_the_default_size_has_labels_enough():
    """As many cells as 800 MB of the default cells hold, counted on a thin slab."""
    slab = demo.cell_labels(Grid((464, 464, 464), (9, 464, 464)).block(20), demo.CELL_LENGTH)
    assert len(np.unique(slab)) * 464 / 9 / 2 > 100_000


def test_what_is_right_is_found_right(volumes):
    verdict = check.verify(*volumes, 2, ignore)
    assert (verdict.n_wrong, verdict.first_wrong) == (0, "")
    assert verdict.n_labels == len(np.unique(zarr.open_array(volumes[0], mode="r")[...]))


@pytest.mark.parametrize("voxel", [(0, 0, 0), (147, 147, 140), (60, 130, 129)])
def test_one_wrong_voxel_is_found(volumes, target, voxel):
    array = zarr.open_array(target, mode="r+")
    right = int(array[voxel])
    array[voxel] = right + 1
    verdict = check.verify(volumes[0], target, 2, ignore)
    label = int(zarr.open_array(volumes[0], mode="r")[voxel])
    assert verdict.n_wrong == 1
    assert verdict.first_wrong == f"voxel {voxel} with the label {label} has the id {right + 1}, expected {right}"


def test_two_ids_exchanged_everywhere_are_found(volumes, target):
    array = zarr.open_array(target, mode="r+")
    ids = array[...]
    one, other = ids == 5, ids == 77_777
    ids[one], ids[other] = 77_777, 5
    array[...] = ids
    assert check.verify(volumes[0], target, 2, ignore).n_wrong == one.sum() + other.sum() > 2


def test_two_labels_with_one_id_are_found(volumes, target):
    array = zarr.open_array(target, mode="r+")
    ids = array[...]
    other = ids == 77_777
    ids[other] = 5
    array[...] = ids
    assert check.verify(volumes[0], target, 2, ignore).n_wrong == other.sum() > 1


def test_a_background_with_an_id_is_found(volumes, target):
    array = zarr.open_array(target, mode="r+")
    ids = array[...]
    background = ids == 0
    ids[background] = ids.max() + 1
    array[...] = ids
    assert check.verify(volumes[0], target, 2, ignore).n_wrong == background.sum()


def test_another_shape_is_found(volumes, tmp_path):
    other = stored(tmp_path / "b.zarr", np.zeros((3, 3, 3), "u4"), chunks=(3, 3, 3))
    assert check.verify(volumes[0], other, 2, ignore).n_wrong == 27


def test_expected_ids_are_those_of_the_definition():
    labels = labels_of((30, 40))
    known, first = np.unique(labels, return_index=True)
    expected, _ = fastremap.renumber(labels)
    ids = check.expected_ids(known, first)
    np.testing.assert_array_equal(ids[np.searchsorted(known, labels)], expected)


@pytest.fixture
def on_threads(monkeypatch):
    """Run the job of the demonstration on threads: that it runs on workers is tested elsewhere."""

    def run(source, target, *, workers, memory_limit, progress):
        return renumber_zarr(source, target, threads=workers, progress=progress)

    monkeypatch.setattr(demo, "renumber_zarr", run)


def invoke(*arguments):
    from click.testing import CliRunner

    return CliRunner().invoke(cli.main, ["demo", "--size", "4MB", *map(str, arguments)])


def test_the_command_says_what_it_did(on_threads, tmp_path):
    result = invoke("--keep", tmp_path / "kept" / "here")
    assert result.exit_code == 0
    for text in ("uint64 to uint32", "over 63 bits", "every voxel is right, by numpy alone", "4.0 MB to 2.0 MB"):
        assert text in result.stdout
    names = ["ids.report.json", "ids.table.zarr", "ids.zarr", "labels.zarr"]
    assert sorted(path.name for path in (tmp_path / "kept" / "here").iterdir()) == names
    again = invoke("--keep", tmp_path / "kept" / "here")
    assert again.exit_code == 1
    assert again.stderr.startswith("error: ")


def test_the_command_fails_for_one_wrong_voxel(on_threads, monkeypatch):
    right = demo.renumber_zarr

    def spoiled(source, target, **options):
        report = right(source, target, **options)
        zarr.open_array(target, mode="r+")[1, 2, 3] = 1_000_000
        return report

    monkeypatch.setattr(demo, "renumber_zarr", spoiled)
    result = invoke()
    assert result.exit_code == 1
    assert "wrong voxels: 1" in result.stdout
    assert result.stderr.splitlines()[-1].startswith("error: wrong voxels: 1; the first: voxel (1, 2, 3) with")
