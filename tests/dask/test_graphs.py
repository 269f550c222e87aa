"""What the graphs of Dask arrays are like: lazy, trees of a stated fan-in, two passes apart, tables sent once."""

import subprocess
import sys
from collections import ChainMap, Counter
from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from dask.highlevelgraph import MaterializedLayer
from distributed import Client, LocalCluster, wait

import fastremap
import fastremap_dask
from fastremap import LabelTable
from fastremap_dask import labels
from fastremap_dask.graphs import read_apart
from fastremap_dask.reductions import FAN_IN

MERGES = ("merge-states-partial", "merge-states-aggregate")
ALL_PARTS = {"return_index": True, "return_inverse": True, "return_counts": True}


def volume(n_blocks: tuple[int, ...], counter: Counter | None = None) -> da.Array:
    """Return uint64 labels in blocks of 2 voxels an axis, made when computed; `counter` counts the blocks made."""

    def make(block_id: tuple[int, ...]) -> np.ndarray:
        if counter is not None:
            counter[block_id] += 1
        rng = np.random.default_rng(block_id)
        return rng.integers(0, 5, (2,) * len(block_id), np.uint64) * np.uint64(2**60 + 1)

    return da.map_blocks(make, chunks=tuple((2,) * n for n in n_blocks), dtype=np.uint64, meta=np.empty((), np.uint64))


def merges(array: da.Array) -> list[int]:
    """Return how many states each merge of a graph takes, before any optimisation."""
    graph = array.__dask_graph__()
    needs = graph.get_all_dependencies()
    return [len(needs[key]) for key in graph if isinstance(key, tuple) and key[0].startswith(MERGES)]


@pytest.mark.parametrize(
    ("n_blocks", "split_every", "widest", "n_merges"),
    [
        ((1000,), FAN_IN, 8, 125 + 16 + 2 + 1),
        ((1000,), 2, 2, 500 + 250 + 125 + 63 + 32 + 16 + 8 + 4 + 2 + 1),
        ((1000,), 10, 10, 100 + 10 + 1),
        ((30, 30), FAN_IN, 4, 15**2 + 8**2 + 4**2 + 2**2 + 1),
        ((30, 30), 16, 16, 8**2 + 2**2 + 1),
        ((1, 900), FAN_IN, 8, 113 + 15 + 2 + 1),
        ((10, 10, 10), FAN_IN, 8, 5**3 + 3**3 + 2**3 + 1),
        ((10, 10, 10), 4, 4, 10 * (5**2 + 3**2 + 2**2 + 1) + 3 + 1),
        ((1, 1, 1), FAN_IN, 1, 1),
        ((4, 4, 4, 4), FAN_IN, 8, 4 * (2**3 + 1) + 1),
        ((2, 2, 2, 2, 2), 3, 2, 16 + 8 + 4 + 2 + 1),
    ],
)
def test_fan_in_is_read_off_the_graph(n_blocks: tuple, split_every: int, widest: int, n_merges: int) -> None:
    array = volume(n_blocks)
    values = fastremap_dask.unique(array, split_every=split_every)
    taken = merges(values)
    assert max(taken) == widest <= split_every
    assert len(taken) == n_merges
    with dask.config.set(scheduler="synchronous"):
        assert values.compute().size == 5


def test_tasks_are_linear_in_blocks() -> None:
    lazy, _ = fastremap_dask.renumber(volume((10, 10, 10)), dtype="u2")
    n_blocks = 1000
    needs = dask.optimize(lazy)[0].__dask_graph__().get_all_dependencies()
    n_merges = 5**3 + 3**3 + 2**3 + 1
    assert 2 * n_blocks < len(needs) <= 2 * n_blocks + n_merges  # each pass reads and works in one task a block
    assert max(map(len, needs.values())) == FAN_IN


def forbidden(*args: Any, **kwargs: Any) -> None:
    """Stand for a scheduler that must not run."""
    raise AssertionError("something was computed")


