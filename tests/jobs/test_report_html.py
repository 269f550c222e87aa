"""What notebooks show of a job: a small table in HTML that says what the text says."""

from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from stores import labels_of, stored

from fastremap_dask import renumber_zarr


def cells(html: str) -> list[list[str]]:
    """Return the texts of the rows of a table; the HTML must be well formed."""
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


@pytest.mark.parametrize("dry_run", [False, True])
def test_html_has_the_rows_of_the_text(tmp_path: Path, dry_run: bool) -> None:
    source = stored(tmp_path / "a <b> & c.zarr", labels_of((20, 30)), chunks=(8, 8))
    result = renumber_zarr(source, tmp_path / "b.zarr", dry_run=dry_run)
    html = result._repr_html_()
    rows = [[line[:13].rstrip(), line[14:]] for line in str(result).splitlines()]
    assert cells(html) == [row for row in rows if row[0] != "job"]
    assert ElementTree.fromstring(html).findtext("caption").startswith("renumber")
    assert len(html) < 5000
    if not dry_run:
        assert "<b>" not in html and "a <b> & c.zarr" in unescape(html)
        assert f"{np.unique(labels_of((20, 30))).size}, now ids" in html
