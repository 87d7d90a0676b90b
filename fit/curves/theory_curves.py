"""Whole curves that theory gives for an experiment, without a free parameter, on the experiment's own data.

Cheap ones are computed with every report. The mean-field curve of two-layer networks takes a minute: it is computed
once for the quick preset's data and activations (`python -m fit.curves.theory_curves` writes reports/curves/) and read
from there.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fit.measurements.measurements import Measurements
from fit.measurements.training_data import training_data
from fit.processes import Map
from lazyrich.console import command
from lazyrich.errors import InputError
from theory.activation import Activation
from theory.curves import deep_linear_curve, first_order_kernel_change, mean_field_curve
from theory.predictions import predictions

if TYPE_CHECKING:  # where a curve is computed they are imported, with torch and scikit-learn: two seconds
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data

#: Frozen-kernel dynamics are drawn from here on: where the kernel itself changes by some per cent, they fall short.
LAZY_FROM = 30.0
#: whose first-order changes are averaged (rms), and compared one by one: with fewer no p-value is below 3 %
SEEDS = 6
#: the largest number of amplitudes of the grid at which a network is linearised
MAX_AMPLITUDES = 8
#: The kernel change at h = infinity is claimed of networks up to here. Above, their own first-order change, which is
#: ~ 1/(sqrt(h)·A) and absent at h = infinity, becomes a part of it (it is 3 % at A = 10, h = 256).
INFINITE_UP_TO = 1.0
#: beyond, a network's first-order change costs more than a second
LARGEST_WIDTH, LARGEST_TRAINING_SET = 2048, 400
MEAN_FIELD_GRID = tuple(float(10.0 ** (i / 2)) for i in range(-8, 9))
PARTICLES = 16_000
LINEAR = ("linear", "z")
_EXACT_TIME = "exact at h = ∞, an asymptote at the width measured"
_EXACT_KERNEL = f"{_EXACT_TIME}, compared up to A = {INFINITE_UP_TO:g}: beyond, the change ~ 1/(√h·A) matters"
#: what a mean-field curve depends on, besides the data
_KEY = ("activation", "normalise", "loss", "n_kernel")


@dataclass(frozen=True)
class TheoryCurve:
    """A quantity against A = sqrt(h)·alpha as theory computes it."""

    experiment: str
    quantity: str  #: of the predictions that it goes beyond: kernel_change, time_half
    root_h_alpha: np.ndarray
    value: np.ndarray
    label: str
    dashes: Any
    source: str  #: how it was computed, in a sentence, with the reference
    where: str  #: where it is exact and where an asymptote, in a clause
    compared_at: tuple[float, float] = (0.0, np.inf)  #: range of A in which measurements are compared with it
    relative_error: np.ndarray | None = None  #: of a sampled curve
    networks: np.ndarray | None = None  #: of each seed's own network, (seeds, A), where it has a curve of its own


def theory_curves(
    experiments: Iterable[Measurements], data_root: str | Path | None = None, apply: Map = map
) -> list[TheoryCurve]:
    """Return what can be drawn beside the measurements; nothing for an experiment whose data aren't at hand."""
    return [curve for curves in apply(functools.partial(_curves, data_root=data_root), experiments) for curve in curves]


def _curves(measurements: Measurements, data_root: str | Path | None) -> list[TheoryCurve]:
    # an exported file may hold many experiments' worth of minutes: curves are drawn beside stores
    stored = isinstance(measurements.data.attrs.get("data"), dict)
    usable = stored and _feasible(measurements.description)
    experiment_and_data = training_data(measurements, data_root) if usable else None
    if experiment_and_data is None:
        return []
    experiment, data = experiment_and_data
    return [*_mean_field(experiment, data), *_first_order(experiment, data), *_deep_linear(experiment, data)]


def _feasible(description: Mapping[str, Any]) -> bool:
    """Return whether theory may have a curve for an experiment, before torch is imported and the data are read."""
    if description.get("n_train", 0) <= LARGEST_TRAINING_SET or description.get("activation") in LINEAR:
        return True
    fields = {name: description.get(name) for name in ("activation", "dataset", "n_train")}
    return description.get("depth") == 1 and any(fields.items() <= curve.items() for curve in _stored().values())


def _first_order(experiment: Experiment, data: Data) -> list[TheoryCurve]:
    """The linearised dynamics of the very networks that were trained, at the largest width."""
    width = max(experiment.widths)
    upper = float(experiment.root_h_alphas(width).max())
    if upper <= LAZY_FROM or width > LARGEST_WIDTH or experiment.n_train > LARGEST_TRAINING_SET:
        return []
    from simulate.networks.fully_connected import FullyConnected

    activation = Activation(experiment.activation, normalise=experiment.normalise)
    grid = experiment.root_h_alphas(width)
    grid = np.sort(grid[grid > LAZY_FROM])[::-1]
    grid = grid[:: math.ceil(len(grid) / MAX_AMPLITUDES)][::-1]
    seeds = range(min(SEEDS, experiment.seeds))
    network = FullyConnected(data.x_train.shape[1], width, experiment.depth, activation)
    weights = [w.numpy() for w in network.initial_weights(experiment.base_seed, seeds)]
    points = data.x_test[: experiment.n_kernel]
    try:
        changes = [
            first_order_kernel_change(activation, [w[s] for w in weights], data.x_train, data.y_train, grid, points,
                                      loss=experiment.loss)
            for s in seeds
        ]  # fmt: skip
    except InputError:  # a loss without curves, or data that a frozen kernel can't fit
        return []
    value = np.sqrt(np.mean(np.square(changes), axis=0))
    source = (
        f"linearised dynamics of the same networks (rms of {len(seeds)} seeds at h = {width}), kernel change to first "
        "order: theory.curves.first_order_kernel_change"
    )
    regimes = (
        law.regime
        for law in predictions(activation, experiment.depth)
        if (law.quantity, law.variable, law.regime.label) == ("kernel_change", "root_h_alpha", "lazy")
    )
    return [
        TheoryCurve(
            experiment.name, "kernel_change", grid, value, f"frozen Θ, h = {width}", (0, (1, 1.4)), source,
            where="each network against its own linearisation, an asymptote for A → ∞, in the window of the lazy law",
            compared_at=next((regime.bounds(width) for regime in regimes), (np.inf, np.inf)),
            networks=np.array(changes),
        )
    ]  # fmt: skip


