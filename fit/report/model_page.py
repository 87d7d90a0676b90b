"""The page and the terminal's table of fitted scaling laws."""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fit.models.assess import ModelReport, ModelResult
from fit.report.figures.svg import colour_variables, save
from fit.report.model_figures import caption, residual_figure
from lazyrich.errors import InputError
from lazyrich.filenames import file_names
from lazyrich.numbers import number, p_value, short
from reports.environment import template_environment

_STYLES = {"consistent": "green", "inconsistent": "red", "undecided": "yellow"}


def write(report: ModelReport, folder: Path, made_by: str = "", formats: tuple[str, ...] = ()) -> Path:
    """Write ``report.html``, ``report.md``, ``models.json`` and ``figures/``; return the page's path.

    Raises
    ------
    InputError
        If the folder can't be written.
    """
    names = file_names([result.statement.title for result in report.results])
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        parts = {
            result.statement.title: save(
                residual_figure(result), folder / "figures", names[result.statement.title], caption(result), formats
            )
            for result in report.results
        }
        environment = template_environment()
        environment.globals |= {
            "report": report,
            "title": f"Scaling laws of {Path(report.table).name}",
            "made_by": made_by,
            "rows": estimate_rows,
            "correlation": _correlation,
            "figure": lambda result: Markup(parts[result.statement.title].svg),
            "file": lambda result: names[result.statement.title],
            "caption": caption,
            "short": short,
            "p_value": p_value,
            "dark": Markup(colour_variables(parts.values())),
        }
        for name in ("report.html", "report.md"):
            text = environment.get_template(f"models.{name.removeprefix('report.')}.j2").render()
            (folder / name).write_text(text, encoding="utf-8")
        content = json.dumps(report.to_json(), indent=2, allow_nan=False, ensure_ascii=False)
        (folder / "models.json").write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return folder / "report.html"


def estimate_rows(result: ModelResult) -> list[tuple[str, str, str, str, str]]:
    """Return a row a parameter: name, estimate, 95 % interval, what was expected, outcome."""
    expected = {e.name: e for e in result.expectations}
    rows: list[tuple[str, str, str, str, str]] = []
    for name, estimate in result.estimates.items():
        low, high = estimate.interval(0.95)
        e = expected.get(name)
        rows.append((
            name, short(estimate.value), f"{short(low)} to {short(high)}",
            f"{short(e.value)} ± {short(e.margin)}" if e else "", e.outcome_in_words if e else "",
        ))  # fmt: skip
    return rows


def print_models(out: Console, report: ModelReport, page: Path | None = None) -> None:
    """Print each law's parameters, what its checklist warns of, and the comparison of rivals."""
    for result in report.results:
        out.print(Text(result.sentence()))
        if result.statement.name:
            out.print(Text(f"  {result.statement.law}"))
        rows = estimate_rows(result)
        judged = any(row[3] for row in rows)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=True)
        for i, heading in enumerate(("", "estimate", "95 % interval", "expected", "")[: 5 if judged else 3]):
            table.add_column(Text(heading), justify="left" if i in (0, 4) else "right", overflow="fold")
        for row in rows:
            cells = [Text(cell) for cell in row[: 5 if judged else 3]]
            if judged:
                cells[4] = Text(row[4], style=_STYLES.get(row[4], ""))
            table.add_row(*cells)
        out.print(table)
        for check in result.warnings:
            out.print(Text(f"  ! {check.question}: {check.answer}", style="yellow"))
        out.print()
    for group in report.rivals:
        out.print(Text("Predicting points held out, ten-fold:"))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
        for heading in ("", "parameters", "typical miss", ""):
            table.add_column(Text(heading), justify="left" if not heading else "right", overflow="fold")
        for rival in group:
            texts = (rival.name, str(rival.n_parameters), short(rival.error, 3), rival.verdict_with_p)
            table.add_row(*(Text(text) for text in texts))
        out.print(table)
        out.print()
    if page is not None:
        out.print(f"{page}", soft_wrap=True, markup=False)


def _correlation(result: ModelResult) -> list[list[str]]:
    correlation = result.uncertainty.correlation()
    if correlation is None:
        return []
    names = result.uncertainty.names
    head = [["", *names]]
    return head + [[name, *(number(v, 2) for v in row)] for name, row in zip(names, correlation, strict=True)]
