"""What tests send to worker processes: those can import this module, but not the modules of the tests."""

import os
import time


def write_slowly(n, *, folder):
    time.sleep(0.05)
    (folder / str(n)).write_text("x")
    if n == 0:
        raise RuntimeError("this one fails")


def first_voxel(block):
    return block.offset[0]


def tables_held():
    from fastremap_dask import tasks

    return len(tasks._TABLES)


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
