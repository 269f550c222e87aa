"""The layout benchmark on its smallest rows, so that it runs when it is wanted."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import layout

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and RLIMIT_AS")


def test_a_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere, report = tmp_path / "nowhere", tmp_path / "report.json"
    rows = layout.main(
        ["--rounds", "1", "--largest", "0.0015", "--peer", str(nowhere), "--mkl", str(nowhere), "--json", str(report)]
    )
    assert rows and all(row.checked == "right" for row in rows)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(rows)
    assert [tuple(entry["shape"]) for entry in json.loads(report.read_text())] == [row.shape for row in rows]


def test_goals_are_ratios_of_what_was_measured() -> None:
    row = layout.Row((8192, 6000), layout.np.dtype("u4"))
    row.seconds |= {"copy": [1.0, 1.0, 1.0], "ours": [2.0, 2.1, 2.3], "numpy": [3.0]}
    assert row.quartiles("ours", "copy")[1] == 2.1 and not row.misses("ours", "copy")
    assert row.quartiles("ours", "numpy")[1] == 1.5 and row.misses("ours", "numpy")
    assert row.quartiles("ours", "peer") is None and not row.misses("ours", "peer")
