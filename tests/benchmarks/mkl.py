"""MKL's transposition in place, from its wheel.

`pip install --target` leaves out the libraries, which the wheel keeps with its data; so they are taken from the wheel.
"""

import ctypes
import pathlib
import subprocess
import sys
import zipfile
from collections.abc import Callable

import numpy as np

PARTS = ("rt", "core", "sequential", "intel_lp64", "def", "avx2", "avx512", "mc3")


def libraries(folder: pathlib.Path) -> pathlib.Path | None:
    """Put MKL's libraries into a folder of their own unless they are there; None if the index has none."""
    target = folder / "mkl"
    if not target.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", target, "mkl"]
        if subprocess.run(command, capture_output=True).returncode:
            print("mkl cannot be downloaded and is left out", file=sys.stderr)
            return None
        for wheel in target.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    name = member.rpartition("/")[2]
                    if name.startswith(tuple(f"libmkl_{part}.so" for part in PARTS)):
                        (target / name).write_bytes(archive.read(member))
            wheel.unlink()
    return target


def imatcopy(folder: pathlib.Path) -> Callable[[np.ndarray], None] | None:
    """The transposition on one thread of matrices of 4 or 8 bytes an item, or None where it cannot be had."""
    target = libraries(folder)
    found = sorted(target.glob("libmkl_rt.so*")) if target else []
    if not found:
        return None
    library = ctypes.CDLL(str(found[0]))
    library.MKL_Set_Threading_Layer(1)  # sequential

    def call(array: np.ndarray) -> None:
        real, letter = (ctypes.c_float, "S") if array.itemsize == 4 else (ctypes.c_double, "D")
        rows, columns = map(ctypes.c_size_t, array.shape)
        function = getattr(library, f"MKL_{letter}imatcopy")
        row_major, transposed = ctypes.c_char(b"R"), ctypes.c_char(b"T")
        function(row_major, transposed, rows, columns, real(1), ctypes.c_void_p(array.ctypes.data), columns, rows)

    return call
