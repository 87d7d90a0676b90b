"""Which laws a grid can't decide, whatever is measured on it: known before anything is trained.

Measurements are made up on the campaign's grid, smooth and almost without noise, and go through the claims' own
measures. A claim that refuses these lacks networks, amplitudes, widths or depths. What noise will leave undecided is
not foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.findings.finding import NOT_COMPUTED, NOT_MEASURED
from fit.judge.assess import cases_of
from fit.judge.cases import Case
from fit.judge.verdict import VARIABLES
from fit.measurements.measurements import Measurements
from fit.report.titles import is_power
from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from theory.activation import Activation
from theory.prediction import Prediction, with_regime
from theory.predictions import predictions

#: of the made-up measurements: test points, and seeds at most (no claim needs more)
POINTS, MOST_SEEDS = 32, 40
#: relative, from one (width, seed) to another, and from network to network
SPREAD, NOISE = 1e-3, 1e-5
#: where the made-up kernel change is 1: near A = 1, as in every network so far, and on no usual grid
CROSSOVER = 1.5
#: the made-up test error is this at infinite width; a frozen initial kernel adds as much
LIMIT_OF_ERROR = 0.05


def undecidable_laws(campaign: Campaign) -> dict[str, list[str]]:
    """Return the laws of theory that no experiment of a campaign can decide, by what is missing.

    Returns
    -------
    dict
        What is missing in a few words ("4 seeds of 5") -> laws, powers with their variable. Laws that
        theory does not claim for the campaign's activations and data are not among them.
    """
    cases = cases_of([stand_in_measurements(experiment) for experiment in campaign.experiment])
    claimed_cases = [
        case
        for case in cases
        if case.prediction.claimed
        and case.finding.not_claimed_because is None
        and case.finding.in_short != NOT_MEASURED
    ]
    # what theory computes from the data themselves is not computed here: it is after the counting
    decidable = {
        _law(case)
        for case in claimed_cases
        if case.finding.undecided_because is None or case.finding.in_short == NOT_COMPUTED
    }
    laws: dict[str, list[str]] = {}
    for case in claimed_cases:
        if _law(case) not in decidable:
            named = laws.setdefault(case.finding.in_short or str(case.finding.undecided_because), [])
            named.extend([] if _law(case) in named else [_law(case)])
    return laws


def stand_in_measurements(experiment: Experiment) -> Measurements:
    """Return smooth measurements of every variable that a claim needs, on an experiment's grid.

    The kernel change falls as 1/A and passes 1 at `CROSSOVER`; weights change as predicted, with the
    predicted correction; outputs scatter by h^(-1/2) about the labels, and so test errors fall towards a limit.
    """
    rng = np.random.default_rng(0)
    h = np.array(experiment.widths, dtype=float)[:, None, None]
    a = np.stack([experiment.root_h_alphas(width) for width in experiment.widths])[:, :, None]
    seeds = min(experiment.seeds, MOST_SEEDS)
    shape = (len(h), a.shape[1], seeds)
    # networks of one width and seed share their initial weights
    factor = np.exp(SPREAD * rng.standard_normal((len(h), 1, seeds)) + NOISE * rng.standard_normal(shape))
    label = np.where(np.arange(POINTS) % 2, 1.0, -1.0)
    scatter = np.sqrt(h.min() / h)[..., None] * rng.standard_normal((*shape, POINTS))
    error = LIMIT_OF_ERROR * (1 + h.min() / h) * factor
    errors = [error + LIMIT_OF_ERROR * (arm == "initial_kernel") for arm in experiment.arms]
    grid = ("width", experiment.amplitude, "seed")
    velocity = ((*grid, "layer", "checkpoint"), _repeated(factor, experiment.layers, 1))
    data = xr.Dataset(
        {
            "kernel_change": (grid, factor * CROSSOVER / a),
            "weight_change": (grid, factor * _weight_change(experiment, a)),
            **{name: (grid, factor * a) for name in ("time_linear", "time_half", "output_rms_linear")},
            **({} if experiment.checkpoints is None else {"preactivation_velocity": velocity}),
            "test_error": ((*grid, "arm"), np.stack(errors, -1)),
            "test_output": ((*grid, "test_point"), label + scatter),
            "test_label": ("test_point", label),
        },
        {"width": list(experiment.widths), experiment.amplitude: experiment.amplitudes, "seed": np.arange(seeds),
         "arm": list(experiment.arms)},
    )  # fmt: skip
    return Measurements(data, experiment.name, description=experiment.model_dump(mode="json"))


def _weight_change(experiment: Experiment, a: NDArray) -> NDArray:
    """Weights as predicted against A, with a predicted correction; (width, amplitude, 1)."""
    try:
        activation = Activation(experiment.activation, normalise=experiment.normalise)
        laws: Sequence[Prediction] = predictions(activation, experiment.depth)
    except InputError:
        laws = ()
    for law in laws:
        if law.quantity == "weight_change" and law.variable == "root_h_alpha" and law.correction_exponent is not None:
            return a ** float(law.exponent or 0) * (1 - 0.4 * np.minimum(a, 1.0) ** float(law.correction_exponent))
    return np.ones_like(a)


def _repeated(values: NDArray, *sizes: int) -> NDArray:
    """Return values with further dimensions along which they are the same."""
    further = values.reshape(values.shape + (1,) * len(sizes))
    return np.broadcast_to(further, values.shape + sizes)


def _law(case: Case) -> str:
    prediction = case.prediction
    title = with_regime(prediction.title or prediction.expected, prediction.regime.label)
    return f"{title} (power of {VARIABLES[prediction.variable]})" if is_power(prediction) else title
