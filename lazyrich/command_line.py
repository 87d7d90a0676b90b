"""The console script ``lazyrich``: theory, simulate, report and audit under one name."""

from __future__ import annotations

import typer

import fit.audit.command
import fit.report.command
import simulate.__main__
import theory.__main__
from lazyrich.console import start

app = typer.Typer(
    help="Scaling laws of lazy and feature training: derived, measured, and judged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("theory")(theory.__main__.main)
app.add_typer(simulate.__main__.app, name="simulate")
app.command("report")(fit.report.command.main)
app.command("audit")(fit.audit.command.main)


def main() -> None:
    """Run the console script."""
    start(app, "lazyrich")
