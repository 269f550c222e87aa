"""How tools call `unique`: each function takes the package and returns what the tool goes on with."""

import json
from types import ModuleType
from typing import Any

import numpy as np
from compat.inputs import BIG_ID, Cutout, cutout, edges, read_only, volume


def counted(labels: np.ndarray, counts: np.ndarray) -> dict[int, int]:
    """Return voxel counts by label, all of them Python integers."""
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def unique_in_place_of_numpy(fr: ModuleType) -> Any:
    """Every part of a C-ordered volume, as numbers."""
    parts = fr.unique(volume(), return_index=True, return_inverse=True, return_counts=True)
    return [part.tolist() for part in parts]


def unique_dtypes_of_the_parts(fr: ModuleType) -> Any:
    """The dtypes of labels, first index, inverse and counts."""
    return [part.dtype for part in fr.unique(volume(), True, True, True)]


def unique_by_position(fr: ModuleType) -> Any:
    """The options given by position."""
    labels, index, counts = fr.unique(volume(), True, False, True)
    return labels, index.tolist(), counts.tolist()


def unique_of_a_cutout(fr: ModuleType) -> Any:
    """The labels of an F-ordered cutout with a channel axis."""
    return counted(*fr.unique(cutout(), return_counts=True))


def unique_first_index_of_a_cutout(fr: ModuleType) -> Any:
    """Where each label of an F-ordered cutout is first met, used on the flattened array as with numpy."""
    labels = cutout()
    _, index = fr.unique(labels, return_index=True)
    return index.tolist(), labels.ravel()[index]


def unique_inverse_rebuilds(fr: ModuleType) -> Any:
    """An F-ordered cutout rebuilt from labels and inverse."""
    labels, inverse = fr.unique(cutout(), return_inverse=True)
    return inverse.shape, np.asfortranarray(labels[inverse])


def unique_without_background(fr: ModuleType) -> Any:
    """Object ids, as a list of Python integers."""
    labels = fr.unique(volume())
    return labels[labels != 0].tolist()


def unique_counts_as_dict(fr: ModuleType) -> Any:
    """Voxel counts by label, the numpy scalars as they come, asked for by Python integers."""
    counts = dict(zip(*fr.unique(volume(), return_counts=True), strict=True))
    return counts[5] == 180, counts.get(7), sum(counts.values()) == volume().size


def unique_counts_subtracted(fr: ModuleType) -> Any:
    """Growth of each object between two states, which may be negative."""
    before, after = (fr.unique(labels, return_counts=True)[1] for labels in (volume(), volume()[:, :, [0, 1, 2] * 3]))
    return (after - before[: len(after)]).min() < 0


def unique_counts_as_json(fr: ModuleType) -> Any:
    """Voxel counts in a JSON document."""
    labels, counts = fr.unique(cutout(), return_counts=True)
    return json.dumps({str(label): int(count) for label, count in zip(labels, counts, strict=True)})


def unique_largest_objects(fr: ModuleType) -> Any:
    """The three largest objects."""
    labels, counts = fr.unique(volume(), return_counts=True)
    return labels[np.argsort(counts, kind="stable")][-3:]


def unique_small_objects_removed(fr: ModuleType) -> Any:
    """Objects below a threshold masked out of an F-ordered cutout."""
    labels, counts = fr.unique(cutout(), return_counts=True)
    return fr.mask(cutout(), labels[counts < 50])


def unique_sets_of_two_chunks(fr: ModuleType) -> Any:
    """The labels that two halves of a volume share."""
    labels = volume()
    return sorted(set(fr.unique(labels[:8])) & set(fr.unique(labels[8:])))


def unique_next_free_label(fr: ModuleType) -> Any:
    """The next free label, computed in the dtype of the array."""
    return fr.unique(volume())[-1] + 1


def unique_of_a_list(fr: ModuleType) -> Any:
    """A plain list of ids."""
    return counted(*fr.unique([5, 3, 5, 1], return_counts=True))


def unique_of_an_empty_cutout(fr: ModuleType) -> Any:
    """A bounding box that holds nothing."""
    return counted(*fr.unique(np.zeros((0, 4, 4), np.uint64), return_counts=True))


def unique_of_one_voxel(fr: ModuleType) -> Any:
    """A cutout of one voxel."""
    return fr.unique(np.array([[[BIG_ID]]], np.uint64))


def unique_edges(fr: ModuleType) -> Any:
    """The distinct rows of an edge list."""
    return fr.unique(edges(), axis=0)


def unique_edges_with_counts(fr: ModuleType) -> Any:
    """The distinct rows and how often each occurs."""
    rows, counts = fr.unique(edges(), axis=0, return_counts=True)
    return rows, counts.tolist()


def unique_of_a_mask(fr: ModuleType) -> Any:
    """Whether a binary image holds both values."""
    return counted(*fr.unique(volume() > 4, return_counts=True))


def unique_of_signed_labels(fr: ModuleType) -> Any:
    """Signed labels with -1 for what is unknown."""
    return counted(*fr.unique(volume(np.int64) - 1, return_counts=True))


def unique_of_probabilities(fr: ModuleType) -> Any:
    """The distinct values of a float image."""
    return counted(*fr.unique(volume(np.float32) / 2, return_counts=True))


def unique_of_a_strided_view(fr: ModuleType) -> Any:
    """A downsampled view."""
    return counted(*fr.unique(volume()[::2, ::2, ::2], return_counts=True))


def unique_of_a_read_only_array(fr: ModuleType) -> Any:
    """An array over the bytes of a file."""
    return counted(*fr.unique(read_only(volume()), return_counts=True))


def unique_of_a_subclass(fr: ModuleType) -> Any:
    """The labels of a cutout of a class of its own: the class of the result."""
    return type(fr.unique(volume().view(Cutout)))


def unique_of_names(fr: ModuleType) -> Any:
    """Text, which numpy's function takes, too."""
    return fr.unique(np.array(["axon", "dendrite", "axon"]))


def unique_with_nan(fr: ModuleType) -> Any:
    """NaN counted as one value."""
    return fr.unique(np.array([np.nan, 1, np.nan]))


def unique_in_order_of_appearance(fr: ModuleType) -> Any:
    """No order asked for."""
    return fr.unique(np.array([7, 3, 7, 5]), sorted=False)


def unique_in_a_loop(fr: ModuleType) -> Any:
    """Many little arrays, one after the other."""
    return [counted(*fr.unique(row, return_counts=True)) for row in volume()[:, 0]]
