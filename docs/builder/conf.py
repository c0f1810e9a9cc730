"""Sphinx's settings. docs/decisions/0025-the-site.md says why Sphinx."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sphinx.ext.autodoc.mock import MockFinder

import seedwise

# callbacks of trainers: described without the trainers, which take long to load and need not be there
sys.meta_path.insert(0, MockFinder(["ignite", "keras", "lightning", "pytorch_lightning", "skorch", "transformers"]))

project = "Seedwise"
version = release = seedwise.__version__
copyright = "the authors of Seedwise, Apache 2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "builder.reading"]
root_doc = "index"
exclude_patterns = ["shown"]

html_theme = "furo"
html_title = "Seedwise"
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it fetches pages, which a browser refuses where they are files
html_theme_options = {"navigation_with_keys": False}

highlight_language = "none"
smartquotes = False  # they make one dash of the two of an option
default_role = "name_or_code"
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
