"""``python -m fit.audit``."""

from fit.audit.command import app
from lazyrich.console import start

start(app, "python -m fit.audit")