LAZY: dict[str, Callable] = {
    "unique": lambda array: fastremap_dask.unique(array, **ALL_PARTS),
    "unique, unsorted": lambda array: fastremap_dask.unique(array, sorted=False, equal_nan=False),
    "renumber": lambda array: fastremap_dask.renumber(array, dtype="u1"),
    "renumber, sorted": lambda array: fastremap_dask.renumber(array, dtype="u1", order="sorted"),
    "remap": lambda array: fastremap_dask.remap(array, {1: 2}, preserve_missing_labels=True),
    "remap by table": lambda array: fastremap_dask.remap(array, LabelTable.from_dict({1: 2}), fill_value=0),
    "remap_from_array": lambda array: fastremap_dask.remap_from_array(array, [3, 2, 1]),
    "remap_from_array_kv": lambda array: fastremap_dask.remap_from_array_kv(array, [1], [2]),
    "mask": lambda array: fastremap_dask.mask(array, [1]),
    "mask_except": lambda array: fastremap_dask.mask_except(array, [1]),
    "component_map": lambda array: fastremap_dask.component_map(array, array),
    "inverse_component_map": lambda array: fastremap_dask.inverse_component_map(array, array),
    "refit to a dtype": lambda array: fastremap_dask.refit(array, dtype="u8"),
    "refit to a value": lambda array: fastremap_dask.refit(array, value=2**63),
    "minmax": fastremap_dask.minmax,
    "foreground": fastremap_dask.foreground,
    "pixel_pairs": fastremap_dask.pixel_pairs,
    "indices": lambda array: fastremap_dask.indices(array, 0),
    "is_solid": fastremap_dask.is_solid,
    "is_sorted": fastremap_dask.is_sorted,
    "point_cloud": fastremap_dask.point_cloud,
    "point_cloud, shell": lambda array: fastremap_dask.point_cloud(array, shell=True),
    "transpose": fastremap_dask.transpose,
    "asfortranarray": fastremap_dask.asfortranarray,
    "ascontiguousarray": fastremap_dask.ascontiguousarray,
    "tobytes": lambda array: fastremap_dask.tobytes(array, (2,) * array.ndim),
}
# Of the optimised graph of a thousand blocks, 10 along each axis: how many tasks there are, and the longest chain of
# them. A tree of merges has 5**3 + 3**3 + 2**3 + 1, the last of which is not fused into the tasks that read it.
N_BLOCKS, TREE = 1000, 161
ONE_PASS, TWO_PASSES, POINTWISE = N_BLOCKS + TREE, 2 * N_BLOCKS + TREE, N_BLOCKS
GRAPHS = {
    "unique": (TWO_PASSES + 6, 8),
    "unique, unsorted": (ONE_PASS, 6),
    "renumber": (TWO_PASSES, 6),
    "renumber, sorted": (TWO_PASSES, 6),
    "minmax": (ONE_PASS + 1, 6),
    "component_map": (ONE_PASS, 5),
    "inverse_component_map": (ONE_PASS, 5),
    "foreground": (ONE_PASS, 6),
    "is_solid": (ONE_PASS, 6),
    "indices": (ONE_PASS + 220, 6),  # a tree for each of ten slabs
    "pixel_pairs": (8 * N_BLOCKS, 10),  # two faces of each block, which the next one compares
    "is_sorted": (8 * N_BLOCKS, 10),
    "point_cloud, shell": (14 * N_BLOCKS, 8),  # borders along three axes
    "remap": (POINTWISE + 2, 3),
    "remap by table": (POINTWISE + 2, 3),
    "remap_from_array": (POINTWISE + 2, 3),
    "remap_from_array_kv": (POINTWISE + 2, 3),
    "mask": (POINTWISE + 2, 3),
    "mask_except": (POINTWISE + 2, 3),
}


def parts(result: Any) -> tuple:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", LAZY)
def test_building_computes_nothing(name: str) -> None:
    with dask.config.set(scheduler=forbidden):
        results = parts(LAZY[name](volume((3, 3))))
    for result in results:
        assert hasattr(result, "compute")
        with dask.config.set(scheduler=forbidden), pytest.raises(AssertionError, match="computed"):
            result.compute()


def graph_of(*results: Any) -> dict:
    """Return the optimised graph of several results."""
    return dict(ChainMap(*(dict(each.__dask_graph__()) for each in dask.optimize(*results))))


def depth(graph: dict) -> int:
    """Return the length of the longest chain of tasks."""
    needs = {key: getattr(task, "dependencies", ()) for key, task in graph.items()}
    ranks: dict = {}
    for key in TopologicalSorter(needs).static_order():
        ranks[key] = 1 + max((ranks[need] for need in needs[key]), default=0)
    return max(ranks.values())


@pytest.mark.parametrize("name", LAZY)
def test_graphs_are_shallow_and_linear_in_blocks(name: str) -> None:
    graph = graph_of(*parts(LAZY[name](volume((10, 10, 10)))))
    most_tasks, most_depth = GRAPHS.get(name, (POINTWISE, 1))
    assert N_BLOCKS <= len(graph) <= most_tasks
    assert depth(graph) <= most_depth


