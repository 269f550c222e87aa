"""`fastremap` for Dask arrays and Zarr volumes: the same functions, on arrays larger than memory."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

_missing = [name for name in ("dask", "distributed", "zarr", "click", "rich") if find_spec(name) is None]
if _missing:
    raise ImportError(f'fastremap_dask needs {", ".join(_missing)}: pip install "fastremap[dask]"')

from fastremap import LabelTable  # noqa: E402 - after the check

from .components import component_map, inverse_component_map  # noqa: E402
from .fitting import refit  # noqa: E402
from .labels import renumber, unique  # noqa: E402
from .layout import ascontiguousarray, asfortranarray, tobytes, transpose  # noqa: E402
from .mapping import mask, mask_except, remap, remap_from_array, remap_from_array_kv  # noqa: E402
from .measures import foreground, is_solid, is_sorted, minmax, pixel_pairs  # noqa: E402
from .points import indices, point_cloud  # noqa: E402

if TYPE_CHECKING:
    from .colours import colours_of
    from .findjobs import component_map_zarr, unique_zarr
    from .forecasts import Forecast
    from .jobs import renumber_zarr
    from .journal import JobLocked
    from .mapjobs import mask_zarr, remap_zarr, transpose_zarr
    from .report import Report
    from .stages import JobError
    from .tables import open_columns, open_table, save_table

__all__ = [
    "Forecast",
    "JobError",
    "JobLocked",
    "LabelTable",
    "Report",
    "ascontiguousarray",
    "asfortranarray",
    "colours_of",
    "component_map",
    "component_map_zarr",
    "foreground",
    "indices",
    "inverse_component_map",
    "is_solid",
    "is_sorted",
    "mask",
    "mask_except",
    "mask_zarr",
    "minmax",
    "open_columns",
    "open_table",
    "pixel_pairs",
    "point_cloud",
    "refit",
    "remap",
    "remap_from_array",
    "remap_from_array_kv",
    "remap_zarr",
    "renumber",
    "renumber_zarr",
    "save_table",
    "tobytes",
    "transpose",
    "transpose_zarr",
    "unique",
    "unique_zarr",
]

# Loaded when first asked for: importing zarr takes longer than all of the above.
_LAZY = {
    "Forecast": ".forecasts",
    "JobError": ".stages",
    "JobLocked": ".journal",
    "Report": ".report",
    "colours_of": ".colours",
    "component_map_zarr": ".findjobs",
    "mask_zarr": ".mapjobs",
    "open_columns": ".tables",
    "open_table": ".tables",
    "remap_zarr": ".mapjobs",
    "renumber_zarr": ".jobs",
    "save_table": ".tables",
    "transpose_zarr": ".mapjobs",
    "unique_zarr": ".findjobs",
}


def __getattr__(name: str) -> Any:
    """Load what needs zarr."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name], __name__), name)
