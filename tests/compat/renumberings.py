"""How tools call `renumber`: each function takes the package and returns what the tool goes on with."""

import json
from types import ModuleType
from typing import Any

import numpy as np
from compat.inputs import BIG_ID, Cutout, cutout, every_label, read_only, volume


def renumber_and_restore(fr: ModuleType) -> Any:
    """Renumbered for a narrow algorithm, then mapped back by the inverted dict."""
    small, mapping = fr.renumber(cutout())
    return small, mapping, fr.remap(small, {new: old for old, new in mapping.items()})


def renumber_mapping_as_json(fr: ModuleType) -> Any:
    """The mapping written beside the volume."""
    return json.loads(json.dumps(fr.renumber(cutout())[1]))


def renumber_mapping_inverted_as_json(fr: ModuleType) -> Any:
    """The mapping inverted, then written: its values must be Python integers, too."""
    return json.loads(json.dumps({new: old for old, new in fr.renumber(cutout())[1].items()}))


def renumber_mapping_mutated(fr: ModuleType) -> Any:
    """The mapping changed by its owner: an entry dropped, one added, all shifted."""
    _, mapping = fr.renumber(volume())
    mapping.pop(0, None)
    mapping[BIG_ID] = len(mapping) + 1
    mapping.update({old: new + 100 for old, new in mapping.items()})
    return mapping


def renumber_order_of_the_mapping(fr: ModuleType) -> Any:
    """The old labels in the order in which the mapping lists them."""
    return list(fr.renumber(volume())[1])


def renumber_number_of_objects(fr: ModuleType) -> Any:
    """The number of objects, read off the mapping that always holds 0."""
    return len(fr.renumber(volume())[1]) - 1, fr.renumber(np.array([5, 5, 9]))[1]


def renumber_result_dropped(fr: ModuleType) -> Any:
    """In place, the returned array dropped."""
    labels = volume()
    fr.renumber(labels, in_place=True)
    return labels


def renumber_result_of_in_place(fr: ModuleType) -> Any:
    """In place, the returned array kept."""
    return fr.renumber(volume(), in_place=True)


def renumber_by_position(fr: ModuleType) -> Any:
    """All options by position."""
    return fr.renumber(volume(), 5, False, True)


def renumber_chunk_after_chunk(fr: ModuleType) -> Any:
    """Slabs numbered one after the other, the start carried along."""
    start, slabs = 1, []
    for slab in np.split(volume(), 4):
        ids, mapping = fr.renumber(slab, start=start)
        start = max(max(mapping.values()) + 1, start)
        slabs.append((ids, mapping))
    return slabs, start


def renumber_from_a_numpy_start(fr: ModuleType) -> Any:
    """A start that was computed by numpy."""
    return fr.renumber(volume(), start=volume().max() + 1)


def renumber_background_too(fr: ModuleType) -> Any:
    """0 as a label like any other, ids from 0."""
    return fr.renumber(volume(), start=0, preserve_zero=False)


def renumber_254_incremented(fr: ModuleType) -> Any:
    """254 labels, then room made for a new first one."""
    ids, _ = fr.renumber(every_label(254))
    ids += 1
    return ids


def renumber_255_incremented(fr: ModuleType) -> Any:
    """255 labels, then room made for a new first one."""
    ids, _ = fr.renumber(every_label(255))
    ids += 1
    return ids


def renumber_255_bytes_incremented(fr: ModuleType) -> Any:
    """The same where the labels came as bytes."""
    ids, _ = fr.renumber(every_label(255, np.uint8))
    ids += 1
    return ids


def renumber_255_bytes_marked_with_the_top(fr: ModuleType) -> Any:
    """255 labels, then one voxel marked with the top of the dtype: which voxels are marked."""
    ids, _ = fr.renumber(every_label(255, np.uint8))
    mark = np.iinfo(ids.dtype).max
    ids[9] = mark
    return np.flatnonzero(ids == mark)


def renumber_255_values(fr: ModuleType) -> Any:
    """255 labels as numbers, whatever their dtype, and the mapping."""
    ids, mapping = fr.renumber(every_label(255))
    return ids.tolist(), mapping


