"""How tools call `remap` and its kin: each function takes the package and returns what the tool goes on with."""

import json
import warnings
from collections import OrderedDict, defaultdict
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
from compat.inputs import BIG_ID, Cutout, cutout, halved, read_only, volume


def to_big_ids() -> dict[int, int]:
    """Return a table from the labels of `volume()` to 60 bit ids, 0 kept."""
    return {0: 0} | {label: BIG_ID + label // 3 for label in range(1, 21)}


def remap_by_dict(fr: ModuleType) -> Any:
    """A plain dict of all labels."""
    return fr.remap(volume(), halved())


def remap_by_position(fr: ModuleType) -> Any:
    """All options by position."""
    labels = volume()
    return fr.remap(labels, {3: 4}, True, True), labels


def remap_result_dropped(fr: ModuleType) -> Any:
    """In place, the returned array dropped."""
    labels = volume()
    fr.remap(labels, {3: 4, 5: 0}, preserve_missing_labels=True, in_place=True)
    return labels


def remap_a_cutout(fr: ModuleType) -> Any:
    """An F-ordered cutout merged by 60 bit ids."""
    labels = fr.unique(cutout()).tolist()
    return fr.remap(cutout(), {label: labels[i // 2] for i, label in enumerate(labels)})


def remap_with_numpy_scalars(fr: ModuleType) -> Any:
    """A table zipped from two arrays: numpy scalars as keys and values."""
    labels = fr.unique(cutout())
    return fr.remap(cutout(), dict(zip(labels, np.arange(len(labels), dtype=np.uint32), strict=True)))


def remap_with_mixed_keys(fr: ModuleType) -> Any:
    """Python and numpy integers in one table, which numpy would merge as float64."""
    labels = np.array([0, BIG_ID, BIG_ID + 1], np.uint64)
    return fr.remap(labels, {0: 0, np.uint64(BIG_ID): 1, np.int64(BIG_ID + 1): 2})


def remap_zero_kept(fr: ModuleType) -> Any:
    """0 mapped to itself by an entry added afterwards."""
    table = {label: label + 1 for label in range(1, 21)}
    table[0] = 0
    return fr.remap(volume(), table)


def remap_zero_kept_as_missing(fr: ModuleType) -> Any:
    """0 left out of the table, and kept because it is missing."""
    return fr.remap(volume(), {label: label + 1 for label in range(1, 21)}, preserve_missing_labels=True)


def remap_missing_is_a_key_error(fr: ModuleType) -> Any:
    """A tool that falls back on KeyError."""
    try:
        return fr.remap(volume(), {0: 0, 1: 2})
    except KeyError:
        return "fallback"


def remap_missing_in_place_then_untouched(fr: ModuleType) -> Any:
    """The array after a KeyError of a call in place: the fallback goes on with it."""
    labels = volume()
    try:
        fr.remap(labels, {label: label + 1 for label in range(20)}, in_place=True)
    except KeyError:
        return labels
    return None


def remap_by_defaultdict(fr: ModuleType) -> Any:
    """A defaultdict with an entry for each label."""
    table = defaultdict(int)
    table.update(halved())
    return fr.remap(volume(), table)


def remap_by_ordered_dict(fr: ModuleType) -> Any:
    """An OrderedDict."""
    return fr.remap(volume(), OrderedDict(halved()))


def remap_by_proxy(fr: ModuleType) -> Any:
    """A read-only view of a dict."""
    return fr.remap(volume(), MappingProxyType(halved()))


def remap_by_reloaded_json(fr: ModuleType) -> Any:
    """A table that went through JSON, its keys made integers again."""
    table = json.loads(json.dumps(halved()))
    return fr.remap(volume(), {int(old): new for old, new in table.items()})


def remap_to_wider_ids(fr: ModuleType) -> Any:
    """Small labels to 60 bit ids: the array was made 64 bits wide first."""
    return fr.remap(volume().astype(np.uint64), to_big_ids())


def remap_to_ids_beyond_the_dtype(fr: ModuleType) -> Any:
    """Small labels to 60 bit ids, the array still narrow."""
    return fr.remap(volume(np.uint8), to_big_ids())


def remap_in_place_beyond_the_dtype(fr: ModuleType) -> Any:
    """The same in place: the result, and what the caller who drops it is told."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fr.remap(volume(np.uint8), to_big_ids(), in_place=True)
    return result, [warning.category.__name__ for warning in caught]


def remap_keys_of_another_chunk(fr: ModuleType) -> Any:
    """One table for many narrow chunks, with keys that this dtype cannot hold."""
    return fr.remap(volume(np.uint8), halved() | {300: 1, BIG_ID: 2})


def remap_negative_values(fr: ModuleType) -> Any:
    """Signed labels, unknown ones to -1."""
    return fr.remap(volume(np.int32), {label: label if label < 9 else -1 for label in range(21)})


def remap_an_empty_array(fr: ModuleType) -> Any:
    """An empty cutout."""
    return fr.remap(np.zeros((0, 3), np.uint64), {1: 2})


def remap_by_an_empty_table(fr: ModuleType) -> Any:
    """Nothing to merge."""
    return fr.remap(volume(), {}, preserve_missing_labels=True)


def remap_a_list(fr: ModuleType) -> Any:
    """A plain list of ids."""
    return fr.remap([1, 2, 2, 0], {0: 0, 1: 10, 2: 20})


def remap_twice(fr: ModuleType) -> Any:
    """Supervoxels to cells, cells to groups."""
    return fr.remap(fr.remap(volume(), halved()), {cell: cell % 3 for cell in range(11)})


def remap_a_read_only_array(fr: ModuleType) -> Any:
    """An array over the bytes of a file, not in place."""
    return fr.remap(read_only(volume()), halved())


def remap_in_a_loop(fr: ModuleType) -> Any:
    """Rows one after the other, by one table."""
    table = halved()
    return [fr.remap(row, table) for row in volume()[:, 0]]


def remap_a_strided_view_in_place(fr: ModuleType) -> Any:
    """Every second slab of a volume, in place."""
    labels = volume()
    fr.remap(labels[::2], halved(), in_place=True)
    return labels


def remap_of_a_subclass(fr: ModuleType) -> Any:
    """A cutout of a class of its own: the class of the result, in place and not."""
    return [type(fr.remap(volume().view(Cutout), halved(), in_place=kept)) for kept in (False, True)]


def remap_shares_the_buffer(fr: ModuleType) -> Any:
    """In place: result and input are one memory; else they are not."""
    labels = volume()
    return [np.shares_memory(fr.remap(labels, halved(), in_place=kept), labels) for kept in (False, True)]


def remap_to_booleans(fr: ModuleType) -> Any:
    """Objects chosen by a property."""
    return fr.remap(volume(), {label: label > 9 for label in range(21)})


def remap_by_integral_floats(fr: ModuleType) -> Any:
    """A table that a spreadsheet made floats of."""
    return fr.remap(volume(), {float(old): np.float64(new) for old, new in halved().items()})


def remap_by_fractions(fr: ModuleType) -> Any:
    """A division that left fractions in the table; a tool that expects them to be refused."""
    try:
        return fr.remap(volume(), {label: label / 2 for label in range(21)})
    except ValueError:
        return "refused"


def remap_by_zero_dimensional_arrays(fr: ModuleType) -> Any:
    """Values that are arrays without axes."""
    return fr.remap(volume(), {old: np.array(new) for old, new in halved().items()})


def remap_an_unused_wide_value(fr: ModuleType) -> Any:
    """A table of all chunks: the widest value does not occur in this one."""
    return fr.remap(volume(np.uint8), halved() | {77: 1000})


def remap_keys_as_text(fr: ModuleType) -> Any:
    """A table from JSON whose keys are still text is a TypeError."""
    try:
        return fr.remap(volume(), {str(old): new for old, new in halved().items()})
    except TypeError:
        return "refused"


def remap_a_mask(fr: ModuleType) -> Any:
    """A binary image given labels."""
    return fr.remap(volume() > 4, {False: 0, True: 5})


def remap_floats(fr: ModuleType) -> Any:
    """Labels that a tool stored as float32."""
    return fr.remap(volume(np.float32), {float(old): float(new) for old, new in halved().items()})


def remap_floats_by_integers(fr: ModuleType) -> Any:
    """The same by a table of integers."""
    return fr.remap(volume(np.float32), halved())


def remap_from_lookup(fr: ModuleType) -> Any:
    """By a lookup array, in place by default, the result dropped."""
    labels = volume().ravel()
    fr.remap_from_array(labels, np.arange(21, dtype=np.uint32) // 2)
    return labels


def remap_from_lookup_result(fr: ModuleType) -> Any:
    """By a lookup array, the result kept."""
    labels = volume().ravel()
    return fr.remap_from_array(labels, np.arange(21, dtype=np.uint32) // 2, in_place=False), labels


def remap_from_lookup_of_a_volume(fr: ModuleType) -> Any:
    """By a lookup array, a volume at once."""
    return fr.remap_from_array(volume(), np.arange(21, dtype=np.uint32) // 2)


def remap_from_short_lookup(fr: ModuleType) -> Any:
    """A lookup array that holds the first labels only."""
    return fr.remap_from_array(volume().ravel(), np.array([0, 7, 8], np.uint32))


def remap_from_lookup_of_another_dtype(fr: ModuleType) -> Any:
    """A lookup array from `np.arange`, its dtype left to numpy."""
    return fr.remap_from_array(volume().ravel(), np.arange(21) // 2)


def remap_from_key_and_value_arrays(fr: ModuleType) -> Any:
    """By two arrays, in place and keeping what is missing by default."""
    labels = volume().ravel()
    fr.remap_from_array_kv(labels, np.array([1, 2], np.uint32), np.array([2, 1], np.uint32))
    return labels


def remap_from_key_and_value_arrays_given_twice(fr: ModuleType) -> Any:
    """A key that occurs twice."""
    return fr.remap_from_array_kv(volume().ravel(), np.array([1, 1], np.uint32), np.array([2, 3], np.uint32))


def remap_from_key_and_value_arrays_of_a_volume(fr: ModuleType) -> Any:
    """The same with a volume at once."""
    return fr.remap_from_array_kv(volume(), np.array([1, 2], np.uint32), np.array([2, 1], np.uint32))


def remap_from_key_and_value_lists(fr: ModuleType) -> Any:
    """The same with lists."""
    return fr.remap_from_array_kv(volume().ravel(), [1, 2], [2, 1])


def remap_from_key_and_value_arrays_copied(fr: ModuleType) -> Any:
    """By two arrays, options by position."""
    labels = volume().ravel()
    keys = fr.unique(labels)
    return fr.remap_from_array_kv(labels, keys, keys[::-1].copy(), False, False), labels
