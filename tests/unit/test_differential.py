"""Every registered function against its plain numpy twin, on every content, dtype and layout."""

from collections.abc import Callable

import numpy as np
import pytest
from assertions import (
    Outcome,
    assert_no_shared_memory,
    assert_same_array,
    assert_same_outcome,
    assert_untouched,
    outcome,
    snapshot,
)
from cases import CASES, Case
from generators import CONTENTS, DTYPES, LAYOUTS, LENGTHS, contents, full_range

Make = Callable[[], np.ndarray]
# Their twins make a Python object for each label, and 65,536 of them show nothing that 256 do not.
SLOW_TWINS = ["point_cloud", "inverse_component_map"]
MANY_LABELS = ["all distinct", "low bits zero"]
# The first variants of a case are the ones that differ in what the kernels do; later ones are wrong arguments.
MAIN_VARIANTS = 12
IN_PLACE_CONTENTS = ["runs of 2-4", "steps", "extremes", "all distinct"]
EMPTY_LAYOUTS = ["C", "F", "byte-swapped", "read-only", "no columns", "1-d reversed"]


def check(case: Case, variant: str, make: Make) -> None:
    """Require the twin's outcome, an input that stays as it is, and a result in memory of its own."""
    array, more = make(), {"in_place": False} if case.in_place else {}
    before = snapshot(array)
    actual = outcome(case.call, case.function, array, variant, **more)
    if not case.moves_buffer:
        assert_untouched(array, before)
    if not case.shares:
        assert_no_shared_memory(actual.result, array)
    assert_same_outcome(actual, outcome(case.call, case.twin, make(), variant, **more))


def check_in_place(case: Case, variant: str, make: Make) -> None:
    """Require the twin's outcome, and the twin's buffer afterwards with all that lies between its items."""
    array, twins_array = make(), make()
    before = snapshot(array)
    actual = outcome(case.call, case.function, array, variant, in_place=True)
    expected = outcome(case.call, case.twin, twins_array, variant, in_place=True)
    assert_same_outcome(actual, expected)
    assert_same_array(whole(array), whole(twins_array))
    assert shares(actual, array) == shares(expected, twins_array), f"shares memory: {shares(actual, array)}"
    if actual.error or actual.warned:
        assert_untouched(array, before)


def whole(array: np.ndarray) -> np.ndarray:
    """Return the memory that a view was taken of."""
    return np.asarray(array.base if isinstance(array.base, np.ndarray) else array)


def shares(outcome: Outcome, array: np.ndarray) -> bool:
    """Tell whether the array of a result lies in the memory of the input."""
    result = outcome.result[0] if isinstance(outcome.result, tuple) else outcome.result
    return result is not None and np.shares_memory(result, array)


def every(test: Callable, case: Case, arrays: dict[str, Make], n_variants: int | None = None) -> None:
    """Run a check for each array and each (of the first) variants, and say which one failed."""
    for name, make in arrays.items():
        for variant in list(case.variants)[:n_variants]:
            try:
                test(case, variant, make)
            except BaseException as error:
                error.add_note(f"{case.name}, variant {variant!r}, of {name!r}: {make()!r}")
                raise


def layouts(dtype: np.dtype) -> dict[str, Make]:
    """Return a maker of each layout, with labels, and empty where that makes a difference."""
    flat, empty = CONTENTS["runs of 2-4"](dtype), np.empty(0, dtype=dtype)
    full = {name: (lambda lay=lay: lay(flat)) for name, lay in LAYOUTS.items()}
    return full | {f"{name}, empty": (lambda lay=LAYOUTS[name]: lay(empty)) for name in EMPTY_LAYOUTS}


def cases(**wanted: bool) -> pytest.MarkDecorator:
    """Run a test for each registered case with the given attributes."""
    chosen = {name: case for name, case in CASES.items() if all(getattr(case, key) == wanted[key] for key in wanted)}
    return pytest.mark.parametrize("case", chosen.values(), ids=chosen)


dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=str)


@cases(needs_array=True)
@dtypes
def test_contents(case: Case, dtype: np.dtype) -> None:
    arrays = {name: flat.copy for name, flat in contents(dtype).items()}
    many_labels = {name: arrays.pop(name) for name in MANY_LABELS}
    every(check, case, arrays)
    every(check, case, many_labels, MAIN_VARIANTS)


@cases(needs_array=True)
@dtypes
def test_lengths(case: Case, dtype: np.dtype) -> None:
    every(check, case, {name: make(dtype).copy for name, make in LENGTHS.items()}, 6)


@cases(needs_array=True)
@dtypes
def test_layouts(case: Case, dtype: np.dtype) -> None:
    every(check, case, layouts(dtype), MAIN_VARIANTS)


@cases(in_place=True)
@dtypes
def test_contents_in_place(case: Case, dtype: np.dtype) -> None:
    every(check_in_place, case, {name: CONTENTS[name](dtype).copy for name in IN_PLACE_CONTENTS})


@cases(in_place=True)
@dtypes
def test_layouts_in_place(case: Case, dtype: np.dtype) -> None:
    every(check_in_place, case, layouts(dtype), MAIN_VARIANTS)


@cases(needs_array=True)
@pytest.mark.parametrize("code", ["i1", "u1", "i2", "u2"])
def test_every_value_of_a_narrow_dtype(case: Case, code: str) -> None:
    if code[1] == "2" and case.name in SLOW_TWINS:
        return
    every(check, case, {"each once": full_range(np.dtype(code)).copy}, 2 if code[1] == "2" else None)


@cases(needs_array=False)
@pytest.mark.parametrize("dtype", [*DTYPES, *map(np.dtype, ["g", "c8", "c16", "G", ">u2", ">f8", "U3", "M8[s]", "O"])])
def test_functions_of_dtypes(case: Case, dtype: np.dtype) -> None:
    every(check, case, {str(dtype): lambda: np.zeros(1, dtype=dtype)})
