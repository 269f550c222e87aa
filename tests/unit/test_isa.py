"""Every instruction set and strategy gives what the twins give: the differential tests in processes that force one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastremap
from fastremap import _kernels

TESTS = Path(__file__).resolve().parent
# Plain runs take the lengths around vectors and pieces, where the loops of the instruction sets differ.
SELECTIONS = ["test_lengths", pytest.param("test_", marks=pytest.mark.slow)]
N = 40_000


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    """Run Python with something forced."""
    return subprocess.run([sys.executable, *arguments], env=os.environ | environment, capture_output=True, text=True)


def assert_same_as_twins(environment: dict[str, str], selection: str) -> None:
    path = str(TESTS / "test_differential.py")
    result = run(environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", selection, path)
    assert result.returncode == 0, result.stdout[-5000:]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
def test_instruction_sets(isa: str, selection: str) -> None:
    chosen = run({"FASTREMAP_ISA": isa}, "-c", "from fastremap import _kernels; print(_kernels.isa())")
    if chosen.returncode:
        assert "FASTREMAP_ISA" in chosen.stderr
        pytest.skip(f"this machine has no {isa}, but {_kernels.isa()}")
    assert chosen.stdout.strip() == isa
    if isa != _kernels.isa():  # that of this process is tested here
        assert_same_as_twins({"FASTREMAP_ISA": isa}, selection)


@pytest.mark.parametrize("strategy", ["dense", "sort"])
def test_strategies(strategy: str) -> None:
    which = "import numpy as np; from fastremap import _kernels; print(_kernels.strategy(np.arange(9000) // 20))"
    assert run({"FASTREMAP_STRATEGY": ""}, "-c", which).stdout.strip() == "runs"
    assert run({"FASTREMAP_STRATEGY": strategy}, "-c", which).stdout.strip() == strategy
    assert_same_as_twins({"FASTREMAP_STRATEGY": strategy}, "test_lengths")


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
@pytest.mark.parametrize("strategy", ["dense", "sort"])
def test_strategies_on_instruction_sets(strategy: str, isa: str) -> None:
    if run({"FASTREMAP_ISA": isa}, "-c", "from fastremap import _kernels; _kernels.isa()").returncode:
        pytest.skip(f"this machine has no {isa}")
    assert_same_as_twins({"FASTREMAP_STRATEGY": strategy, "FASTREMAP_ISA": isa}, "test_lengths")


@pytest.mark.parametrize(("variable", "function"), [("ISA", "unique"), ("STRATEGY", "unique"), ("STRATEGY", "remap")])
def test_an_unknown_name_is_told(variable: str, function: str) -> None:
    call = f"import fastremap; fastremap.{function}([1] * 9999, *([{{1: 2}}] if {function == 'remap'} else []))"
    result = run({f"FASTREMAP_{variable}": "mmx"}, "-c", call)
    assert result.returncode != 0
    assert f"FASTREMAP_{variable}=mmx" in result.stderr


def random(high: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, high, N, dtype=dtype)


@pytest.mark.parametrize(
    ("expected", "labels"),
    {
        "runs of 20": ("runs", np.repeat(random(2**40, "u8")[: N // 20], 20)),
        "runs of 20 bytes": ("runs", np.repeat(random(256, "u1")[: N // 20], 20)),
        "short": ("runs", random(9, "u4")[:1000]),
        "bytes": ("dense", random(256, "u1")),
        "two bytes": ("dense", random(2**16, "u2")),
        "few labels": ("dense", random(10_000, "u4")),
        "few labels far out": ("dense", random(10_000, "u8") + np.uint64(2**60)),
        "checkerboard": ("dense", np.arange(N, dtype="u8") % 2),
        "consecutive": ("dense", np.arange(N, dtype="u8")),
        "few labels over 63 bits": ("runs", random(1000, "u8") << np.uint64(50)),
        "distinct over 63 bits": ("sort", np.arange(N, dtype="u8") * np.uint64(0x9E3779B97F4A7C15)),
    }.values(),
)
def test_the_choice(expected: str, labels: np.ndarray) -> None:
    assert _kernels.strategy(labels) == expected


@pytest.mark.parametrize("where", [600, N // 2, N - 600])
def test_labels_that_the_sample_did_not_see(where: int) -> None:
    """A direct table has no place for them, so they go another way."""
    labels = random(1000, "u8") + np.uint64(2**50)
    labels[where] = 2**63
    labels[N // 5] = 5
    assert _kernels.strategy(labels) == "dense"
    parts = {"return_index": True, "return_counts": True, "return_inverse": True}
    for actual, expected in zip(fastremap.unique(labels, **parts), np.unique(labels, **parts), strict=True):
        np.testing.assert_array_equal(actual, expected)
    ids, mapping = fastremap.renumber(labels)
    np.testing.assert_array_equal(fastremap.remap(ids, {new: old for old, new in mapping.items()}, dtype="u8"), labels)
