"""OME-Zarr label images for tests, of both versions of the metadata."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import zarr
from stores import labels_of
from zarr.storage import StoreLike, StorePath

# Version of OME-Zarr by Zarr format.
VERSIONS = {2: "0.4", 3: "0.5"}
SHAPE = (4, 24, 30)


def levels(seed: int = 0, dtype: str = "u8") -> list[np.ndarray]:
    """Return labels in three resolutions; the last has a label that the others lack, as a bad pyramid may."""
    labels = labels_of(SHAPE, 40, dtype, seed)
    pyramid = [labels, labels[:, ::2, ::2].copy(), labels[:, ::4, ::4].copy()]
    pyramid[2][0, 0, 0] = 99
    return pyramid


def attributes(zarr_format: int, **content: Any) -> dict[str, Any]:
    """Return a group's attributes, which are in a namespace since version 0.5."""
    return {"ome": {"version": VERSIONS[zarr_format], **content}} if zarr_format == 3 else content


def multiscales(zarr_format: int, paths: Sequence[str], name: str = "cells") -> list[dict[str, Any]]:
    """Return metadata of an image."""
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    datasets = [
        {"path": path, "coordinateTransformations": [{"type": "scale", "scale": [40.0, 4.0 * 2**at, 4.0 * 2**at]}]}
        for at, path in enumerate(paths)
    ]
    version = {"version": VERSIONS[2]} if zarr_format == 2 else {}
    return [{**version, "name": name, "axes": axes, "datasets": datasets, "type": "nearest"}]


def described(labels: Sequence[int], zarr_format: int) -> dict[str, Any]:
    """Return metadata of single labels."""
    return {
        "version": VERSIONS[zarr_format],
        "colors": [{"label-value": label, "rgba": [at, 0, 255, 255]} for at, label in enumerate(labels)],
        "properties": [{"label-value": label, "class": f"number {at}"} for at, label in enumerate(labels)],
        "source": {"image": "../../"},
    }


def image(
    place: StoreLike,
    arrays: Sequence[np.ndarray],
    zarr_format: int,
    *,
    paths: Sequence[str] = ("0", "1", "2"),
    **content: Any,
) -> zarr.Group:
    """Store an image in several resolutions."""
    metadata = {"multiscales": multiscales(zarr_format, paths), **content}
    group = zarr.create_group(place, zarr_format=zarr_format, attributes=attributes(zarr_format, **metadata))
    names = {"dimension_names": list("zyx")} if zarr_format == 3 else {}
    keys = {"name": "default" if zarr_format == 3 else "v2", "separator": "/"}
    for path, array in zip(paths, arrays, strict=True):
        group.create_array(path, data=array, chunks=(2, 8, 8), chunk_key_encoding=keys, **names)
    return group


def image_with_labels(
    place: StorePath, zarr_format: int, labels: Sequence[int] = (), arrays: Sequence[np.ndarray] = ()
) -> StorePath:
    """Store an image and, in its group "labels", the label image "cells"; return where "labels" lies."""
    arrays = arrays or levels()
    image(place, [array.astype("u1") for array in arrays], zarr_format)
    zarr.create_group(place / "labels", zarr_format=zarr_format, attributes=attributes(zarr_format, labels=["cells"]))
    given = labels or [0, *np.unique(arrays[0]).tolist()[1:9:3]]
    image(place / "labels/cells", arrays, zarr_format, **{"image-label": described(given, zarr_format)})
    return place / "labels"
