"""Make the pictures of the documentation: `python docs/pictures/make.py`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

HERE = Path(__file__).resolve().parent
VOXELS, LABELS, STORE = "#3d8b40", "#3b6ea8", "#efe9dd"
EDGE = "#b5a98c"
# Column, row, text, colour: tasks have a colour, what is stored has not.
BOXES = {
    "source": (0, 3, "source\nblocks of voxels", STORE),
    "find": (1, 3, "find labels\na task a block", VOXELS),
    "states": (2, 3, "states\nlabels, first voxels,\ndigests of a block", STORE),
    "group": (2, 2, "group\nmerge some states", LABELS),
    "parts": (3, 2, "merge parts\nof the range of labels", LABELS),
    "ranks": (4, 2, "rank\nby first voxel", LABELS),
    "numbers": (4, 1, "number\ngive out ids", LABELS),
    "table": (4, 0, "table\nold, new, counts", STORE),
    "route": (3, 1, "route\nids back to the states", LABELS),
    "ids": (2, 1, "ids\nof the labels of a block", STORE),
    "write": (1, 1, "write ids\na task a block", VOXELS),
    "target": (0, 1, "target\nwhole shards", STORE),
}
ARROWS = (
    *(("source", "find"), ("find", "states"), ("states", "group"), ("group", "parts"), ("parts", "ranks")),
    *(("ranks", "numbers"), ("numbers", "table"), ("numbers", "route"), ("route", "ids"), ("ids", "write")),
    *(("write", "target"), ("source", "write")),
)
WIDTH, HEIGHT = 0.82, 0.58
REGION = ("--region", "0:48,0:48,:", "--overwrite")


def dataflow(path: Path) -> None:
    """Draw how a job goes from its source to its target."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    middles = {}
    for name, (column, row, text, colour) in BOXES.items():
        middles[name] = column, row
        edge = EDGE if colour == STORE else colour
        place = (column - WIDTH / 2, row - HEIGHT / 2)
        style = {"boxstyle": "round,pad=0,rounding_size=0.06", "facecolor": colour, "edgecolor": edge}
        axes.add_patch(FancyBboxPatch(place, WIDTH, HEIGHT, **style))
        title, _, rest = text.partition("\n")
        ink = "#222222" if colour == STORE else "white"
        axes.text(column, row + 0.1, title, ha="center", va="center", fontsize=10, weight="bold", color=ink)
        axes.text(column, row - 0.1, rest, ha="center", va="center", fontsize=7.5, color=ink)
    for begin, end in ARROWS:
        (x, y), (to_x, to_y) = middles[begin], middles[end]
        if x != to_x and y != to_y:  # the one that goes askew
            start, stop = (x + WIDTH / 4, y - HEIGHT / 2), (to_x - WIDTH / 4, to_y + HEIGHT / 2)
        elif y != to_y:
            start, stop = (x, y - HEIGHT / 2), (to_x, to_y + HEIGHT / 2)
        else:
            half = WIDTH / 2 if to_x > x else -WIDTH / 2
            start, stop = (x + half, y), (to_x - half, y)
        arrow = {"arrowstyle": "-|>", "color": "#555555", "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", stop, start, arrowprops=arrow)
    axes.text(0.62, 2.05, "read again,\ndigests compared", fontsize=7.5, color="#555555")
    axes.set(xlim=(-0.5, 4.5), ylim=(-0.4, 3.4))
    axes.set_axis_off()
    key = {"tasks that look at voxels": VOXELS, "tasks that look at labels alone": LABELS, "objects in a store": STORE}
    for at, (text, colour) in enumerate(key.items()):
        edge = EDGE if colour == STORE else colour
        axes.add_patch(Rectangle((-0.4, 0.15 - 0.22 * at), 0.12, 0.12, facecolor=colour, edgecolor=edge))
        axes.text(-0.24, 0.21 - 0.22 * at, text, fontsize=8, va="center")
    with rc_context({"svg.hashsalt": "fastremap"}):  # the same file each time
        figure.savefig(path, metadata={"Date": None})


def both(path: Path) -> None:
    """Draw a volume before and after, by the commands of the tutorial."""
    fastremap = str(Path(sys.executable).with_name("fastremap"))
    commands = (
        ("demo", "--size", "20MB", "--keep", "demo"),
        ("renumber", "demo/labels.zarr", "ids.zarr"),
        ("preview", "demo/labels.zarr", "ids.zarr", str(path), "--table", "ids.table.zarr", *REGION),
    )
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            subprocess.run([fastremap, *command, "--quiet"], cwd=folder, check=True)


if __name__ == "__main__":
    dataflow(HERE / "dataflow.svg")
    both(HERE / "both.png")
