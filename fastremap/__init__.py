"""Label volumes as numpy arrays: find, renumber, remap and mask labels with compiled kernels.

An independent implementation of the API of the package of the same name; see the README.
"""

import pkgutil

# In a source checkout this folder holds no compiled module: then the one of the installed package serves.
__path__ = pkgutil.extend_path(__path__, __name__)

from ._kernels import __version__
from ._warnings import InPlaceWarning
from .components import component_map, inverse_component_map
from .fitting import fit_dtype, narrow_dtype, refit, widen_dtype
from .labels import renumber, unique
from .layout import ascontiguousarray, asfortranarray, get_include, tobytes, transpose
from .mapping import mask, mask_except, remap, remap_from_array, remap_from_array_kv
from .measures import foreground, indices, is_solid, is_sorted, minmax, pixel_pairs
from .points import point_cloud
from .table import LabelTable

__all__ = [
    "InPlaceWarning",
    "LabelTable",
    "__version__",
    "ascontiguousarray",
    "asfortranarray",
    "component_map",
    "fit_dtype",
    "foreground",
    "get_include",
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
