"""Which measurement answers which claim: the power law of its quantity, or a rule of its own in `OWN_RULE`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fit.claims.performance import ensemble, error_vs_width, final_kernel, regime_preference
from fit.estimators.censored import censored_slope
from fit.estimators.crossover import censoring
from fit.estimators.estimate import Estimate
from fit.estimators.jackknife import log_rms, log_standard_deviation
from fit.findings.collapse_law import collapse_law
from fit.findings.finding import MIN_SEEDS, MIN_WIDTHS, Finding, not_measured, sensitivity_row, trimmed
from fit.findings.logarithmic_law import logarithmic_law
from fit.findings.power_laws import amplitude_law, pooled_width_law, powers_at_the_stop, slope_of_widths, width_law
from fit.measurements.measurements import Measurements
from fit.user_predictions import UserPrediction
from theory.prediction import Form, Prediction

#: Further levels of the kernel change at which alpha* is told: the law -1/2 is claimed at and above 0.3.
LEVELS = (0.3, 3.0, 10.0)
#: With more than this share beyond the grid not even the censored likelihood gives a verdict.
MAX_CENSORED_LIKELIHOOD = 0.5
#: With more than this share of crossovers outside the grid they are no chance, and a censored likelihood takes over.
MAX_CENSORED = 0.05
#: A drift of the outputs at the stop is told where it moves the kernel's exponent by more than half its margin.
DRIFT_TOLD = 0.04


def find(found: Measurements, prediction: Prediction) -> Finding:
    """Measure what ``prediction`` is about in one experiment.

    A claim without a rule of its own, and a user's own prediction whatever its claim is called, is about its quantity.
    """
    if prediction.variable not in ("root_h_alpha", "width"):
        return not_measured(f"powers of {prediction.variable} are not measured")
    rule = OWN_RULE.get(prediction.claim)
    if isinstance(prediction, UserPrediction):
        rule = None
        found = found.within(*prediction.width_range)
        if not found.widths.size:
            return not_measured("no width lies in [{:g}, {:g}]".format(*prediction.width_range))
    law = rule or _law_of_quantity(prediction)
    missing = [name for name in law.needs if name not in found]
    if missing:
        return not_measured(f"the source does not hold {', '.join(missing)}")
    if rule is None and not found.is_one_number(prediction.quantity):
        return not_measured(f"{prediction.quantity} is not one number for each network")
    return law.measure(found, prediction)


@dataclasses.dataclass(frozen=True)
class Law:
    """The variables a claim needs and how it is measured."""

    needs: tuple[str, ...]
    measure: Callable[[Measurements, Prediction], Finding]


def _power_law(variable: str, y_label: str, *, corrected: bool = False) -> Law:
    def measure(found: Measurements, prediction: Prediction) -> Finding:
        logs = _logs(found.network(variable), prediction.statistic)
        return _law_of(found, prediction, logs, y_label, corrected=corrected)

    return Law((variable,), measure)


def _law_of(
    found: Measurements, prediction: Prediction, logs: NDArray, y_label: str, *, corrected: bool = False, curves=False
) -> Finding:
    if prediction.variable == "root_h_alpha":
        return amplitude_law(found, prediction, logs, y_label, corrected=corrected)
    return width_law(found, prediction, logs, y_label, curves=curves)


def _logs(values: NDArray, statistic: str) -> NDArray:
    """Logarithms per network, or pseudo-values of the logarithm of the rms over seeds.

    A mean or a median over seeds is estimated by the mean of the logarithms: all three have the same power.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = log_rms(values**2) if statistic == "rms" else np.log(values)
    return np.where(np.isfinite(logs), logs, np.nan)


