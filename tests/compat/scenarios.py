"""What tools built on `fastremap` make of a volume; run by `dependents.py` in an environment that has them.

Prints one JSON line for each scenario, number of labels and kind of ids: a digest of the values of the output, its
dtypes, or the error, and which functions of `fastremap` were called. Only numpy and the tools are imported, so that any
package of that name can be under them.
"""

import functools
import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

N_LABELS = (254, 255, 256, 65535)
N_BLOCKS = 48 * 48 * 32
BIG_ID = 864691135385150081
RESOLUTION = (4, 4, 40)


def volume(n_labels: int, ids: str) -> np.ndarray:
    """Return an F-ordered (112, 96, 64) volume with background and exactly `n_labels` labels.

    Labels 1 to 3 are thick bars with a cavity and with a foreign label inside, the others packed 2 x 2 x 2 blocks.
    `ids` is "wide" (uint64 of 60 bits) or "narrow" (1 to `n_labels` in the narrowest dtype).
    """
    ranks = np.zeros((112, 96, 64), np.uint64)
    for bar, label in enumerate((1, 2, 3)):
        ranks[2:14, 30 * bar + 2 : 30 * bar + 14, 4:60] = label
        ranks[6:9, 30 * bar + 6 : 30 * bar + 9, 20:23] = 0
        ranks[6:9, 30 * bar + 6 : 30 * bar + 9, 40:43] = 4 + bar
    blocks = 4 + np.arange(N_BLOCKS) * (n_labels - 3) // N_BLOCKS
    ranks[16:] = np.kron(blocks.reshape(48, 48, 32), np.ones((2, 2, 2), np.int64))
    if ids == "narrow":
        return np.asfortranarray(ranks, dtype=np.min_scalar_type(n_labels))
    return np.asfortranarray(np.where(ranks > 0, ranks * np.uint64(7919) + np.uint64(BIG_ID), np.uint64(0)))


def merged(labels: np.ndarray) -> dict[int, int]:
    """Return a table that gives every second label the id of the one before it, 0 kept."""
    found = np.unique(labels[labels > 0])
    return {0: 0} | dict(zip(found.tolist(), np.repeat(found[::2], 2)[: len(found)].tolist(), strict=True))


def stored(labels: np.ndarray, encoding: str = "crackle") -> Any:
    """Return a volume written to memory in chunks."""
    cloudvolume = importlib.import_module("cloudvolume")
    return cloudvolume.CloudVolume.from_numpy(
        labels,
        vol_path=f"mem://fastremap/{encoding}-{labels.dtype}-{len(np.unique(labels))}",
        resolution=RESOLUTION,
        chunk_size=(64, 64, 32),
        layer_type="segmentation",
        encoding=encoding,
    )


def cloudvolume_write_read(labels: np.ndarray) -> Any:
    """Written and read again, whole and in part, in each encoding."""
    encodings = ["raw", "crackle"] + ["compressed_segmentation"] * (labels.itemsize >= 4)  # 32 or 64 bits alone
    volumes = [stored(labels, encoding) for encoding in encodings]
    return [(np.asarray(found[:]), np.asarray(found[10:90, 5:70, 1:40])) for found in volumes]


def cloudvolume_renumber(labels: np.ndarray) -> Any:
    """Renumbered while it is downloaded."""
    found = stored(labels)
    image, mapping = found.download(found.bounds, renumber=True)
    return restored(np.asarray(image), mapping)


def cloudvolume_remap(labels: np.ndarray) -> Any:
    """Downloaded, remapped in place, written again, read again."""
    fastremap = importlib.import_module("fastremap")
    found = stored(labels, "raw")
    image = found[:]
    image = fastremap.remap(image, merged(labels), preserve_missing_labels=True, in_place=True)
    found[:] = image
    return np.asarray(found[:])


def cloudvolume_unique(labels: np.ndarray) -> Any:
    """The labels of the whole volume and of a part."""
    found = stored(labels)
    part = importlib.import_module("cloudvolume").Bbox((3, 5, 7), (100, 60, 50))
    return [sorted(map(int, found.unique(box))) for box in (found.bounds, part)]


def kimimaro_skeletonize(labels: np.ndarray) -> Any:
    """The skeletons of all objects of 2,000 voxels and more."""
    kimimaro = importlib.import_module("kimimaro")
    skeletons = kimimaro.skeletonize(labels, anisotropy=RESOLUTION, dust_threshold=2000, progress=False)
    return {int(key): [one.vertices, one.edges, one.radii] for key, one in skeletons.items()}


def crackle_remap(labels: np.ndarray) -> Any:
    """Remapped without being decompressed: the stream, and what it holds."""
    crackle = importlib.import_module("crackle")
    binary = crackle.remap(crackle.compress(labels), merged(labels), preserve_missing_labels=True)
    return [binary, crackle.decompress(binary)]


