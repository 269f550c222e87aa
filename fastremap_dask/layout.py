"""Memory order of the blocks of a Dask array, and its cutouts as bytes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

import dask.array as da
import numpy as np

import fastremap

from .graphs import map_same, no_voxels, require_positions
from .lazy import Lazy


def transpose(arr: da.Array) -> da.Array:
    """
    Reverse the axes of a Dask array, and of each of its blocks physically.

    Parameters
    ----------
    arr : dask.array.Array of any dtype of fixed size, N-d
        The array. Its chunk sizes may be unknown.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr` reversed
        Equal to ``dask.array.transpose(arr)``, lazily. Each block has the memory order that it had: C-ordered in,
        C-ordered out.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its items are Python objects; nothing is computed.

    See Also
    --------
    fastremap.transpose : The same in memory, within the array's own buffer.

    Notes
    -----
    Lazy. One task a block, and a block of extra memory while it runs: other tasks may read the same chunk, which is
    therefore copied and never rearranged in place.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.transpose(da.from_array([[1, 2, 3], [4, 5, 6]], chunks=2)).compute()
    array([[1, 4],
           [2, 5],
           [3, 6]])
    """
    empty = no_voxels(arr)
    fastremap.transpose(empty)
    axes = tuple(range(arr.ndim))
    copy = partial(_copied, layout=fastremap.transpose)
    return da.blockwise(copy, axes[::-1], arr, axes, dtype=arr.dtype, meta=np.empty((0,) * arr.ndim, arr.dtype))


def asfortranarray(arr: da.Array) -> da.Array:
    """
    Lay out each block of a Dask array in Fortran order.

    Parameters
    ----------
    arr : dask.array.Array of any dtype of fixed size, N-d
        The array. Its chunk sizes may be unknown.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The same array, lazily, in blocks in Fortran order; of shape (1,) for a scalar.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its items are Python objects; nothing is computed.

    See Also
    --------
    fastremap.asfortranarray : The same in memory, within the array's own buffer.

    Notes
    -----
    As `transpose`; a block that is in Fortran order already is passed on. ``compute()`` joins the blocks in C order, as
    Dask does.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> array = fastremap_dask.asfortranarray(da.ones((4, 4), chunks=2))
    >>> array.to_delayed()[0, 0].compute().flags.f_contiguous
    True
    """
    return _laid_out(arr, fastremap.asfortranarray)


def ascontiguousarray(arr: da.Array) -> da.Array:
    """
    Lay out each block of a Dask array in C order.

    Parameters
    ----------
    arr : dask.array.Array of any dtype of fixed size, N-d
        The array. Its chunk sizes may be unknown.

    Returns
    -------
    dask.array.Array, shape and chunks of `arr`
        The same array, lazily, in blocks in C order; of shape (1,) for a scalar.

    Raises
    ------
    TypeError
        If `arr` is no Dask array of numpy chunks, or its items are Python objects; nothing is computed.

    See Also
    --------
    fastremap.ascontiguousarray : The same in memory, within the array's own buffer.

    Notes
    -----
    As `transpose`; a block that is in C order already is passed on.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> array = fastremap_dask.ascontiguousarray(da.ones((4, 4), chunks=2).T)
    >>> array.to_delayed()[0, 0].compute().flags.c_contiguous
    True
    """
    return _laid_out(arr, fastremap.ascontiguousarray)


def tobytes(image: da.Array, chunk_size: Sequence[int], *, order: str = "C") -> Lazy:
    """
    Cut a Dask array into the cutouts of a grid and return the bytes of each.

    Parameters
    ----------
    image : dask.array.Array of any dtype of fixed size, N-d
        The array, in known chunk sizes, which need not have to do with the grid.
    chunk_size : sequence of int
        The shape of a cutout, which divides that of the image.
    order : {"C", "F"}, optional
        The order in which the items of a cutout are written.

    Returns
    -------
    Lazy
        An object whose `compute()` returns the list of bytes, ``cutout.tobytes(order)`` for each cutout, in Fortran
        order: the first axis of the grid varies fastest.

    Raises
    ------
    TypeError
        If `image` is no Dask array of numpy chunks, its items are Python objects, or a size is no integer; nothing is
        computed.
    ValueError
        If the cutouts do not divide the image, `order` is neither "C" nor "F", or chunk sizes are unknown; nothing is
        computed.

    See Also
    --------
    fastremap.tobytes : The same in memory.

    Notes
    -----
    Lazy. Chunks are first joined to whole numbers of cutouts; then one task a chunk, with its bytes as extra memory.
    The list must fit where `compute` is called.

    Examples
    --------
    >>> import dask.array as da, fastremap_dask
    >>> fastremap_dask.tobytes(da.from_array([[0, 1], [2, 3]], chunks=1).astype("u1"), (1, 2)).compute()
    [b'\\x00\\x01', b'\\x02\\x03']
    """
    no_voxels(image)
    sizes = tuple(map(operator.index, chunk_size))
    fastremap.tobytes(np.empty((0,) * image.ndim, image.dtype), sizes, order)
    require_positions(image, "tobytes")
    if any(length % size for length, size in zip(image.shape, sizes, strict=True)):
        raise ValueError(f"chunk_size={sizes} does not divide the shape {image.shape}; expected a divisor of each axis")
    image = image.rechunk(tuple(map(_whole, image.chunks, sizes)))
    grid = da.map_blocks(
        partial(_cutouts, sizes=sizes, order=order),
        image,
        dtype=object,
        chunks=tuple(tuple(n // size for n in chunks) for chunks, size in zip(image.chunks, sizes, strict=True)),
        meta=np.empty((0,) * image.ndim, object),
    )
    return Lazy(grid, _in_fortran_order, "list")


def _laid_out(arr: da.Array, layout: Callable[[np.ndarray], np.ndarray]) -> da.Array:
    layout(no_voxels(arr))
    arr = arr if arr.ndim else arr[None]
    return map_same(partial(_copied, layout=layout), arr, dtype=arr.dtype)


def _copied(block: np.ndarray, *, layout: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Lay out a copy: of an array that is read-only `fastremap` makes one, and others may hold the block."""
    flag = {fastremap.asfortranarray: "F_CONTIGUOUS", fastremap.ascontiguousarray: "C_CONTIGUOUS"}.get(layout)
    if flag and block.flags[flag] and type(block) is np.ndarray:  # no mask, of which Dask need not know
        return block
    shown = block.view()
    shown.flags.writeable = False
    return layout(shown)


def _whole(chunks: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Move the ends of chunks up to multiples of a size."""
    ends = sorted({-(-end // size) * size for end in accumulate(chunks)})
    return tuple(np.diff(ends, prepend=0).tolist())


def _cutouts(block: np.ndarray, *, sizes: tuple[int, ...], order: str) -> np.ndarray:
    """Return the grid of the cutouts' bytes."""
    grid = np.empty([n // size for n, size in zip(block.shape, sizes, strict=True)], object)
    grid.T.flat = fastremap.tobytes(block, sizes, order)
    return grid


def _in_fortran_order(grid: np.ndarray) -> list[bytes]:
    return grid.ravel(order="F").tolist()