def _kernel_change_feature(found: Measurements, prediction: Prediction) -> Finding:
    """The power of A; beside it, whether the flow ends in a direction that does not depend on A, as the law requires.

    What the derivation says is kernel_change ~ f^a, with f = F/alpha at the stop. The stop fixes the smallest margin:
    if the outputs on the other points grow towards A -> 0, a few points are the harder to fit the smaller A, and the
    power of A is a(1 - d ln F/d ln A) instead. So the sensitivity has the power of A/F as well, from which that drops
    out.
    """
    logs = _logs(found.network("kernel_change"), prediction.statistic)
    finding = amplitude_law(found, prediction, logs, r"\|\Delta\Theta\|/\|\Theta_0\|")
    if "test_output" not in found or prediction.exponent is None or finding.estimate is None:
        return finding
    drift, instead = powers_at_the_stop(found, prediction, logs)
    if drift is None:
        return finding
    rows = [
        sensitivity_row("against A/F, F = rms output at the stop, for A", instead),
        sensitivity_row("power of A of that output (0: its direction does not depend on A)", drift),
    ]
    notes = finding.notes
    if abs(drift.value * float(prediction.exponent)) > DRIFT_TOLD and instead is not None:
        notes += (
            f"outputs F at the stop go as A^({drift.value:+.2f}), so that the direction in which the flow ends depends "
            f"on A, which the derivation excludes; the power of A/F is {instead.value:.3f}",
        )
    return dataclasses.replace(finding, sensitivity=finding.sensitivity + rows, notes=notes)


def _half_time(found: Measurements, prediction: Prediction) -> Finding:
    times = found.network("time_half")
    if prediction.form is Form.LOGARITHM and prediction.claimed:
        return logarithmic_law(found, prediction, times, "t_{1/2}")
    corrected = prediction.correction_exponent is not None
    return _law_of(found, prediction, _logs(times, prediction.statistic), "t_{1/2}", corrected=corrected)


def _fluctuations(found: Measurements, prediction: Prediction) -> Finding:
    logs = log_standard_deviation(found.deviations)
    return _law_of(found, prediction, np.where(np.isfinite(logs), logs, np.nan), r"\delta F", curves=True)


def _output_growth(found: Measurements, prediction: Prediction) -> Finding:
    alpha = found.root_h_alpha / np.sqrt(found.widths)[:, None]
    logs = _logs(found.network("output_rms_linear") / alpha[..., None], prediction.statistic)
    return _law_of(found, prediction, logs, r"\mathrm{rms}\,f(t_1)")


