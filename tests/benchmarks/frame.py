"""What all benchmarks share: rows of calls, timed in turn in one process, and their table.

A row is one call of ours on one array, the same call of others, and what is to be reached. Every round times each of
them once, one after the other, so that a slow moment of the machine meets all; ratios are taken within a round.
"""

import gc
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peer import REQUIREMENT, load_peer  # noqa: E402

Call = Callable[[np.ndarray], object]

OTHERS = {"pandas": "pandas", "polars": "polars", "pyarrow": "pyarrow", "scikit-image": "skimage.util"}
HEADER = (
    "| case | ours ms | x copy | x read | times faster than the peer (quartiles) | than others | goals: reached |\n"
    "|---|---|---|---|---|---|---|"
)
YARDSTICKS: dict[str, Call] = {
    "copy": lambda array: array.copy(order="K"),
    "read": lambda array: (array.view(np.uint8) if array.dtype.kind == "b" else array).max(),
}
SLOW_S = 4.0  # a call that takes longer is not repeated
SHORTEST_S = 2e-4  # calls are repeated within a timing until they take this long


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    array: str  # the name of the input
    ours: Call
    others: dict[str, Call] = field(default_factory=dict)
    goals: dict[str, float] = field(default_factory=dict)  # at most x times a yardstick, at least y times an other
    changes: bool = False  # writes into the array, which is restored before each call


@dataclass(frozen=True)
class Measured:
    """The seconds of a row: one number for each round, and one alone for what is slow."""

    row: Row
    n_items: int
    seconds: dict[str, list[float]]

    def ratio(self, name: str) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of the seconds of `name` divided by ours."""
        ours, other = self.seconds["ours"], self.seconds[name]
        ratios = (
            [b / a for a, b in zip(ours, other, strict=True)]
            if len(other) == len(ours)
            else [other[0] / np.median(ours)]
        )
        return tuple(float(q) for q in np.quantile(ratios, (0.25, 0.5, 0.75)))

    def reached(self, name: str) -> float:
        """How far a goal is reached: 1 or more, it is."""
        goal, ratio = self.row.goals[name], self.ratio(name)[1]
        return goal * ratio if name in YARDSTICKS else ratio / goal


def install(folder: pathlib.Path, requirement: str, *options: str) -> pathlib.Path | None:
    """Install a package into a folder of its own unless it is there; None if the index has none for this Python."""
    target = folder / requirement.split("==")[0]
    if not target.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", *options, "--target", target, requirement]
        if subprocess.run(command, capture_output=True).returncode:
            print(f"{requirement} cannot be installed and is left out", file=sys.stderr)
            return None
    return target


def import_others(folder: pathlib.Path) -> None:
    """Import the packages to compare with; this environment's own come first."""
    for requirement, module in OTHERS.items():
        found = install(folder, requirement)
        if found:
            sys.path.append(str(found))
            importlib.import_module(module)


def peer_folder(folder: pathlib.Path) -> pathlib.Path:
    """Where the package whose place ours takes is installed."""
    return folder / REQUIREMENT.split("==")[0]


def peer(folder: pathlib.Path) -> ModuleType:
    """The package whose place ours takes, from a folder of its own, under another name."""
    install(folder, REQUIREMENT, "--no-deps")
    return load_peer(peer_folder(folder))


def default_folder() -> pathlib.Path:
    """Where packages to compare with are kept from run to run."""
    return pathlib.Path(tempfile.gettempdir()) / "fastremap-benchmarks"


def seconds_of(call: Call, arrays: list[np.ndarray]) -> float:
    """Seconds of one call, of those on several arrays; what the last returns is freed outside of the time."""
    begin = time.perf_counter()
    for array in arrays:
        result = call(array)
    elapsed = time.perf_counter() - begin
    del result
    return elapsed / len(arrays)


