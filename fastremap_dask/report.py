"""Reports: what a job did, as numbers, and how people read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

COUNT_UNITS = ("", " thousand", " million", " billion", " trillion", " quadrillion")
BYTE_UNITS = (" bytes", " kB", " MB", " GB", " TB", " PB", " EB")
# Less than this is 0.0 s.
BRIEF_S = 0.05


@dataclass(frozen=True, slots=True)
class StageReport:
    """
    Tell what one stage did.

    Parameters
    ----------
    name : str
        The stage.
    n_blocks, n_skipped : int
        Tasks that it went through, and those that an earlier run had done.
    read_nbytes, written_nbytes : int
        Bytes of the voxels that it read and wrote, as they are in memory.
    seconds : float
        Time that it took.
    n_retries : int
        Accesses to stores that failed and were tried again.
    peak_nbytes : int
        The most memory that any process which ran tasks has had resident since it began, at the end of the stage.
    """

    name: str
    n_blocks: int
    n_skipped: int
    read_nbytes: int
    written_nbytes: int
    seconds: float
    n_retries: int
    peak_nbytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """
    Tell what a job did.

    Parameters
    ----------
    job : str
        What it was: renumber, unique, ...
    sources, targets : tuple of str
        Where the sources lie, and where the job wrote targets, if it did.
    table : str
        Where the table lies that the job wrote; empty if it wrote none.
    shapes : tuple of tuple of int
        Shapes of the volumes.
    n_voxels : int
        Voxels of all volumes.
    n_labels : int or None
        Distinct labels of the sources, the background included where it occurs, if the job has seen that.
    lowest_id, highest_id : int or None
        The extreme ids of these labels.
    source_dtype, target_dtype : str
        Names of the dtypes.
    source_nbytes, target_nbytes, table_nbytes : int
        Bytes in memory of all voxels and the table.
    stages : tuple of StageReport
        What each stage did.
    peak_nbytes : tuple of int
        The most memory that each process which ran tasks has had resident since it began.
    resumed : bool
        Whether the job went on with what an earlier run had left.
    notes : tuple of str
        What users should know.
    """

    job: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    table: str
    shapes: tuple[tuple[int, ...], ...]
    n_voxels: int
    n_labels: int | None
    lowest_id: int | None
    highest_id: int | None
    source_dtype: str
    target_dtype: str
    source_nbytes: int
    target_nbytes: int
    table_nbytes: int
    stages: tuple[StageReport, ...]
    peak_nbytes: tuple[int, ...]
    resumed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Return where the source lies, the first if there are several."""
        return self.sources[0]

    @property
    def target(self) -> str:
        """Return where the target lies, the first if there are several."""
        return self.targets[0]

    @property
    def seconds(self) -> float:
        """Return the time of all stages."""
        return sum(stage.seconds for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the report as JSON has it.

        Returns
        -------
        dict
            Of numbers, text, lists and dicts.

        Examples
        --------
        >>> from fastremap_dask import Report
        >>> report = Report("unique", ("a",), (), "t", ((2,),), 2, 1, None, None, "uint8", "", 2, 0, 17, (), ())
        >>> report.to_dict()["n_labels"]
        1
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, report: dict[str, Any]) -> Report:
        """
        Return the report that `to_dict` gave, from JSON.

        Parameters
        ----------
        report : dict
            As JSON has it.

        Returns
        -------
        Report
            The report.

        Examples
        --------
        >>> from fastremap_dask import Report
        >>> report = Report("unique", ("a",), (), "t", ((2,),), 2, 1, None, None, "uint8", "", 2, 0, 17, (), ())
        >>> Report.from_dict(report.to_dict()) == report
        True
        """
        stages = tuple(StageReport(**stage) for stage in report["stages"])
        lists = {name: tuple(report[name]) for name in ("sources", "targets", "peak_nbytes", "notes")}
        shapes = tuple(map(tuple, report["shapes"]))
        return cls(**{**report, **lists, "shapes": shapes, "stages": stages})

    def __str__(self) -> str:
        return human_rows(self._rows())

    def _repr_html_(self) -> str:
        return html_rows(f"{self.job}: done in {self.seconds:.1f} s", self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        """Return what people read of it: names and texts."""
        read, written = human_nbytes(self.source_nbytes), human_nbytes(self.target_nbytes)
        shapes = ", ".join(map(str, self.shapes))
        rows = {"source": ", ".join(self.sources)}
        if self.targets:
            rows["target"] = ", ".join(self.targets)
        if self.table:
            rows["table"] = f"{self.table} ({human_nbytes(self.table_nbytes)} in memory)"
        rows["voxels"] = f"{human_count(self.n_voxels)} of shape {shapes}"
        if self.n_labels is not None:
            ids = f", now ids {self.lowest_id:,} to {self.highest_id:,}" if self.lowest_id is not None else ""
            rows["labels"] = human_count(self.n_labels) + ids
        rows["dtype"] = self.source_dtype + (f" to {self.target_dtype}" if self.targets else "")
        rows["bytes"] = read + (f" to {written}" if self.targets else "") + " in memory"
        last = [("memory", human_peaks(self.peak_nbytes)), *(("note", note) for note in self.notes)]
        return [*rows.items(), *stage_rows(self.stages), *last]


def human_rows(rows: Iterable[tuple[str, str]]) -> str:
    """
    Write facts as people read them.

    Parameters
    ----------
    rows : iterable of (name, text)
        The facts; two may have one name.

    Returns
    -------
    str
        A line for each, the texts below each other.
    """
    return "\n".join(f"{name:<13} {text}" for name, text in rows)


def html_rows(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    """
    Write facts as notebooks show them.

    Parameters
    ----------
    caption : str
        What they are about.
    rows : iterable of (name, text)
        The facts.

    Returns
    -------
    str
        A table in HTML.
    """
    left = "style='text-align: left'"
    cells = ((escape(name), escape(text)) for name, text in rows)
    body = "".join(f"<tr><th {left}>{name}</th><td {left}>{text}</td></tr>" for name, text in cells)
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"


def human_count(n: int) -> str:
    """
    Write a number as people read it.

    Parameters
    ----------
    n : int
        The number.

    Returns
    -------
    str
        Exact below a million, else with a word: 134.2 million.
    """
    return f"{n:,}" if n < 10**6 else _scaled(n, COUNT_UNITS)


def human_nbytes(nbytes: float) -> str:
    """
    Write a number of bytes as people read it.

    Parameters
    ----------
    nbytes : float
        The bytes.

    Returns
    -------
    str
        In powers of a thousand: 268.4 MB.
    """
    return _scaled(nbytes, BYTE_UNITS)


def stage_rows(stages: Iterable[StageReport]) -> list[tuple[str, str]]:
    """
    Write what stages did.

    Parameters
    ----------
    stages : iterable of StageReport
        The stages.

    Returns
    -------
    list of (name, text)
        Those that took time or had more than one block; the merges of a small volume do neither.
    """
    shown = (stage for stage in stages if stage.n_blocks > 1 or stage.n_retries or stage.seconds >= BRIEF_S)
    return [(stage.name, human_stage(stage)) for stage in shown]


def counted(n: int, noun: str) -> str:
    """
    Write how many there are of something.

    Parameters
    ----------
    n : int
        The number.
    noun : str
        For one of them.

    Returns
    -------
    str
        Such as 1 block, 2,000 blocks, 3 processes.
    """
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"


def human_stage(stage: StageReport) -> str:
    """
    Write what a stage did in one line.

    Parameters
    ----------
    stage : StageReport
        The stage.

    Returns
    -------
    str
        Its blocks, time and speed.
    """
    text = f"{counted(stage.n_blocks, 'block')} in {stage.seconds:.1f} s"
    if stage.read_nbytes and stage.seconds:
        text += f", {human_nbytes(stage.read_nbytes / stage.seconds)}/s read"
    if stage.n_skipped:
        text += f", {stage.n_skipped:,} done before"
    return text + (f", {stage.n_retries:,} retries" if stage.n_retries else "")


def human_peaks(peaks_nbytes: tuple[int, ...]) -> str:
    """
    Write the peaks of processes in one line.

    Parameters
    ----------
    peaks_nbytes : tuple of int
        The peak of each.

    Returns
    -------
    str
        The highest, and the sum.
    """
    text = human_memory(max(peaks_nbytes, default=0), len(peaks_nbytes))
    return text if len(peaks_nbytes) < 2 else f"{text}, {human_nbytes(sum(peaks_nbytes))} together"


def human_memory(nbytes: int, n_processes: int) -> str:
    """
    Write how much memory processes take.

    Parameters
    ----------
    nbytes : int
        The most that one of them takes.
    n_processes : int
        How many there are.

    Returns
    -------
    str
        Such as 1.2 GB at most in each of 8 processes.
    """
    each = "" if n_processes < 2 else f" in each of {counted(n_processes, 'process')}"
    return f"{human_nbytes(nbytes)} at most{each}"


def _scaled(n: float, units: tuple[str, ...]) -> str:
    """Write a number in the largest unit of which there is at least one."""
    power = 0
    while n >= 999.95 and power < len(units) - 1:
        n, power = n / 1000, power + 1
    return f"{n:.1f}{units[power]}" if power else f"{n:.0f}{units[0]}"
