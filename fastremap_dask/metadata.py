"""Metadata documents: what a target takes over from its source, and what its new dtype changes. Dicts in, dicts out."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numcodecs
import numpy as np
import zarr
from numcodecs.errors import UnknownCodecError
from zarr.registry import get_codec_class
from zarr.storage import MemoryStore, StorePath

# What codecs say of the dtype in their configuration, by name (format 3) or id (format 2). Only what stands in a
# configuration already is rewritten: what is absent there, zarr or the codec fills in itself.
ITEMSIZE_KEYS = {
    "blosc": "typesize",
    "numcodecs.blosc": "typesize",
    "shuffle": "elementsize",
    "numcodecs.shuffle": "elementsize",
}
NEW_SHARDING = {
    "name": "sharding_indexed",
    "configuration": {
        "index_codecs": ({"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}),
        "index_location": "end",
    },
}
# Codecs that notice when bits of a chunk have flipped: checksums, and compressors whose format holds one.
SLOW_LEVEL = 10  # of zstd
CHECKED = ("crc32c", "crc32", "adler32", "fletcher32", "jenkins_lookup3", "gzip", "zlib", "bz2", "lzma")
DTYPE_KEYS = {"delta": ("dtype", "astype"), "numcodecs.delta": ("dtype", "astype")}


@dataclass(frozen=True, slots=True)
class Layout:
    """
    Say how a target is to lie in its store where that differs from its source.

    Parameters
    ----------
    shape : tuple of int, optional
        The shape, along the source's axes.
    reverse : bool
        Whether the target has the axes in reverse order, and all else that has an order of axes.
    chunks, shards : tuple of int, optional
        Along the target's axes; `shards=False` for no shards.
    codecs : sequence, optional
        Compressors: names such as "zstd", codec objects of zarr (format 3) or numcodecs (format 2), or their
        configurations. Empty for none.
    """

    shape: tuple[int, ...] | None = None
    reverse: bool = False
    chunks: tuple[int, ...] | None = None
    shards: tuple[int, ...] | Literal[False] | None = None
    codecs: Sequence[Any] | None = None


def target_document(
    source: dict[str, Any], dtype: np.dtype, fill_value: int, layout: Layout | None = None
) -> dict[str, Any]:
    """
    Rewrite an array's metadata document for another integer dtype, fill value and layout.

    Parameters
    ----------
    source : dict
        Document of format 2 or 3, as `zarr.Array.metadata.to_dict()` gives it; not changed.
    dtype : numpy.dtype
        One for labels; the byte order in the store is that of the source.
    fill_value : int
        What absent chunks hold.
    layout : Layout, optional
        What else is to differ.

    Returns
    -------
    dict
        The same chunk keys, dimension names and attributes; the same shape, chunks, shards and codecs where the layout
        does not say otherwise.

    Raises
    ------
    ValueError
        If chunks and shards do not go together, or format 2 is asked for shards.
    """
    fill = bool(fill_value) if dtype.kind == "b" else int(fill_value)
    laid_out = _laid_out(source, layout or Layout())
    if source["zarr_format"] == 3:
        codecs = [_with_dtype(codec, dtype.newbyteorder("<")) for codec in laid_out["codecs"]]
        return laid_out | {"data_type": dtype.name, "fill_value": fill, "codecs": codecs}
    order = ">" if source["dtype"][0] == ">" else "<"
    ordered = dtype.newbyteorder(order)
    filters = laid_out["filters"] and [_with_dtype(codec, ordered) for codec in laid_out["filters"]]
    compressor = laid_out["compressor"] and _with_dtype(laid_out["compressor"], ordered)
    return laid_out | {"dtype": ordered.str, "fill_value": fill, "filters": filters, "compressor": compressor}


def _laid_out(source: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Rewrite shape, chunks, shards, codecs and the order of axes."""
    shape = tuple(source["shape"] if layout.shape is None else layout.shape)
    if source["zarr_format"] == 2:
        chunks = tuple(source["chunks"])
        if layout.reverse:
            shape, chunks = shape[::-1], chunks[::-1]
        if layout.shards:
            raise ValueError("Zarr format 2 has no shards: give chunks alone")
        document = source | {"shape": shape, "chunks": _of_ndim(layout.chunks or chunks, shape, "chunks")}
        return document if layout.codecs is None else document | {"compressor": _compressors(layout.codecs, 2)}
    unit, codecs = tuple(source["chunk_grid"]["configuration"]["chunk_shape"]), list(source["codecs"])
    sharding = next((codec for codec in codecs if codec["name"] == "sharding_indexed"), None)
    inner = list(sharding["configuration"]["codecs"]) if sharding else codecs
    chunks = tuple(sharding["configuration"]["chunk_shape"]) if sharding else unit
    names = source.get("dimension_names")
    if layout.reverse:
        shape, unit, chunks = shape[::-1], unit[::-1], chunks[::-1]
        inner, names = [_reversed(codec) for codec in inner], names and tuple(reversed(names))
    if layout.codecs is not None:
        serializer = next(at for at, codec in enumerate(inner) if codec["name"] == "bytes")
        inner = [*inner[: serializer + 1], *_compressors(layout.codecs, 3)]
    shards = (unit if sharding else None) if layout.shards is None else layout.shards or None
    chunks = _of_ndim(layout.chunks or chunks, shape, "chunks")
    if shards is not None:
        shards = _of_ndim(shards, shape, "shards")
        if any(long % short for long, short in zip(shards, chunks, strict=True)):
            raise ValueError(f"shards={shards} are no whole number of chunks={chunks} along each axis: give both")
        configuration = (sharding or NEW_SHARDING)["configuration"] | {"chunk_shape": chunks, "codecs": inner}
        inner = [(sharding or NEW_SHARDING) | {"configuration": configuration}]
    grid = {"name": "regular", "configuration": {"chunk_shape": shards or chunks}}
    changed = {"shape": shape, "chunk_grid": grid, "codecs": inner}
    return source | changed | ({"dimension_names": names} if names is not None else {})


