"""The benchmark of Dask arrays runs, and both sides of each case agree."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import dask
import dask.array as da
import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "dask_arrays.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dask_arrays_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_sides_agree(benchmark: ModuleType) -> None:
    with dask.config.set(scheduler="synchronous"):
        for name, case in benchmark.CASES.items():
            if case.theirs is benchmark.renumber_by_hand and "FASTREMAP_PEER" not in os.environ:
                continue
            labels = da.from_array(case.prepare(benchmark.volume(48)), chunks=16)
            ours, theirs = (dask.compute(*side(labels)) for side in (case.ours, case.theirs))
            assert [each.tolist() for each in ours] == [each.tolist() for each in theirs], name


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_prints_a_table() -> None:
    options = ["--rounds", "1", "--size", "48", "--inverse-size", "32", "--chunk", "16", "--only", "unique + counts"]
    ran = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    head, rule, row = ran.stdout.splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 11
    assert row.startswith("| unique + counts | da.unique | ")