def test_a_graph_of_100_000_blocks_is_built_by_rules() -> None:
    """Before it is optimised only merges are written down task by task; all else is one rule for all blocks."""
    array = volume((47, 47, 47))
    for name in ("unique", "renumber", "remap", "mask", "component_map", "foreground", "transpose", "point_cloud"):
        for result in parts(LAZY[name](array)):
            layers = result.__dask_graph__().layers.values()
            written = sum(len(layer) for layer in layers if isinstance(layer, MaterializedLayer))
            assert written < 0.16 * array.npartitions
            assert len(layers) < 40


def test_renumber_without_dtype_sees_the_labels_once() -> None:
    made: Counter = Counter()
    array = volume((3, 4), made)
    with dask.config.set(scheduler="synchronous"):
        result, table = fastremap_dask.renumber(array)
        assert set(made.values()) == {1}
        assert len(made) == 12
        assert isinstance(table, LabelTable)
        with dask.config.set(scheduler=forbidden), pytest.raises(AssertionError, match="computed"):
            fastremap_dask.renumber(array)
        np.testing.assert_array_equal(result.compute(), fastremap.renumber(array.compute())[0], strict=True)


@pytest.mark.parametrize(
    ("n_reads", "build"),
    [
        (1, lambda array: fastremap_dask.unique(array, return_index=True, return_counts=True)),
        (2, lambda array: fastremap_dask.unique(array, **ALL_PARTS)),
        (2, lambda array: fastremap_dask.renumber(array, dtype="u1")),
        (1, lambda array: fastremap_dask.minmax(array)),
        (1, lambda array: (fastremap_dask.remap(array, {}, fill_value=1),)),
    ],
)
def test_blocks_are_read_once_a_pass(n_reads: int, build: Callable) -> None:
    made: Counter = Counter()
    dask.compute(*build(volume((3, 4), made)), scheduler="synchronous")
    assert set(made.values()) == {n_reads}


def test_the_lazy_table_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter = Counter()

    def counting(state: Any, *, real: Callable = labels._table_of_state, **rules: Any) -> LabelTable:
        made["table"] += 1
        return real(state, **rules)

    monkeypatch.setattr(labels, "_table_of_state", counting)
    result, lazy = fastremap_dask.renumber(volume((4, 4)), dtype="u4")
    ids, table = dask.compute(result, lazy, scheduler="synchronous")
    assert made["table"] == 1
    assert isinstance(table, LabelTable)
    assert ids.dtype == np.uint32
    assert lazy.persist(scheduler="synchronous").compute() == lazy.compute(scheduler="synchronous") == table


def test_equal_calls_have_equal_keys() -> None:
    array = volume((3, 3))
    for build in LAZY.values():
        keys = [[result.__dask_keys__() for result in parts(build(array))] for _ in range(2)]
        assert keys[0] == keys[1]
    different = {str(parts(build(array))[0].__dask_keys__()) for build in LAZY.values()}
    assert len(different) == len(LAZY) - 1  # of the calls above two have one table and one rule


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i8", "f4"])
def test_each_block_has_the_declared_type_and_shape(dtype: str) -> None:
    source = da.from_array(np.arange(7 * 9).reshape(7, 9).astype(dtype), chunks=((3, 0, 4), (4, 5)))
    results = [
        fastremap_dask.renumber(source)[0],
        fastremap_dask.renumber(source, dtype="u8")[0],
        fastremap_dask.remap(source, {1: 300}, preserve_missing_labels=True),
        fastremap_dask.remap(source, {1: 1}, fill_value=0),
        fastremap_dask.mask(source, [1], value=300),
        fastremap_dask.mask_except(source, [1]),
        fastremap_dask.remap_from_array_kv(source, [0], [7]),
        fastremap_dask.refit(source),
        fastremap_dask.refit(source, value=0, increase_only=True),
        *fastremap_dask.unique(source, **ALL_PARTS),
        *fastremap_dask.unique(source, sorted=False, equal_nan=False, **ALL_PARTS),
        *fastremap_dask.minmax(source),
        fastremap_dask.foreground(source),
        fastremap_dask.pixel_pairs(source),
        fastremap_dask.indices(source, 1),
        fastremap_dask.is_solid(source),
        fastremap_dask.is_sorted(source),
        fastremap_dask.transpose(source),
        fastremap_dask.asfortranarray(source),
        fastremap_dask.ascontiguousarray(source),
    ]
    for result in results:
        meta = result._meta
        assert (type(meta), meta.dtype, meta.ndim) == (np.ndarray, result.dtype, result.ndim)
        for at, delayed in np.ndenumerate(result.to_delayed()):
            block = delayed.compute(scheduler="synchronous")
            assert (type(block), block.dtype) == (np.ndarray, result.dtype)
            declared = [result.chunks[axis][place] for axis, place in enumerate(at)]
            assert all(np.isnan(said) or said == real for said, real in zip(declared, block.shape, strict=True))


