"""The results of tasks that are trained together: a column a variable, handed back task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from simulate.campaign.checkpoints import scaled_times
from simulate.measure.columns import unmeasured_column
from simulate.measure.schema import grid, variables
from simulate.training.status import Status

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.planning.tasks import Task


class TaskTable:
    """Rows are all amplitudes × all seeds of ``tasks``, which are of one experiment and one width; amplitudes first."""

    def __init__(self, experiment: Experiment, tasks: Sequence[Task]) -> None:
        self.experiment = experiment
        self.tasks = tasks
        self.width = tasks[0].width
        self.seeds = np.concatenate([np.arange(task.seed_start, task.seed_stop) for task in tasks])
        self.variables = variables(experiment)
        self.sizes: Mapping[str, int] = {
            "layer": experiment.layers,
            "test_point": experiment.n_test,
            "checkpoint": len(scaled_times(experiment.checkpoints)),
            "arm": len(experiment.arms),
        }
        self.columns = {
            name: unmeasured_column(variable, len(self), self.sizes) for name, variable in self.variables.items()
        }
        self.columns["alpha"] = np.repeat(experiment.alphas(self.width), len(self.seeds))

    def __len__(self) -> int:
        """How many networks there are."""
        return len(self.experiment.amplitudes) * len(self.seeds)

    def write(self, rows: range, batch: int, columns: Mapping[str, np.ndarray]) -> None:
        """Write what observers of the ``batch``-th batch measured of the networks ``rows``."""
        part = slice(rows.start, rows.stop)
        for name, column in columns.items():
            self.columns[name][part] = column
        self.columns["batch"][part] = batch

    def write_out_of_memory(self, rows: range, batch: int) -> None:
        """Say of the networks ``rows`` that they did not fit."""
        part = slice(rows.start, rows.stop)
        self.columns["batch"][part] = batch
        self.columns["status"][part] = Status.OUT_OF_MEMORY

    def datasets(self, seconds: float, peak_memory: int) -> Iterator[tuple[Task, xr.Dataset]]:
        """Yield each task and its variables, on dimensions (width: 1, amplitude, seed, ...)."""
        self.columns["wall_time"][:] = seconds / len(self)
        self.columns["peak_memory"][:] = peak_memory
        stop = 0
        for task in self.tasks:
            start, stop = stop, stop + task.seed_count
            yield task, self._dataset(slice(start, stop))

    def _dataset(self, seeds: slice) -> xr.Dataset:
        shape, dims = (1, len(self.experiment.amplitudes), len(self.seeds)), grid(self.experiment)
        data = {}
        for name, variable in self.variables.items():
            column = self.columns[name]
            data[name] = ((*dims, *variable.dims), column.reshape(*shape, *column.shape[1:])[:, :, seeds])
        return xr.Dataset(data)