def measure(row: Row, array: np.ndarray, n_rounds: int, slow_s: float = SLOW_S) -> Measured:
    """Time a row: a round to warm up, then rounds in which each call is timed once; others that are slow only once."""
    calls = {"ours": row.ours} | row.others | YARDSTICKS
    copies: list[np.ndarray] = []

    def fresh(n_repeats: int) -> list[np.ndarray]:
        if not row.changes:
            return [array] * n_repeats
        copies.extend(array.copy(order="K") for _ in range(n_repeats - len(copies)))
        for copy in copies[:n_repeats]:
            np.copyto(copy, array)
        return copies[:n_repeats]

    seconds: dict[str, list[float]] = {name: [] for name in calls}
    repeats: dict[str, int] = {}
    for round_ in range(n_rounds + 1):
        for name, call in calls.items():
            if repeats.get(name) == 0:
                continue
            elapsed = seconds_of(call, fresh(repeats.get(name, 1)))
            if round_ == 0:
                repeats[name] = 1 if elapsed > SHORTEST_S else max(1, int(SHORTEST_S / seconds_of(call, fresh(1))))
            if elapsed > slow_s and name in row.others:
                seconds[name], repeats[name] = [elapsed], 0
            elif round_:
                seconds[name].append(elapsed)
            gc.collect(0)
    return Measured(row, array.size, seconds)


def in_ms(seconds: float) -> str:
    """Milliseconds with three digits."""
    return f"{seconds * 1e3:.3g}"


def line(measured: Measured) -> str:
    """A row of the table in Markdown."""
    low, middle, high = measured.ratio("peer") if "peer" in measured.seconds else (np.nan,) * 3
    peer_text = f"{middle:.2f} ({low:.2f}-{high:.2f})" if middle == middle else ""
    others = ", ".join(f"{name} {measured.ratio(name)[1]:.1f}" for name in measured.row.others if name != "peer")
    goals = ", ".join(
        f"{'≤' if name in YARDSTICKS else '≥'} {goal:g} {name}: {measured.reached(name):.2f}"
        for name, goal in measured.row.goals.items()
    )
    copy, read = (1 / measured.ratio(name)[1] for name in YARDSTICKS)
    ours = in_ms(float(np.median(measured.seconds["ours"])))
    return f"| {measured.row.name} | {ours} | {copy:.2f} | {read:.2f} | {peer_text} | {others} | {goals} |"


def write(results: list[Measured], folder: pathlib.Path, name: str) -> None:
    """Write the table as Markdown and JSON, and the ratios to the peer as a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text("\n".join([HEADER, *map(line, results)]) + "\n")
    records = [
        {"case": m.row.name, "array": m.row.array, "n_items": m.n_items, "seconds": m.seconds, "goals": m.row.goals}
        for m in results
    ]
    (folder / f"{name}.json").write_text(json.dumps(records, indent=1) + "\n")
    draw([m for m in results if "peer" in m.seconds], folder / f"{name}.png")


def draw(results: list[Measured], path: pathlib.Path) -> None:
    """Draw how many times faster than the peer each row is, with its quartiles, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 1 + 0.22 * len(results)), layout="constrained")
    quartiles = np.array([m.ratio("peer") for m in results]).reshape(-1, 3)
    places = np.arange(len(results))[::-1]
    errors = np.abs(quartiles[:, [1, 1]] - quartiles[:, [0, 2]]).T
    axes.barh(places, quartiles[:, 1] - 1, left=1, xerr=errors, color="tab:blue", ecolor="0.3", height=0.7)
    goals = [m.row.goals.get("peer", np.nan) for m in results]
    axes.plot(goals, places, "|", color="tab:red", markersize=9, markeredgewidth=2, label="goal")
    axes.set(xscale="log", xlabel="times faster than the peer", yticks=places, ylim=(-1, len(results)))
    axes.set_yticklabels([m.row.name for m in results], fontsize=7)
    axes.axvline(1, color="0.3", linewidth=1)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=110)
    plt.close(figure)
