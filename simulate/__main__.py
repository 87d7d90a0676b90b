"""``python -m simulate``: run a campaign into a store, and look after stores."""

import typer

from lazyrich.console import start


def _app() -> typer.Typer:
    from simulate.command import app

    return app


if __name__ == "__main__":
    start(_app, "python -m simulate")
