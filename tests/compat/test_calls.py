"""Calls as public tools write them: they work, and mean what they mean in the package whose place this one takes.

Every function of the modules in `SUBJECTS` that takes a package `fr` is a pattern. FASTREMAP_PEER names the folder in
which the peer is installed (see `peer.load_peer`); without it only our side runs.
"""

import inspect
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from assertions import assert_same_result
from compat import dtypes, masks, measures, remappings, renumberings, uniques
from peer import REQUIREMENT, load_peer

import fastremap

SUBJECTS = (uniques, renumberings, remappings, masks, measures, dtypes)
PATTERNS: dict[str, Callable[[ModuleType], Any]] = {
    name: function
    for subject in SUBJECTS
    for name, function in inspect.getmembers(subject, inspect.isfunction)
    if list(inspect.signature(function).parameters) == ["fr"]
}

# Where the peer is known to differ, and why we do not follow it. A pattern that stands here without a difference fails.
INTENDED: dict[str, str] = {
    # Labels that the peer loses or joins.
    "renumber_255_bytes_incremented": "ids leave head-room in their dtype: there 255 + 1 becomes background",
    "renumber_255_bytes_marked_with_the_top": "ids leave head-room in their dtype: there the mark is a label, too",
    "renumber_65535_short_values": "nothing wraps: there 65,535 labels become 255",
    "renumber_after_many_labels": "nothing wraps: there ids from 2**32 start at 0",
    "renumber_bytes_from_250": "nothing wraps: there 250 and on wraps past 255",
    "renumber_bytes_without_background": "nothing wraps: there the 256th label becomes 0",
    "renumber_from_zero_beside_background": "no label is given the 0 that background keeps",
    "renumber_nan": "all NaNs are one label",
    "remap_by_fractions": "nothing is truncated: a fraction is no label",
    "refit_at_the_edge_of_int8": "nothing wraps: there 128 becomes -128",
    "refit_to_a_value_too_small": "nothing wraps: there 300 becomes 44",
    # Writes that go missing or half-way.
    "remap_missing_in_place_then_untouched": "a call that raises has written nothing",
    "remap_a_strided_view_in_place": "a strided view is written, too",
    "mask_except_of_a_view_in_place": "a strided view is written, too",
    "remap_in_place_beyond_the_dtype": "who drops a result that could not be written in place is warned",
    # numpy is the oracle.
    "unique_dtypes_of_the_parts": "indices and counts are intp, as numpy's; there their dtype depends on the labels",
    "unique_counts_subtracted": "counts are signed, as numpy's: differences may be negative",
    "unique_first_index_of_a_cutout": "flat indices are in C order, as numpy's, whatever the memory order",
    "indices_dtype": "indices are intp, as numpy's",
    "minmax_of_a_mask": "the extremes of bool are bool, as numpy's",
    "transpose_of_an_image": "the shape is reversed, as numpy's; there it stays over permuted memory",
    "narrow_dtype_at_the_end": "always the scalar type, which can be called; there a dtype where nothing is narrower",
    # One order, the same in every run.
    "unique_in_order_of_appearance": "no order asked for: first appearance here, sorted there",
    "renumber_order_of_the_mapping": "old labels in order of their ids; there in the order of a hash table",
    "component_map_order": "keys ascend; there in the order of a hash table",
    "component_map_with_two_parents": "the last parent in C order, as a loop over voxels would leave it",
    "inverse_component_map_order_of_components": "components ascend; there in the order of a hash table",
    "point_cloud_order_of_points": "points in C order; there in no order",
    "point_cloud_shell": "the surface alone: no background, and each of the 98 voxels once",
    # An empty array is an array.
    "renumber_nothing": "the mapping always holds 0, and the dtype follows the ids, if there are none as well",
    # Calls that the peer refuses.
    "remap_keys_of_another_chunk": "a key outside the dtype is absent, not an error",
    "mask_labels_of_another_chunk": "a label outside the dtype is absent, not an error",
    "remap_by_defaultdict": "any mapping is a table",
    "remap_by_ordered_dict": "any mapping is a table",
    "remap_by_proxy": "any mapping is a table",
    "remap_a_mask": "bool everywhere",
    "refit_of_a_mask": "bool everywhere",
    "refit_of_a_subclass": "results are plain arrays, as those of all other functions",
    "foreground_of_floats": "floats everywhere",
    "remap_from_lookup_of_a_volume": "any shape",
    "remap_from_lookup_of_another_dtype": "any pair of integer dtypes",
    "remap_from_key_and_value_arrays_of_a_volume": "any shape",
    "remap_from_key_and_value_lists": "lists are taken as numpy takes them",
    "minmax_of_a_list": "lists are taken as numpy takes them",
    "mask_except_by_array": "labels are any iterable or array",
    "mask_except_by_set": "labels are any iterable or array",
    "indices_as_points": "any shape",
    "point_cloud_of_a_line": "any number of axes",
    "tobytes_of_an_image": "any number of axes",
}
REFUSALS = (AttributeError, OverflowError, TypeError, ValueError)  # of the peer, where ours succeeds


@pytest.fixture(scope="session")
def peer() -> ModuleType:
    """Return the peer, or skip."""
    folder = os.environ.get("FASTREMAP_PEER")
    if not folder:
        pytest.skip(f"FASTREMAP_PEER names no folder: pip install --no-deps --target FOLDER {REQUIREMENT}")
    return load_peer(Path(folder))


def in_key_order(result: Any) -> Any:
    """Return a result with the keys of each dict in ascending order: patterns named for an order return a list."""
    if isinstance(result, dict):
        items = {key: in_key_order(result[key]) for key in sorted(result)}
        ordered = result.copy()
        ordered.clear()
        ordered.update(items)
        return ordered
    if isinstance(result, (list, tuple)):
        return type(result)(map(in_key_order, result))
    return result


@pytest.mark.parametrize("name", PATTERNS)
def test_call_works(name: str) -> None:
    assert PATTERNS[name](fastremap) is not None


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - INTENDED.keys()))
def test_call_means_what_it_means_in_the_peer(name: str, peer: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = PATTERNS[name](peer)
    assert_same_result(in_key_order(PATTERNS[name](fastremap)), in_key_order(expected))


@pytest.mark.parametrize("name", INTENDED)
def test_intended_difference_is_one(name: str, peer: ModuleType) -> None:
    actual = in_key_order(PATTERNS[name](fastremap))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = in_key_order(PATTERNS[name](peer))
        except REFUSALS:
            return
    with pytest.raises(AssertionError):
        assert_same_result(actual, theirs)