def _of_ndim(lengths: Sequence[int], shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Return chunk lengths, one for each axis."""
    if isinstance(lengths, int):
        lengths = (lengths,) * len(shape)
    lengths = tuple(map(operator.index, lengths))
    if len(lengths) != len(shape) or min(lengths, default=1) < 1:
        raise ValueError(f"{name}={lengths} must be {len(shape)} positive integers, one for each axis of {shape}")
    return lengths


def _compressors(codecs: Sequence[Any], zarr_format: int) -> Any:
    """Return what a document says of compressors, as zarr itself writes it."""
    get = get_codec_class if zarr_format == 3 else (lambda name: partial(numcodecs.get_codec, {"id": name}))
    try:
        wanted = [get(codec)() if isinstance(codec, str) else codec for codec in codecs]
        options = {"dtype": "u1", "chunks": (1,), "compressors": wanted or None, "zarr_format": zarr_format}
        document = zarr.create_array(MemoryStore(), shape=(1,), filters=None, **options).metadata.to_dict()
    except (LookupError, UnknownCodecError) as error:
        raise ValueError(f"codecs={list(codecs)}: {error} is no codec of Zarr format {zarr_format}") from error
    return document["codecs"][1:] if zarr_format == 3 else document["compressor"]


def _reversed(codec: dict[str, Any]) -> dict[str, Any]:
    """Mirror the axes of a codec that has an order of axes: what was stored in C order still is."""
    if codec["name"] != "transpose":
        return codec
    order = codec["configuration"]["order"]
    return codec | {"configuration": {"order": tuple(len(order) - 1 - axis for axis in reversed(order))}}


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


def codecs_of(document: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """
    Tell of the codecs that the chunks of an array go through.

    Parameters
    ----------
    document : dict
        The array's metadata document.

    Yields
    ------
    str
        A codec, as people read it.
    bool
        Whether it notices bits that have flipped.
    """
    for codec in _of_chunks(document):
        name, configuration = _name(codec), _configuration(codec)
        facts = [
            f"{key} {value}"
            for key, value in configuration.items()
            if key not in ("name", "id", "configuration") and value is not None
        ]
        yield (
            name + (f" ({', '.join(facts)})" if facts else ""),
            name in CHECKED or configuration.get("checksum") is True,
        )


def slow_codec(document: dict[str, Any]) -> str | None:
    """
    Name the codec that makes an array slow to write.

    Parameters
    ----------
    document : dict
        The array's metadata document.

    Returns
    -------
    str or None
        Zstd of level 10 and higher takes twenty times as long as of its default level, and more.
    """
    levels = (_configuration(codec).get("level") or 0 for codec in _of_chunks(document) if _name(codec) == "zstd")
    return next((f"zstd of level {level}" for level in levels if level >= SLOW_LEVEL), None)


def _of_chunks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the codecs of the chunks of an array, of the inner ones where it is sharded."""
    if document["zarr_format"] == 2:
        return [*(document["filters"] or ()), *([document["compressor"]] if document["compressor"] else [])]
    every = list(document["codecs"])
    sharding = next((codec for codec in every if codec["name"] == "sharding_indexed"), None)
    return list(sharding["configuration"]["codecs"]) if sharding else every


def _name(codec: dict[str, Any]) -> str:
    """Return the name of a codec of either format."""
    return str(codec.get("name") or codec.get("id")).removeprefix("numcodecs.")


def _configuration(codec: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a codec of either format."""
    return {**codec.get("configuration", {}), **codec}


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
