"""Journals: what a job keeps beside its target until it is done, so that it can be gone on with, by one run alone."""

from __future__ import annotations

import getpass
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from zarr.storage import LocalStore, StorePath

from .blocksets import BlockSet
from .objects import Folder
from .places import beside, show, this_machine
from .stages import Hopeless, JobError
from .writing import settle

JOB_SUFFIX = ".job"
FORMAT, VERSION = "fastremap-job", 1
# How often a running job gives a sign of life.
BEAT_S = 15.0
# The runs of this process that hold locks: one that ended where its lock could not be removed holds it no more.
_live: set[str] = set()


class JobLocked(RuntimeError):
    """Tell that another job is writing to the target, or seems to."""


@dataclass(frozen=True, slots=True)
class Lock:
    """
    Name the lock of a running job, as its tasks know it.

    Parameters
    ----------
    folder : Folder
        Where it lies.
    run : str
        The run that holds it.
    """

    folder: Folder
    run: str

    def check(self) -> None:
        """Raise RuntimeError unless this run holds the lock: another that took it may have other settings."""
        try:
            held = json.loads(self.folder.get("lock"))
        except FileNotFoundError:
            place = show(self.folder.place)
            raise RuntimeError(
                f"{place}/lock is not there: this process sees another file system, or the lock was removed"
            ) from None
        if held["run"] != self.run:
            raise RuntimeError(f"the job was taken over by process {held['pid']} on {held['machine'].split('/')[0]}")


