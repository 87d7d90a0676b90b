"""How claims are measured: what the files in `fit.claims` say of themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from fit.findings.finding import Finding
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

Measuring = Callable[[Measurements, Prediction], Finding]
_M = TypeVar("_M", bound=Callable)


@dataclasses.dataclass(frozen=True)
class Assessed:
    """One experiment with its predictions and what was found about each."""

    measurements: Measurements
    predictions: Sequence[Prediction]
    findings: Mapping[int, Finding]  #: by place among the predictions

    def finding(self, claim: str, variable: str) -> Finding | None:
        """Return what was found about a claim's law in ``variable``; None if there was none."""
        chosen = (
            self.findings[i]
            for i, law in enumerate(self.predictions)
            if i in self.findings and (law.claim, law.variable) == (claim, variable)
        )
        return next(chosen, None)

    def prediction(self, claim: str) -> Prediction | None:
        """Return the first prediction of a claim."""
        return next((law for law in self.predictions if law.claim == claim), None)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What several experiments together say of a claim."""

    name: str  #: of the experiments, jointly
    members: Sequence[Measurements]
    prediction: Prediction
    finding: Finding


Comparing = Callable[[Sequence[Assessed]], list[Comparison]]


@dataclasses.dataclass(frozen=True)
class Measure:
    """How a claim is measured, and how a report shows it."""

    claim: str
    needs: tuple[str, ...]  #: variables of the source
    measure: Measuring | None  #: within an experiment; None for a claim that only experiments together bear
    compare: Comparing | None = None  #: over several experiments
    group: str = "Others"  #: what tables put it under
    #: "curve": measured values and the fit; "collapse": beside it all amplitudes, divided by the predicted power of h
    figure: Literal["curve", "collapse"] = "curve"
    column: str | None = None  #: heading of its law in A, in a table of activations; None to leave it out
    stands_for_power: str | None = None  #: what tables write where a power is written, if it predicts none
    quantity: str | None = None  #: that it derives from the source: a law of anybody's in it is measured so, too


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
    quantity: str | None = None,
    compare: Comparing | None = None,
) -> Callable[[_M], _M]:
    """Make a function of measurements and a prediction the measure of the claim of its own name: a decorator.

    Parameters
    ----------
    group : str
        What tables put the claim under: "Kernel", "Weights", "Times", "Outputs" or "Test error".
    needs : sequence of str
        The variables of a source without which it is not measured.
    figure, column, stands_for_power, quantity
        See `Measure`.
    compare : callable, optional
        What several experiments together say of the claim, beside each of them.
    """

    def register(measure: _M) -> _M:
        _measures[measure.__name__] = Measure(
            measure.__name__, tuple(needs), measure, compare, group, figure, column, stands_for_power, quantity
        )
        return measure

    return register


def compares(*, group: str, stands_for_power: str | None = None) -> Callable[[_M], _M]:
    """Make a function of experiments the measure of the claim of its own name, which no experiment bears alone."""

    def register(compare: _M) -> _M:
        _measures[compare.__name__] = Measure(
            compare.__name__, (), None, compare, group, stands_for_power=stands_for_power
        )
        return compare

    return register