def _crossover(found: Measurements, prediction: Prediction) -> Finding:
    """alpha* of each (width, seed), regressed on the width; where curves end before the level, with censoring."""
    logs = _logs(found.network("kernel_change"), "mean")
    log_h = np.log(found.widths)[:, None]
    crossing, side = _crossings(found, logs, 1.0)
    seen = np.where(side == 0, crossing, np.nan)
    everywhere = np.ones(found.root_h_alpha.shape, dtype=bool)
    finding = pooled_width_law(found, lambda _: seen - 0.5 * log_h, everywhere, r"\alpha^*")
    levels = [
        sensitivity_row(f"alpha* at kernel_change = {level:g}", _censored(found, *_crossings(found, logs, level)))
        for level in LEVELS
    ]
    finding = dataclasses.replace(finding, sensitivity=finding.sensitivity + levels)
    started = np.isfinite(logs).any(axis=1)
    censored = int((started & ~np.isfinite(seen)).sum())
    if not censored:
        return finding
    share = censored / started.sum()
    excluded = finding.excluded | {
        "its kernel change does not pass 1 between amplitudes at most a decade apart": censored
    }
    if share <= MAX_CENSORED:
        return dataclasses.replace(finding, excluded=excluded)
    refusal = finding.refusal
    tobit = _censored(found, crossing, side)
    if share > MAX_CENSORED_LIKELIHOOD or tobit is None or np.isnan(crossing[started]).any():
        refusal = (
            f"the kernel change of {share:.0%} of the seeds does not pass 1 between amplitudes at most a decade apart"
        )
        return dataclasses.replace(finding, excluded=excluded, refusal=refusal)
    # seeds at the end of the grid are a choice by the response; that their A* lies beyond it is known, and used
    note = f"{share:.0%} of the crossovers lie beyond the grid and enter as such (censored regression)"
    widths = np.minimum(started.sum(axis=1) // MIN_SEEDS, (side == 0).sum(axis=1)) > 0
    if widths.sum() >= MIN_WIDTHS:
        refusal = None
    return dataclasses.replace(finding, estimate=tobit, excluded=excluded, refusal=refusal, notes=(note,))


def _crossings(found: Measurements, logs: NDArray, level: float) -> tuple[NDArray, NDArray]:
    """Logarithm of A* and its censoring, each (width, seed)."""
    rows = []
    for a, curves in zip(found.root_h_alpha, logs, strict=True):
        there = np.isfinite(curves).any(axis=1)  # widths need not be measured at the same amplitudes
        there = there if there.any() else np.ones_like(there)
        rows.append(censoring(np.log(a[there]), curves[there], float(np.log(level))))
    value, side = (np.stack(part) for part in zip(*rows, strict=True))
    return value, side


def _censored(found: Measurements, crossing: NDArray, side: NDArray) -> Estimate | None:
    log_h = np.broadcast_to(np.log(found.widths)[:, None], crossing.shape)
    return censored_slope(log_h.ravel(), (crossing - 0.5 * log_h).ravel(), side.ravel())


def _collapse_exponent(found: Measurements, prediction: Prediction) -> Finding:
    return collapse_law(found, prediction, found.network("kernel_change"))


def _preactivation_velocity(found: Measurements, prediction: Prediction) -> Finding:
    """At fixed alpha the velocity of the first checkpoint: times alpha it is free of A, at equal initial weights.

    The flow starts from weights that do not depend on alpha, with a force ~ 1/alpha; so the power of h at fixed alpha
    is that of alpha·velocity, pooled over all amplitudes. The hidden layers, those below the last, are averaged in
    quadrature; the sensitivity has them one by one.
    """
    velocities = found.initial_velocities
    alpha = (found.root_h_alpha / np.sqrt(found.widths)[:, None])[..., None]
    everywhere = np.ones(found.root_h_alpha.shape, dtype=bool)

    def pool(values: NDArray, part: NDArray = everywhere) -> NDArray:
        logs = np.where(part[..., None], _logs(alpha * values, "mean"), 0.0)
        return logs.sum(axis=1) / np.maximum(part.sum(axis=1), 1)[:, None]

    label = r"\alpha\,|\dot z|"
    together = np.sqrt(np.mean(velocities**2, axis=-1))
    finding = pooled_width_law(found, lambda part: pool(together, part), everywhere, label)
    layers = [
        sensitivity_row(name, slope_of_widths(found, pool(together, part)))
        for name, part in trimmed(everywhere, found.root_h_alpha)
    ] + [
        sensitivity_row(f"hidden layer {i + 1}", slope_of_widths(found, pool(velocities[..., i])))
        for i in range(velocities.shape[-1])
    ]
    return dataclasses.replace(finding, sensitivity=finding.sensitivity + layers)


def _law_of_quantity(prediction: Prediction) -> Law:
    """The law of a named quantity: a derived one of the glossary, or a variable of the source."""
    name = prediction.quantity
    symbol = _SYMBOLS.get(name, rf"\mathrm{{{name.replace('_', ' ')}}}")
    return _QUANTITIES.get(name) or _power_law(name, symbol, corrected=prediction.correction_exponent is not None)


#: how figures write a variable of the store
_SYMBOLS = {
    "kernel_change": r"\|\Delta\Theta\|/\|\Theta_0\|",
    "weight_change": r"\|w-w_0\|",
    "time_linear": "t_1",
    "time_half": "t_{1/2}",
}

_QUANTITIES = {
    "fluctuation": Law(("test_output",), _fluctuations),
    "alpha_star": Law(("kernel_change",), _crossover),
}

#: claim -> how it is measured, where that is more than the power of one variable of the store
OWN_RULE: dict[str, Law] = {
    "crossover": Law(("kernel_change",), _crossover),
    "half_time": Law(("time_half",), _half_time),
    "kernel_change_feature": Law(("kernel_change",), _kernel_change_feature),
    "output_growth": Law(("output_rms_linear",), _output_growth),
    "ensemble": Law(("test_output",), ensemble),
    "regime_preference": Law(("test_error",), regime_preference),
    "final_kernel": Law(("test_error",), final_kernel),
    "error_vs_width": Law(("test_error",), error_vs_width),
    "preactivation_velocity": Law(("preactivation_velocity",), _preactivation_velocity),
    "collapse_exponent": Law(("kernel_change",), _collapse_exponent),
}
