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
    from .jobs import renumber_zarr
    from .report import Report
    from .stages import JobError
    from .tables import open_columns, open_table, save_table

__all__ = [
    "JobError",
    "LabelTable",
    "Report",
    "ascontiguousarray",
    "asfortranarray",
    "component_map",
    "foreground",
    "indices",
    "inverse_component_map",
    "is_solid",
    "is_sorted",
    "mask",
    "mask_except",
    "minmax",
    "open_columns",
    "open_table",
    "pixel_pairs",
    "point_cloud",
    "refit",
    "remap",
    "remap_from_array",
    "remap_from_array_kv",
    "renumber",
    "renumber_zarr",
    "save_table",
    "tobytes",
    "transpose",
    "unique",
]

# Loaded when first asked for: importing zarr takes longer than all of the above.
_LAZY = {
    "JobError": ".stages",
    "Report": ".report",
    "open_columns": ".tables",
    "open_table": ".tables",
    "renumber_zarr": ".jobs",
    "save_table": ".tables",
}


def __getattr__(name: str) -> Any:
    """Load what needs zarr."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name], __name__), name)
