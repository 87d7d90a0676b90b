"""The page: templates filled with what `content` has collected, written as HTML, Markdown and JSON."""

from __future__ import annotations

import base64
import json
import re
from importlib import metadata
from pathlib import Path

from markupsafe import Markup, escape

from fit.judge import in_words
from fit.judge.outlook import outlook
from fit.judge.verdict import VARIABLES
from fit.report import markdown, outcomes
from fit.report.comparison import COLUMNS, expected_power, tally
from fit.report.content import Report
from fit.report.figures.svg import colour_variables
from fit.report.titles import is_power
from lazyrich import numbers
from lazyrich.mathematics import mathml
from lazyrich.wording import counted, sentence_case
from reports.environment import template_environment
from theory.claims import claims

#: From this many activations on, the comparison is what the page is about, and comes first.
MANY_ACTIVATIONS = 5

#: LaTeX and meaning
SYMBOLS = (
    (r"h", "neurons per hidden layer (width)"),
    (r"L", "hidden layers (depth); there are L + 1 weight matrices"),
    (r"\alpha", "output scale: the trained predictor is F = α (f(w) − f(w₀)), and the last layer scales as 1/√h"),
    (r"A = \sqrt{h}\,\alpha", "the crossover variable: feature training for A ≪ 1, lazy training for A ≫ 1"),
    (r"F", "trained predictor; training stops when every margin F·y is 1"),
    (
        r"A/F",
        "A over the rms of F on test points at the stop: the variable whose power homogeneity alone fixes",
    ),
    (r"\Theta", "neural tangent kernel on held-out points"),
    (r"\delta F", "rms over test points of the seed-to-seed standard deviation of F"),
    (r"t_1", "first time at which F has left its tangent at time zero by half"),
    (r"t_{1/2}", "first time with mean loss below 1/2"),
    (r"a", "exponent of the kernel change in the feature regime, which goes as A to the power −a"),
    (r"k,\ D", "degree of the activation at infinity; degree of f in the common scale of the weights"),
)
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def write(report: Report, folder: Path) -> None:
    """Write report.html, report.md and verdicts.json into ``folder``."""
    environment = template_environment()
    environment.filters |= {
        "number": numbers.number,
        "short": numbers.short,
        "counted": counted,
        "p": numbers.p_value,
        "interval": lambda verdict: numbers.interval(verdict.ci_low, verdict.ci_high),
        "predicted": in_words.predicted_text,
        "distance": in_words.distance_text,
        "label": outcomes.label_of,
        "short_reason": in_words.short_reason,
        "expected_power": expected_power,
        "sentence": sentence_case,
        "typeset": numbers.typeset,
        "arxiv": arxiv_links,
        "is_power": is_power,
        "variable": lambda law: VARIABLES[law.variable],
        "symbol": lambda variable: VARIABLES.get(variable, variable),
        "predicted_power": numbers.power,
        "latex": lambda text: Markup(text),
        "code": lambda text: markdown.as_code(text),
    }
    environment.globals |= {
        "math": mathml,
        "svg": lambda name: Markup(report.figures[name].svg if name in report.figures else ""),
        "csv": lambda name: _csv_address(report, name),
        "symbols": SYMBOLS,
        "labels": outcomes.LABELS,
        "margins": [claim for claim in claims() if claim.because],
        "outlook": outlook,
        "columns": COLUMNS,
        "tally": tally,
        "many_activations": MANY_ACTIVATIONS,
        "version": metadata.version("lazyrich"),
    }
    dark = colour_variables(report.figures.values())
    plain = environment.overlay(finalize=markdown.as_text)
    for templates, template, name in (
        (environment, "report.html.j2", "report.html"), (plain, "report.md.j2", "report.md"),
    ):  # fmt: skip
        text = templates.get_template(template).render(report=report, dark=dark)
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    rows = [verdict.to_json() for verdict in report.verdicts]
    text = json.dumps(rows, indent=2, allow_nan=False, ensure_ascii=False)
    (folder / "verdicts.json").write_text(text + "\n", encoding="utf-8", errors="replace")


def arxiv_links(text: str) -> Markup:
    """Return a text in which each arXiv identifier is a link.

    Examples
    --------
    >>> print(arxiv_links("a < b, arXiv:1906.08034"))
    a &lt; b, <a href="https://arxiv.org/abs/1906.08034">arXiv:1906.08034</a>
    """
    return Markup(_ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv:\1</a>', str(escape(text))))


def _csv_address(report: Report, name: str) -> str:
    """A figure's values as an address that holds them: the page stays one file."""
    path = report.folder / "figures" / f"{name}.csv"
    if not path.exists():
        return ""
    return "data:text/csv;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
