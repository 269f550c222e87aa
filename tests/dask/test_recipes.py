"""Recipes with what users have: xarray, dask-image before and after, and napari; see `docs/howto/dask.md`."""

import re
from collections.abc import Iterator
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest

import fastremap
import fastremap_dask

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "dask.md"
LABELS = np.resize(np.array([70, 70, 0, 9, 9, 9, 0, 31, 864691135385150081], np.uint64), (6, 8, 10))


@pytest.fixture(autouse=True)
def in_this_thread() -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def volume():
    """Return a labelled DataArray over Dask."""
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(
        da.from_array(LABELS, chunks=(4, 3, 5)),
        dims=("z", "y", "x"),
        coords={"z": np.arange(6) * 40.0},
        attrs={"unit": "nm"},
        name="segmentation",
    )


def test_xarray_map_by_apply_ufunc(volume) -> None:
    xarray = pytest.importorskip("xarray")
    table = {70: 1, 9: 2, 0: 0}
    for function, arguments in (
        (fastremap_dask.remap, {"table": table, "fill_value": 0}),
        (fastremap_dask.mask, {"labels": [9]}),
        (fastremap_dask.mask_except, {"labels": [9], "value": 5}),
        (fastremap_dask.refit, {"value": 2**63}),
    ):
        result = xarray.apply_ufunc(function, volume, kwargs=arguments, dask="allowed", keep_attrs=True)
        assert isinstance(result.data, da.Array)
        assert (result.dims, result.attrs, list(result.coords)) == (volume.dims, volume.attrs, ["z"])
        expected = getattr(fastremap, function.__name__)(LABELS, **arguments)
        np.testing.assert_array_equal(result.compute().data, expected, strict=True)


def test_xarray_renumber_by_copy(volume) -> None:
    ids, table = fastremap_dask.renumber(volume.data)
    result = volume.copy(data=ids)
    expected, expected_table = fastremap.renumber(LABELS, mapping="table")
    np.testing.assert_array_equal(result.compute().data, expected, strict=True)
    assert table == expected_table
    assert (result.dims, result.attrs, result.name) == (volume.dims, volume.attrs, volume.name)
    assert result.dtype == np.uint8


def test_xarray_itself_is_refused_with_what_to_do(volume) -> None:
    with pytest.raises(TypeError, match=r"expected a dask\.array\.Array, not DataArray"):
        fastremap_dask.unique(volume)


def image() -> da.Array:
    """Return blobs that cross the borders of chunks."""
    rng = np.random.default_rng(0)
    blobs = np.kron(rng.random((9, 11)) < 0.4, np.ones((7, 6))).astype(np.uint8)
    return da.from_array(blobs, chunks=(20, 25))


def test_dask_image_label_then_renumber() -> None:
    ndmeasure = pytest.importorskip("dask_image.ndmeasure")
    labels, n_labels = ndmeasure.label(image())
    ids, table = fastremap_dask.renumber(labels)
    in_memory = labels.compute()
    expected, expected_table = fastremap.renumber(in_memory, mapping="table")
    np.testing.assert_array_equal(ids.compute(), expected, strict=True)
    assert table == expected_table
    assert len(table) == int(n_labels) + 1
    values, counts = dask.compute(*fastremap_dask.unique(ids, return_counts=True))
    np.testing.assert_array_equal(values, np.arange(int(n_labels) + 1))
    assert counts.sum() == labels.size


def test_dask_image_measures_of_renumbered_labels() -> None:
    ndmeasure = pytest.importorskip("dask_image.ndmeasure")
    labels, _ = ndmeasure.label(image())
    values, counts = dask.compute(*fastremap_dask.unique(labels, return_counts=True))
    large = values[(counts >= 100) & (values != 0)]
    kept, _ = fastremap_dask.renumber(fastremap_dask.mask_except(labels, large))
    areas = ndmeasure.area(image(), kept, np.arange(1, large.size + 1)).compute()
    assert sorted(areas) == sorted(counts[np.isin(values, large)])


def test_napari_style_pyramid() -> None:
    """Levels of a pyramid share one numbering, and each is read lazily, slice by slice."""
    base = da.from_array(LABELS, chunks=(4, 3, 5))
    ids, table = fastremap_dask.renumber(base)
    levels = [ids, *(fastremap_dask.remap(base[::step, ::step, ::step], table, dtype=ids.dtype) for step in (2, 4))]
    whole = fastremap.renumber(LABELS)[0]
    for step, level in zip((1, 2, 4), levels, strict=True):
        assert level.dtype == ids.dtype
        np.testing.assert_array_equal(level[1].compute(), whole[::step, ::step, ::step][1], strict=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # which the import of napari gives
def test_napari_layer_of_the_page_has_the_colours_of_old_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    napari = pytest.importorskip("napari")
    from napari.components import ViewerModel  # the viewer without its window

    monkeypatch.setattr(napari, "Viewer", ViewerModel, raising=False)
    ids, table = fastremap_dask.renumber(da.from_array(LABELS, chunks=(4, 3, 5)))
    names = {"fastremap_dask": fastremap_dask, "numbers": ids, "table": table}
    napari_section = PAGE.read_text().partition("## napari")[2].partition("## ")[0]
    for code in re.findall(r"^```python\n(.*?)^```$", napari_section, re.M | re.S):
        exec(code, names)
    (layer,) = names["viewer"].layers
    for old, new in table.to_dict().items():
        red_green_blue = fastremap_dask.colours_of(np.array([old], np.uint64))[0] / 255
        shown = layer.colormap.map(np.array([new], ids.dtype))[0]
        np.testing.assert_allclose(shown, [*red_green_blue, 1] if old else [0, 0, 0, 0], atol=1e-6)
