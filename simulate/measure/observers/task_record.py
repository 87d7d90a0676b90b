"""What is known of a network without a look at it: its amplitude, and how its task went.

These are filled where tasks are put together (`simulate.measure.task_table`), also of networks that did not fit.
"""

from __future__ import annotations

from simulate.measure.observer import Observer
from simulate.measure.variable import Variable


class TaskRecord(Observer):
    """Only alpha is the same in another run."""

    variables = {
        "alpha": Variable("output scale, article convention (last layer ~ h^(-1/2))"),
        "wall_time": Variable("seconds of the task, shared equally by its networks", reproducible=False),
        "batch": Variable(
            "which batch of its task the network was trained in: networks that took turns in a cache or in memory",
            dtype="int32",
            reproducible=False,
        ),
        "peak_memory": Variable(
            "bytes in use at most during the task: the process's on a CPU, torch's on a GPU", reproducible=False
        ),
    }
