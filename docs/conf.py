"""Sphinx configuration."""

import importlib.metadata
import importlib.util
from pathlib import Path

HERE = Path(__file__).parent

project = "nasturtium"
author = "The nasturtium developers"
release = importlib.metadata.version("nasturtium")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "nasturtium"
exclude_patterns = ["_build"]
default_role = "code"

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Class attributes", "params_style")]


def skip(app, what, name, item, is_skipped, options):
    """Leave out what scikit-learn generates for metadata routing: its texts refer to its own glossary."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def setup(app):
    """Write the reference pages before Sphinx looks for its sources."""
    app.connect("autodoc-skip-member", skip)
    spec = importlib.util.spec_from_file_location("docs_pages", HERE.parent / "scripts/docs_pages.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    pages.write(HERE / "reference" / "generated")
