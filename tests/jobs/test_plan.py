"""Plans are pure arithmetic: blocks cover the volume, fit the memory, and cost nothing to name."""

import ast
import itertools
import math
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastremap_dask import plan
from fastremap_dask.blocksets import PAGE_BITS, BlockSet, covering, pieces_left
from fastremap_dask.plan import Block, Grid, Grids, Volume, make_plan, task_nbytes

CASES = [
    ((), ()),
    ((7,), (3,)),
    ((7,), (100,)),
    ((6, 9), (3, 3)),
    ((5, 4, 11), (2, 4, 3)),
    ((0, 5), (1, 5)),
    ((3, 1, 2, 5), (2, 1, 1, 4)),
]


def planned(shape, unit, itemsizes=(8, 4), **kwargs):
    source, target = (Volume(shape, unit, itemsize) for itemsize in itemsizes)
    return make_plan((source,), (target,), **{"n_threads": 1, **kwargs})


@pytest.mark.parametrize(("shape", "block_shape"), CASES)
def test_blocks_cover_each_voxel_once(shape, block_shape):
    grid = Grid(shape, block_shape)
    covered = np.zeros(shape, int)
    for index, block in enumerate(grid.blocks()):
        assert block == grid.block(index)
        assert block.n_voxels == covered[block.slices].size > 0
        assert all(start % length == 0 for start, length in zip(block.offset, block_shape, strict=True))
        covered[block.slices] += 1
    assert (covered == 1).all()
    assert grid.n_blocks == math.prod(grid.counts)


def test_blocks_are_numbered_in_c_order():
    offsets = [block.offset for block in Grid((5, 4, 11), (2, 4, 3)).blocks()]
    assert offsets == sorted(offsets)


def test_a_block_names_its_box():
    assert str(Block(3, (0, 64), (64, 10))) == "block 3 [0:64, 64:74]"


