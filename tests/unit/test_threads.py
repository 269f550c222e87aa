"""Many threads on one array, and a second thread that watches the input while a function runs."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from assertions import assert_same_outcome, outcome
from cases import CASES, Case

import fastremap

READERS = {name: case for name, case in CASES.items() if case.needs_array and not case.moves_buffer}
STOPS_EARLY = ["is_solid", "is_sorted"]  # at the first difference, so there must be none
readers = pytest.mark.parametrize("case", READERS.values(), ids=READERS)


def volume(n_items: int) -> np.ndarray:
    """Return labels in short runs: the range of int64, so that a shift of the values would show in each item."""
    rng = np.random.default_rng(3)
    labels = rng.integers(-(2**62), 2**62, 300)
    return np.repeat(labels[rng.integers(0, 300, n_items // 4)], 4).reshape(2, -1)


@readers
def test_eight_threads_on_one_array(case: Case) -> None:
    array = volume(40_000)
    array.flags.writeable = False
    more = {"in_place": False} if case.in_place else {}
    variant = next(iter(case.variants))
    expected = outcome(case.call, case.twin, array, variant, **more)
    # Warnings are recorded per process, so the calls go without `outcome`.
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(case.call, case.function, array, variant, **more) for _ in range(16)]
        for future in futures:
            assert_same_outcome(outcome(future.result), expected)


def test_eight_threads_with_one_table() -> None:
    """What the table builds for a dtype is built by whichever thread comes first."""
    for _ in range(20):
        table = fastremap.LabelTable.from_dict({label: label * 3 for label in range(100)})
        arrays = [(np.arange(5000) % 100).astype(code) for code in ("u1", "i2", "u4", "i8", "u8", "f4", "f8", "i1")]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda array: fastremap.remap(array, table, dtype="i8"), arrays * 2))  # noqa: B023
        for result in results:
            np.testing.assert_array_equal(result, np.arange(5000) % 100 * 3)


@readers
def test_the_input_stays_as_it_is_while_a_function_runs(case: Case) -> None:
    array = np.full((2, 2_000_000), 2**62) if case.name in STOPS_EARLY else volume(4_000_000)
    sample = array[:, :: array.shape[1] // 50]
    before = sample.copy()
    args, kwargs = case.variants[next(iter(case.variants))](array)
    kwargs |= {"in_place": False} if case.in_place else {}
    changes, n_samples, running, done = [], 0, threading.Event(), threading.Event()

    def watch() -> None:
        nonlocal n_samples
        while not done.is_set():
            if not np.array_equal(sample, before):
                changes.append(n_samples)
            n_samples += running.is_set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(200):  # a call counts with what was seen inside it; short ones are repeated
            running.set()
            case.function(array, *args, **kwargs)
            running.clear()
            if n_samples >= 100:
                break
    finally:
        done.set()
        watcher.join()
    assert n_samples >= 100, "the function ran too short, or kept the lock"
    assert not changes


def timed_with_stall(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a call, and the longest time within it in which another thread did not run."""
    longest, done, ready = 0.0, threading.Event(), threading.Event()

    def tick() -> None:
        nonlocal longest
        before = time.perf_counter()
        while not done.is_set():
            ready.set()
            now = time.perf_counter()
            longest, before = max(longest, now - before), now

    ticker = threading.Thread(target=tick)
    ticker.start()
    ready.wait()
    begin = time.perf_counter()
    try:
        call()
    finally:
        duration = time.perf_counter() - begin
        done.set()
        ticker.join()
    return duration, longest


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES.values() if case.needs_array], ids=lambda case: case.name)
def test_other_threads_go_on(case: Case) -> None:
    """The lock is free while voxels are walked: of three calls of 0.1 s or more, one must show it on a busy machine."""
    n_items = 2**23
    while True:
        array = np.full((2, n_items // 2), 2**62) if case.name in STOPS_EARLY else volume(n_items)
        array = array.T if case.name == "ascontiguousarray" else array  # else there is nothing to do
        args, kwargs = case.variants[next(iter(case.variants))](array)
        duration, _ = timed_with_stall(lambda: case.function(array, *args, **kwargs))  # noqa: B023
        if duration >= 0.3 or n_items == 2**29:
            break
        n_items = min(2**29, 2 * n_items * max(1, int(0.3 / duration)))
    measured = [timed_with_stall(lambda: case.function(array, *args, **kwargs)) for _ in range(3)]
    long_enough = [(duration, stall) for duration, stall in measured if duration >= 0.1]
    if not long_enough:
        pytest.skip(f"{array.nbytes} bytes take less than 0.1 s: {measured}")
    assert min(stall / duration for duration, stall in long_enough) < 0.2, measured
