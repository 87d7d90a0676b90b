"""The console script ``lazyrich``: theory, simulate, report and audit under one name."""

from __future__ import annotations

import typer

from lazyrich.console import Command, Group, start


def app() -> typer.Typer:
    """Return the app; what the commands need is imported then."""
    import fit.audit.command
    import fit.report.command
    import simulate.command
    import theory.__main__

    commands = typer.Typer(
        cls=Group,
        help="Scaling laws of lazy and feature training: derived, measured, and judged.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    commands.command("theory", cls=Command)(theory.__main__.main)
    commands.add_typer(simulate.command.app, name="simulate")
    commands.command("report", cls=Command)(fit.report.command.main)
    commands.command("audit", cls=fit.audit.command.SpreadOptions)(fit.audit.command.main)
    return commands


def main() -> None:
    """Run the console script."""
    start(app, "lazyrich")
