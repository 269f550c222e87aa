"""Executors: where tasks run, on threads of this process or on the workers of a Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import dask
import psutil

from . import stages
from .allocator import KEPT_NBYTES, allocator_set
from .stages import Executor, Future, JobError

if TYPE_CHECKING:
    from distributed import Client

# How long the count of a cluster's threads is believed: clusters grow and shrink while a job runs.
RECOUNT_S = 5.0
# How long a cluster may be without any worker before a job gives up.
WORKERLESS_S = 120.0


class ThreadExecutor:
    """
    Run tasks on threads of this process.

    Parameters
    ----------
    pool : concurrent.futures.ThreadPoolExecutor
        The threads.
    n : int
        How many there are.
    """

    batch = 1

    def __init__(self, pool: ThreadPoolExecutor, n: int):
        self._pool, self._n = pool, n

    def submit(self, function: Callable[..., Any], argument: Any, *, urgent: bool = False) -> Future:
        """Start a task as soon as a thread is free; `urgent` makes no difference."""
        return self._pool.submit(_call, function, argument)

    def n_threads(self) -> int:
        """Return the number of threads."""
        return self._n

    def abandon(self, futures: list[Any]) -> None:
        """Cancel the tasks that have not begun, and wait for the others."""
        wait([future for future in futures if not future.cancel()])

    def error(self, future: Any) -> BaseException | None:
        """Return what a task raised."""
        return future.exception()

    def results(self, futures: list[Any]) -> list[Any]:
        """Return what tasks returned."""
        return [future.result() for future in futures]

    def killed(self, error: BaseException) -> bool:
        """Threads do not die."""
        return False

    def explain(self, error: BaseException) -> str:
        """Say what went wrong."""
        return describe(error)

    def check(self) -> None:
        """Threads are always there."""

    def on_each_process(self, function: Callable[[], Any]) -> tuple[Any, ...]:
        """Call a function here."""
        return (function(),)


class ClusterExecutor:
    """
    Run tasks on the workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected to the scheduler.
    ends : bool
        Whether the workers end with the job.
    worker_timeout : float
        Seconds that the cluster may be without any worker before a job gives up.
    task_nbytes : int
        Memory that a task is projected to use, for the message where workers die.
    """

    # A task takes driver, scheduler and worker 5 ms or more, as long as it takes to read a chunk of some megabytes.
    batch = 8

    def __init__(
        self, client: Client, *, ends: bool = False, worker_timeout: float = WORKERLESS_S, task_nbytes: int = 0
    ):
        self._client, self._ends = client, ends
        self.worker_timeout, self.task_nbytes = worker_timeout, task_nbytes
        self._run = uuid.uuid4().hex[:8]
        self._n_submitted = 0
        self._counted = (-RECOUNT_S, 0)
        self._worker_seen = time.monotonic()

    def submit(self, function: Callable[..., Any], argument: Any, *, urgent: bool = False) -> Future:
        """Start a task as soon as a worker is free, before all others if `urgent`."""
        self._n_submitted += 1
        name = getattr(getattr(function, "func", function), "__name__", "task")
        key = f"{name}-{self._run}-{self._n_submitted}"
        return self._client.submit(function, argument, key=key, pure=False, priority=int(urgent))

    def n_threads(self) -> int:
        """Return the threads of all workers, as counted some seconds ago at most; at least 1, so that a cluster
        that grows on demand sees a demand."""
        counted_at, n = self._counted
        if time.monotonic() - counted_at > RECOUNT_S:
            n = sum(self._client.nthreads().values())
            self._counted = (time.monotonic(), n)
        return max(1, n)

    def abandon(self, futures: list[Any]) -> None:
        """Wait for the tasks, unless their workers end: one that runs cannot be stopped, and must not write later."""
        from distributed import wait

        while not self._ends and self._client.status == "running" and self._client.nthreads():
            try:
                wait(futures, timeout=stages.CHECK_S)
                return
            except TimeoutError:  # the workers may have gone meanwhile
                continue

    def error(self, future: Any) -> BaseException | None:
        """Return what a task raised; of those that did not, which are nearly all, nobody has to be asked."""
        # A task whose result died with its worker since has ended once, and is done again.
        if future.status in ("finished", "lost", "pending"):
            return None
        if future.status == "error":
            return future.exception()
        return ConnectionError(f"the connection to the scheduler was lost (the task is {future.status})")

    def results(self, futures: list[Any]) -> list[Any]:
        """Return what tasks returned, all fetched at once; raise as `check` does if no worker has it any more."""
        # What a worker that has died held is computed again, for which gather waits as long as it takes.
        fetched: SimpleQueue[Any] = SimpleQueue()

        def fetch() -> None:
            try:
                fetched.put((self._client.gather(futures), None))
            except BaseException as error:
                fetched.put((None, error))

        threading.Thread(target=fetch, name="fastremap-gather", daemon=True).start()
        while True:
            try:
                results, error = fetched.get(timeout=stages.CHECK_S)
            except Empty:
                self.check()
                continue
            if error is not None:
                raise JobError(f"the results of tasks were lost: {describe(error)}") from error
            return results

    def killed(self, error: BaseException) -> bool:
        """Tell whether several workers died of the task, one after the other."""
        from distributed import KilledWorker

        return isinstance(error, KilledWorker)

    def explain(self, error: BaseException) -> str:
        """Say what went wrong, and what to do where workers die."""
        if self.killed(error):
            projected = f", projected at {self.task_nbytes / 1e6:.0f} MB," if self.task_nbytes else ""
            return (
                f"each worker process that took this task{projected} died, most likely for want of memory: "
                "allow more memory for each worker, or fewer threads; or resume with a lower memory_limit, which makes "
                "blocks smaller"
            )
        return describe(error)

    def check(self) -> None:
        """Raise JobError if the cluster has had no worker for long; one that restarts workers does so sooner."""
        try:
            has_workers = self._client.status != "running" or bool(self._client.nthreads())
        except (OSError, TimeoutError):  # the connection is going down: the futures will tell
            has_workers = True
        if has_workers:
            self._worker_seen = time.monotonic()
        elif time.monotonic() - self._worker_seen > self.worker_timeout:
            raise JobError(
                f"no worker process has been left for {self.worker_timeout:.0f} s: all have died or were stopped"
            )

    def on_each_process(self, function: Callable[[], Any]) -> tuple[Any, ...]:
        """Call a function on every worker that can be reached."""
        if self._client.status != "running":
            return ()
        try:
            return tuple(self._client.run(function).values())
        except ImportError as error:  # a task that cannot be unpickled would end its workers, one after the other
            reason = f"the workers cannot run the job: {describe(error)}"
            raise RuntimeError(f'{reason}; install "fastremap[dask]" where they run') from error


@contextmanager
def threads(n: int, *, keeps: bool = True) -> Iterator[Executor]:
    """
    Run tasks on threads of this process for the length of a `with` block.

    Parameters
    ----------
    n : int
        Threads, at least 1.
    keeps : bool
        Whether there is room to keep memory that was freed for the next block.

    Yields
    ------
    Executor
        The executor.
    """
    with allocator_set(keeps), ThreadPoolExecutor(n, thread_name_prefix="fastremap") as pool:
        yield ThreadExecutor(pool, n)


@contextmanager
def local_cluster(
    n_workers: int, n_threads: int, memory_limit_nbytes: int | None = None, *, keeps: bool = True, **given: Any
) -> Iterator[Executor]:
    """
    Run tasks on worker processes of this machine, which live as long as the `with` block.

    Parameters
    ----------
    n_workers : int
        Processes.
    n_threads : int
        Threads in each.
    memory_limit_nbytes : int, optional
        Memory that each may use before it is stopped and started anew. Default: its share of the machine's.
    keeps : bool
        Whether each has room to keep memory that was freed for the next block.
    **given
        For `ClusterExecutor`.

    Yields
    ------
    Executor
        The executor.
    """
    from distributed import Client, LocalCluster

    # Workers that are started anew take their logging, and their settings of glibc, from the configuration alone. As
    # distributed sets it, glibc gives back what is freed.
    settings: dict[str, Any] = {"logging": {"distributed": "critical"}}
    if keeps:
        for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
            settings[f"distributed.nanny.pre-spawn-environ.{name}"] = KEPT_NBYTES
    with ExitStack() as stack:
        with _interrupts_deferred(), dask.config.set(settings):
            stack.enter_context(_environment_restored(dask.config.get("distributed.nanny.pre-spawn-environ")))
            cluster = LocalCluster(
                n_workers=n_workers,
                threads_per_worker=n_threads,
                processes=True,
                memory_limit="auto" if memory_limit_nbytes is None else memory_limit_nbytes,
                dashboard_address=":0",  # a free port: users have other clusters
                silence_logs=logging.CRITICAL,
            )
            stack.callback(_close, cluster)
            client = Client(cluster)
            stack.callback(_close, client)
        log_dashboard(client)
        yield ClusterExecutor(client, ends=True, **given)


@contextmanager
def _environment_restored(names: Iterable[str]) -> Iterator[None]:
    """Restore environment variables: distributed sets in this process what its workers are to inherit."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def log_dashboard(client: Client) -> None:
    """
    Log, as information, where a cluster's dashboard is, if it has one; it needs bokeh.

    Parameters
    ----------
    client : distributed.Client
        Connected to the cluster.
    """
    if "dashboard" in client.scheduler_info().get("services", ()):
        logging.getLogger(__name__).info("dashboard: %s", client.dashboard_link)


