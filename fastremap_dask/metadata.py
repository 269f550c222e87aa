"""Metadata documents: what a target takes over from its source, and what its new dtype changes. Dicts in, dicts out."""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr
from zarr.storage import MemoryStore, StorePath

# What codecs say of the dtype in their configuration, by name (format 3) or id (format 2). Only what stands in a
# configuration already is rewritten: what is absent there, zarr or the codec fills in itself.
ITEMSIZE_KEYS = {
    "blosc": "typesize",
    "numcodecs.blosc": "typesize",
    "shuffle": "elementsize",
    "numcodecs.shuffle": "elementsize",
}
DTYPE_KEYS = {"delta": ("dtype", "astype"), "numcodecs.delta": ("dtype", "astype")}


def target_document(source: dict[str, Any], dtype: np.dtype, fill_value: int) -> dict[str, Any]:
    """
    Rewrite an array's metadata document for another integer dtype and fill value.

    Parameters
    ----------
    source : dict
        Document of format 2 or 3, as `zarr.Array.metadata.to_dict()` gives it; not changed.
    dtype : numpy.dtype
        One for labels; the byte order in the store is that of the source.
    fill_value : int
        What absent chunks hold.

    Returns
    -------
    dict
        The same shape, chunks, shards, chunk keys, codecs, dimension names and attributes.
    """
    fill = bool(fill_value) if dtype.kind == "b" else int(fill_value)
    if source["zarr_format"] == 3:
        codecs = [_with_dtype(codec, dtype.newbyteorder("<")) for codec in source["codecs"]]
        return source | {"data_type": dtype.name, "fill_value": fill, "codecs": codecs}
    order = ">" if source["dtype"][0] == ">" else "<"
    ordered = dtype.newbyteorder(order)
    filters = source["filters"] and [_with_dtype(codec, ordered) for codec in source["filters"]]
    compressor = source["compressor"] and _with_dtype(source["compressor"], ordered)
    return source | {"dtype": ordered.str, "fill_value": fill, "filters": filters, "compressor": compressor}


def check_codecs(document: dict[str, Any], name: str) -> None:
    """
    Refuse codecs that do not give back ids as they were: lossy ones, or such as cannot take the dtype.

    Parameters
    ----------
    document : dict
        A target's document.
    name : str
        The source, whose codecs they are, for the message.

    Raises
    ------
    ValueError
        If ids are changed on their way through the codecs. Nothing is written.

    Notes
    -----
    A chunk of up to 4 voxels along each axis, with the least and greatest values of the dtype in it, is written to
    memory and read back.
    """
    small = _with_chunks(document, tuple(max(1, min(4, extent)) for extent in document["shape"]))
    try:
        array = zarr.Array(zarr.AsyncArray(metadata=small, store_path=StorePath(MemoryStore(), "trial")))
        ids = np.arange(1, 1 + array.size).astype(array.dtype)
        if array.dtype.kind != "b":
            ids[:3] = [np.iinfo(array.dtype).max, np.iinfo(array.dtype).min, 1][: ids.size]
        ids = ids.reshape(array.shape)
        array[...] = ids
        same = np.array_equal(array[...], ids)
        reason = "values come back changed"
    except Exception as error:  # whatever a codec, of any origin, raises: it does not take the dtype
        same, reason = False, f"{type(error).__name__}: {error}"
    if not same:
        dtype = np.dtype(document["data_type"] if document["zarr_format"] == 3 else document["dtype"])
        raise ValueError(
            f"the codecs of {name} cannot store ids of dtype {dtype.name} ({reason}): choose another dtype, or store "
            "the source with lossless codecs for any integer"
        )


def _with_dtype(codec: dict[str, Any], dtype: np.dtype) -> dict[str, Any]:
    """Rewrite what a codec's configuration says of the dtype, in the codecs inside a shard too."""
    name = codec.get("name", codec.get("id"))
    in_place = "id" in codec
    old = codec if in_place else codec.get("configuration", {})
    new = dict(old)
    if name == "sharding_indexed":
        new["codecs"] = [_with_dtype(inner, dtype) for inner in old["codecs"]]
    elif name == "bytes" and dtype.itemsize > 1:
        new.setdefault("endian", "little")
    elif name in ITEMSIZE_KEYS and ITEMSIZE_KEYS[name] in old:
        new[ITEMSIZE_KEYS[name]] = dtype.itemsize
    elif name in DTYPE_KEYS:
        new |= {key: dtype.str for key in DTYPE_KEYS[name] if key in old}
    if in_place:
        return new
    return codec | {"configuration": new} if new else codec


def _with_chunks(document: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Rewrite a document for an array of one small chunk, sharded if it was."""

    def smaller(codec: dict[str, Any]) -> dict[str, Any]:
        if codec.get("name") != "sharding_indexed":
            return codec
        inner = [smaller(part) for part in codec["configuration"]["codecs"]]
        return codec | {"configuration": codec["configuration"] | {"chunk_shape": shape, "codecs": inner}}

    if document["zarr_format"] == 2:
        return document | {"shape": shape, "chunks": shape}
    grid = {"name": "regular", "configuration": {"chunk_shape": shape}}
    return document | {"shape": shape, "chunk_grid": grid, "codecs": [smaller(codec) for codec in document["codecs"]]}
