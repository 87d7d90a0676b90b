"""``python -m fit.report``: from nothing, or from stores, to a page of verdicts."""

import typer

from lazyrich.console import start


def _app() -> typer.Typer:
    from fit.report.command import app

    return app


start(_app, "python -m fit.report")
