"""The layout benchmark on its smallest arrays, so that it runs when it is wanted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "layout.py"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and RLIMIT_AS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    options = ["--largest", "0.0015", "--rounds", "2", "--against", "none", "--out", folder]
    result = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


def test_each_array_has_a_row_in_place_and_one_read_only(folder: Path) -> None:
    records = json.loads((folder / "layout.json").read_text())
    lines = (folder / "layout.md").read_text().splitlines()
    assert [record["case"].rpartition(", ")[2] for record in records] == ["in place", "read-only"] * 2
    assert len(lines) == 2 + len(records)
    for record, line in zip(records, lines[2:], strict=True):
        assert line.startswith(f"| {record['case']} | ")
        assert record["seconds"].keys() == {"ours", "copy", "read", "numpy"}
        assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in record["seconds"].values())


@pytest.fixture(scope="module")
def child() -> Path:
    return SCRIPT.with_name("layout_child.py")


def test_a_child_with_room_for_one_array_compares_every_item(child: Path) -> None:
    command = [sys.executable, child, "<u2", "1030", "3", "2051"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "right\n"


def test_a_child_finds_an_array_that_is_not_transposed(child: Path) -> None:
    sys.path.insert(0, str(child.parent))
    try:
        import layout_child
    finally:
        sys.path.remove(str(child.parent))
    array = layout_child.filled((70, 50), layout_child.np.dtype("u4"))
    assert layout_child.is_reversed(layout_child.np.ascontiguousarray(array.T), (70, 50))
    assert not layout_child.is_reversed(array, (70, 50))
