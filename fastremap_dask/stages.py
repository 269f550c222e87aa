"""Stages: how a job uses an executor, a task for each block, written once for every kind of executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

from .plan import Grid

# Enough that no thread waits for the driver, few enough that neither scheduler nor workers hold a backlog.
IN_FLIGHT_PER_THREAD = 4
# How long to wait for a task before asking whether anything is left that could run it.
CHECK_S = 5.0


# Called with the name of a stage, its blocks done and its blocks in all: when it begins, and after each block.
Progress = Callable[[str, int, int], None]


class JobError(RuntimeError):
    """Tell which task of a job failed, and why."""


class Hopeless(ValueError):
    """Tell that a task failed for a reason that no second attempt with the same settings mends."""


class Future(Protocol):
    """What `concurrent.futures` and `distributed` agree on."""

    def result(self) -> Any: ...
    def add_done_callback(self, function: Callable[[Any], None]) -> None: ...


class Executor(Protocol):
    """
    What a job needs of the machines that run its tasks.

    A task is an importable function with arguments that pickle to little; a list of futures among them reaches the
    function as the list of their results.
    """

    # The most arguments that one task is worth: where to hand out a task takes as long as some tasks do, several.
    batch: int

    def submit(self, function: Callable[..., Any], argument: Any, *, urgent: bool = False) -> Future:
        """Start a task as soon as a thread is free."""

    def n_threads(self) -> int:
        """Return how many tasks can run at once, now."""

    def abandon(self, futures: list[Any]) -> None:
        """Return when none of these tasks runs, or ever will."""

    def error(self, future: Any) -> BaseException | None:
        """Return what a task that has ended raised."""

    def results(self, futures: list[Any]) -> list[Any]:
        """Return what tasks that have ended well returned."""

    def killed(self, error: BaseException) -> bool:
        """Tell whether a task was given up because processes died each time they ran it."""

    def explain(self, error: BaseException) -> str:
        """Say in one line what went wrong with a task."""

    def check(self) -> None:
        """Raise JobError if nothing is left that could run tasks."""

    def on_each_process(self, function: Callable[[], Any]) -> tuple[Any, ...]:
        """Call a function once in every process that runs tasks, and return the results."""


def run(
    executor: Executor,
    function: Callable[..., Any],
    arguments: Iterable[Any],
    done: Callable[[int], None] = lambda n: None,
    take: Callable[[Any], None] | None = None,
    n: int | None = None,
) -> None:
    """
    Call a function with each argument, in tasks of one or some.

    Parameters
    ----------
    executor : Executor
        Where.
    function : callable
        What tasks do.
    arguments : iterable
        Taken as there is room; what `str` makes of one names it in errors.
    done : callable, optional
        Told the number of arguments that are done after each.
    take : callable, optional
        Given what the function returns for each, in whatever order they end.
    n : int, optional
        How many arguments there are at most. If it is not known, each has a task of its own.

    Raises
    ------
    JobError
        For the first task that fails; when it is raised no task runs any more.
    """
    with _Flight(executor) as flight:
        source = iter(arguments)
        n_begun = n_done = 0
        while True:
            for _ in range(flight.room()):
                some = tuple(islice(source, _batch_size(executor, 0 if n is None else n - n_begun)))
                if not some:
                    break
                n_begun += len(some)
                flight.add_some(function, some)
            if not flight.waiting:
                return
            ended = flight.batch()
            if take is not None:
                for (some, _), result in zip(ended, executor.results([future for _, future in ended]), strict=True):
                    for one in result if len(some) > 1 else (result,):
                        take(one)
            for _ in range(sum(len(some) for some, _ in ended)):
                done(n_done := n_done + 1)


def _batch_size(executor: Executor, n_left: int) -> int:
    """Return how many arguments the next task is to have: fewer towards the end, so that all threads end at once."""
    return max(1, min(executor.batch, n_left // (2 * IN_FLIGHT_PER_THREAD * executor.n_threads())))


@dataclass(frozen=True, slots=True)
class _Some:
    """Hold the arguments of one task, as something that no executor looks into."""

    arguments: tuple[Any, ...]


def _call_with_each(some: _Some, *, function: Callable[..., Any]) -> list[Any]:
    """Call a function with each argument of a task; an error tells which one it is about."""
    results = []
    for at, argument in enumerate(some.arguments):
        try:
            results.append(function(argument))
        except Exception as error:
            error.failed_at = at  # type: ignore[attr-defined]
            raise
    return results


def reduce(
    executor: Executor,
    function: Callable[..., Any],
    arguments: Iterable[Any],
    merge: Callable[[list[Any]], Any],
    finish: Callable[[list[Any]], Any],
    fan_in: int,
    done: Callable[[int], None] = lambda n: None,
) -> Any:
    """
    Make a state for each argument, merge them in a tree, and return what `finish` makes of the last few.

    Parameters
    ----------
    executor : Executor
        Where. States stay there: only what `finish` returns comes back.
    function : callable
        ``function(argument)`` makes a state.
    arguments : iterable
        One for each state, taken as there is room; what `str` makes of one names the task in errors.
    merge : callable
        Makes one state of a list; associative and commutative, for states are merged as they come.
    finish : callable
        Makes the result of a list of at most `fan_in` states, possibly none.
    fan_in : int
        The most states that a task takes, at least 2.
    done : callable, optional
        Told the number of finished arguments after each.

    Returns
    -------
    object
        The result of `finish`.

    Raises
    ------
    JobError
        For the first task that fails; when it is raised no task runs any more.
    ValueError, OSError
        From `finish`, as they are.

    Notes
    -----
    Beside the tasks in flight at most ``(fan_in - 1) * log(n, fan_in)`` states exist at a time.
    """
    with _Flight(executor) as flight:
        source = iter(arguments)
        levels: dict[int, list[Any]] = {}
        n = 0
        while True:
            for argument in islice(source, flight.room()):
                flight.add(function, argument, str(argument), tag=0)
            if not flight.waiting:
                break
            level, future = flight.next()
            if level == 0:
                done(n := n + 1)
            ready = levels.setdefault(level, [])
            ready.append(future)
            if len(ready) == fan_in:
                flight.add(merge, levels.pop(level), "merge of states", tag=level + 1, urgent=True)
        rest = [future for _, ready in sorted(levels.items()) for future in ready]
        while len(rest) > fan_in:
            flight.add(merge, rest[:fan_in], "merge of states", urgent=True)
            rest = [*rest[fan_in:], flight.next()[1]]
        flight.add(finish, rest, "merge of the last states", passed_on=(ValueError, OSError))
        return executor.results([flight.next()[1]])[0]


def counter(progress: Progress | None, stage: str, grid: Grid) -> Callable[[int], None]:
    """
    Begin a stage, and return what is to be told the number of its blocks that are done.

    Parameters
    ----------
    progress : callable or None
        Who wants to know.
    stage : str
        The stage.
    grid : Grid
        Its blocks.

    Returns
    -------
    callable
        For the parameter `done` of `stages.run` and `stages.reduce`.
    """

    def done(n: int) -> None:
        if progress is not None:
            progress(stage, n, grid.n_blocks)

    done(0)
    return done


class _Flight:
    """The tasks that were submitted and have not been seen to end; none is left when the context is."""

    def __init__(self, executor: Executor):
        self.executor = executor
        self.waiting: dict[Any, _Task] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()

    def __enter__(self) -> _Flight:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.waiting:
            self.executor.abandon(list(self.waiting))

    def room(self) -> int:
        return max(0, IN_FLIGHT_PER_THREAD * self.executor.n_threads() - len(self.waiting))

    def add(
        self,
        function: Callable[..., Any],
        argument: Any,
        name: str,
        *,
        tag: Any = None,
        urgent: bool = False,
        passed_on: tuple[type[Exception], ...] = (),
    ) -> None:
        future = self.executor.submit(function, argument, urgent=urgent)
        self.waiting[future] = _Task(function, argument, name, tag, passed_on)
        future.add_done_callback(self._ended.put)

    def add_some(self, function: Callable[..., Any], some: tuple[Any, ...]) -> None:
        """Begin a task for one argument or some, which are its tag."""
        if len(some) == 1:
            self.add(function, some[0], str(some[0]), tag=some)
        else:
            name = f"{some[0]} and {len(some) - 1} more"
            self.add(partial(_call_with_each, function=function), _Some(some), name, tag=some)

    def batch(self) -> list[tuple[Any, Any]]:
        """Wait for a task to end; return tag and future of all that have ended by then."""
        ended = [self.next()]
        while self.waiting and not self._ended.empty():
            ended.append(self.next())
        return ended

    def next(self) -> tuple[Any, Any]:
        """Wait for a task to end; return its tag and its future, which holds a result."""
        while True:
            try:
                future = self._ended.get(timeout=CHECK_S)
            except Empty:
                self.executor.check()
                continue
            task = self.waiting.pop(future)
            error = self.executor.error(future)
            if error is None:
                return task.tag, future
            if isinstance(error, task.passed_on):
                raise error
            if not isinstance(task.argument, _Some) or not self.executor.killed(error):
                raise JobError(f"{task.about(error)}: {self.executor.explain(error)}") from error
            for argument in task.argument.arguments:  # which of them it was is seen when each has a task of its own
                self.add_some(task.function.keywords["function"], (argument,))


class _Task(NamedTuple):
    """What is to be known of a task until it has ended."""

    function: Any
    argument: Any
    name: str
    tag: Any
    passed_on: tuple[type[Exception], ...]

    def about(self, error: BaseException) -> str:
        """Name the argument that an error is about, or else the task."""
        at = getattr(error, "failed_at", None)
        return self.name if at is None else str(self.argument.arguments[at])
