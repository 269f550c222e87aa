"""The command `fastremap`: what the jobs do, for people at a terminal."""

from __future__ import annotations

import click

import fastremap

from . import commands_jobs, commands_look
from .commandframe import Commands

EPILOG = """\b
Completion of commands, options and paths with the Tab key:
  bash   echo 'eval "$(_FASTREMAP_COMPLETE=bash_source fastremap)"' >> ~/.bashrc
  zsh    echo 'eval "$(_FASTREMAP_COMPLETE=zsh_source fastremap)"' >> ~/.zshrc
  fish   _FASTREMAP_COMPLETE=fish_source fastremap > ~/.config/fish/completions/fastremap.fish
"""
COMMANDS = (
    commands_look.info,
    commands_look.unique,
    commands_jobs.renumber,
    commands_jobs.remap,
    commands_jobs.mask,
    commands_jobs.transpose,
    commands_jobs.component_map,
    commands_look.preview,
    commands_look.verify,
    commands_look.demo,
    commands_look.doctor,
)


class Ordered(Commands):
    """A group that lists its commands in the order in which people come to need them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(self.commands)


@click.group(
    cls=Ordered, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EPILOG
)
@click.version_option(fastremap.__version__, prog_name="fastremap")
def main() -> None:
    """Give the labels of volumes new ids.

    Volumes are Zarr arrays, of format 2 or 3, on this machine or at a URL; sources may also be .npy files. Sources are
    never written. Exit status: 0, 1 for an error, 2 for wrong usage, 130 or 143 where a signal stopped the command.

    \b
    Examples:
      fastremap info labels.zarr
      fastremap renumber labels.zarr ids.zarr
      fastremap verify labels.zarr ids.zarr --table ids.table.zarr
      fastremap preview labels.zarr ids.zarr both.png --table ids.table.zarr
    """


for each in COMMANDS:
    main.add_command(each)
