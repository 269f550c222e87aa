"""Check the tests: apply one small fault at a time, rebuild, run the tests, and require that one fails.

    python tests/mutants.py [--only TEXT]

Needs meson, ninja and cython beside the `test` extra. Works on a copy of the sources, in a temporary folder; prints a
line for each mutant with the test that found it, and exits 1 if one survives.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).parents[1]
PARTS = (
    "csrc",
    "docs",
    "fastremap",
    "fastremap_dask",
    "tests",
    "meson.build",
    "pyproject.toml",
    "LICENSE",
    "README.md",
)


@dataclass(frozen=True)
class Mutant:
    """One fault: a text of a file that is there once, and what takes its place."""

    what: str
    file: str
    text: str
    fault: str
    tests: str = "tests/unit"


MUTANTS = [
    Mutant(
        "the tail after the last 64 bytes",
        "csrc/fastremap/measure_loops.inc",
        "for (; i < n_items; ++i) n_found += rule(items + i);",
        "for (; i + 1 < n_items; ++i) n_found += rule(items + i);",
    ),
    Mutant(
        "the last run",
        "csrc/fastremap/runs.hpp",
        "((i + 1 == n || labels[i] != labels[i + 1]) << bit)",
        "((i + 1 != n && labels[i] != labels[i + 1]) << bit)",
    ),
    Mutant(
        "table growth: colliding keys overwrite each other",
        "csrc/fastremap/table.hpp",
        "const std::size_t at = slot_of(key);\n            slots_[at] = entry;",
        "const std::size_t at = home(key);\n            slots_[at] = entry;",
    ),
    Mutant(
        "special keys: the mark of free slots as a label",
        "csrc/fastremap/table.hpp",
        "(tag != 0);\n            act(i, at, is_there);\n            elsewhere[n_left] = static_cast",
        "true;\n            act(i, at, is_there);\n            elsewhere[n_left] = static_cast",
    ),
    Mutant(
        "a search that ends behind the last slot",
        "csrc/fastremap/table.hpp",
        " & (at <= mask_)",
        "",
    ),
    Mutant(
        "a sort that leaves what is alike in high bits as it is",
        "csrc/fastremap/order.hpp",
        "                std::swap(items[begin], items[i]);\n",
        "",
    ),
    Mutant(
        "ids by parts: labels of one hash count as one",
        "csrc/fastremap/renumber_parts.hpp",
        "is_alike && (is_label || labels[place] == labels[first_place])",
        "is_alike",
    ),
    Mutant(
        "ids by parts: labels that are made to collide are left",
        "csrc/fastremap/renumber_parts.hpp",
        "if (round == most_rounds) return find_by_sort(labels, marks, n_others, repeated);",
        "if (round == most_rounds) return;",
    ),
    Mutant(
        "ids by parts: a 0 that is kept counts as new",
        "csrc/fastremap/renumber_parts.hpp",
        "            repeated_.push_back({zero_, zero_});\n",
        "",
    ),
    Mutant(
        "a table that is sorted when it is read: ids in the order of numbers",
        "fastremap/newids.py",
        "        ids = numbers.astype(",
        "        ids = np.sort(numbers).astype(",
    ),
    Mutant(
        "narrow tallies overflow",
        "csrc/fastremap/dense.hpp",
        "std::numeric_limits<Count>::max() / piece_size * piece_size",
        "std::numeric_limits<std::size_t>::max() / piece_size * piece_size",
    ),
    Mutant(
        "counts of words in bytes overflow",
        "csrc/fastremap/dense.hpp",
        "if (FASTREMAP_CHOOSE(sum_of(counts.data(), n_values, greatest)) != batch) break;",
        "FASTREMAP_CHOOSE(sum_of(counts.data(), n_values, greatest));",
    ),
    Mutant(
        "two labels that take turns: the last run",
        "csrc/fastremap/runs.hpp",
        "if (n_known < n && n % 2) values[n - 1] = first;",
        "",
    ),
    Mutant(
        "few labels by an array: negative ones",
        "fastremap/_labels.pxi",
        "n_values = min(n_values, <size_t>1 << (8 * width - 1))",
        "n_values = min(n_values, <size_t>1 << (8 * width - 1) << 1)",
    ),
    Mutant(
        "special keys: 0 that stays 0",
        "csrc/fastremap/renumber.hpp",
        "keep_zero_ && number == 0 ? 0",
        "keep_zero_ && number == 0 ? 1",
    ),
    Mutant(
        "the first index in Fortran order",
        "csrc/fastremap/lines.hpp",
        "action(offset, shape[0], start, strides[0]);",
        "action(offset, shape[0], start, 1);",
    ),
    Mutant(
        "int8 -1 kept while widening",
        "fastremap/_apply.py",
        "flat = into = flat.astype(out_dtype)",
        'flat = into = flat.view(f"u{flat.dtype.itemsize}").astype(out_dtype)',
    ),
    Mutant(
        "exact keys",
        "fastremap/_arrays.py",
        "return _kernels.integers(items, unsigned)",
        "return np.fromiter(map(operator.index, items), np.float64, len(items)).astype(np.int64)",
    ),
    Mutant(
        "head-room of the dtype",
        "fastremap/dtypes.py",
        'highest < high + (rung is rungs[-1] or rung.kind == "f")',
        "highest <= high",
    ),
    Mutant(
        "write before validation",
        "fastremap/_apply.py",
        "undo is None and lookup.strict(labels, None) < labels.size",
        "False",
    ),
    Mutant(
        "what is written before a missing label is met",
        "fastremap/_apply.py",
        "undo.strict(labels[:done], out[:done])",
        "pass",
    ),
    Mutant("NaN", "fastremap/_arrays.py", "flat[np.isnan(flat)] = np.nan", "pass"),
    Mutant(
        "the remainder of a transposition",
        "csrc/ipt.hpp",
        "(pass.kind == Kind::detach_first ? tails.front() : tails.back()) = pass.tail;",
        "(pass.kind == Kind::detach_last ? tails.front() : tails.back()) = pass.tail;",
        "tests/layout",
    ),
    Mutant(
        "the last item of a filled vector (AVX-512)",
        "csrc/fastremap/runs_avx512.hpp",
        "4095, 8191, 16383,\n                                                 32767);",
        "4095, 8191, 16383,\n                                                 16383);",
    ),
    Mutant(
        "the last of equal keys counts",
        "csrc/fastremap/remap.hpp",
        "for (std::size_t i = n_keys; i-- > 0;)",
        "for (std::size_t i = 0; i < n_keys; ++i)",
    ),
    Mutant(
        "the last parent in C order",
        "csrc/fastremap/relate.hpp",
        "if (index <= last_index[id_of_run[run]]) continue;",
        "if (index >= last_index[id_of_run[run]] && last_index[id_of_run[run]] >= 0) continue;",
    ),
    Mutant(
        "the digest of the source",
        "fastremap_dask/tasks.py",
        "    if not np.array_equal(digests(voxels, grids.volume.unit), expected[part].ravel()):",
        "    if False:",
        tests="tests/jobs/test_faults.py",
    ),
    Mutant(
        "who holds the lock",
        "fastremap_dask/journal.py",
        '        if held["run"] != self.run:',
        "        if False:",
        tests="tests/faults",
    ),
    Mutant(
        "what is marked as written must be there",
        "fastremap_dask/tasks.py",
        "        if sizes != stored_sizes(target, piece.block):",
        "        if False:",
        tests="tests/faults",
    ),
    Mutant(
        "the voxels that are not stored are counted",
        "fastremap_dask/finding.py",
        "row[name] = count if source.counted else 0",
        "row[name] = count - 1 if source.counted else 0",
        tests="tests/jobs/test_jobs.py",
    ),
]


def run(command: list, folder: pathlib.Path, **more: str) -> subprocess.CompletedProcess:
    """Run a command with its output captured; tools and the Python that is built for are those of this environment."""
    path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": path} | more)


def build(tree: pathlib.Path) -> None:
    """Compile what has changed, and put the module into the package, which tests import from the tree."""
    done = run(["ninja", "-C", "build"], tree)
    if done.returncode:
        sys.exit(done.stdout[-3000:])
    for module in (tree / "build").glob("_kernels*.so"):
        shutil.copy(module, tree / "fastremap")


def first_failure(tree: pathlib.Path, tests: str) -> str | None:
    """Run the tests until one fails; its name."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", tests]
    done = run(command, tree, PYTHONPATH=str(tree), PYTHONDONTWRITEBYTECODE="1")
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if found:
        return found[1]
    return f"pytest ended with status {done.returncode}" if done.returncode else None


