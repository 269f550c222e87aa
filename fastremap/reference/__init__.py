"""Plain numpy twins of the public functions: same signatures, same results, same errors, slow and obvious.

They are the contract in executable form and the oracle of the tests. They use nothing of the fast implementation, so
that no bug can hide in both, but for the class of the warning, which callers catch by name. A table argument may be
anything with the arrays ``old`` and ``new``; ``mapping="table"`` returns a plain `Table`.
"""

from .components import component_map, inverse_component_map
from .dtypes import fit_dtype, narrow_dtype, refit, widen_dtype
from .labels import Table, renumber, unique
from .layout import ascontiguousarray, asfortranarray, transpose
from .mapping import mask, mask_except, remap, remap_from_array, remap_from_array_kv
from .measures import foreground, indices, is_solid, is_sorted, minmax, pixel_pairs
from .points import point_cloud, tobytes

__all__ = [
    "Table",
    "ascontiguousarray",
    "asfortranarray",
    "component_map",
    "fit_dtype",
    "foreground",
    "indices",
    "inverse_component_map",
    "is_solid",
    "is_sorted",
    "mask",
    "mask_except",
    "minmax",
    "narrow_dtype",
    "pixel_pairs",
    "point_cloud",
    "refit",
    "remap",
    "remap_from_array",
    "remap_from_array_kv",
    "renumber",
    "tobytes",
    "transpose",
    "unique",
    "widen_dtype",
]
