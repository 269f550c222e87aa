"""The header alone: compiled with nothing but its folder and the standard library."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import fastremap

SHAPES = Path(__file__).with_name("shapes.cpp")
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "cpp.md"
COMPILER = shutil.which("g++") or shutil.which("clang++")
STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


def compiled(folder: Path, source: Path, *flags: str) -> Path:
    """Compile one file with only `ipt.hpp` to include."""
    program = folder / "program"
    command = [COMPILER, *STRICT, *flags, f"-I{fastremap.get_include()}", str(source), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def test_the_program_of_the_documentation_runs(tmp_path: Path) -> None:
    source = tmp_path / "example.cpp"
    source.write_text(re.search(r"```cpp\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    subprocess.run([compiled(tmp_path, source, "-O1")], check=True)


def checks(program: Path, *arguments: str, isa: str = "") -> None:
    environment = {**os.environ, "FASTREMAP_ISA": isa}
    result = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stdout) == (0, "all shapes are right\n"), (isa, result.stderr)


def test_small_shapes(tmp_path: Path) -> None:
    checks(compiled(tmp_path, SHAPES, "-O2"), "few")


@pytest.mark.slow
def test_all_small_shapes(tmp_path: Path) -> None:
    checks(compiled(tmp_path, SHAPES, "-O2"))


@pytest.mark.slow
def test_small_shapes_under_sanitizers(tmp_path: Path) -> None:
    program = compiled(tmp_path, SHAPES, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    for isa in ("scalar", "avx2", "avx512"):
        checks(program, "few", isa=isa)
