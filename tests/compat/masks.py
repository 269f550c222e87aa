"""How tools mask labels: each function takes the package and returns what the tool goes on with."""

from types import ModuleType
from typing import Any

import numpy as np
from compat.inputs import BIG_ID, cutout, every_label, halved, volume


def mask_by_list(fr: ModuleType) -> Any:
    """A list of labels."""
    return fr.mask(volume(), [1, 5, 99])


def mask_by_array(fr: ModuleType) -> Any:
    """An array of 60 bit labels, on an F-ordered cutout."""
    return fr.mask(cutout(), fr.unique(cutout())[1::2])


def mask_by_set(fr: ModuleType) -> Any:
    """A set."""
    return fr.mask(volume(), {1, 5, 99})


def mask_by_dict_keys(fr: ModuleType) -> Any:
    """The keys of a dict."""
    return fr.mask(volume(), halved().keys())


def mask_by_generator(fr: ModuleType) -> Any:
    """A generator expression."""
    return fr.mask(volume(), (label for label in range(4, 9)))


def mask_by_range(fr: ModuleType) -> Any:
    """A range."""
    return fr.mask(volume(), range(4, 9))


def mask_by_numpy_scalars(fr: ModuleType) -> Any:
    """A list of numpy scalars next to a Python integer, beyond 2**53."""
    labels = np.array([BIG_ID, BIG_ID + 1, 3], np.uint64)
    return fr.mask(labels, [np.uint64(BIG_ID), 3])


def mask_result_dropped(fr: ModuleType) -> Any:
    """In place, the result dropped."""
    labels = volume()
    fr.mask(labels, [1, 5], in_place=True)
    return labels


def mask_with_value(fr: ModuleType) -> Any:
    """Another value than 0."""
    return fr.mask(volume(), [1, 5], value=77)


def mask_with_a_value_beyond_the_dtype(fr: ModuleType) -> Any:
    """A value that needs a wider dtype."""
    return fr.mask(volume(np.uint8), [1, 5], value=300)


def mask_of_floats(fr: ModuleType) -> Any:
    """Labels that a tool stored as float32."""
    return fr.mask(volume(np.float32), [1.0, 5.0])


def mask_shares_the_buffer(fr: ModuleType) -> Any:
    """In place: result and input are one memory; else they are not, even where nothing is masked."""
    labels = volume()
    return [np.shares_memory(fr.mask(labels, [], in_place=kept), labels) for kept in (False, True)]


def mask_nothing(fr: ModuleType) -> Any:
    """No labels to remove."""
    return fr.mask(volume(), [])


def mask_labels_of_another_chunk(fr: ModuleType) -> Any:
    """Labels that the dtype of this chunk cannot hold."""
    return fr.mask(volume(np.uint8), [5, 300, BIG_ID])


def mask_except_by_list(fr: ModuleType) -> Any:
    """One object isolated."""
    return fr.mask_except(volume(), [5])


def mask_except_by_position(fr: ModuleType) -> Any:
    """A list, options by position, in place."""
    labels = volume()
    fr.mask_except(labels, [5, 6], True, 9)
    return labels


def mask_except_by_set(fr: ModuleType) -> Any:
    """A set."""
    return fr.mask_except(volume(), {5, 6})


def mask_except_of_a_cutout(fr: ModuleType) -> Any:
    """60 bit labels, on an F-ordered cutout, in place."""
    labels = cutout()
    return fr.mask_except(labels, fr.unique(labels)[1:3].tolist(), in_place=True)


def mask_except_by_array(fr: ModuleType) -> Any:
    """An array of labels."""
    return fr.mask_except(cutout(), fr.unique(cutout())[1:3])


def mask_except_of_a_view_in_place(fr: ModuleType) -> Any:
    """A slab of an F-ordered volume, in place, the result dropped."""
    labels = np.asfortranarray(volume())
    fr.mask_except(labels[::2], [5], in_place=True)
    return labels


def mask_except_nothing(fr: ModuleType) -> Any:
    """No label to keep."""
    return fr.mask_except(volume(), [])


def mask_to_binary(fr: ModuleType) -> Any:
    """One object as a binary image."""
    return fr.mask_except(volume(), [5]).astype(bool)


def mask_all_but_the_largest(fr: ModuleType) -> Any:
    """Every object but the largest removed."""
    labels = every_label(30)
    return fr.mask(labels, fr.unique(labels)[1:-1])
