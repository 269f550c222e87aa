"""How tools choose dtypes and layouts: each function takes the package and returns what the tool goes on with."""

from types import ModuleType
from typing import Any

import numpy as np
from compat.inputs import Cutout, cutout, volume


def fit_dtype_as_constructor(fr: ModuleType) -> Any:
    """The fitted dtype called to make a scalar."""
    return fr.fit_dtype(np.uint64, 300)(7)


def fit_dtype_compared(fr: ModuleType) -> Any:
    """The fitted dtype compared with numpy's types."""
    return [fr.fit_dtype(np.uint64, value) == np.uint16 for value in (255, 256, 65535, 65536)]


def fit_dtype_at_the_limits(fr: ModuleType) -> Any:
    """Both ends of each width."""
    unsigned = [fr.fit_dtype(np.uint32, value) for value in (0, 255, 256, 65536, 2**32, 2**64 - 1)]
    return unsigned + [fr.fit_dtype(np.int64, value) for value in (-128, 127, -129, 128, -(2**31), 2**31)]


def fit_dtype_makes_an_array(fr: ModuleType) -> Any:
    """An output array for a known number of labels."""
    return np.zeros((2, 3), fr.fit_dtype(np.uint64, 1000), order="F")


def fit_dtype_has_iinfo(fr: ModuleType) -> Any:
    """How many labels fit."""
    return np.iinfo(fr.fit_dtype(volume().dtype, 1000)).max


def fit_dtype_of_numpy_value(fr: ModuleType) -> Any:
    """A value computed by numpy."""
    return fr.fit_dtype(np.uint64, volume().max())


def fit_dtype_of_floats(fr: ModuleType) -> Any:
    """Float dtypes."""
    return fr.fit_dtype(np.float64, 1.5), fr.fit_dtype(np.float64, 1e300)


def fit_dtype_of_a_negative(fr: ModuleType) -> Any:
    """A negative value for an unsigned dtype is a ValueError."""
    try:
        return fr.fit_dtype(np.uint8, -1)
    except ValueError:
        return "refused"


def widen_dtype_steps(fr: ModuleType) -> Any:
    """The next wider dtype of each kind."""
    return [fr.widen_dtype(dtype) for dtype in (np.uint8, np.uint32, np.uint64, np.int16, np.float32, "uint16")]


def narrow_dtype_steps(fr: ModuleType) -> Any:
    """The next narrower dtype of each kind."""
    return [fr.narrow_dtype(dtype) for dtype in (np.uint64, np.uint16, np.int32, np.float64, np.float32)]


def narrow_dtype_at_the_end(fr: ModuleType) -> Any:
    """The narrowest dtype, called."""
    return fr.narrow_dtype(np.uint8)(5)


def widen_dtype_before_a_sum(fr: ModuleType) -> Any:
    """Room made before two labellings are added."""
    labels = volume(np.uint8)
    return labels.astype(fr.widen_dtype(labels.dtype)) + 250


def refit_of_labels(fr: ModuleType) -> Any:
    """The narrowest dtype for a volume."""
    return fr.refit(volume(np.uint64))


def refit_keeps_f_order(fr: ModuleType) -> Any:
    """An F-ordered cutout of small labels."""
    return fr.refit(np.asfortranarray(volume(np.uint64)))


def refit_of_wide_ids(fr: ModuleType) -> Any:
    """Ids that need all 64 bits."""
    return fr.refit(cutout())


def refit_after_arithmetic(fr: ModuleType) -> Any:
    """An offset added, then made as narrow as it goes."""
    return fr.refit(volume(np.uint64) + np.uint64(250))


def refit_to_a_known_value(fr: ModuleType) -> Any:
    """Room for a greater label that is to come."""
    return fr.refit(volume(np.uint8), value=70_000)


def refit_by_position(fr: ModuleType) -> Any:
    """Never narrower, options by position."""
    return fr.refit(volume(np.uint64), 10, True), fr.refit(volume(np.uint8), 300, True)


def refit_of_signed(fr: ModuleType) -> Any:
    """Signed labels with both signs."""
    return fr.refit(volume(np.int64) - 3)


def refit_to_a_value_too_small(fr: ModuleType) -> Any:
    """A value that is not the greatest: some labels would not fit."""
    try:
        return fr.refit(volume(np.uint64) + np.uint64(300), 5)
    except ValueError:
        return "refused"


def refit_of_a_mask(fr: ModuleType) -> Any:
    """A binary image."""
    return fr.refit(volume() > 4)


def refit_of_a_subclass(fr: ModuleType) -> Any:
    """A cutout of a class of its own: the class of the result."""
    return type(fr.refit(volume().view(Cutout)))


def refit_of_what_fits(fr: ModuleType) -> Any:
    """An array that is as narrow as it goes is returned itself."""
    labels = volume(np.uint8)
    return fr.refit(labels) is labels


def refit_at_the_edge_of_int8(fr: ModuleType) -> Any:
    """Signed labels of which only the greatest is too wide."""
    return fr.refit(np.array([-128, 128], np.int16))


def refit_in_a_loop(fr: ModuleType) -> Any:
    """Slabs one after the other."""
    return [fr.refit(slab) for slab in volume(np.uint32)]


def asfortranarray_before_an_upload(fr: ModuleType) -> Any:
    """A C-ordered volume made F-ordered; its bytes are sent."""
    labels = fr.asfortranarray(volume())
    return labels, labels.tobytes("F")


def asfortranarray_twice(fr: ModuleType) -> Any:
    """An F-ordered cutout stays what it is."""
    return fr.asfortranarray(fr.asfortranarray(cutout()))


def ascontiguousarray_of_a_cutout(fr: ModuleType) -> Any:
    """An F-ordered cutout made C-ordered for a deep-learning library."""
    return fr.ascontiguousarray(cutout())


def ascontiguousarray_of_an_image(fr: ModuleType) -> Any:
    """Two axes, floats."""
    return fr.ascontiguousarray(np.asfortranarray(volume(np.float32)[0]))


def layout_shares_the_buffer(fr: ModuleType) -> Any:
    """No second copy of a volume that just fits memory."""
    labels = volume()
    return np.shares_memory(fr.asfortranarray(labels), labels)


def layout_there_and_back(fr: ModuleType) -> Any:
    """F order for one step, C order for the next."""
    return fr.ascontiguousarray(fr.asfortranarray(volume(np.uint8)))


def layout_of_a_strided_view(fr: ModuleType) -> Any:
    """A view that is contiguous in no order."""
    return fr.asfortranarray(volume()[::2, 1:]), fr.ascontiguousarray(volume()[::2, 1:])


def transpose_of_an_image(fr: ModuleType) -> Any:
    """Rows and columns exchanged."""
    return fr.transpose(volume(np.uint16)[0].copy())


def transpose_of_a_square(fr: ModuleType) -> Any:
    """A square one, as numbers."""
    return fr.transpose(np.arange(36, dtype=np.uint32).reshape(6, 6)).tolist()
