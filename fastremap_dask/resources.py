"""Resources: which machines, threads and memory a job may use, and the executor that this makes."""

from __future__ import annotations

import operator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from dask.system import CPU_COUNT
from dask.utils import parse_bytes

from . import executors
from .executors import ClusterExecutor
from .plan import Plan, Volume, make_plan
from .stages import Executor

if TYPE_CHECKING:
    from distributed import Client

# How long a cluster that starts workers on demand may take to start the first.
FIRST_WORKER_S = 60.0


@dataclass(frozen=True, slots=True)
class Resources:
    """
    Say what a job may use.

    Parameters
    ----------
    n_processes : int
        Worker processes, or 0 for threads of this one.
    n_threads : int
        Threads of each process.
    memory_limit_nbytes : int or None
        Memory of each process, if it is limited.
    client : distributed.Client or None
        A running cluster, whose workers these are.
    worker_timeout : float
        Seconds that a cluster may be without any worker.
    """

    n_processes: int
    n_threads: int
    memory_limit_nbytes: int | None
    client: Client | None = None
    worker_timeout: float = executors.WORKERLESS_S

    @classmethod
    def of(
        cls,
        client: Client | None = None,
        workers: int | None = None,
        threads: int | None = None,
        memory_limit: int | str | None = None,
        worker_timeout: float = executors.WORKERLESS_S,
    ) -> Resources:
        """
        Take the parameters that all jobs share.

        Parameters
        ----------
        client : distributed.Client, optional
            A running cluster; its workers and their threads are its own affair.
        workers : int, optional
            Worker processes to start on this machine.
        threads : int, optional
            Threads of each process; default: 1 with `workers`, else one for each core.
        memory_limit : int or str, optional
            Bytes, or text such as "2GB", for each process; of a running cluster what its workers have, or less.
        worker_timeout : float
            Seconds that a cluster may be without any worker before a job gives up.

        Returns
        -------
        Resources
            The resources.

        Raises
        ------
        ValueError
            If `client` comes with another parameter, or a number is not positive.
        TimeoutError
            If the cluster has no worker and none comes.
        """
        nbytes = None if memory_limit is None else _positive(parse_bytes(memory_limit), "memory_limit")
        if client is not None:
            if (workers, threads) != (None, None):
                raise ValueError("client= has workers of its own: give no workers or threads with it")
            return cls._of_cluster(client, nbytes, worker_timeout)
        n_processes = 0 if workers is None else _positive(workers, "workers")
        n_threads = (1 if n_processes else CPU_COUNT) if threads is None else _positive(threads, "threads")
        return cls(n_processes, n_threads, nbytes, None, worker_timeout)

    @classmethod
    def _of_cluster(cls, client: Client, most_nbytes: int | None, worker_timeout: float) -> Resources:
        """Ask a running cluster for what its workers have; the least of them counts."""
        try:
            client.submit(executors.peak_nbytes, pure=False).result(timeout=min(FIRST_WORKER_S, worker_timeout))
        except TimeoutError as error:
            where = f"the cluster at {client.scheduler.address}"
            waited_s = min(FIRST_WORKER_S, worker_timeout)
            raise TimeoutError(f"no worker of {where} took a task in {waited_s:.0f} s") from error
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [worker["memory_limit"] for worker in workers if worker["memory_limit"]]
        if most_nbytes is not None:
            limits.append(most_nbytes)
        n_threads = max(worker["nthreads"] for worker in workers)
        return cls(len(workers), n_threads, min(limits, default=None), client, worker_timeout)

    def plan(self, sources: tuple[Volume, ...], targets: tuple[Volume, ...], n_units: int | None) -> Plan:
        """
        Plan a job within these resources.

        Parameters
        ----------
        sources, targets : tuple of Volume
            What is read and written.
        n_units : int or None
            Units of the targets that there is anything to do for, if that is known.

        Returns
        -------
        Plan
            The plan.

        Raises
        ------
        ValueError
            If the memory does not hold one stored unit; or, on a running cluster, one for each thread.
        """
        plan = make_plan(
            sources,
            targets,
            n_threads=self.n_threads,
            n_processes=max(1, self.n_processes),
            memory_limit_nbytes=self.memory_limit_nbytes,
            n_units=n_units,
        )
        if self.client is not None and plan.n_threads < self.n_threads:
            raise ValueError(
                f"the cluster's workers run {self.n_threads} tasks at once, and {self.memory_limit_nbytes:,} bytes of "
                f"memory hold {plan.n_threads}: start them with at most {plan.n_threads} threads, or more memory"
            )
        return plan

    def executor(self, plan: Plan) -> AbstractContextManager[Executor]:
        """
        Return what runs the tasks of a job.

        Parameters
        ----------
        plan : Plan
            The plan.

        Returns
        -------
        context manager of Executor
            What it starts ends with the `with` block.
        """
        given = {"worker_timeout": self.worker_timeout, "task_nbytes": plan.task_nbytes}
        if self.client is not None:
            return nullcontext(ClusterExecutor(self.client, **given))
        if self.n_processes:
            # As Dask has it, the share of a process in the machine's memory is its limit if there is no other.
            limit = self.memory_limit_nbytes
            keeps = plan.can_keep(limit or psutil.virtual_memory().total // self.n_processes)
            return executors.local_cluster(self.n_processes, plan.n_threads, limit, keeps=keeps, **given)
        return executors.threads(plan.n_threads, keeps=plan.can_keep(self.memory_limit_nbytes))


def _positive(value: int, name: str) -> int:
    """Return an integer of at least 1."""
    if operator.index(value) < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return operator.index(value)
