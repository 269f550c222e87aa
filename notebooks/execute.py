"""Execute the notebooks and store their outputs: `python notebooks/execute.py [--check] [NAME ...]`.

With `--check` nothing is stored. A cell that raises, or writes to stderr, is a fault: exit status 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
# A cell that takes longer hangs.
CELL_TIMEOUT_S = 300
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> nbformat.NotebookNode:
    """
    Execute a notebook in an empty folder that is removed afterwards.

    Parameters
    ----------
    path : pathlib.Path
        The notebook; it is not written.

    Returns
    -------
    nbformat.NotebookNode
        With its outputs, and without what differs from run to run or machine to machine beside them.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=CELL_TIMEOUT_S, resources={"metadata": {"path": folder}})
        client.execute(env=os.environ | {"JUPYTER_PLATFORM_DIRS": "1"})
        for cell in notebook.cells:
            tidy(cell, folder)
    notebook.metadata = nbformat.from_dict(KERNEL)
    return notebook


def tidy(cell: nbformat.NotebookNode, folder: str) -> None:
    """
    Take out of a cell what differs from run to run: times of execution, and the name of the folder.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        The cell; it is changed.
    folder : str
        Where the notebook ran.
    """
    cell.metadata.pop("execution", None)
    for output in cell.get("outputs", ()):
        for part in (output, output.get("data", {})):
            for name, text in part.items():
                if isinstance(text, str) and not name.startswith("image/"):
                    part[name] = text.replace(f"{folder}/", "").replace(folder, ".")


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """
    List what cells wrote to stderr, and errors among their outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed.

    Returns
    -------
    list of str
        Empty if there are none.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    written = [output.text for output in outputs if output.get("name") == "stderr"]
    return written + [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]


def main() -> int:
    """Execute the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="store nothing")
    parser.add_argument("names", nargs="*", help="such as 1-in-memory; default: all")
    given = parser.parse_args()
    wrong = 0
    for path in sorted(HERE.glob("*.ipynb")):
        if given.names and path.stem not in given.names:
            continue
        try:
            notebook = execute(path)
            found = faults(notebook)
        except CellExecutionError as error:
            found = [str(error)]
        print(f"{path.name}: {'; '.join(found) or 'right'}")
        wrong += bool(found)
        if not found and not given.check:
            nbformat.write(notebook, path)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
