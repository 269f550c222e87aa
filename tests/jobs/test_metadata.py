"""What a target takes over from its source, and what the dtype changes."""

import json

import numcodecs
import numpy as np
import pytest
import zarr
import zarr.codecs.numcodecs as v3codecs
from zarr.storage import MemoryStore

from fastremap_dask.metadata import check_codecs, target_document

LOSSY = {"offset": 0, "scale": 0.1, "dtype": "<u4"}

pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr version 3")


def document(shape=(20, 13), dtype="<u4", **layout):
    return zarr.create_array(MemoryStore(), shape=shape, dtype=dtype, **layout).metadata.to_dict()


def configuration(codecs, name):
    return next(codec["configuration"] for codec in codecs if codec["name"] == name)


def test_format_3_keeps_what_does_not_depend_on_the_dtype():
    source = document(
        chunks=(4, 3),
        shards=(8, 6),
        fill_value=7,
        attributes={"scale": [1, 2]},
        dimension_names=["y", "x"],
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    target = json.loads(json.dumps(target_document(source, np.dtype("u2"), 3)))
    expected = json.loads(json.dumps(source | {"data_type": "uint16", "fill_value": 3}))
    assert target == expected


def test_a_source_document_is_not_changed():
    source = document(shards=(8, 6), chunks=(4, 3), compressors=zarr.codecs.BloscCodec())
    before = json.dumps(source)
    target_document(source, np.dtype("u1"), 0)
    assert json.dumps(source) == before


def test_format_3_codecs_are_rebuilt_inside_shards_too():
    layout = {"filters": [v3codecs.Delta(dtype="<u4")], "compressors": zarr.codecs.BloscCodec(shuffle="shuffle")}
    for source, shards in ((document(**layout), False), (document(**layout, chunks=(4, 3), shards=(8, 6)), True)):
        codecs = target_document(source, np.dtype("u2"), 0)["codecs"]
        codecs = configuration(codecs, "sharding_indexed")["codecs"] if shards else codecs
        assert configuration(codecs, "numcodecs.delta")["dtype"] == "<u2"
        assert configuration(codecs, "blosc") == {
            "typesize": 2,
            "cname": "zstd",
            "clevel": 5,
            "shuffle": "shuffle",
            "blocksize": 0,
        }


@pytest.mark.parametrize(("old", "new"), [("u1", "u2"), ("u4", "u1"), ("u1", "u1"), (">u4", "u2")])
def test_format_3_endian_comes_and_goes_with_the_width(old, new):
    big = {"serializer": zarr.codecs.BytesCodec(endian="big")} if old[0] == ">" else {}
    target = target_document(document(dtype=old, **big), np.dtype(new), 0)
    array = zarr.Array(zarr.AsyncArray(metadata=target, store_path=zarr.storage.StorePath(MemoryStore(), "x")))
    endian = array.metadata.codecs[0].endian
    assert (endian and endian.value) == (None if new == "u1" else "big" if big else "little")
    assert array.dtype == np.dtype(new)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_format_2_codecs_are_rebuilt(byteorder):
    old, new = (f"{byteorder}{code}" for code in ("u8", "u2"))
    source = document(
        dtype=old,
        zarr_format=2,
        order="F",
        filters=[numcodecs.Delta(old), numcodecs.Shuffle(8)],
        compressors=numcodecs.Blosc(cname="zstd", clevel=3),
        chunk_key_encoding={"name": "v2", "separator": "/"},
        attributes={"unit": "nm"},
    )
    target = target_document(source, np.dtype("u2"), 5)
    assert target["filters"] == [
        {"id": "delta", "dtype": new, "astype": new},
        {"id": "shuffle", "elementsize": 2},
    ]
    same = ("compressor", "order", "dimension_separator", "attributes", "chunks", "shape")
    assert {key: target[key] for key in same} == {key: source[key] for key in same}
    assert (target["dtype"], target["fill_value"]) == (new, 5)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i8"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_lossless_codecs_pass(dtype, zarr_format):
    blosc = numcodecs.Blosc(shuffle=2) if zarr_format == 2 else zarr.codecs.BloscCodec(shuffle="bitshuffle")
    source = document(dtype=dtype[0] + "4", zarr_format=zarr_format, compressors=blosc)
    check_codecs(target_document(source, np.dtype(dtype), 0), "the source")


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (50, 3, 2, 2)])
def test_any_shape_is_checked(shape):
    check_codecs(target_document(document(shape), np.dtype("u2"), 0), "the source")


@pytest.mark.parametrize(
    ("layout", "dtype"),
    [
        ({"filters": [{"name": "numcodecs.fixedscaleoffset", "configuration": LOSSY}]}, "u4"),
        ({"filters": [{"name": "numcodecs.packbits", "configuration": {}}], "dtype": "bool"}, "u1"),
        ({"zarr_format": 2, "filters": [numcodecs.FixedScaleOffset(0, 0.1, "<u4")]}, "u4"),
        ({"zarr_format": 2, "filters": [numcodecs.PackBits()], "dtype": "bool"}, "u1"),
        ({"zarr_format": 2, "filters": [numcodecs.AsType("<u1", "<u4")]}, "u4"),
    ],
)
def test_codecs_that_lose_ids_are_refused(layout, dtype):
    with pytest.raises(ValueError, match=r"^the codecs of /x cannot store ids of dtype uint\d+ \("):
        check_codecs(target_document(document(**layout), np.dtype(dtype), 0), "/x")


def test_a_fill_value_for_bool_is_a_bool():
    assert target_document(document(dtype="bool"), np.dtype(bool), 1)["fill_value"] is True
