"""What becomes of memory that was freed, while a job runs in this process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# From <malloc.h>. glibc can keep what is freed, up to KEPT_NBYTES, for the next block: pages that are fresh from the
# system cost more than it takes to read a chunk into them. Or it can give back at once whatever was larger than
# GIVEN_BACK_NBYTES, its first threshold. GLIBCS_NBYTES is where its own rule ends.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_NBYTES, GIVEN_BACK_NBYTES, GLIBCS_NBYTES = 2**30, 2**17, 2**25


@contextmanager
def allocator_set(keeps: bool) -> Iterator[None]:
    """
    Have glibc, where it is the allocator, keep what is freed, or give it back, for the length of a `with` block.

    Parameters
    ----------
    keeps : bool
        Whether to keep it.

    Yields
    ------
    None
        In the end all of it is given back.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(libc, "mallopt"):  # musl has none
        yield
        return
    libc.mallopt(M_MMAP_THRESHOLD, KEPT_NBYTES if keeps else GIVEN_BACK_NBYTES)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT_NBYTES if keeps else GIVEN_BACK_NBYTES)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_THRESHOLD, GLIBCS_NBYTES)
        libc.mallopt(M_TRIM_THRESHOLD, 2 * GLIBCS_NBYTES)
        libc.malloc_trim(0)
