"""Twins of `fit_dtype`, `widen_dtype`, `narrow_dtype` and `refit`."""

import contextlib
from typing import Any

import numpy as np

from . import _inputs as inputs

CHAINS = [["?"], ["i1", "i2", "i4", "i8"], ["u1", "u2", "u4", "u8"], ["f2", "f4", "f8", "g"], ["c8", "c16", "G"]]
# What only `exotics` admits as a result; extended precision is never fitted.
EXOTIC = {"fit": ["f2", "c16"], "widen": ["g", "c16", "G"], "narrow": ["f2"]}
NEVER_FITTED = ["g", "G"]


def fit_dtype(dtype: Any, value: Any, exotics: bool = False) -> type:
    """Twin of `fastremap.fit_dtype`."""
    refused = NEVER_FITTED if exotics else NEVER_FITTED + EXOTIC["fit"]
    candidates = [np.dtype(code) for code in chain_of(dtype) if code not in refused]
    for candidate in candidates:
        if holds(candidate, value):
            return candidate.type
    raise ValueError(f"{value} fits no dtype of the kind of {np.dtype(dtype)}, the widest is {candidates[-1]}")


def widen_dtype(dtype: Any, exotics: bool = False) -> type:
    """Twin of `fastremap.widen_dtype`."""
    return step(dtype, chain_of(dtype), [] if exotics else EXOTIC["widen"])


def narrow_dtype(dtype: Any, exotics: bool = False) -> type:
    """Twin of `fastremap.narrow_dtype`."""
    return step(dtype, chain_of(dtype)[::-1], [] if exotics else EXOTIC["narrow"])


def refit(arr: Any, value: Any = None, increase_only: bool = False, exotics: bool = False) -> np.ndarray:
    """Twin of `fastremap.refit`."""
    array = inputs.as_array(arr)
    if array.dtype.char in "gG":
        raise TypeError(f"dtype {array.dtype} is not supported, float16/32/64 and complex64/128 are")
    chain_of(array.dtype)
    itself = arr if isinstance(arr, np.ndarray) else array
    if array.dtype.kind == "b":
        return itself
    wanted = fitting(array.dtype, extremes(array) if value is None else [value], exotics)
    if increase_only and wanted.itemsize < array.dtype.itemsize:
        wanted = array.dtype.newbyteorder("=")
    for item in extremes(array):
        if not holds(wanted, item):
            both = fitting(array.dtype, [item, value], exotics)
            raise ValueError(f"{wanted} holds the value {value} but not the voxel {item}; {both} holds both")
    if array.dtype == wanted:
        return itself
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return array.astype(wanted, order="K")


def chain_of(dtype: Any) -> list[str]:
    """Return the codes of the kind's dtypes, narrowest first; TypeError for a kind without numbers."""
    native = np.dtype(dtype).newbyteorder("=")
    for chain in CHAINS:
        if native in [np.dtype(code) for code in chain]:
            return chain
    raise TypeError(f"dtype {np.dtype(dtype)} is neither bool, integer, float nor complex")


def step(dtype: Any, chain: list[str], refused: list[str]) -> type:
    """Return the dtype that follows in the chain, or the dtype itself at its end."""
    place = [np.dtype(code) for code in chain].index(np.dtype(dtype).newbyteorder("="))
    following = chain[place + 1 : place + 2]
    return np.dtype(chain[place] if not following or following[0] in refused else following[0]).type


def fitting(dtype: np.dtype, values: list[Any], exotics: bool) -> np.dtype:
    """Return the smallest dtype of the kind that holds every value."""
    return max((np.dtype(fit_dtype(dtype, value, exotics)) for value in values), key=lambda fit: fit.itemsize)


def holds(dtype: np.dtype, value: Any) -> bool:
    """Tell whether a dtype holds a value: by range, and for integers without a fraction."""
    if dtype.kind == "c":
        part = np.dtype("f4" if dtype.itemsize == 8 else "f8")
        number = complex(value if isinstance(value, (complex, np.complexfloating)) else inputs.exact(value))
        return holds(part, number.real) and holds(part, number.imag)
    number = inputs.exact(value)
    if dtype.kind == "f":
        with contextlib.suppress(OverflowError):  # an integer beyond float64
            return inputs.fits(float(number), dtype)
        return False
    return inputs.fits(number, dtype)


def extremes(array: np.ndarray) -> list[Any]:
    """Return the least and the largest number in the array, NaN and infinities aside; 0 if there is none."""
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    finite = [part[np.isfinite(part)] for part in parts]
    return [bound for part in finite if part.size for bound in (part.min().item(), part.max().item())] or [0]
