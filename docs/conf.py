"""Sphinx: the documentation in Markdown, formulas as MathML, the reference from the docstrings.

The pages that are notebooks are run when the documentation is built, and so is the sample report.

pip install -c constraints.txt -e '.[docs]' && sphinx-build -W -b html docs docs/_build
"""

import importlib.metadata
import os
import re
from pathlib import Path

from docutils import nodes

from lazyrich.mathematics import mathml

# of the processes that run notebooks: whatever the caller's is, figures become a part of the page
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
#: what the preset `quick` measured, of which the sample report is made; small files as `benchmarks.reference` writes
SAMPLE = [
    Path(__file__).parent / "sample" / f"{name}.nc.gz"
    for name in ("softplus-L1", "softplus-L3", "softplus-L1-widths", "relu-L1", "relu-L3", "relu-L1-widths")
]

project = "lazyrich"
author = "the lazyrich authors"
release = importlib.metadata.version("lazyrich")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "myst-nb"}
nb_execution_mode = "force"
nb_execution_in_temp = True  # what a notebook writes is no part of the documentation
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_number_source_lines = False
suppress_warnings = ["mystnb.unknown_mime_type"]
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


def _write_sample(app):
    """A report on kept measurements, beside the pages."""
    if app.builder.format != "html":
        return
    from fit.report.from_sources import report_on

    report_on(SAMPLE, "quick", Path(app.outdir, "sample"))


def setup(app):
    """Browsers set MathML themselves: nothing is loaded from a network."""
    app.connect("autodoc-process-docstring", _plain)
    app.connect("builder-inited", _write_sample)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
