"""Run the README's commands as a new user does, and store what they print and draw: `python docs/session.py`.

They run on the volume that the environment variable FASTREMAP_REAL_VOLUME names, else on that of `fastremap demo`. With
`--check` nothing is stored: every command has to succeed, and `docs/session.md` to have the same commands and facts.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
README, PAGE, PICTURE = HERE.parent / "README.md", HERE / "session.md", HERE / "pictures" / "session.png"
FASTREMAP = str(Path(sys.executable).with_name("fastremap"))
SHOWN_FOLDER = "/data"
# A line such as "voxels        134.2 million"; stages and notes depend on the volume and on the machine.
FACT = re.compile(r"^(?!note )(\w[\w ]*\w) {2,}(?!.*\bblocks? in )", re.M)
HEAD = """\
# A session

What the commands of the README print; `python docs/session.py` runs them and stores this page.
On a terminal bars show the progress, each in its place; these lines are for logs.
"""


class Command(NamedTuple):
    """A command as it is typed, and what it printed."""

    typed: str
    output: str


def typed_in(readme: str) -> list[str]:
    """List the commands of the first block of the README that has nothing but commands of `fastremap`."""
    blocks = re.findall(r"^```sh\n((?:fastremap .*\n)+)```$", readme, re.M)
    return [" ".join(shlex.split(line, comments=True)) for line in blocks[0].splitlines()]


def run(typed: str, folder: Path) -> str:
    """Run a command in a folder; return what it printed, to stdout and stderr."""
    command = [FASTREMAP, *shlex.split(typed)[1:]]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"$ {typed}\n{done.stdout}exit status {done.returncode}")
    return done.stdout


def record(folder: Path) -> list[Command]:
    """Make or link a volume, run all commands on it, and return them without this machine's folders."""
    volume = os.environ.get("FASTREMAP_REAL_VOLUME")
    if volume is None:
        run("fastremap demo --size 200MB --keep demo", folder)
        (folder / "demo" / "labels.zarr").rename(folder / "labels.zarr")
    else:
        (folder / "labels.zarr").symlink_to(Path(volume).resolve())
    commands = []
    for typed in typed_in(README.read_text()):
        output = run(typed, folder)
        if volume is not None:
            output = output.replace(str(Path(volume).resolve()), f"{SHOWN_FOLDER}/labels.zarr")
        commands.append(Command(typed, output.replace(str(folder), SHOWN_FOLDER)))
    return commands


def page(commands: list[Command]) -> str:
    """Write the page."""
    parts = [HEAD]
    for command in commands:
        parts.append(f"```console\n$ {command.typed}\n{command.output}```\n")
        if " preview " in command.typed:
            parts.append(f"![What the command drew]({PICTURE.relative_to(HERE)})\n")
    return "\n".join(parts)


def stored(text: str) -> list[Command]:
    """Return the commands of a page."""
    return [Command(*found) for found in re.findall(r"^```console\n\$ ([^\n]*)\n(.*?)^```$", text, re.M | re.S)]


def facts(commands: list[Command]) -> dict[str, list[str]]:
    """Return the names of the facts that each command printed."""
    return {command.typed: FACT.findall(command.output) for command in commands}


def main() -> None:
    """Store the session, or check the one that is stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        commands = record(folder)
        if "--check" not in sys.argv:
            PAGE.write_text(page(commands))
            shutil.copyfile(folder / "both.png", PICTURE)
    then, now = facts(stored(PAGE.read_text())), facts(commands)
    if then != now:
        raise SystemExit(f"{PAGE} is stale, run {Path(__file__).name}: it has\n{then}\nand the commands print\n{now}")


if __name__ == "__main__":
    main()
