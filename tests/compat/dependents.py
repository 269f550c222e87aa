"""Run tools that are built on `fastremap` on this package and on the one whose place it takes, and compare.

    python tests/compat/dependents.py [--folder FOLDER] [SCENARIO ...]

Makes two virtual environments in FOLDER (a new temporary one if not given; kept if given), installs the tools from the
package index into both, and this checkout over the peer in one of them. Both run `scenarios.py`. Prints a Markdown
table; the exit status is 1 where outputs differ, an installation breaks a requirement, or no scenario ran. What cannot
be installed is reported, and its scenarios show the same ModuleNotFoundError in both. Not part of a plain test run: it
needs the package index, and about six minutes on two cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peer import REQUIREMENT  # noqa: E402

DEPENDENTS = ("cloud-volume", "kimimaro", "crackle-codec", "connected-components-3d", "fastmorph")


def pip(folder: Path, *words: str) -> bool:
    """Run pip in an environment, and say whether it succeeded; its last words are shown where it did not."""
    command = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{folder.name}: pip {' '.join(words)}: {(done.stdout + done.stderr).strip()[-500:]}", flush=True)
    return done.returncode == 0


def install(folder: Path, ours: bool) -> bool:
    """Make an environment with the dependents and one of the packages; say whether all requirements hold."""
    if not folder.exists():
        venv.create(folder, with_pip=True)
    for package in (REQUIREMENT, *DEPENDENTS):
        pip(folder, "install", package)
    installed = pip(folder, "install", "--no-deps", "--force-reinstall", str(ROOT)) if ours else True
    return pip(folder, "check") and installed


def versions(folder: Path) -> str:
    """Return what is installed, for the report."""
    command = [folder / "bin" / "python", "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    found = {one["name"].replace("_", "-"): one["version"] for one in json.loads(subprocess.check_output(command))}
    return ", ".join(f"{name} {found.get(name, 'not installed')}" for name in ("fastremap", "numpy", *DEPENDENTS))


def outputs(folder: Path, scenarios: list[str]) -> dict[tuple, dict]:
    """Run the scenarios in an environment: (scenario, kind of ids, number of labels) -> record."""
    command = [folder / "bin" / "python", Path(__file__).with_name("scenarios.py"), *scenarios]
    lines = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return {(one["scenario"], one["ids"], one["labels"]): one for one in records}


def verdict(ours: dict, theirs: dict) -> str:
    """Return one cell of the table."""
    if ours["digest"] != theirs["digest"]:
        return f"DIFFERS: {ours['digest'][:60]} instead of {theirs['digest'][:60]}"
    if ours["dtypes"] != theirs["dtypes"]:
        return f"same values, dtypes {ours['dtypes']} instead of {theirs['dtypes']}"
    return f"both {ours['digest'][:60]}" if "Error: " in ours["digest"] else "same"


def print_table(ours: dict[tuple, dict], theirs: dict[tuple, dict]) -> bool:
    """Print a row for each scenario and kind of ids; return whether all values are the same."""
    n_labels = sorted({key[2] for key in ours})
    print("\n| scenario | ids |", *(f"{n} |" for n in n_labels), "calls |\n|---|---|---|" + "---|" * len(n_labels))
    for scenario, ids in dict.fromkeys(key[:2] for key in ours):
        keys = [(scenario, ids, n) for n in n_labels]
        called = sorted({name for key in keys for name in ours[key]["calls"]})
        print(
            f"| {scenario} | {ids} |", *(f"{verdict(ours[key], theirs[key])} |" for key in keys), ", ".join(called), "|"
        )
    return bool(ours) and all(record["digest"] == theirs[key]["digest"] for key, record in ours.items())


def compare(folder: Path, scenarios: list[str]) -> int:
    """Install, run, print, and return the exit status."""
    folders = {"peer": folder / "peer", "ours": folder / "ours"}
    sound = [install(environment, ours=side == "ours") for side, environment in folders.items()]
    for side, environment in folders.items():
        print(f"{side}: {versions(environment)}", flush=True)
    found = {side: outputs(environment, scenarios) for side, environment in folders.items()}
    return 0 if print_table(found["ours"], found["peer"]) and all(sound) else 1


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the environments are made and kept")
    parser.add_argument("scenarios", nargs="*", help="names as in the table")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        return compare(options.folder.resolve(), options.scenarios)
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.scenarios)


if __name__ == "__main__":
    sys.exit(main())
