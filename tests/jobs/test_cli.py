"""The command line: what it prints, where, its exit status, and how it is stopped."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zarr
from clicommands import assert_one_line_error, invoke
from stores import files, labels_of, stored

import fastremap
import fastremap_dask
from fastremap_dask import cli, commandframe, open_table, progress

COMMAND = [sys.executable, "-c", "from fastremap_command import main; main()"]


@pytest.fixture
def source(tmp_path) -> Path:
    return stored(tmp_path / "a.zarr", labels_of((40, 30)), chunks=(4, 4), shards=(8, 8))


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
    stages = [line.split(":")[0] for line in lines]
    assert (stages.count("find labels"), stages.count("write ids")) == (5, 5)
    assert lines[-1].startswith("write ids: 10 of 10 blocks, ")
    assert lines[-1].endswith("blocks/s")
    assert lines[-2].endswith(" s left")


def test_options_reach_the_job(source, tmp_path):
    options = ["--start", 9, "--order", "sorted", "--dtype", "uint32", "--no-preserve-zero", "--memory-limit", "1GB"]
    result = invoke("renumber", source, tmp_path / "b.zarr", "--quiet", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    ids = zarr.open_array(tmp_path / "b.zarr", mode="r")
    expected, _ = fastremap.renumber(labels_of((40, 30)), 9, False, order="sorted", dtype=np.uint32)
    np.testing.assert_array_equal(ids[...], expected)
    assert ids.dtype == np.uint32


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


def test_help_and_version():
    assert invoke("--version").stdout == f"fastremap, version {fastremap.__version__}\n"
    listed = invoke("--help").stdout
    assert "_FASTREMAP_COMPLETE=bash_source" in listed
    for command in cli.main.commands:
        assert command in listed
        result = invoke(command, "--help")
        assert result.exit_code == 0
        assert "Example" in result.stdout
        assert result.stdout.index("\nOutput:") > result.stdout.index("Usage:")
        assert all(len(line) <= 100 for line in result.stdout.splitlines())


@pytest.mark.parametrize("command", list(cli.main.commands))
def test_examples_in_the_help_can_be_parsed(command, tmp_path, monkeypatch):
    """What they would do is tested elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells.txt").write_text("1 2")
    np.save(tmp_path / "bad.npy", [3])
    text = cli.main.commands[command].help
    examples = [line.strip() for line in text.splitlines() if line.strip().startswith("fastremap ")]
    assert examples
    for example in examples:
        name, *rest = shlex.split(example)[1:]
        assert name in cli.main.commands
        cli.main.commands[name].make_context(name, rest)


def test_json_is_all_that_stdout_gets(source, tmp_path):
    dry = invoke("renumber", source, tmp_path / "b.zarr", "--json", "--dry-run", "--threads", "2")
    assert json.loads(dry.stdout)["n_blocks"] == 10
    assert not (tmp_path / "b.zarr").exists()
    result = invoke("renumber", source, tmp_path / "b.zarr", "--json")
    assert json.loads(result.stdout)["n_labels"] == len(np.unique(labels_of((40, 30))))
    assert "find labels" in result.stderr
    quiet = invoke("renumber", source, tmp_path / "c.zarr", "--json", "--quiet")
    assert (json.loads(quiet.stdout)["job"], quiet.stderr) == ("renumber", "")
    failed = invoke("renumber", source, tmp_path / "c.zarr", "--json")
    assert (failed.stdout, failed.exit_code) == ("", 1)


def test_a_damaged_source_is_named_and_the_job_goes_on_when_it_is_mended(source, tmp_path):
    shard = source / "c" / "4" / "3"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-5])
    failed = invoke("renumber", source, tmp_path / "b.zarr")
    assert_one_line_error(failed, ":30]: ")
    assert failed.stderr.splitlines()[-1].endswith("--resume goes on with it")
    assert not zarr.storage.LocalStore(tmp_path / "b.zarr").root.joinpath("zarr.json").exists()
    shard.write_bytes(whole)
    assert invoke("renumber", source, tmp_path / "b.zarr", "--resume", "--quiet").exit_code == 0
    expected, _ = fastremap.renumber(labels_of((40, 30)))
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b.zarr", mode="r")[...], expected)


def test_plain_lines_tell_rate_and_time_left(capsys):
    now = iter([0.0, 10.0, 20.0, 100.0, 4000.0, 4000.0, 4002.5, 4003.0])
    line = progress.plain_lines(lambda: next(now))
    for n in (0, 1, 2, 3):
        line("find labels", n, 100)
    line("find labels", 100, 100)
    line("table", 0, 1)
    line("table", 1, 1)
    assert capsys.readouterr().err.splitlines() == [
        "find labels: 0 of 100 blocks, 0.0 s",
        "find labels: 3 of 100 blocks, 1 min 40 s, 1.8 blocks/min, 53 min 53 s left",
        "find labels: 100 of 100 blocks, 1 h 06 min, 1.5 blocks/min",
        "table: 1 of 1 blocks, 2.5 s, 24.0 blocks/min",
    ]


