"""Time the change of memory order against numpy, a plain copy, the package whose place this takes, and MKL.

    python tests/benchmarks/layout.py [--rounds 5] [--peer FOLDER] [--mkl FOLDER] [--json FILE] [--only TEXT]

Each row lays a C-ordered array out in Fortran order. Every round calls, one after the other in one process, a plain
copy, ours in place, ours on a read-only array, numpy, the peer in place and MKL's imatcopy; those that are slow stop
after a few seconds. Numbers are medians with the first and third quartile; `x copy` is our time as a multiple of
`arr.copy(order="K")`, `x numpy`, `x peer` and `x MKL` how many times faster we are. A number that misses its goal is
marked with `!`. Before that, a child process transposes the same array in an address space without room for a second
one and compares every item. `pip install --no-deps --target FOLDER` the peer, or mkl and intel-openmp; columns of what
is absent stay empty.
"""

import argparse
import ctypes
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import fastremap

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from peer import load_peer  # noqa: E402

ENOUGH_S = 3.0  # a contender that has taken so long runs no more
NAMES = ("copy", "ours", "read-only", "numpy", "peer", "MKL")

# Shapes and widths of items. Small ones repeat more often, since their times scatter more.
ROWS: list[tuple[tuple[int, ...], str]] = [
    ((8192, 8192), "u4"), ((512, 512, 512), "u1"), ((512, 512, 512), "u2"), ((512, 512, 512), "u4"),
    ((512, 512, 512), "u8"), ((300, 70, 300), "u8"), ((8192, 6000), "u4"), ((12000, 4096), "u8"),
    ((512, 512, 256), "u4"), ((500, 400, 300), "u8"), ((512, 500, 64), "u1"), ((128, 128, 128, 32), "u2"),
    ((3, 2048, 2048), "u1"), ((100003, 64), "u8"), ((10007, 4001), "u8"), ((10007, 4001), "u4"),
    ((10007, 4001), "u2"), ((10007, 4001), "u1"), ((211, 397, 401), "u2"), ((4097, 4096), "u8"),
    ((640, 480, 200, 3), "u1"),
    # primes, neighbours of powers of two, skinny, several channels, small and large
    ((10007, 9973), "u4"), ((211, 199, 197), "u4"), ((4096, 4096), "u2"), ((4096, 4097), "u2"), ((4096, 4097), "u4"),
    ((4097, 4097), "u4"), ((400, 300, 200, 3), "u4"), ((3, 400, 300, 200), "u4"), ((4, 64, 512, 512), "u2"),
    ((512, 512, 64, 4), "u2"), ((4, 64, 512, 512), "u8"), ((1024, 1024), "u1"), ((700, 500), "u4"),
    ((23171, 23170), "u4"), ((1024, 1024, 256), "u8"),
]  # fmt: skip


@dataclass
class Row:
    """One array and what was measured on it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})
    checked: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def name(self) -> str:
        """Shape and dtype."""
        return f"{self.shape} {self.dtype}"

    def goals(self) -> dict[tuple[str, str], float]:
        """(contender, against) -> the most multiples of a copy, or the least times faster than the others.

        Arrays that fit the second-level cache have none: there a copy costs next to nothing.
        """
        if self.nbytes < 2**21:
            return {}
        wide = self.dtype.itemsize >= 4
        if self.shape == self.shape[::-1]:  # squares, cubes, palindromes
            pitch = math.prod(self.shape[1:]) * self.dtype.itemsize
            usual = {8: 3, 4: 3.5}.get(self.dtype.itemsize, 4.5)
            copy, peer, numpy = (1.2 if wide else 2.5), (12 if pitch & (pitch - 1) == 0 else usual), 5
        else:
            copy, peer, numpy = (2.2 if wide else 3.3), {8: 15, 4: 25}.get(self.dtype.itemsize, 35), 1.8
        goals = {("ours", "copy"): copy, ("ours", "peer"): peer, ("ours", "numpy"): numpy}
        return goals | {("read-only", "copy"): 2 if wide else 3.5, ("read-only", "numpy"): 2.5}

    def quartiles(self, contender: str, against: str) -> tuple[float, float, float] | None:
        """Ratios of neighbouring calls: our time by that of a copy, or that of the others by ours."""
        ours, theirs = np.array(self.seconds[contender]), np.array(self.seconds[against])
        if theirs.size == 0:
            return None
        n = min(ours.size, theirs.size)
        ratios = ours[:n] / theirs[:n] if against == "copy" else theirs[:n] / ours[:n]
        low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        return float(low), float(middle), float(high)

    def misses(self, contender: str, against: str) -> bool:
        """Tell whether a ratio was measured and is behind its goal."""
        goal, ratios = self.goals().get((contender, against)), self.quartiles(contender, against)
        if goal is None or ratios is None:
            return False
        return ratios[1] > goal if against == "copy" else ratios[1] < goal


def imatcopy(folder: pathlib.Path) -> Callable[[np.ndarray], None] | None:
    """MKL's in-place transposition of matrices of 4 or 8 bytes an item, or None where it is not installed."""
    libraries = sorted(folder.rglob("libmkl_rt.so*"))
    if not libraries:
        return None
    for runtime in sorted(folder.rglob("libiomp5.so")):
        ctypes.CDLL(str(runtime), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(libraries[0]), mode=ctypes.RTLD_GLOBAL)
    library.MKL_Set_Num_Threads(1)

    def call(arr: np.ndarray) -> None:
        rows, columns = map(ctypes.c_size_t, arr.shape)
        real = ctypes.c_float if arr.itemsize == 4 else ctypes.c_double
        function = library.mkl_simatcopy if arr.itemsize == 4 else library.mkl_dimatcopy
        order, transposed = ctypes.c_char(b"R"), ctypes.c_char(b"T")
        function(order, transposed, rows, columns, real(1), ctypes.c_void_p(arr.ctypes.data), columns, rows)

    return call