def _close(part: Any) -> None:
    """Close a cluster or its client. distributed's close may raise while it starts a worker anew; what it leaves
    ends with this process, and must not hide the error that brought the job here."""
    with suppress(Exception):
        part.close()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """
    Start processes that never see Ctrl-C, and hold one that comes meanwhile back until they are there.

    A terminal sends it to all processes of a command, where workers would die of it with a traceback each. Threads
    that are begun here, among them the one that starts workers now and later, inherit the mask, and so do workers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # or the first worker starts it, in a thread that is then unmasked by it
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


def describe(error: BaseException) -> str:
    """
    Say in one line what an exception says.

    Parameters
    ----------
    error : BaseException
        The exception.

    Returns
    -------
    str
        Its message, and its type too where the message of such exceptions is no sentence.
    """
    text = " ".join("; ".join([str(error), *getattr(error, "__notes__", ())]).split())
    speaks = isinstance(error, ValueError | TypeError | OSError | RuntimeError | ImportError)
    return text if text and speaks else f"{type(error).__name__}: {text}".removesuffix(": ")


def peak_nbytes() -> int:
    """
    Return the most memory that this process has had resident since it began.

    Returns
    -------
    int
        Bytes, as the operating system counts them.

    Notes
    -----
    Linux's VmHWM, Windows' peak working set; elsewhere what is resident now. Not `ru_maxrss`: in a process that was
    started by a large one it begins at the size of that.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def _call(function: Callable[..., Any], argument: Any) -> Any:
    """Call a task on a thread; futures in a list are done, their results take their place."""
    if isinstance(argument, list):
        argument = [future.result() for future in argument]
    return function(argument)
