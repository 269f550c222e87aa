"""Which dtype holds a value: the rules by which results are widened and narrowed."""

import numpy as np

_LADDERS: dict[str, list[np.dtype]] = {
    "u": [np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")],
    "i": [np.dtype(name) for name in ("int8", "int16", "int32", "int64")],
}
# The largest integer up to which a float dtype holds every integer.
_EXACT_TO = {np.dtype("float16"): 2**11, np.dtype("float32"): 2**24, np.dtype("float64"): 2**53}


def bounds(dtype: np.dtype) -> tuple[int, int]:
    """The least and the greatest integer of an integer or bool dtype; for floats those up to which none is lost."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return -_EXACT_TO[dtype], _EXACT_TO[dtype]
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def ladder(dtype: np.dtype) -> list[np.dtype]:
    """The dtypes of a kind by size; bool counts as an unsigned integer."""
    if dtype.kind == "f":
        return [np.dtype(np.float32), np.dtype(np.float64)]
    return _LADDERS["u" if dtype.kind == "b" else dtype.kind]


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


def widened(dtype: np.dtype, lowest: int, highest: int) -> np.dtype:
    """The dtype itself, or the next wider of its kind that holds two integers.

    Raises
    ------
    ValueError
        If the kind has none; names the value and the dtype.
    """
    candidates = [dtype, *(rung for rung in ladder(dtype) if rung.itemsize >= dtype.itemsize)]
    for candidate in candidates:
        low, high = bounds(candidate)
        if low <= lowest and highest <= high:
            return candidate
    low, high = bounds(candidates[-1])
    value = lowest if lowest < low else highest
    raise ValueError(f"the value {value} does not fit {candidates[-1]}, the widest dtype of the kind of {dtype}")


def check_fits(dtype: np.dtype, lowest: int, highest: int, what: str = "value") -> None:
    """Raise a ValueError that names value and dtype unless an integer dtype holds both."""
    low, high = bounds(dtype)
    for value in (lowest, highest):
        if not low <= value <= high:
            raise ValueError(f"the {what} {value} does not fit dtype {dtype}, which holds {low} to {high}")
