"""Every instruction set gives what the twins give: the differential tests, each in a process that forces one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastremap import _kernels

TESTS = Path(__file__).resolve().parent
# Plain runs take the lengths around vectors and pieces, where the loops of the instruction sets differ.
SELECTIONS = ["test_lengths", pytest.param("test_", marks=pytest.mark.slow)]


def run(isa: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run Python with the instruction set forced."""
    environment = os.environ | {"FASTREMAP_ISA": isa}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
def test_differential_tests_pass(isa: str, selection: str) -> None:
    chosen = run(isa, "-c", "from fastremap import _kernels; print(_kernels.isa())")
    if chosen.returncode:
        assert "FASTREMAP_ISA" in chosen.stderr
        pytest.skip(f"this machine has no {isa}, but {_kernels.isa()}")
    assert chosen.stdout.strip() == isa
    if isa == _kernels.isa():
        return  # this process tests it
    result = run(
        isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", selection, str(TESTS / "test_differential.py")
    )
    assert result.returncode == 0, result.stdout[-5000:]


def test_an_unknown_instruction_set_is_named() -> None:
    result = run("mmx", "-c", "import fastremap; fastremap.unique([1])")
    assert result.returncode != 0
    assert "FASTREMAP_ISA=mmx" in result.stderr
