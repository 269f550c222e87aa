"""Reports: what a job did, as numbers, and how people read them."""

from __future__ import annotations

from dataclasses import dataclass

COUNT_UNITS = ("", " thousand", " million", " billion", " trillion", " quadrillion")
BYTE_UNITS = (" bytes", " kB", " MB", " GB", " TB", " PB", " EB")


@dataclass(frozen=True, slots=True)
class StageReport:
    """
    Tell what one stage did.

    Parameters
    ----------
    name : str
        The stage.
    n_blocks : int
        Blocks that it went through.
    read_nbytes, written_nbytes : int
        Bytes of the voxels that it read and wrote, as they are in memory.
    seconds : float
        Time that it took.
    """

    name: str
    n_blocks: int
    read_nbytes: int
    written_nbytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """
    Tell what a job did.

    Parameters
    ----------
    source, target, table : str
        Where the source lies, and where the job wrote the target and the table.
    shape : tuple of int
        Shape of the volume.
    n_voxels : int
        Voxels of the volume.
    n_labels : int
        Distinct labels of the source, the background included where it occurs.
    lowest_id, highest_id : int
        The extreme ids of the table.
    source_dtype, target_dtype : str
        Names of the dtypes.
    source_nbytes, target_nbytes : int
        Bytes of all voxels, as they are in memory.
    table_nbytes : int
        Bytes of the table in memory.
    stages : tuple of StageReport
        What each stage did.
    peak_nbytes : tuple of int
        The most memory that each process which ran tasks has had resident since it began.
    """

    source: str
    target: str
    table: str
    shape: tuple[int, ...]
    n_voxels: int
    n_labels: int
    lowest_id: int
    highest_id: int
    source_dtype: str
    target_dtype: str
    source_nbytes: int
    target_nbytes: int
    table_nbytes: int
    stages: tuple[StageReport, ...]
    peak_nbytes: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """Return the time of all stages."""
        return sum(stage.seconds for stage in self.stages)

    def __str__(self) -> str:
        rows = {
            "source": self.source,
            "target": self.target,
            "table": f"{self.table} ({human_nbytes(self.table_nbytes)} in memory)",
            "voxels": f"{human_count(self.n_voxels)} of shape {self.shape}",
            "labels": f"{human_count(self.n_labels)}, now ids {self.lowest_id:,} to {self.highest_id:,}",
            "dtype": f"{self.source_dtype} to {self.target_dtype}",
            "bytes": f"{human_nbytes(self.source_nbytes)} to {human_nbytes(self.target_nbytes)} in memory",
        }
        rows |= {stage.name: human_stage(stage) for stage in self.stages}
        rows |= {"memory": human_peaks(self.peak_nbytes)}
        return "\n".join(f"{name:<12}{text}" for name, text in rows.items())


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
    speed = human_nbytes(stage.read_nbytes / stage.seconds) if stage.seconds else "0 bytes"
    return f"{stage.n_blocks:,} blocks in {stage.seconds:.1f} s, {speed}/s read"


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
    highest, total = human_nbytes(max(peaks_nbytes, default=0)), human_nbytes(sum(peaks_nbytes))
    if len(peaks_nbytes) < 2:
        return f"{highest} at most"
    return f"{highest} at most in each of {len(peaks_nbytes)} processes, {total} together"


def _scaled(n: float, units: tuple[str, ...]) -> str:
    """Write a number in the largest unit of which there is at least one."""
    power = 0
    while n >= 999.95 and power < len(units) - 1:
        n, power = n / 1000, power + 1
    return f"{n:.1f}{units[power]}" if power else f"{n:.0f}{units[0]}"