def renumber_256(fr: ModuleType) -> Any:
    """256 labels: array and mapping."""
    return fr.renumber(every_label(256))


def renumber_65535_values(fr: ModuleType) -> Any:
    """65,535 labels as numbers, and the mapping."""
    ids, mapping = fr.renumber(every_label(65535))
    return ids.astype(np.int64), mapping


def renumber_65535_short_values(fr: ModuleType) -> Any:
    """The same where the labels came as uint16."""
    ids, mapping = fr.renumber(every_label(65535, np.uint16))
    return ids.astype(np.int64), mapping


def renumber_bytes_without_background(fr: ModuleType) -> Any:
    """All 256 values of a byte as labels."""
    return fr.renumber(np.arange(256, dtype=np.uint8), preserve_zero=False)


def renumber_as_lookup_index(fr: ModuleType) -> Any:
    """New ids as indices into an array of properties."""
    ids, mapping = fr.renumber(volume())
    return np.arange(100, 100 + len(mapping))[ids]


def renumber_then_bincount(fr: ModuleType) -> Any:
    """Sizes by new id."""
    return np.bincount(fr.renumber(cutout())[0].ravel())


def renumber_a_mask(fr: ModuleType) -> Any:
    """A binary image."""
    return fr.renumber(volume() > 4)


def renumber_floats(fr: ModuleType) -> Any:
    """Labels that a tool stored as float32."""
    return fr.renumber(volume(np.float32))


def renumber_signed(fr: ModuleType) -> Any:
    """Signed labels with -1 for what is unknown."""
    return fr.renumber(volume(np.int32) - 1)


def renumber_nothing(fr: ModuleType) -> Any:
    """An empty cutout."""
    return fr.renumber(np.zeros((0, 4), np.uint32))


def renumber_only_background(fr: ModuleType) -> Any:
    """A cutout of background."""
    return fr.renumber(np.zeros((3, 4), np.uint64, order="F"))


def renumber_bytes_from_250(fr: ModuleType) -> Any:
    """Bytes numbered after 249 labels of an earlier chunk."""
    return fr.renumber(volume(np.uint8), start=250)


def renumber_after_many_labels(fr: ModuleType) -> Any:
    """Bytes numbered after 2**32 labels of earlier chunks."""
    return fr.renumber(volume(np.uint8), start=2**32)


def renumber_from_zero_beside_background(fr: ModuleType) -> Any:
    """From 0, while background keeps 0: a label in the background would be the outcome."""
    try:
        return fr.renumber(np.array([0, 4, 6], np.uint32), start=0)
    except ValueError:
        return "refused"


def renumber_of_a_subclass(fr: ModuleType) -> Any:
    """A cutout of a class of its own: the class of the result."""
    return type(fr.renumber(volume().view(Cutout))[0])


def renumber_shares_the_buffer(fr: ModuleType) -> Any:
    """In place: result and input are one memory; else they are not."""
    labels = volume()
    return [np.shares_memory(fr.renumber(labels, in_place=kept)[0], labels) for kept in (False, True)]


def renumber_a_list(fr: ModuleType) -> Any:
    """A plain list of ids."""
    return fr.renumber([50, 50, 0, 70])


def renumber_a_strided_view(fr: ModuleType) -> Any:
    """A downsampled view."""
    return fr.renumber(volume()[::2, ::2, ::2])


def renumber_nan(fr: ModuleType) -> Any:
    """NaN twice."""
    return fr.renumber(np.array([np.nan, np.nan, 2.0]))[0]


def renumber_in_a_loop(fr: ModuleType) -> Any:
    """Many little arrays, one after the other."""
    return [fr.renumber(row) for row in volume()[:, 0]]


def renumber_a_read_only_array(fr: ModuleType) -> Any:
    """An array over the bytes of a file."""
    return fr.renumber(read_only(volume()))


def renumber_types_of_the_mapping(fr: ModuleType) -> Any:
    """The types of keys and values, which serializers ask for."""
    _, mapping = fr.renumber(cutout())
    return {type(item) for pair in mapping.items() for item in pair}
