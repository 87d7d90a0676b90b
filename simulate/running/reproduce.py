"""Compute one network of a store again, alone, and compare every number with the stored one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from lazyrich.errors import InputError
from simulate.campaign.experiment import Experiment
from simulate.data import load_data
from simulate.measure.engine import run_task
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.networks.torch_functions import require_loaded
from simulate.planning.tasks import Task
from simulate.running.devices import check_device
from simulate.running.job import torch_threads
from simulate.store import Store, naming_damage
from simulate.training.status import Status
from theory.activation import Activation

#: relative difference that rounding may make where all is smooth: the composition of a batch changes the last bits
ROUNDING = 1e-9
_FORM = "Name it as experiment=NAME,width=H,root_h_alpha=A,seed=S (alpha= where the store's axis is alpha)"


@dataclass(frozen=True)
class Comparison:
    """A variable as stored and as computed again; ``difference`` is the largest, relative to the variable's norm."""

    name: str
    stored: np.ndarray
    again: np.ndarray
    difference: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is allowed."""
        return self.difference <= self.allowed


def reproduce(
    path: str | Path, network: str, *, device: str | None = None, data_root: str | Path | None = None
) -> list[Comparison]:
    """Compute one network again and compare.

    Parameters
    ----------
    network : str
        ``"experiment=one,width=64,root_h_alpha=0.1,seed=3"``; the experiment may be left out if there is one only.
    device : str, optional
        By default the one that the store was made on.

    Returns
    -------
    list of Comparison
        For each variable but `NONDETERMINISTIC_VARIABLES`. Smooth activations are allowed a relative difference of
        `ROUNDING`; with a kink, where rounding decides which side a preactivation is on, the integrator's tolerance. In
        float32, or on another device than the store's, the tolerance, too.

    Raises
    ------
    InputError
        If there is no such network, it is pending, or the data are not those of the store.
    """
    store = Store.open(path)
    experiment, position = _grid_position(store, network)
    require_loaded(experiment.activation, experiment.activation_source)
    device = device or store.root.attributes["device"]
    check_device(device)
    data = load_data(experiment, data_root)
    store.check_data({experiment.name: data})
    store.check_presence()
    with naming_damage(store.backend):
        stored = store.tree()[experiment.name].to_dataset().isel(position).load()
    if stored["status"] == Status.PENDING:
        raise InputError("network", network, "is pending", "Run the campaign first")
    width = experiment.widths[position["width"]]
    amplitude = float(experiment.amplitudes[position[experiment.amplitude]])
    single = experiment.model_copy(update={experiment.amplitude: (amplitude,)})
    task = Task(experiment.name, position["width"], width, position["seed"], position["seed"] + 1)
    with torch_threads(device):
        again = run_task(single, task, data, device=device)
    again = again.isel({"width": 0, experiment.amplitude: 0, "seed": 0})
    exact = (
        not Activation(experiment.activation).kinks
        and single.dtypes(width) == ["float64"]
        and device == store.root.attributes["device"]
    )
    allowed = ROUNDING if exact else experiment.tolerance
    return list(_compare(stored, again, allowed))


def _compare(stored: xr.Dataset, again: xr.Dataset, allowed: float) -> Iterator[Comparison]:
    """Compare each variable that both hold and that is the same whenever it is computed."""
    for name in again.data_vars:
        if name in NONDETERMINISTIC_VARIABLES or name not in stored:
            continue
        old, new = (np.asarray(data[name].values, dtype=float) for data in (stored, again))
        finite = np.isfinite(old)
        scale = np.sqrt(np.mean(old[finite] ** 2)) if finite.any() else 0.0
        same = (old == new) | (np.isnan(old) & np.isnan(new))
        with np.errstate(invalid="ignore"):  # infinity less infinity
            gap = np.where(same, 0.0, np.abs(new - old))
        largest = float(np.max(gap)) if np.isfinite(gap).all() else np.inf
        difference = largest / scale if largest and scale else largest
        # test_output is stored in float32
        floor = 2.0**-23 if stored[name].dtype == np.float32 else 0.0
        yield Comparison(str(name), old, new, difference, max(allowed, floor))


def _grid_position(store: Store, network: str) -> tuple[Experiment, dict[str, int]]:
    """Return the experiment that ``network`` names, and the network's index along each dimension of its grid."""
    values_by_name = {}
    for part in network.split(","):
        key, separator, value = part.partition("=")
        if not separator:
            raise InputError("network", network, f"{part!r} is not key=value", _FORM)
        values_by_name[key.strip()] = value.strip()
    experiments = {e.name: e for e in store.campaign_with_stored_integrators().experiment}
    name = values_by_name.pop("experiment", next(iter(experiments)) if len(experiments) == 1 else None)
    if name not in experiments:
        raise InputError("network", network, f"no such experiment; there are {', '.join(experiments)}", _FORM)
    experiment = experiments[name]
    grid = {
        "width": np.array(experiment.widths),
        experiment.amplitude: experiment.amplitudes,
        "seed": np.arange(experiment.seeds),
    }
    if set(values_by_name) != set(grid):
        raise InputError("network", network, f"needs {', '.join(grid)}", _FORM)
    position = {}
    for key, values in grid.items():
        try:
            number = float(values_by_name[key])
        except ValueError:
            raise InputError("network", network, f"{key} is not a number", _FORM) from None
        nearest = int(np.argmin(np.abs(values - number)))
        # amplitudes are powers of ten that a person shortens: 0.316 is meant for 10**(-1/2)
        if not np.isclose(values[nearest], number, rtol=5e-3 if key == experiment.amplitude else 0.0, atol=0.0):
            raise InputError("network", network, f"the store has no {key} = {values_by_name[key]}", _FORM)
        position[key] = nearest
    return experiment, position
