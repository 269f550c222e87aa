"""The benchmark of the label functions runs, on little, and its table says what was measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "labels.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    options = ["--scale", "0.001", "--rounds", "2", "--against", "none", "--out", folder]
    result = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


def test_every_row_has_its_times(folder: Path) -> None:
    records = json.loads((folder / "labels.json").read_text())
    lines = (folder / "labels.md").read_text().splitlines()
    assert len(records) > 60 and len(lines) == len(records) + 2
    for record, line in zip(records, lines[2:], strict=True):
        assert line.startswith(f"| {record['case']} | ")
        assert {"ours", "copy", "read"} <= record["seconds"].keys() <= {"ours", "copy", "read", "numpy"}
        assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in record["seconds"].values())


def test_a_picture_is_drawn(folder: Path) -> None:
    assert (folder / "labels.png").read_bytes().startswith(b"\x89PNG")


def test_ratios_and_goals() -> None:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import frame
    finally:
        sys.path.remove(str(SCRIPT.parent))
    seconds = {"ours": [1.0, 2.0, 4.0], "peer": [4.0, 4.0, 4.0], "copy": [2.0, 4.0, 8.0], "numpy": [30.0]}
    row = frame.Row("row", "array", len, {"peer": len}, {"peer": 4, "copy": 1})
    measured = frame.Measured(row, 3, seconds)
    assert measured.ratio("peer") == (1.5, 2.0, 3.0)
    assert measured.ratio("numpy") == (15.0, 15.0, 15.0)  # one time alone, against the median of ours
    assert measured.reached("peer") == 0.5  # half as fast as it is to be
    assert measured.reached("copy") == 2.0  # half the time that it may take


def test_growth_is_measured_and_drawn(tmp_path: Path) -> None:
    options = ["--voxels", "20", "--labels", "1", "--items", "10000", "--out", tmp_path]
    result = subprocess.run([sys.executable, SCRIPT.with_name("scaling.py"), *options], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    table = (tmp_path / "scaling.md").read_text()
    assert [f"| {n} | " in table for n in ("1,048,576", "1", "10")] == [True, True, True]
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_cases_of_the_breadth_are_what_their_names_say() -> None:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import breadth
    finally:
        sys.path.remove(str(SCRIPT.parent))
    arrays = {name: array for _, name, array, _ in breadth.cases([1000])}
    assert len(arrays) == len(breadth.DISTRIBUTIONS) * 6 * 2
    for name, array in arrays.items():
        _, dtype, order, distribution = name.split(" ", 3)
        assert array.size == 1000 and array.dtype == dtype and array.flags[f"{order}_CONTIGUOUS"]
        flat = array.ravel("K").tolist()
        assert distribution != "constant" or len(set(flat)) == 1
        assert distribution != "sorted" or flat == sorted(flat)
        assert distribution != "reversed" or flat == sorted(flat)[::-1]
        assert distribution != "checkerboard" or flat[:2] * 500 == flat
