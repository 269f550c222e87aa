"""The notebooks are stored as they ran: in order, with outputs, without errors, and without this machine in them."""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Folders of a machine, in outputs; a notebook has no use for an absolute path.
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|Users|work|usr|opt|var|private)/")
TEXTS = ("text/plain", "text/html")


def cells(path: Path) -> list[dict]:
    """Return the cells of code."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def texts(output: dict) -> list[str]:
    """Return what an output says."""
    data = output.get("data", {})
    return ["".join(text) for text in (output.get("text", ""), *(data.get(name, "") for name in TEXTS))]


def test_there_are_four() -> None:
    assert len(NOTEBOOKS) == 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_as_it_ran(path: Path) -> None:
    assert [cell["execution_count"] for cell in cells(path)] == list(range(1, len(cells(path)) + 1))
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert not [text for output in outputs for text in texts(output) if MACHINE.search(text)]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    assert path.stat().st_size < 1_000_000


def test_no_mapping_is_printed() -> None:
    outputs = (output for path in NOTEBOOKS for cell in cells(path) for output in cell["outputs"])
    assert max(len(text) for output in outputs for text in texts(output)) < 20_000
