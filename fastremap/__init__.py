"""Label volumes as numpy arrays: find, renumber, remap and mask labels with compiled kernels.

An independent implementation of the API of the package of the same name; see the README.
"""

import pkgutil

# In a source checkout this folder holds no compiled module: then the one of the installed package serves.
__path__ = pkgutil.extend_path(__path__, __name__)

from ._kernels import __version__
from ._warnings import InPlaceWarning
from .labels import renumber, unique
from .mapping import mask, mask_except, remap, remap_from_array, remap_from_array_kv
from .measures import foreground, minmax
from .table import LabelTable

__all__ = [
    "InPlaceWarning",
    "LabelTable",
    "__version__",
    "foreground",
    "mask",
    "mask_except",
    "minmax",
    "remap",
    "remap_from_array",
    "remap_from_array_kv",
    "renumber",
    "unique",
]
