"""How tools measure, compose and cut labels: each function takes the package and returns what the tool goes on with."""

import json
from types import ModuleType
from typing import Any

import numpy as np
from compat.inputs import components, cutout, volume


def minmax_as_json(fr: ModuleType) -> Any:
    """The extremes in a JSON document."""
    low, high = fr.minmax(cutout())
    return json.dumps({"min": int(low), "max": int(high)})


def minmax_values(fr: ModuleType) -> Any:
    """The extremes as they come."""
    return fr.minmax(volume())


def minmax_chooses_a_dtype(fr: ModuleType) -> Any:
    """The narrowest dtype for the greatest label."""
    return volume().astype(fr.fit_dtype(np.uint64, fr.minmax(volume())[1]))


def minmax_of_signed(fr: ModuleType) -> Any:
    """Signed labels."""
    return fr.minmax(volume(np.int16) - 7)


def minmax_of_a_mask(fr: ModuleType) -> Any:
    """A binary image."""
    return fr.minmax(volume() > 4)


def minmax_of_a_list(fr: ModuleType) -> Any:
    """A plain list."""
    return fr.minmax([3, 1, 2])


def minmax_of_nothing(fr: ModuleType) -> Any:
    """An empty cutout."""
    return fr.minmax(np.zeros(0, np.uint32))


def foreground_fraction(fr: ModuleType) -> Any:
    """How much of a cutout is labelled."""
    return fr.foreground(cutout()) / cutout().size


def foreground_of_a_mask(fr: ModuleType) -> Any:
    """The voxels of a binary image."""
    return fr.foreground(volume() > 4)


def foreground_of_floats(fr: ModuleType) -> Any:
    """The voxels of a float image that are not 0."""
    return fr.foreground(volume(np.float32))


def pixel_pairs_as_compressibility(fr: ModuleType) -> Any:
    """The share of equal neighbours, which chooses a codec."""
    return fr.pixel_pairs(volume()) / volume().size, fr.pixel_pairs(cutout())


def indices_of_a_label(fr: ModuleType) -> Any:
    """Flat positions of a label, looked up in the flattened array."""
    labels = volume().ravel()
    found = fr.indices(labels, 5)
    return found.tolist(), labels[found]


def indices_dtype(fr: ModuleType) -> Any:
    """Their dtype."""
    return fr.indices(volume().ravel(), 5).dtype


def indices_as_points(fr: ModuleType) -> Any:
    """Positions as coordinates."""
    return np.stack(np.unravel_index(fr.indices(volume(), 5), volume().shape), axis=1)


def is_solid_skips_a_chunk(fr: ModuleType) -> Any:
    """Slabs of one value are skipped."""
    blank = np.zeros((2, 3), np.uint64)
    return fr.is_solid(volume()), fr.is_solid(blank), fr.is_solid(blank, 0), fr.is_solid(blank, value=3)


def is_sorted_before_a_search(fr: ModuleType) -> Any:
    """Keys checked before a binary search."""
    keys = fr.unique(volume())
    return fr.is_sorted(keys), fr.is_sorted(keys[::-1].copy()), fr.is_sorted(keys[::-1].copy(), False)


def point_cloud_of_one_object(fr: ModuleType) -> Any:
    """The points of one label, sorted."""
    points = fr.point_cloud(volume())[5]
    return points[np.lexsort(points.T[::-1])]


def point_cloud_order_of_points(fr: ModuleType) -> Any:
    """The points of one label, as they come."""
    return fr.point_cloud(volume())[5]


def point_cloud_objects(fr: ModuleType) -> Any:
    """The labels that have points."""
    clouds = fr.point_cloud(volume())
    return sorted(clouds), 0 in clouds, {type(label) for label in clouds}


def point_cloud_centroids(fr: ModuleType) -> Any:
    """The mean point of each label."""
    return {label: points.mean(axis=0).tolist() for label, points in sorted(fr.point_cloud(volume()).items())}


def point_cloud_bounding_boxes(fr: ModuleType) -> Any:
    """The corners of each label of an F-ordered image."""
    clouds = fr.point_cloud(np.asfortranarray(volume()[:, :, 0]))
    return {label: (points.min(axis=0), points.max(axis=0)) for label, points in sorted(clouds.items())}


def point_cloud_of_a_line(fr: ModuleType) -> Any:
    """One axis."""
    return fr.point_cloud(volume()[0, 0])


