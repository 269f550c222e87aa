"""Ten million labels over 63 bits, each in two states: memory and scratch are bounded by the budget and the states."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numberings import contents

from fastremap_dask import open_columns
from fastremap_dask.columns import Columns
from fastremap_dask.objects import Folder
from fastremap_dask.volumes import locate

N_LABELS, STATE_ROWS, BUDGET_NBYTES = 10**7, 500_000, 64 * 10**6
SCRIPT = """
import os, sys
from pathlib import Path
import numpy as np
from numberings import Performer, folder_at, rules, table_at
from test_many_labels import N_LABELS, STATE_ROWS, BUDGET_NBYTES, labels_of_state
from workertasks import peak_nbytes
from fastremap_dask.columns import pack
from fastremap_dask.numbering import number

path, order = Path(sys.argv[1]), sys.argv[2]
folder, names = folder_at(path), []
for n in range(2 * N_LABELS // STATE_ROWS):
    labels = labels_of_state(n)
    by_label = np.argsort(labels)
    first = np.arange(n * STATE_ROWS, (n + 1) * STATE_ROWS)
    columns = {"labels": labels[by_label]} | ({"first": first[by_label]} if order == "first" else {})
    folder.put(f"states/{n:04d}", pack(columns))
    names.append(f"{n:04d}")

class Measured(Performer):
    most = 0

    def __call__(self, *args):
        super().__call__(*args)
        self.most = max(self.most, sum(file.stat().st_size for file in path.glob("job/**/*") if file.is_file()))

perform, before = Measured(), peak_nbytes()
sizes = [STATE_ROWS] * len(names)
number(perform, folder, names, sizes, rules("u8", order=order), table_at(folder), budget_nbytes=BUDGET_NBYTES)
print(peak_nbytes() - before, perform.most, sum(file.stat().st_size for file in path.glob("job/states/*")))
"""


def labels_of_state(n: int) -> np.ndarray:
    """Return distinct labels in the order of first voxels: windows that overlap by half, then begin anew."""
    at = (n * STATE_ROWS // 2 + np.arange(STATE_ROWS)) % N_LABELS
    return ((at + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) & np.uint64(2**63 - 1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read as Linux tells them")
@pytest.mark.parametrize("order", ["first", "sorted"])
def test_memory_and_scratch_are_bounded(order, tmp_path):
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    arguments = [sys.executable, "-c", SCRIPT, str(tmp_path / "x"), order]
    output = subprocess.run(
        arguments, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}
    ).stdout
    grown_nbytes, scratch_nbytes, states_nbytes = map(int, output.split())
    assert grown_nbytes <= 4 * BUDGET_NBYTES
    assert scratch_nbytes <= 4 * states_nbytes
    columns = open_columns(tmp_path / "x" / "table.zarr")
    labels = np.sort(((np.arange(N_LABELS) + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) << 1 >> 1)
    np.testing.assert_array_equal(columns["old"][1:], labels)
    folder = Folder(locate(tmp_path / "x" / "job", read_only=False))
    for n in (0, 1, 20, 39):
        found = np.sort(labels_of_state(n))
        ids = Columns.open(folder, f"ids/{n:04d}").read("ids")
        if order == "sorted":
            expected = 1 + np.searchsorted(labels, found)
        else:
            expected = 1 + ((n * STATE_ROWS // 2 + np.argsort(labels_of_state(n))) % N_LABELS)
        np.testing.assert_array_equal(ids, expected)
    assert not any(name.startswith("job/plans") for name in contents(tmp_path / "x"))
