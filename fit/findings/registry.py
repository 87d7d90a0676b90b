"""How claims are measured: what the files in `fit.claims` say of themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from fit.findings.finding import Finding
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

MeasureFunction = Callable[[Measurements, Prediction], Finding]
_F = TypeVar("_F", bound=Callable)


@dataclasses.dataclass(frozen=True)
class ExperimentFindings:
    """One experiment with its predictions and the finding about each."""

    measurements: Measurements
    predictions: Sequence[Prediction]
    findings: Mapping[int, Finding]  #: by index of the prediction; without those that need several experiments

    def rows(self) -> list[tuple[Measurements, Prediction, Finding]]:
        """Return the experiment, a prediction, and the finding about it, for each finding."""
        return [(self.measurements, self.predictions[i], finding) for i, finding in self.findings.items()]

    def finding(self, claim: str, variable: str) -> Finding | None:
        """Return the finding about a claim's law in ``variable``; None if there is none."""
        matching = (finding for _, law, finding in self.rows() if (law.claim, law.variable) == (claim, variable))
        return next(matching, None)

    def prediction(self, claim: str) -> Prediction | None:
        """Return the first prediction of a claim."""
        return next((law for law in self.predictions if law.claim == claim), None)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A claim that several experiments together are measured for."""

    name: str  #: of the experiments, jointly
    members: Sequence[Measurements]
    prediction: Prediction
    finding: Finding


CompareFunction = Callable[[Sequence[ExperimentFindings]], list[Comparison]]


@dataclasses.dataclass(frozen=True)
class Measure:
    """How a claim is measured, and how a report shows it."""

    claim: str
    needs: tuple[str, ...]  #: variables of the source
    measure: MeasureFunction | None  #: within an experiment; None for a claim about several experiments together
    compare: CompareFunction | None = None  #: over several experiments
    group: str = "Others"  #: what tables put it under
    #: "curve": measured values and the fit; "collapse": beside it all amplitudes, divided by the predicted power of h
    figure: Literal["curve", "collapse"] = "curve"
    column: str | None = None  #: heading of its law in A, in a table of activations; None to leave it out
    stands_for_power: str | None = None  #: what tables write where a power is written, if it predicts none
    measured_as: str = ""  #: what the estimate is where the claim is about no power: a few words
    quantity: str | None = None  #: derived from the source; a user's law in this quantity is measured in the same way


_measures: dict[str, Measure] = {}


def registered() -> dict[str, Measure]:
    """Return the measures whose files have been imported; `fit.judge.measuring` imports them all."""
    return _measures


def measures(
    *,
    group: str,
    needs: Sequence[str] = (),
    figure: Literal["curve", "collapse"] = "curve",
    column: str | None = None,
    stands_for_power: str | None = None,
    measured_as: str = "",
    quantity: str | None = None,
    compare: CompareFunction | None = None,
    claim: str | None = None,
) -> Callable[[_F], _F]:
    """Make a function of measurements and a prediction the measure of a claim: a decorator.

    Parameters
    ----------
    group : str
        What tables put the claim under: "Kernel", "Weights", "Times", "Outputs" or "Test error".
    needs : sequence of str
        The variables of a source without which it is not measured.
    figure, column, stands_for_power, measured_as, quantity
        See `Measure`.
    compare : callable, optional
        Measures the claim over several experiments, beside each of them.
    claim : str, optional
        By default the function's own name.
    """

    def register(measure: _F) -> _F:
        name = claim or measure.__name__
        _measures[name] = Measure(
            name, tuple(needs), measure, compare, group, figure, column, stands_for_power, measured_as, quantity
        )
        return measure

    return register


def compares(*, group: str, stands_for_power: str | None = None, measured_as: str = "") -> Callable[[_F], _F]:
    """Make a function of several experiments the measure of the claim of its own name: a decorator."""

    def register(compare: _F) -> _F:
        _measures[compare.__name__] = Measure(
            compare.__name__, (), None, compare, group, stands_for_power=stands_for_power, measured_as=measured_as
        )
        return compare

    return register
