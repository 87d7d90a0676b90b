"""``python -m simulate``: run a campaign into a store, and look after stores."""

from lazyrich.console import start
from simulate.command import app

if __name__ == "__main__":
    start(app, "python -m simulate")