def crackle_renumber(labels: np.ndarray) -> Any:
    """Renumbered without being decompressed: the stream, what it holds, and the mapping."""
    crackle = importlib.import_module("crackle")
    binary, mapping = crackle.renumber(crackle.compress(labels), start=1)
    return [binary, crackle.decompress(binary), {int(old): int(new) for old, new in mapping.items()}]


def crackle_refit_and_mask(labels: np.ndarray) -> Any:
    """The narrowest dtype, and some labels masked."""
    crackle = importlib.import_module("crackle")
    binary = crackle.compress(labels)
    return [crackle.refit(binary), crackle.mask(binary, [int(label) for label in np.unique(labels)[5:9]])]


def cc3d_largest_k(labels: np.ndarray) -> Any:
    """The largest components: as many as leave out a few, and only a few."""
    cc3d = importlib.import_module("cc3d")
    n_labels = len(np.unique(labels)) - 1
    return [cc3d.largest_k(labels, k=k, connectivity=6, return_N=True) for k in (n_labels - 5, n_labels, 5)]


def fastmorph_fill_holes(labels: np.ndarray) -> Any:
    """Cavities and enclosed labels filled."""
    return list(importlib.import_module("fastmorph").fill_holes_v2(labels))


def restored(image: np.ndarray, mapping: dict) -> list:
    """Return a renumbered image, its mapping, and the image that an inverted table gives back."""
    old = np.zeros(max(mapping.values()) + 1, np.uint64)
    for label, new in mapping.items():
        old[new] = label
    return [image, {int(label): int(new) for label, new in mapping.items()}, old[image]]


SCENARIOS: dict[str, Callable[[np.ndarray], Any]] = {
    "cloud-volume write, read": cloudvolume_write_read,
    "cloud-volume renumber": cloudvolume_renumber,
    "cloud-volume remap": cloudvolume_remap,
    "cloud-volume unique": cloudvolume_unique,
    "kimimaro skeletonize": kimimaro_skeletonize,
    "crackle remap": crackle_remap,
    "crackle renumber": crackle_renumber,
    "crackle refit, mask": crackle_refit_and_mask,
    "cc3d largest_k": cc3d_largest_k,
    "fastmorph fill_holes_v2": fastmorph_fill_holes,
}


def leaves(result: Any) -> Iterator[tuple[str, bytes]]:
    """Yield for each part of a result its dtype, and the bytes of its values whatever the dtype and memory order."""
    if isinstance(result, np.ndarray):
        values = result.astype(np.uint64 if result.dtype.kind in "bu" else result.dtype, order="C", copy=False)
        yield str(result.dtype), repr(result.shape).encode() + values.tobytes()
    elif isinstance(result, dict):
        for key in sorted(result):
            yield from leaves([key, result[key]])
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from leaves(item)
    else:
        yield type(result).__name__, result if isinstance(result, bytes) else repr(result).encode()


def watched_calls() -> set[str]:
    """Return a set that receives the name of each function of `fastremap` that is called from now on."""
    fastremap = importlib.import_module("fastremap")
    called: set[str] = set()

    def watch(name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            called.add(name)
            return function(*args, **kwargs)

        return call

    for name, function in vars(fastremap).copy().items():
        if callable(function) and not isinstance(function, type) and not name.startswith("_"):
            setattr(fastremap, name, watch(name, function))
    return called


def record(scenario: str, n_labels: int, ids: str, called: set[str]) -> dict[str, Any]:
    """Run one scenario and describe its output."""
    row = {"scenario": scenario, "labels": n_labels, "ids": ids}
    labels = volume(n_labels, ids)
    if len(np.unique(labels)) != n_labels + 1:
        raise ValueError(f"the volume has {len(np.unique(labels)) - 1} labels, not {n_labels}")
    called.clear()
    try:
        parts = list(leaves(SCENARIOS[scenario](labels)))
    except Exception as error:  # whatever a tool raises is its output
        return row | {"digest": f"{type(error).__name__}: {error}", "dtypes": [], "calls": sorted(called)}
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8) + part for _, part in parts)).hexdigest()
    dtypes = [dtype for dtype, _ in parts if dtype not in ("int", "bytes")]
    return row | {"digest": digest, "dtypes": dtypes, "calls": sorted(called)}


def main() -> None:
    """Print a line for each scenario that is named on the command line, else for all."""
    called = watched_calls()  # before the tools are imported
    for scenario in sys.argv[1:] or SCENARIOS:
        for ids in ("wide", "narrow"):
            for n_labels in N_LABELS:
                print(json.dumps(record(scenario, n_labels, ids, called)), flush=True)


if __name__ == "__main__":
    main()
