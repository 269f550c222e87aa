"""How a LabelTable lies on disk: a folder that is mapped into memory, or one npz, CSV or JSON file."""

import csv
import json
import os
import pathlib
import secrets
import shutil

import numpy as np

from ._arrays import integer_array

FORMAT = "fastremap-table"
VERSION = 1
_HEAD = "table.json"


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def is_folder(path: str) -> bool:
    """Tell whether a path means a folder, by its ending."""
    return _ending(path) not in _READERS


def save(path: str, old: np.ndarray, new: np.ndarray, digest: str) -> None:
    """Write a table to a path that must not exist; it appears whole or not at all."""
    if os.path.lexists(path):
        raise FileExistsError(f"{path} exists; a table is never written over anything")
    scratch = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{secrets.token_hex(4)}.partial")
    try:
        if is_folder(path):
            _write_folder(scratch, old, new, digest)
        else:
            _WRITERS[_ending(path)](scratch, old, new)
        os.rename(scratch, path)
    except BaseException:
        shutil.rmtree(scratch) if os.path.isdir(scratch) else pathlib.Path(scratch).unlink(missing_ok=True)
        raise


def _write_folder(path: str, old: np.ndarray, new: np.ndarray, digest: str) -> None:
    os.mkdir(path)
    np.save(os.path.join(path, "old.npy"), old)
    np.save(os.path.join(path, "new.npy"), new)
    with open(os.path.join(path, _HEAD), "w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "version": VERSION, "n_labels": int(old.size), "digest": digest}, file)


def open_folder(path: str) -> tuple[np.ndarray, np.ndarray, str]:
    """The two arrays, memory-mapped, and the digest of a table folder."""
    head_path = os.path.join(path, _HEAD)
    if not os.path.exists(head_path):
        raise FileNotFoundError(f"{path} is no table: it has no {_HEAD}")
    with open(head_path, encoding="utf-8") as file:
        head = json.load(file)
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise ValueError(
            f"{head_path} is not of format {FORMAT} version {VERSION}: {head.get('format')} {head.get('version')}"
        )
    old, new = (np.load(os.path.join(path, name), mmap_mode="r") for name in ("old.npy", "new.npy"))
    if not old.shape == new.shape == (head["n_labels"],):
        raise ValueError(f"the table in {path} is damaged: {head['n_labels']} labels, but {old.shape} and {new.shape}")
    return old.view(np.ndarray), new.view(np.ndarray), head["digest"]


def read_file(path: str) -> tuple[np.ndarray, np.ndarray]:
    """The two arrays of a table in one file."""
    return _READERS[_ending(path)](path)


def _write_npz(path: str, old: np.ndarray, new: np.ndarray) -> None:
    with open(path, "wb") as file:
        np.savez(file, old=old, new=new)


def _write_csv(path: str, old: np.ndarray, new: np.ndarray) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("old", "new"))
        writer.writerows(zip(old.tolist(), new.tolist(), strict=True))


def _write_json(path: str, old: np.ndarray, new: np.ndarray) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump({str(key): str(value) for key, value in zip(old.tolist(), new.tolist(), strict=True)}, file)


def _read_npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as file:
        return file["old"], file["new"]


def _read_csv(path: str) -> tuple[np.ndarray, np.ndarray]:
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if header != ["old", "new"] or any(len(row) != 2 for row in rows):
        raise ValueError(f"{path} is no table: expected the columns old,new")
    return _parsed([row[0] for row in rows]), _parsed([row[1] for row in rows])


def _read_json(path: str) -> tuple[np.ndarray, np.ndarray]:
    with open(path, encoding="utf-8") as file:
        table = json.load(file)
    return _parsed(list(table.keys())), _parsed(list(table.values()))


def _parsed(texts: list[str]) -> np.ndarray:
    """Numbers from text, integers exactly."""
    try:
        integers = [int(text) for text in texts]
    except ValueError:
        return np.array([float(text) for text in texts])
    return integer_array(integers)


_WRITERS = {".npz": _write_npz, ".csv": _write_csv, ".json": _write_json}
_READERS = {".npz": _read_npz, ".csv": _read_csv, ".json": _read_json}