def point_cloud_of_background(fr: ModuleType) -> Any:
    """Nothing but background."""
    return fr.point_cloud(np.zeros((2, 3), np.uint8))


def point_cloud_shell(fr: ModuleType) -> Any:
    """The surface voxels of a cube."""
    cube = np.zeros((9, 9, 9), np.uint32)
    cube[2:7, 2:7, 2:7] = 1
    return {label: len(points) for label, points in fr.point_cloud(cube, shell=True).items()}


def component_map_of_pieces(fr: ModuleType) -> Any:
    """The object of each connected component."""
    return fr.component_map(components(), volume())


def component_map_as_json(fr: ModuleType) -> Any:
    """The same in a JSON document."""
    return json.loads(json.dumps(fr.component_map(components(), volume())))


def component_map_order(fr: ModuleType) -> Any:
    """The components in the order in which the map lists them."""
    return list(fr.component_map(components(), volume()))


def component_map_with_two_parents(fr: ModuleType) -> Any:
    """A component that lies in two objects."""
    return fr.component_map(np.array([1, 1, 2], np.uint32), np.array([5, 6, 7], np.uint32))


def component_map_then_remap(fr: ModuleType) -> Any:
    """Components taken back to objects by their map."""
    return fr.remap(components(), fr.component_map(components(), volume()))


def component_map_composed(fr: ModuleType) -> Any:
    """Component to object to renumbered object."""
    _, numbers = fr.renumber(volume())
    parents = fr.component_map(components(), volume())
    return {component: numbers[parent] for component, parent in sorted(parents.items())}


def component_map_of_nothing(fr: ModuleType) -> Any:
    """Two empty cutouts."""
    nothing = np.zeros((0, 2), np.uint32)
    return fr.component_map(nothing, nothing)


def component_map_of_f_order(fr: ModuleType) -> Any:
    """Both F-ordered, as cutouts are."""
    return fr.component_map(np.asfortranarray(components()), np.asfortranarray(volume()))


def component_map_of_mixed_orders(fr: ModuleType) -> Any:
    """Components of another memory order than their parents."""
    return fr.component_map(np.asfortranarray(components()), volume())


def inverse_component_map_lookup(fr: ModuleType) -> Any:
    """The components of each object, sorted by the caller."""
    pieces = fr.inverse_component_map(volume(), components())
    return {parent: sorted(pieces[parent]) for parent in sorted(pieces)}


def inverse_component_map_order_of_components(fr: ModuleType) -> Any:
    """The components of each object, as they come."""
    return fr.inverse_component_map(volume(), components() * 7919 % 1000)


def inverse_component_map_as_defaultdict(fr: ModuleType) -> Any:
    """An absent object has no components, and more may be appended."""
    pieces = fr.inverse_component_map(volume(), components())
    pieces[999].append(1)
    return pieces[999], pieces[1000], len(pieces)


def inverse_component_map_counts(fr: ModuleType) -> Any:
    """Objects in more than one piece."""
    pieces = fr.inverse_component_map(volume(), components())
    return sorted(parent for parent, found in pieces.items() if len(found) > 1)


def inverse_component_map_as_json(fr: ModuleType) -> Any:
    """The same in a JSON document."""
    pieces = fr.inverse_component_map(volume(), components())
    return json.loads(json.dumps({parent: sorted(found) for parent, found in pieces.items()}))


def tobytes_of_chunks(fr: ModuleType) -> Any:
    """An F-ordered image cut into chunks to be compressed."""
    return fr.tobytes(np.asfortranarray(volume()), (8, 6, 3), order="F")


def tobytes_of_chunks_in_c_order(fr: ModuleType) -> Any:
    """A C-ordered image by the default order, the size an array."""
    return fr.tobytes(volume(), np.array([4, 4, 9]))


def tobytes_of_an_image(fr: ModuleType) -> Any:
    """Two axes."""
    return fr.tobytes(volume()[0].copy(), (4, 9))


def tobytes_as_named_files(fr: ModuleType) -> Any:
    """Chunks under the names of their grid points, x fastest."""
    names = [f"{x}-{y}-{z}" for z in range(3) for y in range(2) for x in range(2)]
    return dict(zip(names, fr.tobytes(np.asfortranarray(volume()), [8, 6, 3], "F"), strict=True))