def test_a_notebook_shows_one_table_that_changes(monkeypatch):
    drawn = []
    handle = SimpleNamespace(update=drawn.append)
    notebook = SimpleNamespace(HTML=str, display=lambda table, display_id: drawn.append(table) or handle)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    now = iter([0.0, 10.0, 10.1, 20.0, 20.0, 21.0, 30.0])
    update = progress.notebook_table(lambda: next(now))
    for n in (0, 1, 2, 4):
        update("find labels", n, 4)
    for n in (0, 1):
        update("merge <all>", n, 1)
    update("write ids", 0, 3)
    assert len(drawn) == 6  # the third was too soon after the second
    assert "value='1' max='4'" in drawn[1]
    assert "1 of 4 blocks, 10.0 s, 6.0 blocks/min, 30.0 s left" in drawn[1]
    assert "merge &lt;all&gt;" in drawn[3]
    assert "merge" not in drawn[4]
    assert drawn[5].count("<tr>") == 2


def test_jobs_show_their_progress_if_asked(source, tmp_path, capsys):
    for asked, shown in ((True, True), (False, False), (None, False)):
        fastremap_dask.renumber_zarr(source, tmp_path / "b.zarr", overwrite=True, progress=asked)
        assert ("find labels: " in capsys.readouterr().err) == shown


def test_an_interruption_before_anything_was_begun(source, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastremap_dask, "renumber_zarr", interrupted, raising=False)
    result = invoke("renumber", source, tmp_path / "b.zarr")
    assert result.exit_code == 130
    assert result.stderr == "stopped: nothing was begun that needs to be gone on with\n"


@pytest.mark.parametrize(
    ("number", "status", "where"),
    [(signal.SIGINT, 130, ["--threads", "2"]), (signal.SIGTERM, 143, ["--workers", "1"])],
)
def test_a_signal_stops_a_job_that_can_be_resumed(tmp_path, number, status, where):
    """
    The signal comes to a real process while it writes; the line that it prints, typed, ends the job.

    A shell has what runs in its background ignore SIGINT, which must not keep SIGTERM from stopping it.
    """
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if number == signal.SIGTERM else []
    labels = labels_of((120, 100))
    source = stored(tmp_path / "a.zarr", labels, chunks=(4, 5))
    before = files(source)
    arguments = ["renumber", str(source), str(tmp_path / "b c.zarr"), *where]
    lines = []
    with subprocess.Popen([*shell, *COMMAND, *arguments], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            lines.append(line)
            if line.startswith("write ids: 0 of"):
                process.send_signal(number)
    assert process.returncode == status, lines
    assert lines[-1] == f"stopped: what is done is kept; go on with: {shlex.join(['fastremap', *arguments])} --resume\n"
    assert not any("Traceback" in line for line in lines)
    assert not (tmp_path / "b c.zarr" / "zarr.json").exists()
    typed = shlex.split(lines[-1].partition("go on with: fastremap ")[2])
    result = invoke(*typed[:3], "--resume")
    assert result.exit_code == 0, result.stderr
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b c.zarr")[...], fastremap.renumber(labels)[0])
    assert files(source) == before


def test_the_handler_of_sigterm_is_put_back(source, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    invoke("renumber", source, tmp_path / "b.zarr", "--quiet")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cluster_is_used_and_its_dashboard_named(source, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        result = invoke("renumber", source, tmp_path / "b.zarr", "--scheduler", cluster.scheduler_address)
        assert result.exit_code == 0, result.stderr
        named = "dashboard" in cluster.scheduler_info["services"]
    assert result.stderr.startswith("dashboard: http://") is named
    assert zarr.open_array(tmp_path / "b.zarr", mode="r").shape == (40, 30)


def test_words_of_python_become_those_of_the_command_line():
    texts = {
        "If it is gone, remove a b/lock and resume": "If it is gone, remove a b/lock and give --resume",
        "has changed: begin anew with overwrite": "has changed: begin anew with --overwrite",
        'a "memory_limit" too low': 'a "--memory-limit" too low',
        "what is done is kept, and resuming goes on with it": "what is done is kept, and --resume goes on with it",
        "x exists: choose another name, or overwrite it": "x exists: choose another name, or give --overwrite",
    }
    assert [commandframe.explain(ValueError(text)) for text in texts] == list(texts.values())