def main() -> None:
    """Try all mutants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only mutants whose name contains this text")
    only = parser.parse_args().only
    survivors = []
    with tempfile.TemporaryDirectory(prefix="fastremap-mutants-") as folder:
        tree = pathlib.Path(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, tree / part)
        setup = run(["meson", "setup", "build", "--buildtype=release"], tree)
        if setup.returncode:
            sys.exit(setup.stdout[-3000:])
        build(tree)
        for tests in sorted({mutant.tests for mutant in MUTANTS}):
            found = first_failure(tree, tests)
            if found:
                sys.exit(f"without any fault {found} fails: nothing can be said of the mutants")
        for mutant in (mutant for mutant in MUTANTS if only in mutant.what):
            path = tree / mutant.file
            whole = path.read_text()
            if whole.count(mutant.text) != 1:
                sys.exit(f"{mutant.what}: the text to change is {whole.count(mutant.text)} times in {mutant.file}")
            path.write_text(whole.replace(mutant.text, mutant.fault))
            build(tree)
            found = first_failure(tree, mutant.tests)
            path.write_text(whole)
            print(f"{mutant.what}: {'found by ' + found if found else 'SURVIVES'}", flush=True)
            survivors += [] if found else [mutant.what]
    if survivors:
        sys.exit(f"{len(survivors)} mutants survive")


if __name__ == "__main__":
    main()
