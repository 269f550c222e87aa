"""The planner, which is pure: sizes in, passes out."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from fastremap import _kernels

MIB = 2**20


Plan = Callable[..., tuple[list[str], int, int]]


@pytest.fixture(params=["intel", "other"])
def processor(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def plan(processor: str) -> Plan:
    """The kinds of the passes, the traffic predicted and the scratch needed, in bytes."""

    def plan(shape: tuple[int, ...], item_nbytes: int, scratch_nbytes: int = 16 * MIB) -> tuple[list[str], int, int]:
        *passes, scratch = _kernels.layout_plan(shape, item_nbytes, scratch_nbytes, processor).splitlines()
        traffic = sum(int(re.search(r"traffic (\d+)", line)[1]) for line in passes)
        return [line.split()[0] for line in passes], traffic, int(scratch.removeprefix("scratch "))

    return plan


@pytest.mark.parametrize("shape", [(), (7,), (1, 1), (1, 9, 1), (1, 2**40)])
def test_nothing_to_do_for_one_axis(plan: Plan, shape: tuple[int, ...]) -> None:
    assert plan(shape, 8) == ([], 0, 0)


def test_what_fits_the_cache_goes_through_scratch_at_once(plan: Plan) -> None:
    assert plan((300, 20, 7), 4)[0] == ["panel"]


def test_a_square_without_scratch_for_panels_is_swapped(plan: Plan) -> None:
    assert plan((5000, 5000), 16, 40_000)[0] == ["square"]


def test_a_palindrome_without_scratch_for_panels_is_swapped(plan: Plan) -> None:
    assert plan((300, 70, 300), 8, 60_000)[0] == ["square"]


def test_a_rectangle_takes_panels_and_cycles(plan: Plan) -> None:
    kinds, _, scratch = plan((8000, 6000), 4)
    assert sorted(kinds) == ["cycle", "panel"]
    assert scratch < 8 * MIB


@pytest.mark.parametrize("shape", [(10007, 4001), (100003, 64), (8192, 6000)])
def test_the_tail_of_a_tile_takes_no_pass_of_its_own(plan: Plan, processor: str, shape: tuple[int, ...]) -> None:
    kinds, traffic, _ = plan(shape, 4)
    assert kinds == ["detach_first", "spread", "cycle", "attach_first"]
    assert traffic < {"intel": 8, "other": 6}[processor] * 4 * shape[0] * shape[1]


@pytest.mark.parametrize("shape", [(10007, 9973), (4097, 4096), (211, 199, 197)])
def test_what_is_nearly_a_square_is_swapped_without_its_tail(plan: Plan, shape: tuple[int, ...]) -> None:
    assert plan(shape, 4)[0] == ["detach_first", "square", "attach_first"]


def test_a_tail_of_columns_is_closed_as_it_is_opened(plan: Plan) -> None:
    assert plan((64, 100_003), 8)[0] == ["detach_last", "cycle", "gather", "attach_last"]


def test_short_channels_are_reversed_inside_panels(plan: Plan) -> None:
    assert "panel" in plan((640, 480, 200, 3), 1)[0]
    assert len(plan((640, 480, 200, 3), 1)[0]) == 3


def test_planning_takes_no_part_of_the_time_that_passes_take(plan: Plan) -> None:
    for shape in [(12, 720, 36, 60, 24), (64, 64, 32, 32, 16), (7,) * 9, (2,) * 40]:
        assert len(plan(shape, 2)[0]) <= 40


@pytest.mark.parametrize("item_nbytes", [1, 2, 3, 4, 8, 12, 16, 100, 70_000])
def test_scratch_stays_within_the_budget(plan: Plan, item_nbytes: int) -> None:
    random = np.random.default_rng(item_nbytes)
    for _ in range(60):
        n_axes = int(random.integers(2, 9))
        nbytes = 2.0 ** random.uniform(10, 44)
        parts = random.dirichlet(np.ones(n_axes)) * np.log2(max(nbytes / item_nbytes, 4))
        shape = tuple(max(int(2.0**part), 1) for part in parts)
        budget = max(int(np.prod(shape, dtype=object)) * item_nbytes // 50, 16 * MIB)
        assert plan(shape, item_nbytes, budget)[2] <= budget, shape


@pytest.mark.parametrize(
    ("shape", "item_nbytes"),
    [((8192, 8192), 4), ((512, 512, 512), 1), ((8192, 6000), 4), ((500, 400, 300), 8), ((4, 64, 512, 512), 2),
     ((100003, 64), 8), ((10007, 4001), 1), ((640, 480, 200, 3), 1), ((3, 2048, 2048), 1)],
)  # fmt: skip
def test_traffic_is_that_of_a_few_copies(plan: Plan, processor: str, shape: tuple[int, ...], item_nbytes: int) -> None:
    copy = 2 * int(np.prod(shape)) * item_nbytes
    assert copy <= plan(shape, item_nbytes)[1] <= {"intel": 5, "other": 4}[processor] * copy


@pytest.mark.parametrize(("shape", "item_nbytes"), [((8192, 6000), 4), ((10007, 4001), 4), ((500, 400, 300), 8)])
def test_panels_beside_cycles_move_where_that_is_faster(shape: tuple[int, ...], item_nbytes: int) -> None:
    assert " moved " in _kernels.layout_plan(shape, item_nbytes, 16 * MIB, "intel")
    assert " moved " not in _kernels.layout_plan(shape, item_nbytes, 16 * MIB, "other")