def contenders(row: Row, peer: object | None, mkl: Callable | None) -> dict[str, Callable[[], object]]:
    """The calls of a round. All work on one array: what it holds does not matter here."""
    arr = np.ones(row.shape, row.dtype)
    frozen = arr.view()
    frozen.flags.writeable = False
    calls: dict[str, Callable[[], object]] = {
        "copy": lambda: arr.copy(order="K"),
        "ours": lambda: fastremap.asfortranarray(arr),
        "read-only": lambda: fastremap.asfortranarray(frozen),
        "numpy": lambda: np.asfortranarray(arr),
    }
    if peer is not None:
        calls["peer"] = lambda: peer.asfortranarray(arr)
    if mkl is not None and len(row.shape) == 2 and row.dtype.itemsize in (4, 8):
        calls["MKL"] = lambda: mkl(arr)
    return calls


def measure(row: Row, n_rounds: int, peer: object | None, mkl: Callable | None) -> None:
    """Fill in the seconds of every contender, interleaved."""
    calls = contenders(row, peer, mkl)
    for name in ("copy", "ours", "read-only"):
        calls[name]()  # warm up
    for _ in range(n_rounds * (5 if row.nbytes < 2**24 else 1)):
        for name, call in calls.items():
            if sum(row.seconds[name]) > ENOUGH_S:
                continue
            start = time.perf_counter()
            result = call()
            row.seconds[name].append(time.perf_counter() - start)
            del result


def check(row: Row) -> None:
    """Have a child process without room for a second array compare every item."""
    command = [sys.executable, str(HERE / "layout_child.py"), row.dtype.str, *map(str, row.shape)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    row.checked = outcome.stdout.strip() or "failed: " + outcome.stderr.strip().rpartition("\n")[2]


def cell(row: Row, contender: str, against: str) -> str:
    """A ratio with its spread; `!` where it misses its goal."""
    ratios = row.quartiles(contender, against)
    if ratios is None:
        return ""
    low, middle, high = (f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}" for ratio in ratios)
    return f"{middle}{'!' if row.misses(contender, against) else ''} ({low}-{high})"


def line(row: Row) -> str:
    """The row of the Markdown table."""
    goals = row.goals()
    goal = " / ".join(
        str(goals[pair]) for pair in [("ours", "copy"), ("ours", "numpy"), ("ours", "peer")] if pair in goals
    )
    ms = {name: f"{np.median(times) * 1e3:.1f}" if times else "" for name, times in row.seconds.items()}
    pairs = [("ours", "copy"), ("ours", "numpy"), ("ours", "peer"), ("ours", "MKL")]
    pairs += [("read-only", "copy"), ("read-only", "numpy")]
    ours, *rest = [cell(row, *pair) for pair in pairs]
    cells = [row.name, row.checked, ms["copy"], ms["ours"], goal, ours, *rest[:3], ms["read-only"], *rest[3:]]
    return "| " + " | ".join(cells) + " |"


def record(row: Row) -> dict:
    """The row as JSON takes it."""
    missed = [f"{ours} x {other}" for ours, other in row.goals() if row.misses(ours, other)]
    return {
        "shape": row.shape,
        "dtype": row.dtype.str,
        "checked": row.checked,
        "missed": missed,
        "seconds": row.seconds,
    }


HEAD = (
    "shape, dtype", "in place", "copy ms", "ours ms", "goal", "x copy", "x numpy", "x peer", "x MKL",
    "read-only ms", "x copy", "x numpy",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> list[Row]:
    """Print a table in Markdown, and write the measurements as JSON if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    temporary = pathlib.Path(tempfile.gettempdir())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", type=pathlib.Path, default=temporary / "fastremap-peer")
    parser.add_argument("--mkl", type=pathlib.Path, default=temporary / "mkl")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--only", default="", help="only rows that contain this text")
    parser.add_argument("--largest", type=float, default=2.2, help="leave out larger arrays, in GB")
    options = parser.parse_args(arguments)
    peer = load_peer(options.peer) if options.peer.is_dir() else None
    mkl = imatcopy(options.mkl)
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|")
    rows = [Row(shape, np.dtype(dtype)) for shape, dtype in ROWS]
    rows = [row for row in rows if options.only in row.name and row.nbytes <= options.largest * 1e9]
    for row in rows:
        check(row)
        measure(row, options.rounds, peer, mkl)
        print(line(row), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([record(row) for row in rows], indent=1))
    return rows


if __name__ == "__main__":
    main()