@dataclass
class Journal:
    """
    Keep a job: its settings, its lock, and what is done.

    Parameters
    ----------
    place : zarr.storage.StorePath
        The target, or what else the job makes.
    scratch : zarr.storage.StorePath or None
        Where to keep what is large. Default: with the journal, beside the target.
    durable : bool
        Objects are on the disk when they are said to be written.
    """

    place: StorePath
    scratch: StorePath | None = None
    durable: bool = False
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    settings: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False

    def __post_init__(self) -> None:
        # Whether there is anything that a later run could use.
        self.worth_keeping = False
        self._stop = threading.Event()
        self._lost: str | None = None
        self._made: list[Path] = []

    @cached_property
    def folder(self) -> Folder:
        """Where the journal lies."""
        return Folder(beside(self.place, JOB_SUFFIX), self.durable)

    @cached_property
    def work(self) -> Folder:
        """Where the objects lie that the stages make."""
        if self.scratch is None:
            return Folder(self.folder.place / "work", self.durable)
        name = show(self.folder.place).replace("://", "-").replace("/", "-").replace(":", "-").strip("-")
        return Folder(self.scratch / name, self.durable)

    @property
    def lock(self) -> Lock:
        """What tasks need to know of it."""
        return Lock(self.folder, self.run)

    def found(self) -> dict[str, Any] | None:
        """Return the settings of the job that was begun here, or None."""
        if not self.folder.has("job.json"):
            return None
        head = json.loads(self.folder.get("job.json"))
        if (head.get("format"), head.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"{show(self.folder.place)} is a job of another version: finish it there, or remove it")
        return head["settings"]

    @contextmanager
    def held(self, settings: Mapping[str, Any], *, resume: bool) -> Iterator[None]:
        """
        Hold the lock for the length of a `with` block, and tell others that this job is alive.

        Parameters
        ----------
        settings : mapping
            All that decides what the job writes.
        resume : bool
            Go on with what was begun here; else what is there is removed first.

        Yields
        ------
        None
            To the job. If it raises ValueError or TypeError, or a task was hopeless, its settings cannot work, and the
            journal is removed; so it is while nothing in it is worth keeping. Whatever else is raised leaves the
            journal for a later run.

        Raises
        ------
        JobLocked
            If another job holds it.
        OSError
            If nothing can be written there.
        """
        if isinstance(self.place.store, LocalStore):
            parents = Path(show(self.folder.place)).parents
            self._made = [folder for folder in parents if not folder.exists()]
            if file := next((folder for folder in parents if folder.is_file()), None):
                raise NotADirectoryError(f"{file} is a file: {show(self.place)} cannot lie under it")
        self.settings, self.resumed = json.loads(json.dumps(settings)), resume
        _live.add(self.run)
        try:
            self._take()
        except BaseException as error:
            _live.discard(self.run)
            if isinstance(error, OSError):
                self._remove_folders()
            raise
        beat = threading.Thread(target=self._live, name="fastremap-heartbeat", daemon=True)
        try:
            if not resume:
                self._begin()
            beat.start()
            yield
        except BaseException as error:
            self._end(beat)
            settle()
            hopeless = isinstance(error, ValueError | TypeError) or isinstance(error.__cause__, Hopeless)
            if (hopeless or not (self.worth_keeping or resume)) and self._is_held():
                self.remove()
            else:
                self._release()
                error.add_note("what is done is kept, and resuming goes on with it")
            raise
        finally:
            _live.discard(self.run)
        self._end(beat)
        self.remove()

    def check(self) -> None:
        """Raise JobError if another job has taken the lock."""
        if self._lost is not None:
            raise JobError(self._lost)

    def done(self, kind: str) -> list[dict[int, BlockSet]]:
        """Return what objects say is done: for each volume the blocks of each level."""
        volumes: list[dict[int, BlockSet]] = []
        for name in self.work.names(kind):
            parts = name.split("/")[1:]
            if parts[0].isdecimal() and not name.endswith(".partial"):
                volume, level, number = int(parts[0]), int(parts[1]), int(parts[2].split(".")[0])
                while len(volumes) <= volume:
                    volumes.append({})
                volumes[volume].setdefault(level, BlockSet()).add(number)
        return volumes

    def remove(self) -> None:
        """Remove the journal; what says that there is one goes first."""
        self.folder.delete("job.json")
        self.work.clear()
        self.folder.clear()
        self._remove_folders()

    def _remove_folders(self) -> None:
        for folder in self._made:
            with suppress(OSError):  # not there, or not empty
                folder.rmdir()

    def _begin(self) -> None:
        """Note the settings, in place of what a job before has left."""
        self.folder.delete("job.json")
        self.work.clear()
        head = {"format": FORMAT, "version": VERSION, "begun": _now(), "settings": self.settings}
        self.folder.put("job.json", json.dumps(head, indent=1).encode())

    def _take(self) -> None:
        """Take the lock; from a process of this machine that is gone too."""
        process = psutil.Process()
        mine = {
            "run": self.run,
            "machine": this_machine(),
            "pid": process.pid,
            "process_began": process.create_time(),
            "user": _user(),
            "begun": _now(),
        }
        data = json.dumps(mine).encode()
        if self.folder.put_new("lock", data):
            return
        try:
            held = json.loads(self.folder.get("lock"))
        except (FileNotFoundError, ValueError):
            held = {}
        if _is_gone(held):
            self.folder.delete("lock")
            if self.folder.put_new("lock", data):
                return
        raise JobLocked(self._explain(held))

    def _explain(self, held: dict[str, Any]) -> str:
        """Say who holds the lock, and what to do if it is a dead one."""
        try:
            beat = json.loads(self.folder.get("beat"))
        except (FileNotFoundError, ValueError):
            beat = {}
        seen = beat.get("time") if beat.get("run") == held.get("run") else None
        seen = seen or held.get("begun", "an unknown time")
        who = f"process {held.get('pid')} of {held.get('user')} on {str(held.get('machine')).split('/')[0]}"
        return (
            f"another job holds {show(self.place)}: {who}, last seen at {seen} (a running one is seen every "
            f"{BEAT_S:g} s). If it is gone, remove {show(self.folder.place / 'lock')} and resume"
        )

    def _live(self) -> None:
        """Give signs of life, and notice when the lock is another's: the thread."""
        while not self._stop.is_set():
            try:
                self.lock.check()
                self.folder.put("beat", json.dumps({"run": self.run, "time": _now()}).encode())
            except RuntimeError as error:
                self._lost = str(error)
                return
            except Exception:  # a store that fails now may work at the next beat; the tasks tell if it does not
                self._stop.wait(1.0)
            self._stop.wait(BEAT_S)

    def _end(self, beat: threading.Thread) -> None:
        self._stop.set()
        if beat.ident is not None:
            beat.join()

    def _is_held(self) -> bool:
        """Tell whether the lock is this run's, as far as can be seen."""
        with suppress(Exception):  # the error that ends the job must not be hidden by one of these
            self.lock.check()
            return True
        return False

    def _release(self) -> None:
        """Give the lock back, unless it is another's."""
        if self._is_held():
            with suppress(Exception):  # as above; this process knows that the run has ended, and so do others later
                self.folder.delete("lock")


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """
    Say which settings of two jobs differ.

    Parameters
    ----------
    old, new : mapping
        Settings, as JSON has them.

    Returns
    -------
    str
        Empty if none differ.
    """
    new = json.loads(json.dumps(new))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} was {_short(old.get(name))} and is now {_short(new.get(name))}" for name in names)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_gone(held: Mapping[str, Any]) -> bool:
    """Tell whether a lock was taken on this machine by a process, or by a run of this one, that is not there now."""
    if held.get("machine") != this_machine():
        return False
    try:
        process = psutil.Process(held["pid"])
        same = abs(process.create_time() - held["process_began"]) < 1
        if same and process.pid == os.getpid():
            return held["run"] not in _live
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
