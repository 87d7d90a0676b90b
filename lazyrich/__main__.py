"""``python -m lazyrich``: the same as the console script ``lazyrich``."""

from lazyrich.command_line import main

main()
