"""Colours of labels: each label has its own, whatever else is in the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fastremap.dtypes import fits

BACKGROUND = (16, 17, 22)
# OKLCH to linear sRGB (B. Ottosson, "A perceptual color space for image processing", 2020).
LAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def colours_of(labels: np.ndarray) -> np.ndarray:
    """
    Return the colours of labels.

    Parameters
    ----------
    labels : numpy.ndarray of bool or integers, any shape
        The labels; what counts is their value, not their dtype.

    Returns
    -------
    numpy.ndarray of uint8, shape (..., 3)
        Red, green and blue: for 0 a dark background, for others a colour of medium lightness and chroma that follows
        from a hash of the label alone, so that neighbouring numbers do not look alike.

    Raises
    ------
    TypeError
        If the labels are no array of bool or integers. Nothing is written.

    Notes
    -----
    Time O(n), on one thread; 200 bytes a label at the peak. A label has the same colour in every picture and process.

    References
    ----------
    G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: the hash.

    Examples
    --------
    >>> import numpy as np
    >>> from fastremap_dask import colours_of
    >>> colours_of(np.array([0, 864691135385150081]))
    array([[ 16,  17,  22],
           [168, 174, 232]], dtype=uint8)
    """
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "biu":
        kind = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(f"labels are an array of bool or integers; got {kind}")
    signed = labels.dtype.kind == "i"
    bits = labels.astype(np.int64).view(np.uint64) if signed else labels.astype(np.uint64)
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    hue, light, vivid = (((bits >> np.uint64(at)) & np.uint64(0xFFFF)) / 0x10000 for at in (0, 16, 32))
    lightness, chroma, angle = 0.58 + 0.28 * light, 0.07 + 0.09 * vivid, 2 * np.pi * hue
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    linear = np.clip((lab @ LAB_TO_LMS.T) ** 3 @ LMS_TO_RGB.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colours = np.round(255 * encoded).astype(np.uint8)
    colours[labels == 0] = BACKGROUND
    return colours


def old_labels(ids: np.ndarray, parts: Iterable[Mapping[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """
    Find the old labels that ids had.

    Parameters
    ----------
    ids : numpy.ndarray of integers, shape (n,)
        Ascending and distinct.
    parts : iterable of mapping
        The rows of a table, `old` ascending, and `new`, a part at a time.

    Returns
    -------
    old : numpy.ndarray of uint64 or int64, shape (n,)
        The least old label of each id; where several labels became one, that is the one whose colour it takes. An id
        that the table does not have is its own.
    listed : numpy.ndarray of bool, shape (n,)
        Which ids the table has.
    """
    wide = np.dtype(np.int64 if ids.dtype.kind == "i" else np.uint64)
    ids = ids.astype(wide)
    old, listed = ids.copy(), np.zeros(ids.shape, bool)
    for part in parts:
        new = part["new"]
        fitting = fits(new, wide) & fits(part["old"], wide)
        new, labels = new[fitting].astype(wide), part["old"][fitting].astype(wide)
        at = np.searchsorted(ids, new)
        at[at == ids.size] = 0
        hit = (ids[at] == new) & ~listed[at] if ids.size else np.zeros(new.shape, bool)
        at, labels = at[hit][::-1], labels[hit][::-1]  # of several the first one is assigned last
        old[at], listed[at] = labels, True
    return old, listed
