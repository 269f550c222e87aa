"""The command line: what it prints, where, and its exit status."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from click.testing import CliRunner
from stores import files, labels_of, stored

import fastremap
from fastremap_dask import cli, open_table, progress

COMMAND = [sys.executable, "-c", "from fastremap_command import main; main()"]


@pytest.fixture
def source(tmp_path) -> Path:
    return stored(tmp_path / "a.zarr", labels_of((40, 30)), chunks=(4, 4), shards=(8, 8))


def invoke(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def assert_one_line_error(result, text: str = ""):
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[-1].startswith("error: ")
    assert text in lines[-1]
    assert not any("Traceback" in line for line in lines)


def test_renumber_says_what_it_did(source, tmp_path):
    result = invoke("renumber", source, tmp_path / "b.zarr", "--threads", 2)
    assert result.exit_code == 0
    expected, table = fastremap.renumber(labels_of((40, 30)))
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b.zarr", mode="r")[...], expected)
    assert open_table(tmp_path / "b.table.zarr") == table
    labels = f"{len(table)}, now ids 0 to {len(table) - 1}"
    for text in ("1,200 of shape (40, 30)", labels, "uint64 to uint8", "9.6 kB to 1.2 kB", "b.table.zarr"):
        assert text in result.stdout
    lines = result.stderr.splitlines()
    assert lines[0].startswith("find labels: 0 of ")
    assert [line.split(":")[0] for line in lines] == ["find labels"] * 5 + ["write ids"] * 5
    assert lines[-1].startswith("write ids: 10 of 10 blocks")


def test_options_reach_the_job(source, tmp_path):
    options = ["--start", 9, "--order", "sorted", "--dtype", "uint32", "--no-preserve-zero", "--memory-limit", "1GB"]
    result = invoke("renumber", source, tmp_path / "b.zarr", "--quiet", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    ids = zarr.open_array(tmp_path / "b.zarr", mode="r")
    expected, _ = fastremap.renumber(labels_of((40, 30)), 9, False, order="sorted", dtype=np.uint32)
    np.testing.assert_array_equal(ids[...], expected)
    assert ids.dtype == np.uint32


def test_errors_are_one_line(source, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "CONNECT_S", 0.5)
    before = files(tmp_path)
    assert_one_line_error(invoke("renumber", tmp_path / "none.zarr", tmp_path / "b.zarr"), "there is no Zarr array at")
    assert_one_line_error(invoke("renumber", source, source), "exists and is left as it is")
    assert_one_line_error(invoke("renumber", source, tmp_path / "b.zarr", "--start", "-1"), "the new id -1")
    assert_one_line_error(
        invoke("renumber", source, tmp_path / "b.zarr", "--scheduler", "tcp://127.0.0.1:1"), "no Dask scheduler answers"
    )
    floats = stored(tmp_path / "f.zarr", np.ones((3, 3), "f4"), chunks=(2, 2))
    assert_one_line_error(invoke("renumber", floats, tmp_path / "b.zarr"), "holds float32")
    shutil.rmtree(floats)
    assert files(tmp_path) == before
    shard = source / "c" / "4" / "3"
    shard.write_bytes(shard.read_bytes()[:-5])
    assert_one_line_error(invoke("renumber", source, tmp_path / "b.zarr"), ":40, 16:30]: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_debug_shows_the_traceback(source, tmp_path):
    result = invoke("renumber", source, source, "--debug")
    assert isinstance(result.exception, FileExistsError)


@pytest.mark.parametrize(
    "arguments",
    [
        ["renumber"],
        ["renumber", "a.zarr"],
        ["renumber", "a.zarr", "b.zarr", "--order", "random"],
        ["renumber", "a.zarr", "b.zarr", "--dtype", "nonsense"],
        ["renumber", "a.zarr", "b.zarr", "--memory-limit", "much"],
        ["renumber", "a.zarr", "b.zarr", "--memory-limit", "0"],
        ["renumber", "a.zarr", "b.zarr", "--workers", "0"],
        ["renumber", "a.zarr", "b.zarr", "--scheduler", "tcp://x:1", "--workers", "2"],
        ["renumber", "a.zarr", "b.zarr", "--no-such-option"],
        ["no-such-command"],
        ["demo", "--size", "none"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_and_version():
    assert invoke("--version").stdout == f"fastremap, version {fastremap.__version__}\n"
    assert "renumber" in invoke("--help").stdout
    for command in ("renumber", "demo"):
        result = invoke(command, "--help")
        assert result.exit_code == 0
        assert "--workers" in result.stdout


def test_an_interruption_exits_with_130(source, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "renumber_zarr", interrupted)
    result = invoke("renumber", source, tmp_path / "b.zarr")
    assert result.exit_code == 130
    assert result.stderr == "error: interrupted; what was begun has been removed\n"


def test_bars_are_shown_on_a_terminal(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress.showing(quiet=False) as show:
        for n in range(4):
            show("find labels", n, 3)
    shown = capsys.readouterr().err
    assert "find labels" in shown
    assert "3/3" in shown
    with progress.showing(quiet=True) as show:
        assert show is None


def test_the_installed_command(source, tmp_path):
    arguments = [*COMMAND, "renumber", "a.zarr", "b.zarr", "--quiet"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert zarr.open_array(tmp_path / "b.zarr", mode="r").shape == (40, 30)
    again = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"error: {tmp_path}/b.zarr exists")
    assert again.stderr.count("\n") == 1


def test_without_the_extra_it_says_what_to_install():
    hide = "import importlib.util as u; find = u.find_spec; "
    hide += "u.find_spec = lambda name, *rest: None if name == 'zarr' else find(name, *rest); "
    for code in (hide + "from fastremap_command import main; main()", hide + "import fastremap_dask"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].endswith('fastremap_dask needs zarr: pip install "fastremap[dask]"')
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1 or "import fastremap_dask" in code


def test_ctrl_c_ends_cleanly(tmp_path):
    """The signal comes to a real process while it writes."""
    source = stored(tmp_path / "a.zarr", labels_of((200, 200)), chunks=(4, 5))
    before = files(tmp_path)
    arguments = [*COMMAND, "renumber", str(source), str(tmp_path / "b.zarr"), "--threads", "2"]
    lines = []
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            lines.append(line)
            if line.startswith("write ids: 0 of"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130, lines
    assert lines[-1] == "error: interrupted; what was begun has been removed\n"
    assert {line.split(":")[0] for line in lines[:-1]} == {"find labels", "write ids"}
    assert files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