SOURCES = {
    "made": lambda array: array,
    "sliced": lambda array: array[1:7, 3:],
    "rechunked": lambda array: array.rechunk((3, 5)),
    "reshaped": lambda array: array.reshape(-1),
    "transposed": lambda array: array.T,
    "picked": lambda array: array[[0, 5, 2]],
    "joined": lambda array: da.concatenate([array, array[:3]]),
    "with borders": lambda array: da.overlap.overlap(array, 1, "reflect"),
    "summed": lambda array: array.sum(axis=0),
    "random": lambda array: da.random.default_rng(0).integers(0, 5, (6, 6), chunks=2),
    "delayed": lambda array: da.from_delayed(dask.delayed(np.ones)((6, 6)), (6, 6), float),
    "of numpy": lambda array: da.from_array(np.arange(36).reshape(6, 6), chunks=(4, 3)),
    "persisted": lambda array: array[1:].persist(scheduler="synchronous"),
    "renumbered": lambda array: fastremap_dask.renumber(array, start=7, dtype="u2")[0],
}


@pytest.mark.parametrize("kind", SOURCES)
def test_passes_are_apart_for_any_source(kind: str) -> None:
    array = SOURCES[kind](volume((4, 4)))
    apart = read_apart(array, "")
    needs = apart.dask.get_all_dependencies()
    assert not needs.keys() & array.dask.get_all_dependencies().keys()
    assert set().union(*needs.values()) <= needs.keys()
    with dask.config.set(scheduler="synchronous"):
        in_memory = array.compute()
        ids, table = dask.compute(*fastremap_dask.renumber(array, dtype="i8"))
        expected, expected_table = fastremap.renumber(in_memory, dtype="i8", mapping="table")
    np.testing.assert_array_equal(ids, expected, strict=True)
    assert table == expected_table


def test_persisted_arrays_are_not_computed_again() -> None:
    made: Counter = Counter()
    array = volume((3, 3), made)
    in_memory = array.compute(scheduler="synchronous")
    with LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster, Client(cluster):
        kept = array.persist()
        wait(kept)
        made.clear()
        ids, table = dask.compute(*fastremap_dask.renumber(kept, dtype="u1"))
        assert not made
    np.testing.assert_array_equal(ids, fastremap.renumber(in_memory, dtype="u1")[0], strict=True)
    assert len(table) == 5


MEMORY_SCRIPT = """
import sys, threading, time
import dask, dask.array as da, numpy as np
import fastremap_dask

def make(block_id):
    start = (block_id[0] * 7919) % 1000
    return np.repeat(np.arange(start, start + 4096, dtype=np.uint64), 128)

def resident_nbytes(line):
    with open("/proc/self/status") as status:
        return next(int(row.split()[1]) * 1024 for row in status if row.startswith(line))

def volume(n_blocks):
    return da.map_blocks(make, chunks=((4096 * 128,) * n_blocks,), dtype=np.uint64, meta=np.empty(0, np.uint64))

def run(array):
    if sys.argv[1] == "renumber":
        return dask.compute(fastremap_dask.renumber(array, dtype="u4")[0].max())
    values, inverse, counts = fastremap_dask.unique(array, return_inverse=True, return_counts=True)
    return dask.compute(values, inverse.max(), counts)

with dask.config.set(scheduler="threads", num_workers=2):
    run(volume(4))
    before = resident_nbytes("VmRSS")
    array = volume(64)
    run(array)
    print((resident_nbytes("VmHWM") - before) / array.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("function", ["renumber", "unique"])
def test_two_passes_do_not_keep_the_volume(function: str) -> None:
    ran = subprocess.run([sys.executable, "-c", MEMORY_SCRIPT, function], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) < 0.25  # of 256 MiB; kept, it would be more than 1
