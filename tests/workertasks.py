"""What tests send to worker processes: those can import this module, but not the modules of the tests."""

import os
import time


def write_slowly(n, *, folder):
    time.sleep(0.05)
    (folder / str(n)).write_text("x")
    if n == 0:
        raise RuntimeError("this one fails")


def die_of_seven(n):
    if n == 7:
        die(n)


def inverse_of_difference(n):
    return 1 / (n - 137)


def malloc_settings():
    return os.environ["MALLOC_TRIM_THRESHOLD_"], os.environ["MALLOC_MMAP_THRESHOLD_"]


def first_voxel(block):
    return block.offset[0]


def tables_held():
    from fastremap_dask import jobtable

    return len(jobtable._TABLES)


def die(n):
    os._exit(1)


def package_lost():
    import no_such_module  # noqa: F401 - as where the package is not installed


def count_pickles_of_tables(folder):
    """Note each pickle of a LabelTable as a file: what a process of a pool runs when it starts."""
    import tempfile

    from fastremap import LabelTable

    reduce = LabelTable.__reduce__

    def noted(self):
        tempfile.NamedTemporaryFile(dir=folder, delete=False).close()
        return reduce(self)

    LabelTable.__reduce__ = noted


def slowly(block):
    time.sleep(0.05)
    return block


def limit_memory(nbytes):
    """Have the system refuse this process more memory of its own than this."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (nbytes, nbytes))


def peak_nbytes():
    """Return the peak of this process: getrusage would count what its parent had when it was begun."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def made_block(block_id):
    """Return 2**21 labels in runs: 4096 of 2**20 labels, others than those of most other blocks."""
    import numpy as np

    rng = np.random.default_rng(block_id)
    labels = rng.integers(1, 2**20, 4096, np.uint64) * np.uint64(2**43 + 1)
    return np.repeat(labels, 512).reshape(128, 128, 128)
