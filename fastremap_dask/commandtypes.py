"""What people type at the command line: numbers of bytes, dtypes, shapes, regions, lists of labels, codecs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.shell_completion import CompletionItem
from dask.utils import parse_bytes

NONE = "none"


class Typed(click.ParamType):
    """A kind of text that a function turns into a value, or refuses with ValueError."""

    def parse(self, text: str) -> Any:
        """Return the value."""
        raise NotImplementedError

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, or fail as click has it."""
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except (ValueError, TypeError, OSError) as error:
            self.fail(str(error), param, ctx)


class Bytes(Typed):
    """A number of bytes: 2GB, 512MiB, 1000000."""

    name = "BYTES"

    def parse(self, text: str) -> int:
        """Return the number."""
        try:
            nbytes = parse_bytes(text)
        except ValueError:
            nbytes = 0
        if nbytes < 1:
            raise ValueError(f"{text!r} is no number of bytes such as 2GB")
        return nbytes


class DType(Typed):
    """An integer dtype: uint32, u4."""

    name = "DTYPE"

    def parse(self, text: str) -> np.dtype:
        """Return the dtype."""
        try:
            dtype = np.dtype(text)
        except TypeError:
            raise ValueError(f"{text!r} is no dtype such as uint32") from None
        if dtype.kind not in "biu":
            raise ValueError(f"{text!r} is no dtype of labels: those are bool, and integers such as uint32")
        return dtype


class Shape(Typed):
    """Lengths along the axes: 64,64,64, or one for all; where it is allowed, none."""

    name = "SHAPE"

    def __init__(self, or_none: bool = False):
        self.or_none = or_none

    def parse(self, text: str) -> tuple[int, ...] | int | bool:
        """Return the lengths, one of them for all axes, or False for none."""
        if self.or_none and text == NONE:
            return False
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", text):
            raise ValueError(f"{text!r} is no list of positive lengths such as 64,64,64")
        lengths = tuple(map(int, text.split(",")))
        return lengths if len(lengths) > 1 else lengths[0]


class Region(Typed):
    """A box of a volume: 0:256,128:,: along the axes."""

    name = "REGION"

    def parse(self, text: str) -> tuple[slice, ...]:
        """Return the slices."""
        parts = [re.fullmatch(r"(\d*):(\d*)", part) for part in text.split(",")]
        if not all(parts):
            raise ValueError(f"{text!r} is no region such as 0:256,128:,: with one range for each axis")
        return tuple(slice(*(int(end) if end else None for end in part.groups())) for part in parts)


class Codec(Typed):
    """A codec by its name, or as JSON with its configuration."""

    name = "CODEC"

    def parse(self, text: str) -> str | dict[str, Any]:
        """Return the name, or the configuration."""
        if not text.startswith("{"):
            return text
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{text!r} is no codec in JSON: {error}") from None


class KeyValue(Typed):
    """An option of a file system: KEY=VALUE, the value in JSON where it is no text."""

    name = "KEY=VALUE"

    def parse(self, text: str) -> tuple[str, Any]:
        """Return key and value."""
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ValueError(f"{text!r} is not KEY=VALUE")
        try:
            return key, json.loads(value)
        except json.JSONDecodeError:
            return key, value


class Labels(Typed):
    """A list of labels: 1,2,3, or @FILE with a list in text or .npy."""

    name = "LABELS"

    def parse(self, text: str) -> np.ndarray | list[int]:
        """Return the labels."""
        if not text.startswith("@"):
            return self._numbers(text, "the list")
        path = Path(text[1:])
        if not path.is_file():
            raise ValueError(f"there is no file {path} with labels")
        if path.suffix == ".npy":
            labels = np.load(path).reshape(-1)
            if labels.dtype.kind not in "biu":
                raise ValueError(f"{path} holds {labels.dtype}; labels are integers")
            return labels
        return self._numbers(path.read_text(encoding="utf-8"), str(path))

    def _numbers(self, text: str, where: str) -> list[int]:
        items = text.replace(",", " ").split()
        wrong = next((item for item in items if not re.fullmatch(r"[-+]?\d+", item)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:40]!r} in {where} is no label: labels are integers, such as 1,2,3 or @FILE")
        return [int(item) for item in items]


class Place(click.ParamType):
    """A path or URL; shells complete paths."""

    name = "PATH"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Have the shell complete a path."""
        return [CompletionItem(incomplete, type="file")]
