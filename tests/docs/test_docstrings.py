"""Every public name documents itself in numpydoc form, and its examples run."""

import doctest
import importlib
import inspect
from collections.abc import Iterator

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

# Extended summaries and cross-references are written where they help.
LEFT_TO_TASTE = {"ES01", "SA01"}
# Reasons why a rule does not fit a name.
EXCEPTIONS = {
    "fastremap.InPlaceWarning": {"EX01"},  # a warning has no use to show
    "fastremap.LabelTable": {"PR01"},  # made by its class methods: the constructor is no public way in
    "fastremap.LabelTable.digest": {"EX01"},
    "fastremap_dask.Forecast": {"EX01"},  # a dry run makes one
    "fastremap_dask.JobError": {"EX01"},  # an error has no use to show
    "fastremap_dask.JobLocked": {"EX01"},
    "fastremap_dask.Report": {"EX01"},  # renumber_zarr makes one, and shows it
    "fastremap_dask.Report.seconds": {"EX01"},
    "fastremap_dask.Report.source": {"EX01"},
    "fastremap_dask.Report.target": {"EX01"},
}


def public_names(module_name: str) -> Iterator[str]:
    """Yield the documented names of a package: functions, classes and their public methods."""
    module = importlib.import_module(module_name)
    for name in module.__all__:
        value = getattr(module, name)
        if not callable(value) or not value.__module__.startswith(module_name.split(".")[0] + "."):
            continue
        yield f"{module_name}.{name}"
        if inspect.isclass(value):
            members = [member for member, kind in vars(value).items() if callable(kind) or isinstance(kind, property)]
            methods = [member for member, kind in vars(value).items() if isinstance(kind, classmethod)]
            yield from (f"{module_name}.{name}.{m}" for m in dict.fromkeys(members + methods) if not m.startswith("_"))


def load(path: str) -> object:
    """Return what a dotted name stands for."""
    package, *names = path.split(".")
    value: object = importlib.import_module(package)
    for name in names:
        value = getattr(value, name)
    return value


NAMES = [*public_names("fastremap"), *public_names("fastremap_dask")]
FUNCTIONS = [name for name in NAMES if name.count(".") == 1 and inspect.isfunction(load(name))]


@pytest.mark.parametrize("name", NAMES)
def test_numpydoc_finds_no_fault(name: str) -> None:
    ignored = LEFT_TO_TASTE | EXCEPTIONS.get(name, set())
    assert [error for error in validate(name)["errors"] if error[0] not in ignored] == []


@pytest.mark.parametrize("name", NAMES)
def test_examples_run_and_are_short(name: str) -> None:
    value = load(name)
    text = inspect.getdoc(value) or ""
    examples = doctest.DocTestParser().get_examples(text)
    lines = sum(len(example.source.splitlines()) for example in examples)
    assert lines <= 6, f"{lines} lines of example"
    test = doctest.DocTest(examples, {}, name, None, None, text)
    report: list[str] = []
    with np.printoptions():
        doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_state_their_errors_and_their_cost(name: str) -> None:
    doc = NumpyDocString(inspect.getdoc(load(name)))
    assert doc["Notes"], "no Notes: time, peak extra bytes, threads"
    raises = " ".join(line for entry in doc["Raises"] for line in entry.desc)
    if name.startswith("fastremap.") and raises:
        assert "othing is written" in raises
