"""How stages use an executor: bounded, in trees of a stated fan-in, with errors that name the task."""

import threading
import time
from concurrent.futures import Future
from functools import partial
from itertools import chain

import pytest

from fastremap_dask import executors, stages
from fastremap_dask.stages import IN_FLIGHT_PER_THREAD, JobError


class Watched(executors.ThreadExecutor):
    """Threads that note how many tasks are in flight at a time."""

    def __init__(self, pool, n):
        super().__init__(pool, n)
        self.lock, self.in_flight, self.most, self.n_submitted = threading.Lock(), 0, 0, 0

    def submit(self, function, argument, *, urgent=False):
        with self.lock:
            self.in_flight += 1
            self.n_submitted += 1
            self.most = max(self.most, self.in_flight)
        future = super().submit(function, argument, urgent=urgent)
        future.add_done_callback(self.ended)
        return future

    def ended(self, future: Future) -> None:
        with self.lock:
            self.in_flight -= 1


@pytest.fixture
def watched():
    with executors.ThreadPoolExecutor(2) as pool:
        yield Watched(pool, 2)


def joined(lists, *, sizes):
    sizes.append(len(lists))
    return list(chain.from_iterable(lists))


def test_arguments_are_taken_as_there_is_room(watched):
    taken = []
    done = []

    def arguments():
        for n in range(200):
            taken.append(n)
            assert len(taken) - len(done) <= 2 * IN_FLIGHT_PER_THREAD
            yield n

    stages.run(watched, str, arguments(), done.append)
    assert done == list(range(1, 201))
    assert watched.most <= 2 * IN_FLIGHT_PER_THREAD


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 16, 17, 100])
@pytest.mark.parametrize("fan_in", [2, 3, 8])
def test_a_tree_merges_every_state_once_within_its_fan_in(watched, n, fan_in):
    sizes, last, done = [], [], []
    result = stages.reduce(
        watched,
        lambda item: [item],
        range(n),
        partial(joined, sizes=sizes),
        partial(joined, sizes=last),
        fan_in,
        done.append,
    )
    assert sorted(result) == list(range(n))
    assert max(sizes, default=0) <= fan_in
    assert len(last) == 1
    assert last[0] <= fan_in
    assert done == list(range(1, n + 1))
    assert watched.most <= 2 * IN_FLIGHT_PER_THREAD + 1


def test_states_do_not_pile_up(watched):
    alive, most, lock = [0], [0], threading.Lock()

    def made(item):
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        return 1

    def merged(states):
        with lock:
            alive[0] -= len(states) - 1
        return sum(states)

    assert stages.reduce(watched, made, range(1000), merged, sum, 4) == 1000
    assert most[0] <= 2 * IN_FLIGHT_PER_THREAD + 4 * 5


def test_an_error_names_the_task_and_nothing_runs_on(watched):
    running = []

    def failing(n):
        if n == 5:
            raise ValueError("five\nis bad")
        running.append(n)
        time.sleep(0.01)
        running.remove(n)

    with pytest.raises(JobError, match=r"^5: five is bad$") as caught:
        stages.run(watched, failing, range(1000))
    assert isinstance(caught.value.__cause__, ValueError)
    assert not running
    assert watched.in_flight == 0
    assert watched.n_submitted < 20


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_waits_for_what_runs(watched, interruption):
    running = []

    def slow(n):
        running.append(n)
        time.sleep(0.02)
        running.remove(n)

    def interrupt(n_done):
        if n_done == 3:
            raise interruption

    with pytest.raises(interruption):
        stages.run(watched, slow, range(1000), interrupt)
    assert not running
    assert watched.n_submitted < 20


def test_errors_of_the_last_task_are_passed_on(watched):
    def finish(states):
        raise ValueError("an id does not fit")

    with pytest.raises(ValueError, match=r"^an id does not fit$") as caught:
        stages.reduce(watched, lambda n: [n], range(9), partial(joined, sizes=[]), finish, 4)
    assert not isinstance(caught.value, JobError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\n lines"), "two lines"),
        (KeyError(3), "KeyError: 3"),
        (MemoryError(), "MemoryError"),
        (PermissionError(13, "Permission denied", "/x"), "[Errno 13] Permission denied: '/x'"),
    ],
)
def test_errors_are_described_in_one_line(error, text):
    assert executors.describe(error) == text
