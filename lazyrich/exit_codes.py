"""Exit codes of all commands."""

DONE = 0  #: whatever the verdicts are
FAULT = 1  #: of lazyrich itself
INPUT = 2  #: what was given can't be used
NETWORKS = 3  #: some diverged, ran out of memory or time, or lost their process
DAMAGE = 4  #: in a store
SYSTEM = 5  #: storage failed, or the system has no memory, threads or files left
INTERRUPTED = 130
