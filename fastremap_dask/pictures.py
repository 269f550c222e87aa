"""Pictures: a section of a label volume, or of two side by side, as a PNG."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .colours import BACKGROUND, colours_of, old_labels
from .places import show
from .plan import Block
from .report import human_rows
from .volumes import Source, read_block

# Longer sides are cut: their middle is shown. Shorter sections are enlarged by a whole factor.
MOST_PIXELS, FEWEST_PIXELS = 2048, 512
# So that lines of voxels can be seen, and text has room.
LEAST_HEIGHT, LEAST_WIDTH = 48, 420
BORDER_SHADE = 0.55
N_LISTED = 6
# Characters: of longer ones two stand side by side below a panel, of others three.
LONG_LABEL = 17
# In pixels: around each panel, and above and below it for text.
MARGIN, HEAD, FOOT = 56, 64, 58


@dataclass(frozen=True, slots=True)
class Section:
    """
    Hold a flat cut through a volume.

    Parameters
    ----------
    name : str
        The volume.
    labels : numpy.ndarray, 2-D
        The labels.
    offset : tuple of int
        Where the first voxel lies in the volume.
    plane : tuple of int
        The axes that are rows and columns; -1 for one that the volume does not have.
    axes : tuple of str
        Names of all axes.
    cropped : bool
        Only the middle of the section is there.
    """

    name: str
    labels: np.ndarray
    offset: tuple[int, ...]
    plane: tuple[int, int]
    axes: tuple[str, ...]
    cropped: bool

    @property
    def where(self) -> str:
        """Say where the section is."""
        fixed = [axis for axis in range(len(self.axes)) if axis not in self.plane]
        text = ", ".join(f"{self.axes[axis]} = {self.offset[axis]:,}" for axis in fixed)
        return (text or "all") + (", the middle" if self.cropped else "")


@dataclass(frozen=True, slots=True)
class Picture:
    """
    Tell what was drawn.

    Parameters
    ----------
    path : str
        The file.
    width, height : int
        Its pixels.
    sections : tuple of str
        What is in it.
    n_labels : tuple of int
        Distinct labels in each section, 0 included.
    """

    path: str
    width: int
    height: int
    sections: tuple[str, ...] = ()
    n_labels: tuple[int, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        pairs = zip(self.sections, self.n_labels, strict=True)
        sections = [("section", f"{name}: {n:,} labels") for name, n in pairs]
        return human_rows([("picture", f"{self.path}, {self.width:,} x {self.height:,} pixels"), *sections])


def read_section(source: Source, axis: int | None, index: int | None) -> Section:
    """
    Read a section of a volume.

    Parameters
    ----------
    source : Source
        The volume, or a region of it.
    axis : int or None
        The axis that is cut. Default: the one called z, else the first; other axes beyond two are cut in their middle.
    index : int or None
        Where it is cut, in voxels of the whole volume. Default: the middle.

    Returns
    -------
    Section
        At most `MOST_PIXELS` along each side.

    Raises
    ------
    ValueError
        If there is no such axis or index. Nothing is written.
    """
    shape, offset = source.volume_shape, source.offset
    axes = _axis_names(source)
    ndim = len(shape)
    if not all(shape):
        raise ValueError(f"{show(source.stored.place)} has no voxels to show: its shape is {shape}")
    if axis is None:
        axis = next((at for at in range(ndim) if axes[at].lower() == "z"), 0)
    if (index is not None or ndim > 2) and not 0 <= axis < ndim:
        raise ValueError(f"there is no axis {axis}: the axes are 0 to {ndim - 1}")
    cut = {axis} if ndim > 2 or index is not None else set()
    plane = [at for at in range(ndim) if at not in cut][-2:]
    starts, lengths, cropped = [], [], False
    for at, extent in enumerate(shape):
        length = min(extent, MOST_PIXELS) if at in plane else 1
        start = (extent - length + 1) // 2
        if at == axis and index is not None:
            if not offset[at] <= index < offset[at] + extent:
                raise ValueError(
                    f"index {index} of axis {axis} is not within {offset[at]} to {offset[at] + extent - 1}"
                )
            start = index - offset[at]
        cropped |= at in plane and length < extent
        starts.append(start)
        lengths.append(length)
    labels = read_block(source, Block(0, tuple(starts), tuple(lengths)))
    where = tuple(start + begin for start, begin in zip(starts, offset, strict=True))
    shown = labels.reshape(([1, 1] + [lengths[at] for at in plane])[-2:])
    rows, columns = ([-1, -1, *plane])[-2:]
    return Section(show(source.stored.place), shown, where, (rows, columns), axes, cropped)


def draw(
    sections: Sequence[Section],
    path: Path,
    table: Callable[[], Iterable[Mapping[str, np.ndarray]]] | None = None,
) -> Picture:
    """
    Draw sections side by side.

    Parameters
    ----------
    sections : sequence of Section
        One, or two of one shape.
    path : pathlib.Path
        The PNG; if it exists, it is replaced.
    table : callable, optional
        Returns the rows of the table from which the ids of the last section come: they take the colours of their old
        labels.

    Returns
    -------
    Picture
        What was drawn.

    Raises
    ------
    ImportError
        If matplotlib is not installed. Nothing is written.

    Notes
    -----
    A label has one colour in all pictures, and a new id that of its old label. Labels have
    darker borders. Memory: the picture, and a chunk of the table.
    """
    figure_class = _figure_class()
    rows, columns = sections[0].labels.shape
    scale = max(1, FEWEST_PIXELS // max(rows, columns))
    enlarged = max(scale, LEAST_HEIGHT // rows), scale
    width, height = columns * scale, rows * enlarged[0]
    panels = []
    for section in sections:
        ids, inverse = np.unique(section.labels, return_inverse=True)
        known = old_labels(ids, table())[0] if table is not None and section is sections[-1] else ids
        large = inverse.reshape(section.labels.shape).repeat(enlarged[0], 0).repeat(enlarged[1], 1)
        panels.append((section, _with_borders(colours_of(known), large), _largest(ids, known, inverse)))
    room = max(width, LEAST_WIDTH)
    size = len(panels) * (room + MARGIN) + MARGIN, height + HEAD + FOOT + MARGIN
    figure = figure_class(figsize=(size[0] / 100, size[1] / 100), dpi=100, facecolor="white")
    for at, panel in enumerate(panels):
        left = MARGIN + at * (room + MARGIN)
        box = (left / size[0], (FOOT + MARGIN) / size[1], width / size[0], height / size[1])
        _draw_panel(figure.add_axes(box), *panel)
    partial = path.with_name(f".{path.name}.partial")
    try:
        figure.savefig(partial, format="png")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    names = tuple(f"{section.name} at {section.where}" for section in sections)
    return Picture(str(path), *size, names, tuple(len(np.unique(section.labels)) for section in sections))


def _draw_panel(axes: Any, section: Section, image: np.ndarray, largest: list[tuple[str, np.ndarray]]) -> None:
    """Draw a section with its title, its axes in voxels, and its largest labels."""
    rows, columns = (section.offset[axis] if axis >= 0 else 0 for axis in section.plane)
    n_rows, n_columns = section.labels.shape
    extent = (columns - 0.5, columns + n_columns - 0.5, rows + n_rows - 0.5, rows - 0.5)
    axes.imshow(image, interpolation="nearest", extent=extent, aspect="auto")
    n_labels = len(np.unique(section.labels))
    lowest, highest = section.labels.min(), section.labels.max()
    title = f"{Path(section.name).name}: {section.where}"
    axes.set_title(f"{title}\n{n_labels:,} labels, {int(lowest):,} to {int(highest):,}", fontsize=10, loc="left")
    names = [section.axes[axis] if axis >= 0 else "" for axis in section.plane]
    axes.set_ylabel(names[0], fontsize=9)
    axes.set_xlabel(names[1], fontsize=9, labelpad=1)
    axes.tick_params(labelsize=8)
    if section.plane[0] < 0:
        axes.set_yticks([])
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=colour / 255, label=text) for text, colour in largest]
    place = {"loc": "upper left", "bbox_to_anchor": (0, -44 / _panel_height(axes)), "borderaxespad": 0}
    longest = max((len(text) for text, _ in largest), default=0)
    style = {"fontsize": 8, "frameon": False, "handlelength": 1, "columnspacing": 1.2}
    axes.legend(handles=patches, ncols=3 if longest <= LONG_LABEL else 2, **style, **place)


def _panel_height(axes: Any) -> float:
    """Return how many pixels high a panel is."""
    return axes.get_position().height * axes.figure.get_size_inches()[1] * axes.figure.dpi


def _with_borders(colours: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour pixels, those darker whose right or lower neighbour has another label."""
    image = colours[labels]
    border = np.zeros(labels.shape, bool)
    border[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    border[:-1] |= labels[1:] != labels[:-1]
    border &= (image != BACKGROUND).any(axis=-1)
    return np.where(border[..., None], (image * BORDER_SHADE).astype(np.uint8), image)


def _largest(ids: np.ndarray, known: np.ndarray, inverse: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """List the largest labels of a section, but the background, with their colours."""
    counts = np.bincount(inverse.reshape(-1), minlength=ids.size)
    counts[known == 0] = 0
    largest = [at for at in np.argsort(-counts, kind="stable")[:N_LISTED] if counts[at]]
    return [(f"{int(ids[at]):,}", colours_of(known[at : at + 1])[0]) for at in largest]


def _axis_names(source: Source) -> tuple[str, ...]:
    """Return the names of the axes; an axis without one is called by its number."""
    names = getattr(source.stored.open().metadata, "dimension_names", None) or [None] * len(source.shape)
    return tuple(name or f"axis {at}" for at, name in enumerate(names))


def _figure_class() -> Any:
    """Import matplotlib, or say what to install."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('pictures need matplotlib: pip install "fastremap[pictures]"') from error
    return Figure
