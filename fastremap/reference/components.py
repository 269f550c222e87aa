"""Twins of `component_map` and `inverse_component_map`."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from . import _inputs as inputs
from ._inputs import Number


def component_map(component_labels: Any, parent_labels: Any) -> dict[Number, Number]:
    """Twin of `fastremap.component_map`: the last parent in C order wins."""
    parents = dict(voxel_pairs(component_labels, parent_labels))
    return {component: parents[component] for component in ascending(parents)}


def inverse_component_map(parent_labels: Any, component_labels: Any) -> defaultdict[Number, list[Number]]:
    """Twin of `fastremap.inverse_component_map`."""
    components: dict[Number, set[Number]] = {}
    for parent, component in voxel_pairs(parent_labels, component_labels):
        components.setdefault(parent, set()).add(component)
    return defaultdict(list, {parent: ascending(components[parent]) for parent in ascending(components)})


def voxel_pairs(first: Any, second: Any) -> list[tuple[Number, Number]]:
    """Return the two labels of each voxel in C order."""
    arrays = inputs.label_array(first), inputs.label_array(second)
    if arrays[0].shape != arrays[1].shape:
        raise ValueError(f"the two arrays must have one shape, got {arrays[0].shape} and {arrays[1].shape}")
    return list(zip(inputs.plain(arrays[0]), inputs.plain(arrays[1]), strict=True))


def ascending(labels: Iterable[Number]) -> list[Number]:
    """Return the labels ascending, NaN last."""
    return sorted(labels, key=lambda label: (label != label, label))
