"""A directive that shows the help of a command of `fastremap`, as a terminal of 90 columns does."""

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from fastremap_dask.cli import main

COLUMNS = 90


class CommandHelp(Directive):
    """Show the help of the command that is the directive's argument, or of `fastremap` itself."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the text as a literal block."""
        command, name = main, "fastremap"
        if self.arguments:
            command, name = main.commands[self.arguments[0]], f"fastremap {self.arguments[0]}"
        width = {"terminal_width": COLUMNS, "max_content_width": COLUMNS}
        with command.make_context(name, [], resilient_parsing=True, **width) as context:
            text = command.get_help(context)
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
