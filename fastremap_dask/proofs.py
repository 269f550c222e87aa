"""Proofs: that every process which runs tasks sees what the job sees, with the same versions."""

from __future__ import annotations

from dataclasses import dataclass

import zarr

import fastremap

from .journal import Lock
from .places import show
from .tasks import Job


@dataclass(frozen=True)
class Proof:
    """
    Prove in a process that it sees what the job sees.

    Parameters
    ----------
    job : Job
        The job.
    lock : Lock
        Its lock, beside the target.
    versions : str
        The versions that count.
    """

    job: Job
    lock: Lock
    versions: str

    def __call__(self) -> str:
        """Return what is wrong in this process; empty if nothing is."""
        if versions() != self.versions:
            return f"has {versions()}, and this process {self.versions}: install the same versions everywhere"
        try:
            self.lock.check()
            if self.job.work.get("probe").decode() != self.lock.run:
                return f"sees other files at {show(self.job.work.place)}"
        except (FileNotFoundError, RuntimeError) as error:
            return f"does not see the job's files: {error}"
        for source in self.job.sources:
            stored = source.stored
            try:
                seen = zarr.open_array(stored.place, mode="r").metadata.to_dict()
            except Exception as error:
                return f"does not see the source {show(stored.place)}: {error}"
            if seen != stored.open().metadata.to_dict():
                return f"sees another array at {show(stored.place)}"
        return ""


def versions() -> str:
    """
    Return the versions of what decides the bytes that tasks write.

    Returns
    -------
    str
        Of this package and zarr.
    """
    return f"fastremap {fastremap.__version__} and zarr {zarr.__version__}"
