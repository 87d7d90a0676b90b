"""The report: the command, the page, its figures."""
