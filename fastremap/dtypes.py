"""Which dtype holds a value: the rules by which results are widened and narrowed."""

import functools

import numpy as np

from . import _kernels

_LADDERS: dict[str, list[np.dtype]] = {
    "u": [np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")],
    "i": [np.dtype(name) for name in ("int8", "int16", "int32", "int64")],
}
# The largest integer up to which a float dtype holds every integer.
_EXACT_TO = {np.dtype("float16"): 2**11, np.dtype("float32"): 2**24, np.dtype("float64"): 2**53}


@functools.lru_cache
def bounds(dtype: np.dtype) -> tuple[int, int]:
    """The least and the greatest integer of an integer or bool dtype; for floats those up to which none is lost."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return -_EXACT_TO[dtype], _EXACT_TO[dtype]
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


# By the number of bits of an integer, without its sign.
_OF_BITS = {
    kind: [next(dtype for dtype in rungs if n_bits <= 8 * dtype.itemsize - (kind == "i")) for n_bits in range(64)]
    for kind, rungs in _LADDERS.items()
}
_OF_BITS["u"].append(np.dtype(np.uint64))


def smallest_integer(lowest: int, highest: int) -> np.dtype:
    """The smallest integer dtype that holds two integers of one 64-bit dtype, unsigned where possible."""
    n_bits = max(lowest if lowest >= 0 else ~lowest, highest if highest >= 0 else ~highest).bit_length()
    return _OF_BITS["i" if lowest < 0 else "u"][n_bits]


def ladder(dtype: np.dtype) -> list[np.dtype]:
    """The dtypes of a kind by size; bool counts as an unsigned integer."""
    if dtype.kind == "f":
        return [np.dtype(np.float32), np.dtype(np.float64)]
    return _LADDERS["u" if dtype.kind == "b" else dtype.kind]


@functools.lru_cache
def _from_rung(dtype: np.dtype) -> tuple[np.dtype, ...]:
    """A dtype and those of its kind that are at least as wide."""
    return (dtype, *(rung for rung in ladder(dtype) if rung.itemsize >= dtype.itemsize))


def ids_dtype(dtype: np.dtype, lowest: int, highest: int) -> np.dtype:
    """The dtype of renumbered labels.

    The smallest dtype of a kind whose maximum is greater than every id, so that adding 1, or using the top value as
    a mark, loses none. Only in 64 bits may the highest id be the maximum itself.

    Parameters
    ----------
    dtype : numpy.dtype
        dtype of the labels that were renumbered; its kind is kept, bool counts as unsigned.
    lowest, highest : int
        The extreme ids.

    Returns
    -------
    numpy.dtype
        For floats float32, or float64 beyond 2**24.

    Raises
    ------
    ValueError
        If an id does not fit 64 bits, or is negative for unsigned labels. Nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from fastremap.dtypes import ids_dtype
    >>> ids_dtype(np.dtype(np.uint64), 1, 254), ids_dtype(np.dtype(np.uint64), 1, 255)
    (dtype('uint8'), dtype('uint16'))
    """
    rungs = ladder(dtype)
    for rung in rungs:
        low, high = bounds(rung)
        if low <= lowest and highest < high + (rung is rungs[-1] or rung.kind == "f"):
            return rung
    low, high = bounds(rungs[-1])
    value = lowest if lowest < low else highest
    raise ValueError(f"the new id {value} does not fit {rungs[-1]}, the widest dtype of the labels' kind ({dtype})")


def fits(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Tell of each integer or float whether a dtype holds it: integers exactly, floats without becoming infinite."""
    if values.dtype.kind == "O":
        return np.array([_holds(dtype, number) for number in values], bool)
    if dtype.kind != "f":
        low, high = bounds(dtype)
        held: np.ndarray
        with np.errstate(invalid="ignore"):
            if values.dtype.kind != "f":
                held = (values >= low) & (values <= high)
            else:  # the float next to `high` may be high + 1
                held = (values == np.floor(values)) & (values >= float(low)) & (values < float(high + 1))
        return held
    with np.errstate(over="ignore", invalid="ignore"):
        finite: np.ndarray = ~(np.isinf(values.astype(dtype)) & np.isfinite(values))
    if values.dtype.kind == "f":
        return finite
    # An integer is exact if its bits, without the zeros at its end, fit the significand.
    size = values.astype(np.uint64)
    size = np.where(values < 0, ~size + np.uint64(1), size) | (values == 0)
    is_exact: np.ndarray = finite & (size // (size & (~size + np.uint64(1))) <= _EXACT_TO[dtype])
    return is_exact


def extremes(values: np.ndarray) -> tuple[int, int]:
    """The least and the greatest of the integers of a contiguous array; 0 and 0 if there is none."""
    return _kernels.minmax(values) if values.size else (0, 0)


def all_fit(values: np.ndarray, dtype: np.dtype) -> bool:
    """Tell whether a dtype holds all of some integers or floats; of integers only the extremes are looked at."""
    if dtype.kind == "f" or values.dtype.kind not in "iu":
        return bool(fits(values, dtype).all())
    lowest, highest = extremes(values)
    low, high = bounds(dtype)
    return low <= lowest and highest <= high


def _holds(dtype: np.dtype, number: int | float) -> bool:
    try:
        with np.errstate(over="ignore"):
            cast = dtype.type(number).item()
    except (OverflowError, ValueError):
        return False
    return cast == number or (
        isinstance(number, float) and dtype.kind == "f" and np.isfinite(cast) >= np.isfinite(number)
    )


def require_fit(values: np.ndarray, dtype: np.dtype, what: str = "value") -> None:
    """Raise a ValueError that names value and dtype unless the dtype holds all values."""
    if not all_fit(values, dtype):
        raise ValueError(f"the {what} {values[~fits(values, dtype)][0]} does not fit dtype {dtype}")


def widened(dtype: np.dtype, *values: np.ndarray) -> np.dtype:
    """The dtype itself, or the next wider of its kind that holds all values.

    Raises
    ------
    ValueError
        If the kind has none; names the value and the dtype.
    """
    for candidate in _from_rung(dtype):
        for some in values:
            if not all_fit(some, candidate):
                break
        else:
            return candidate
    misfit = next(some[~fits(some, candidate)][0] for some in values if not all_fit(some, candidate))
    raise ValueError(f"the value {misfit} does not fit {candidate}, the widest dtype of the kind of {dtype}")
