"""``python -m fit.report``: from nothing, or from stores, to a page of verdicts."""

from fit.report.command import app
from lazyrich.console import start

start(app, "python -m fit.report")
