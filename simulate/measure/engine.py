"""Train the networks of tasks and measure them, batch by batch."""

from __future__ import annotations

import functools
import itertools
import time as clock
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr

from simulate.integrators import build
from simulate.measure.batching import batch_limit, batches_together, tasks_together
from simulate.measure.columns import Columns
from simulate.measure.memory import PeakMemory, in_parts, keep_memory
from simulate.measure.network_batch import Members, NetworkBatch
from simulate.measure.observer import Ending, EventObserver
from simulate.measure.observers.checkpoints import Checkpoints
from simulate.measure.schema import observers_of
from simulate.measure.stop import Stop
from simulate.measure.task_table import TaskTable
from simulate.training.driver import integrate
from simulate.training.moment import Moment
from simulate.training.precision import full_precision, without_denormals
from simulate.training.save_at import SaveAt

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data
    from simulate.planning.tasks import Task


def run_task(experiment: Experiment, task: Task, data: Data, *, device: str = "cpu") -> xr.Dataset:
    """Train and measure the networks of one task.

    Parameters
    ----------
    experiment : Experiment
        Architecture, activation, loss, amplitudes, tolerances.
    task : Task
        Which width, and which seeds ``seed_start <= seed < seed_stop``.
    data : Data
        ``x_train`` (n_train, d), ``y_train`` (n_train,) of ±1, ``x_test`` (n_test, d), ``y_test`` (n_test,), with
        ``||x||² = d``.
    device : str
        A torch device.

    Returns
    -------
    xarray.Dataset
        Every variable of `simulate.measure.schema.variables`, dimensionless, on dimensions (width: 1, amplitude, seed,
        ...). Times are in the article convention.

    Notes
    -----
    On a CPU the networks are trained in batches that its cache holds (`simulate.planning.memory`), and where memory
    runs out in smaller ones (the variable ``batch`` says in which); one that does not fit alone gets the status
    ``out_of_memory``, and the others are not affected. The process keeps memory that is freed
    (`simulate.measure.memory.keep_memory`).
    """
    ((_, result),) = train_together(experiment, [task], data, device)
    return result


def run_tasks(
    experiment: Experiment, tasks: Sequence[Task], data: Data, *, device: str = "cpu"
) -> Iterator[tuple[Task, xr.Dataset]]:
    """Train and measure several tasks of one experiment; yield each with its results (`run_task`).

    On a GPU tasks of one width are trained together, as many as its free memory holds (`simulate.measure.batching`),
    and handed over once all of them are done. A network's results do not depend on which others are trained with it: to
    1e-9 in float64, where the activation has no kink.
    """
    for group in tasks_together(experiment, tasks, device):
        yield from train_together(experiment, group, data, device)


def train_together(
    experiment: Experiment, tasks: Sequence[Task], data: Data, device: str
) -> Iterator[tuple[Task, xr.Dataset]]:
    """Train the networks of ``tasks``, all of one width, as one; yield each task's results (`run_task`) at the end.

    A network's results do not depend on which others are trained with it. ``time_limit`` is that of a task times their
    number.
    """
    keep_memory()
    started, peak = clock.perf_counter(), PeakMemory(device)
    table = TaskTable(experiment, tasks)
    at_once = batch_limit(experiment, table.width, device)
    together = None if at_once is None else at_once * batches_together(experiment, device)
    batch, stop = itertools.count(), 0
    # a batch is of one precision; where it holds few networks, they are those of one amplitude, which take steps alike
    for dtype, amplitudes in itertools.groupby(experiment.dtypes(table.width)):
        start, stop = stop, stop + len(table.seeds) * len(list(amplitudes))
        train = functools.partial(_train, table, data, getattr(torch, dtype), device, started, at_once)
        for rows, columns in in_parts(train, range(start, stop), together, len(table.seeds), at_once):
            if columns is None:
                table.write_out_of_memory(rows, next(batch))
            else:
                table.write(rows, next(batch), columns)
    yield from table.datasets(clock.perf_counter() - started, peak.bytes())


def _train(
    table: TaskTable, data: Data, dtype: torch.dtype, device: str, started: float, at_once: int | None, rows: range
) -> dict[str, np.ndarray]:
    """Train the networks ``rows`` of a table, so many at once; return the columns that observers filled."""
    experiment = table.experiment
    amplitude, seed = np.divmod(np.array(rows), len(table.seeds))
    with full_precision(), without_denormals(dtype):
        members = Members(table.width, amplitude, table.seeds[seed])
        batch = NetworkBatch.draw(experiment, data, members, dtype, device, at_once=at_once)
        columns = Columns(table.variables, len(batch), table.sizes, device)
        observers = [observer(batch, columns) for observer in observers_of(experiment)]
        events = [o for o in observers if isinstance(o, EventObserver) and o.happens(experiment)]
        save_at = [SaveAt(o.times, o.record) for o in observers if isinstance(o, Checkpoints)]

        def end(moment: Moment) -> None:
            test_output = batch.held_out.predictor(moment.members, moment.weights)
            ending = Ending(moment.members, moment.weights, moment.output, test_output)
            for observer in observers:
                observer.end(ending)

        for observer in observers:
            observer.start()
        stepper, controller = build(experiment, batch.network, batch.seeds, batch.seed_of, batch.root_h_alpha)
        result = integrate(
            batch.flow,
            batch.initial_weights,
            [*events, Stop(batch.flow)],
            end,
            stepper=stepper,
            controller=controller,
            max_steps=experiment.max_steps,
            time_limit=_seconds_left(table, started, rows),
            save_at=save_at[0] if save_at else None,
            at_once=batch.at_once,
        )
        for observer in observers:
            observer.finish(result)
    return columns.numpy()


def _seconds_left(table: TaskTable, started: float, rows: range) -> float | None:
    """What the networks ``rows`` may take: of what is left of the tasks' limit, their share among those left."""
    if table.experiment.time_limit is None:
        return None
    left = table.experiment.time_limit * len(table.tasks) - (clock.perf_counter() - started)
    return left * len(rows) / (len(table) - rows.start)
