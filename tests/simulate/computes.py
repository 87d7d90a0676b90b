"""Stand-ins for `simulate.run_task`, in a module that other processes can import."""

import os
import time

from simulate import run_task


def slowly(experiment, task, data, *, device):
    """As it is, and a second more: time for something to happen."""
    time.sleep(1.0)
    return run_task(experiment, task, data, device=device)


def deadly(experiment, task, data, *, device):
    """One task takes its worker process with it, as the kernel does to one that asks for too much memory."""
    if (task.experiment, task.width) == ("two", 16):
        os._exit(1)
    return run_task(experiment, task, data, device=device)


def fatal(experiment, task, data, *, device):
    """Every task takes its worker process with it, as on a machine without memory."""
    os._exit(1)