def _deep_linear(experiment: Experiment, data: Data) -> list[TheoryCurve]:
    if experiment.activation not in LINEAR or not experiment.normalise or experiment.pca is None:
        return []
    grid = 10.0 ** np.arange(-4.0, 5.0, 2.0)
    try:
        curve = deep_linear_curve(experiment.depth, data.x_train, data.y_train, grid, loss=experiment.loss)
    except InputError:  # too many points for it
        return []
    source = f"deep linear networks at h = infinity, on the training points: {curve.reference}"
    return [
        TheoryCurve(
            experiment.name, name, grid, getattr(curve, name), "h = ∞", (0, (5, 1.2, 1, 1.2)), source, where,
            compared_at,
        )
        for name, where, compared_at in (
            ("kernel_change", f"{_EXACT_KERNEL}, and for the kernel on the training points, whereas held-out ones are "
             "measured", (0.0, INFINITE_UP_TO)),
            ("time_half", _EXACT_TIME, (0.0, np.inf)),
        )
    ]  # fmt: skip


def _mean_field(experiment: Experiment, data: Data) -> list[TheoryCurve]:
    stored = _stored().get(mean_field_key(experiment, data))
    if stored is None or experiment.depth != 1:
        return []
    source = (
        f"two-layer networks at h = infinity on the same data, {stored['particles']:,} particles, Monte Carlo error "
        f"{max(stored['relative_error']):.1%}: {stored['reference']}"
    )
    grid = np.array(stored["root_h_alpha"])
    inside = (grid >= experiment.root_h_alphas(min(experiment.widths)).min() * 0.999) & (
        grid <= experiment.root_h_alphas(max(experiment.widths)).max() * 1.001
    )
    error = np.array(stored["relative_error"])[inside]
    return [
        TheoryCurve(
            experiment.name, name, grid[inside], np.array(stored[name])[inside], "h = ∞", (0, (5, 1.2, 1, 1.2)), source,
            where, compared_at, sampling_error,
        )
        for name, where, compared_at, sampling_error in (
            ("kernel_change", _EXACT_KERNEL, (0.0, INFINITE_UP_TO), error),
            ("time_half", _EXACT_TIME, (0.0, np.inf), None),
        )
    ]  # fmt: skip


def mean_field_key(experiment: Experiment, data: Data) -> str:
    """Return the name under which the curve of this activation on these data is stored."""
    parts = [data.sha256, len(data.y_train), len(data.y_test), *(getattr(experiment, name) for name in _KEY)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _stored() -> dict[str, dict[str, Any]]:
    folder = resources.files("reports").joinpath("curves")
    if not folder.is_dir():
        return {}
    return {
        entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    }


def compute_mean_field(experiment: Experiment, data: Data, grid: Sequence[float] = MEAN_FIELD_GRID) -> dict[str, Any]:
    """Solve for the infinitely wide two-layer network of an experiment; half a minute for a hundred points."""
    activation = Activation(experiment.activation, normalise=experiment.normalise)
    curve = mean_field_curve(
        activation, data.x_train, data.y_train, grid, data.x_test[: experiment.n_kernel],
        loss=experiment.loss, particles=PARTICLES, repeats=2,
    )  # fmt: skip
    return {
        "activation": experiment.activation,
        "dataset": experiment.dataset,
        "n_train": experiment.n_train,
        "particles": PARTICLES,
        "reference": curve.reference,
        "root_h_alpha": [float(f"{a:.6g}") for a in curve.root_h_alpha],
        **{name: [float(f"{v:.6g}") for v in getattr(curve, name)] for name in ("kernel_change", "time_half")},
        "relative_error": [float(f"{v:.2g}") for v in curve.standard_error / curve.kernel_change],
    }


def main() -> None:
    """Write the mean-field curves of the two-layer experiments of the preset ``quick``."""
    from simulate.campaign.campaign import Campaign
    from simulate.data import load_data

    target = Path(__file__).parents[2] / "reports" / "curves"
    target.mkdir(exist_ok=True)
    with command():
        for experiment in Campaign.from_preset("quick").experiment:
            activation = Activation(experiment.activation, normalise=experiment.normalise)
            if experiment.depth != 1 or activation.degree > 1:
                continue
            data = load_data(experiment)
            path = target / f"{mean_field_key(experiment, data)}.json"
            if not path.exists():
                print(f"{experiment.name}: {path.name}")
                path.write_text(json.dumps(compute_mean_field(experiment, data), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
