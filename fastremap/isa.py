"""Which instruction set the kernels use."""

from __future__ import annotations

from . import _kernels


def instruction_set() -> str:
    """
    Return the instruction set that the kernels use on this machine.

    Returns
    -------
    str
        "scalar", "avx2" or "avx512": the best that the processor has, or what FASTREMAP_ISA says.

    Examples
    --------
    >>> from fastremap.isa import instruction_set
    >>> instruction_set() in ("scalar", "avx2", "avx512")
    True
    """
    return _kernels.isa()
