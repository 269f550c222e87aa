"""The command line in this process, for tests."""

from typing import Any

from click.testing import CliRunner, Result

from fastremap_dask import cli


def invoke(*arguments: Any) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments], prog_name="fastremap")


def assert_one_line_error(result: Result, text: str = "") -> None:
    """Check that a command has failed with one line that says something."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[-1].startswith("error: ")
    assert text in lines[-1]
    assert sum(line.startswith("error") for line in lines) == 1
    assert not any("Traceback" in line for line in lines)
