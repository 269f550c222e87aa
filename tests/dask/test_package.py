"""The package: what it exports, what it loads, and what it says where the extras are absent."""

import subprocess
import sys

import pytest

import fastremap
import fastremap_dask

ABSENT_SCRIPT = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))
import fastremap_dask
"""


def run(script: str) -> subprocess.CompletedProcess:
    """Run a script in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("absent", [["dask"], ["zarr"], ["click", "rich"], ["distributed"]])
def test_absent_extras_are_named_in_one_line(absent: list[str]) -> None:
    ran = run(ABSENT_SCRIPT.format(absent=absent))
    assert ran.returncode == 1
    said = ran.stderr.splitlines()[-1]
    assert said == f'ImportError: fastremap_dask needs {", ".join(absent)}: pip install "fastremap[dask]"'
    assert ran.stderr.count("Traceback") == 1  # no chain of errors before it


def test_exports() -> None:
    for name in fastremap_dask.__all__:
        assert getattr(fastremap_dask, name) is not None
    assert fastremap_dask.LabelTable is fastremap.LabelTable
    with pytest.raises(AttributeError, match="no attribute 'remember'"):
        fastremap_dask.remember  # noqa: B018


def test_importing_is_light() -> None:
    ran = run("import sys, fastremap_dask; print(sorted({'zarr', 'distributed', 'click', 'rich'} & set(sys.modules)))")
    assert ran.stdout.strip() == "[]", ran.stderr
