"""The floors of the house: csrc -> fastremap -> fastremap_dask, arrows one way only."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSRC = sorted(path for path in (ROOT / "csrc").rglob("*") if path.suffix in (".hpp", ".cpp"))
FASTREMAP = sorted((ROOT / "fastremap").rglob("*.py"))
FASTREMAP_DASK = sorted((ROOT / "fastremap_dask").rglob("*.py"))
# Headers of the compiler (vector instructions), which come with it as the standard library does, and that of Linux by
# which memory is asked for in huge pages.
OTHER_HEADERS = {"immintrin.h", "emmintrin.h", "arm_neon.h", "cpuid.h", "sys/mman.h"}

pytestmark = pytest.mark.skipif(not CSRC, reason="not a source tree")


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each absolute module that a file imports, with the names taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or "", [alias.name for alias in node.names]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(CSRC) > 5 and len(FASTREMAP) > 5


@pytest.mark.parametrize("path", CSRC, ids=relative)
def test_csrc_includes_only_itself_and_the_standard_library(path: Path) -> None:
    text = path.read_text()
    for name in re.findall(r"^\s*#\s*include\s*<([^>]+)>", text, re.MULTILINE):
        assert re.fullmatch(r"[a-z_0-9]+", name) or name in OTHER_HEADERS, f"<{name}>"
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
        assert any((folder / name).is_file() for folder in (path.parent, ROOT / "csrc")), f'"{name}"'


@pytest.mark.parametrize("path", FASTREMAP, ids=relative)
def test_fastremap_imports_only_numpy_and_the_standard_library(path: Path) -> None:
    for module, _ in imports(path):
        top = module.split(".")[0]
        assert top in sys.stdlib_module_names or top in ("numpy", "fastremap"), module


@pytest.mark.parametrize("path", FASTREMAP, ids=relative)
def test_reference_uses_nothing_of_the_fast_implementation(path: Path) -> None:
    tree = ast.parse(path.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    if path.parent.name == "reference":
        assert {node.module for node in nodes if node.level == 2} <= {"_warnings"}
        assert not [module for module, _ in imports(path) if module.startswith("fastremap")]
    else:
        assert not [node for node in nodes if (node.module or "").startswith("reference")]


@pytest.mark.parametrize("path", FASTREMAP_DASK, ids=relative)
def test_fastremap_dask_uses_public_names_only(path: Path) -> None:
    for module, names in imports(path):
        if module.split(".")[0] in ("fastremap", "dask", "distributed", "zarr"):
            for name in [*module.split("."), *names]:
                assert not name.startswith("_") or name.startswith("__"), f"{module}: {names}"


def test_import_of_fastremap_loads_neither_dask_nor_zarr() -> None:
    code = "import sys, fastremap; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"dask", "distributed", "zarr", "fastremap_dask", "pandas", "click", "rich"} & set(loaded)
