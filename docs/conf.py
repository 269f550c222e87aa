"""How the documentation is built: `sphinx-build -W docs FOLDER`. Nothing is fetched."""

import shutil
import sys
from pathlib import Path

from fastremap import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
# Sphinx reads no pages from outside its folder.
shutil.copytree(
    HERE.parent / "notebooks", HERE / "notebooks", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py")
)

project = "fastremap"
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb", "commandhelp"]
exclude_patterns = ["_ext", "_templates", "_build", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]

default_role = "py:obj"
html_theme = "furo"
html_title = f"fastremap {version}"
html_show_copyright = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are stored with their outputs

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings name the types
# Classes list their members by the template, once.
numpydoc_show_class_members = False
