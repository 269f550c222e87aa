"""The peak extra memory that docstrings state, held against the peak of a fresh process."""

import subprocess
import sys

import pytest

N = 2**26  # voxels: 256 MiB as uint32
ALLOWED = 16 * 2**20

# A C-ordered volume of runs of 64 voxels, 1000 labels; what the kernels keep for each label is nothing beside it.
PREPARE = """
import sys
import numpy as np
import fastremap

n = int(sys.argv[1])
labels = np.repeat((np.arange(n // 64, dtype=np.uint32) * 7919) % 1000, 64).reshape(256, 512, -1)
other = labels // 10
table = fastremap.LabelTable.from_arrays(np.arange(1000), np.arange(1000)[::-1])
strided = labels[:, ::2]
assert labels.flags.c_contiguous

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

fastremap.renumber(labels[:1]), fastremap.minmax(labels[:1])  # what is loaded when first used
with open("/proc/self/clear_refs", "w") as refs:
    refs.write("5")  # the peak begins anew
before = peak()
"""

# Call -> stated peak extra bytes for each of N voxels.
STATED = {
    "fastremap.unique(labels)": 0,
    "fastremap.unique(labels, return_index=True, return_counts=True)": 0,
    "fastremap.unique(np.asfortranarray(labels), return_index=True)": 4,  # the array itself, made in the call
    "fastremap.unique(labels, return_inverse=True)": 8,
    "fastremap.unique(strided)": 2,  # a copy of what is strided, which is half
    "fastremap.renumber(labels)": 2,
    "fastremap.renumber(labels, order='sorted')": 2,
    "fastremap.renumber(labels, dtype=np.uint64, mapping='table')": 8,
    "fastremap.renumber(labels, in_place=True)": 2,
    "fastremap.remap(labels, table)": 4,
    "fastremap.remap(labels, table, in_place=True)": 0,
    "fastremap.remap(labels, table, dtype=np.uint16)": 2,
    "fastremap.remap(labels, {5: 2**40}, preserve_missing_labels=True)": 8,
    "fastremap.remap_from_array(labels, np.arange(1000))": 0,
    "fastremap.remap_from_array_kv(labels, [1, 2], [3, 4])": 0,
    "fastremap.mask(labels, [1, 2, 3])": 4,
    "fastremap.mask(labels, [1, 2, 3], in_place=True)": 0,
    "fastremap.mask_except(labels, [1, 2, 3], in_place=True)": 0,
    "fastremap.component_map(labels, other)": 0,
    "fastremap.inverse_component_map(other, labels)": 0,
    "fastremap.minmax(labels)": 0,
    "fastremap.foreground(labels)": 0,
    "fastremap.pixel_pairs(labels)": 0,
    "fastremap.indices(labels, 10**6)": 0,
    "fastremap.indices(labels, 999)": 24 / 1000,
    "fastremap.is_solid(labels)": 0,
    "fastremap.is_sorted(labels)": 0,
    "fastremap.refit(labels)": 2,
    "fastremap.point_cloud(labels)": 6 * 0.999,
    "fastremap.point_cloud(labels, shell=True)": 4 + 6,  # at most: all voxels lie on a surface
    "fastremap.transpose(labels)": 0,
    "fastremap.asfortranarray(labels)": 0,
    "fastremap.tobytes(labels, (64, 64, 64))": 4,
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from Linux's /proc")
@pytest.mark.parametrize("call", STATED)
def test_peak_memory_is_as_stated(call: str) -> None:
    program = f"{PREPARE}\nresult = {call}\nprint(peak() - before)"
    done = subprocess.run([sys.executable, "-c", program, str(N)], capture_output=True, text=True, check=True)
    extra_nbytes, stated_nbytes = int(done.stdout), STATED[call] * N
    assert extra_nbytes <= 1.1 * stated_nbytes + ALLOWED, f"{extra_nbytes / 2**20:.0f} MiB"
    if "shell" not in call:  # of which the statement is an upper bound
        assert extra_nbytes >= 0.9 * stated_nbytes - ALLOWED, f"{extra_nbytes / 2**20:.0f} MiB: the docstring says more"
