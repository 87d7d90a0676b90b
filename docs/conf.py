"""Sphinx: the documentation in Markdown, formulas as MathML, the reference from the docstrings.

pip install -c constraints.txt -e '.[docs]' && sphinx-build -W -b html docs docs/_build
"""

import importlib.metadata
import re

from docutils import nodes

from fit.report.mathematics import mathml

project = "lazyrich"
author = "the lazyrich authors"
release = importlib.metadata.version("lazyrich")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "lazyrich"
html_math_renderer = "mathml"
nitpicky = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the docstrings
napoleon_google_docstring = False
napoleon_use_rtype = False


def _inline(self, node):
    self.body.append(str(mathml(node.astext())))
    raise nodes.SkipNode


def _block(self, node):
    self.body.append(f"<div>{mathml(node.astext(), block=True)}</div>")
    raise nodes.SkipNode


def _plain(app, what, name, obj, options, lines):
    """In docstrings |z| is an absolute value and *args a star, not markup; literals stay as they are."""
    for i, line in enumerate(lines):
        parts = re.split(r"(``.*?``)", line)
        parts[::2] = [re.sub(r"(?<![\w*])\*(?=\w)", r"\\*", part.replace("|", r"\|")) for part in parts[::2]]
        lines[i] = "".join(parts)


def setup(app):
    """Browsers set MathML themselves: nothing is loaded from a network."""
    app.connect("autodoc-process-docstring", _plain)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
