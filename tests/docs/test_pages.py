"""The code of the documentation's pages runs, in order, each page in a folder of its own."""

import ast
import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import zarr
from clicommands import invoke

import fastremap
import fastremap_dask
from fastremap_dask.demo import make_volume

# What only a shell understands.
SHELL = re.compile(r"[|<>&;$]")
REASONS = {"needs a cluster", "needs an object store", "installs packages", "needs napari"}
# Packages that pages use and the tests do not install.
NEEDS = {"dask.md": ("dask_image.ndmeasure", "xarray")}
ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<mark><!-- not run: .+ -->\n)?```(?P<language>python|sh|cpp)\n(?P<code>.*?)^```$", re.M | re.S)
VOLUME_NBYTES = 8 * 96**3


class Code(NamedTuple):
    """A block of code, and the line of its page before it."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Code]:
    """List the code of a page that is to run: fences of python, sh and cpp that no comment above them exempts."""
    text = page.read_text()
    found = [(match, text[: match.start("code")].count("\n")) for match in FENCE.finditer(text)]
    return [Code(match["language"], match["code"], line) for match, line in found if not match["mark"]]


PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if blocks(page)]


@pytest.fixture(scope="session")
def volume(tmp_path_factory) -> Path:
    """Return a volume of labels."""
    path = tmp_path_factory.mktemp("volume") / "labels.zarr"
    make_volume(path, VOLUME_NBYTES, 2, lambda *_: None)
    return path


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_code_runs(page: Path, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in NEEDS.get(page.name, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    if "tutorial" not in page.name:  # which makes its own
        Path("labels.zarr").symlink_to(volume)
    names: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(page):
        if code.language == "sh":
            run_shell(code)
        elif code.language == "cpp":  # which the page says how to build
            Path("example.cpp").write_text(code.text)
        elif ">>>" in code.text:
            run_session(code, names, page)
        else:  # in place, so that errors name the line of the page
            tree = ast.increment_lineno(ast.parse(code.text), code.line)
            exec(compile(tree, page, "exec"), names)


def run_shell(code: Code) -> None:
    """Run commands as a terminal would; those of `fastremap` alone in this process, since its start takes a second."""
    for line in code.text.splitlines():
        if line.startswith("fastremap ") and not SHELL.search(line):
            done = invoke(*shlex.split(line, comments=True)[1:])
            status, output = done.exit_code, done.output
        else:
            status, output = run_in_shell(line)
        assert status == 0, f"line {code.line}: {line}\n{output}"


def run_in_shell(line: str) -> tuple[int, str]:
    """Run a line in the environment of these tests; return its status and output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["bash", "-uo", "pipefail", "-c", line]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def run_session(code: Code, names: dict[str, object], page: Path) -> None:
    """Run an interactive session, and compare what it prints."""
    test = doctest.DocTestParser().get_doctest(code.text, {}, page.name, str(page), code.line)
    test.globs = names
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def test_volume_is_as_pages_say(volume: Path) -> None:
    array = zarr.open_array(volume, mode="r")
    assert (array.shape, array.dtype, array.chunks) == ((96, 96, 96), "uint64", (64, 64, 64))


@pytest.mark.parametrize("module", [fastremap, fastremap_dask])
def test_reference_lists_every_public_name(module) -> None:
    text = (ROOT / "docs" / "reference" / f"{module.__name__}.md").read_text()
    listed = re.findall(r"^   (\w+)$", text, re.M)
    elsewhere = {"__version__"} if module is fastremap else {"LabelTable"}
    assert sorted(listed) == sorted(set(module.__all__) - elsewhere)


def test_reference_lists_every_command() -> None:
    from fastremap_dask.cli import main

    text = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    assert re.findall(r"^```\{command-help\} (\S+)$", text, re.M) == list(main.commands)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_exempt_code_says_why(page: Path) -> None:
    marks = re.findall(r"<!-- not run: (.*) -->", page.read_text())
    assert set(marks) <= REASONS