@pytest.mark.parametrize("unit", [(64, 64, 64), (1, 512, 7), (1000, 1000, 1000), (30, 20, 10)])
@pytest.mark.parametrize("n_voxels", [0, 10**4, 10**6, 10**9])
def test_groups_are_whole_units_within_the_bound(unit, n_voxels):
    volume = Volume((512, 500, 301), unit, 8)
    shape = Grids(volume).shapes[Grids(volume).level(n_voxels)]
    assert all(length % side == 0 for length, side in zip(shape, unit, strict=True))
    assert math.prod(shape) <= n_voxels or shape == unit
    extents = [-(-extent // side) * side for extent, side in zip(volume.shape, unit, strict=True)]
    assert all(length <= extent for length, extent in zip(shape, extents, strict=True))


def test_groups_are_compact():
    grids = Grids(Volume((512, 512, 512), (64, 64, 64), 4))
    assert grids.grid(grids.level(256**3)).block_shape == (256, 256, 256)


def test_a_plan_of_1e8_blocks_costs_nothing():
    tracemalloc.start()
    job = planned((10**6, 10**6, 10**4), (64, 64, 64), memory_limit_nbytes=300_000_000)
    grid = job.grids[0]
    few = list(itertools.islice(grid.blocks(), 3))
    last = grid.block(grid.n_blocks - 1)
    peak_nbytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grid.n_blocks > 10**8
    assert few[2].index == 2
    assert tuple(start + n for start, n in zip(last.offset, last.shape, strict=True)) == (10**6, 10**6, 10**4)
    assert peak_nbytes < 10**6


def test_memory_limit_bounds_threads_and_blocks():
    free = planned((4096, 4096, 4096), (128, 128, 128), n_threads=8)
    assert free.n_threads == 8
    for limit in (300_000_000, 600_000_000, 2_000_000_000):
        job = planned((4096, 4096, 4096), (128, 128, 128), n_threads=8, memory_limit_nbytes=limit)
        assert 1 <= job.n_threads <= 8
        assert job.process_nbytes <= limit
    assert job.n_threads == 8


def test_projected_memory_is_that_of_the_blocks():
    job = planned((256, 256, 256), (64, 64, 64), n_threads=2)
    block_voxels = math.prod(job.grids[0].block_shape)
    nbytes = max(2.5 * 8 * block_voxels, 8 * block_voxels + 3 * 4 * block_voxels) + 64e6
    assert job.task_nbytes == nbytes
    assert job.process_nbytes == 150e6 + 2 * nbytes
    # A worker that keeps what is freed, and comes near its limit by it, would never take a task again.
    assert job.can_keep(None)
    assert job.can_keep(2 * job.process_nbytes)
    assert not job.can_keep(2 * job.process_nbytes - 1)


def test_a_unit_that_does_not_fit_is_refused_with_a_limit_that_suffices():
    with pytest.raises(ValueError, match=r"\(512, 512, 512\) voxels, needs (\d+) MB in a process") as caught:
        planned((4096, 4096, 4096), (512, 512, 512), memory_limit_nbytes=10**9)
    enough = int(str(caught.value).split(" MB")[0].split()[-1]) * 10**6
    assert planned((4096, 4096, 4096), (512, 512, 512), memory_limit_nbytes=enough).process_nbytes <= enough


def test_every_thread_gets_blocks():
    job = planned((512, 512, 512), (64, 64, 64), n_threads=2, n_processes=4)
    assert job.grids[0].n_blocks >= 2 * 4 * plan.BLOCKS_PER_THREAD


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        make_plan((Volume((2,), (1,), 1),), (Volume((3,), (1,), 1),), n_threads=1)


def test_task_nbytes_covers_reading_and_writing():
    assert task_nbytes(10**6, 8, 1) == 20_000_000 + plan.TASK_NBYTES
    assert task_nbytes(10**6, 1, 2) == 7_000_000 + plan.TASK_NBYTES


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_left_covers_what_is_not_done_whatever_the_levels_of_earlier_runs(data):
    ndim = data.draw(st.integers(0, 3))
    shape = tuple(data.draw(st.integers(0, 40)) for _ in range(ndim))
    unit = tuple(data.draw(st.integers(1, 7)) for _ in range(ndim))
    grids, done, covered = Grids(Volume(shape, unit, 1)), {}, np.zeros(shape, int)
    assert grids.shapes[-1] == tuple(max(1, -(-n // u)) * u for n, u in zip(shape, unit, strict=True))
    for run in range(3):
        level = data.draw(st.integers(0, len(grids.shapes) - 1))
        blocks = [(level, number) for number in range(grids.grid(level).n_blocks)]
        before = {at: BlockSet(numbers) for at, numbers in done.items()}
        for piece in pieces_left(0, grids, blocks, level, before):
            assert piece.level <= level
            if run == 2 or data.draw(st.booleans()):
                covered[piece.block.slices] += 1
                done.setdefault(piece.level, BlockSet()).add(piece.block.index)
    assert (covered == 1).all()


def test_a_block_set_is_a_set():
    rng = np.random.default_rng(0)
    numbers = {int(number) for scale in (100, 10**4, 10**12) for number in rng.integers(0, scale, 300)}
    found = BlockSet(numbers)
    assert list(found) == sorted(numbers)
    assert len(found) == len(numbers)
    assert all(number in found for number in numbers)
    assert not any(number in found for number in range(2000) if number not in numbers)


@pytest.mark.parametrize("n", [1, 7, PAGE_BITS - 1, PAGE_BITS, PAGE_BITS + 1, 3 * PAGE_BITS + 5])
def test_the_ends_of_what_is_not_in_a_block_set(n):
    whole = BlockSet(range(n))
    assert whole.first_absent(n) is whole.last_absent(n) is None
    assert BlockSet().first_absent(n) == 0
    assert BlockSet().last_absent(n) == n - 1
    for missing in {0, n // 2, n - 1}:
        others = BlockSet(number for number in range(n) if number != missing)
        assert others.first_absent(n) == others.last_absent(n) == missing


def test_a_bit_for_each_of_many_blocks():
    tracemalloc.start()
    blocks = BlockSet(range(10**6))
    nbytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert nbytes < 10**6 * 3 / 8
    assert len(blocks) == 10**6


def test_units_are_covered_by_blocks_of_any_level():
    grids = Grids(Volume((40, 30), (4, 4), 1))
    units = BlockSet([0, 17, 79])
    for level in range(len(grids.shapes)):
        grid = grids.grid(level)
        expected = {grid.index_at(grids.grid(0).block(number).offset) for number in units}
        assert list(covering(units, grids, level)) == sorted(expected)


def test_a_sparse_volume_is_planned_by_what_is_stored():
    volume = Volume((10**6, 10**6, 10**4), (64, 64, 64), 8)
    job = make_plan((volume,), (volume,), n_threads=2, n_units=100)
    assert math.prod(job.grids[0].block_shape) <= 100 * 64**3 / 8


def test_plan_imports_the_standard_library_alone():
    tree = ast.parse(Path(plan.__file__).read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= set(sys.stdlib_module_names)
