"""What a comparison of prediction and measurement says."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.finding import Minimum
from fit.findings.outcome import Outcome
from lazyrich import html
from lazyrich.mathematics import mathml
from lazyrich.numbers import number, power, typeset
from theory.prediction import Form, with_regime

SCHEMA_VERSION = 1
#: how tables, texts and axes write a variable
VARIABLES = {"root_h_alpha": "A", "root_h_alpha_over_output": "A/F", "width": "h", "time": "t"}
#: fields for pages and figures
_NOT_IN_JSON = (
    "group",
    "figure",
    "column",
    "stands_for_power",
    "measured_as",
    "points",
    "decided_by",
    "band",
    "minimum",
)


@dataclass(frozen=True)
class Verdict:
    """One row of the report: a law, its measurement, and the outcome.

    ``estimate`` is the signed power of ``variable``; ``ci_low, ci_high`` its 95 % interval and
    ``ci90_low, ci90_high`` its 90 % one; all None where nothing could be estimated.

    ``points`` holds what the figure shows and is not part of the JSON: a dataset on one dimension ``point`` with the
    variables ``width`` and ``root_h_alpha`` (NaN where a value pools widths or amplitudes), ``y``, ``y_low``,
    ``y_high`` (95 % interval, NaN where unknown) and ``used`` (whether the point entered the estimate: points outside
    the window are there too, so that the whole curve can be drawn), and the attributes ``x`` (which variable is the
    abscissa: "root_h_alpha", "width", or a further variable: "root_h_alpha_over_output", A/F, or "neurons", m·h),
    ``y_label`` (LaTeX, without $), ``x_log``, ``y_log`` (0 or 1), ``window_low``, ``window_high`` (of the abscissa;
    left out where the window has no such end), where there is a fit, ``fit_exponent`` and ``fit_prefactor`` of
    y = prefactor * x**exponent, and where theory gives a curve without a free parameter, ``predicted_x``,
    ``predicted_y`` and the ``sentence`` about it.
    """

    experiment: str
    claim: str
    quantity: str
    variable: str
    predicted: str | None  #: exact rational as text, e.g. "-3/2"
    predicted_value: float | None
    expected: str  #: the prediction in words
    regime: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    ci90_low: float | None
    ci90_high: float | None
    margin: float | None
    verdict: Outcome
    reason: str  #: one sentence: why this outcome
    range: dict[str, Any]  #: {"variable", "low", "high"} of what was used
    n_points: int
    n_seeds: int
    n_widths: int
    excluded: dict[str, int] = field(default_factory=dict)  #: reason -> networks left out
    #: by how much the estimate is off in the worst case, if these were left out for the size of what is measured
    shift_by_excluded: float = 0.0
    sensitivity: list[dict[str, Any]] = field(default_factory=list)  #: estimate under other windows
    #: of theory's curves without a free parameter (`fit.curves.agreement.agreement`); shown, never the verdict
    goodness: list[dict[str, Any]] = field(default_factory=list)
    #: the predicted exponent and others, nearest first: name, exponent, value, standard_errors away, weight
    rivals: list[dict[str, Any]] = field(default_factory=list)
    #: how far the estimate scatters between draws of the training points: draws, standard_deviation, standard_error
    between_draws: dict[str, float] = field(default_factory=dict)
    conditional_on: str | None = None  #: what the interval is not over: a clause; None where it is over draws
    p_value: float | None = None  #: of the point-null estimate == predicted; shown, never the verdict
    store: str | None = None
    schema_version: int = SCHEMA_VERSION
    form: Form = Form.POWER  #: what kind of statement the law is
    not_claimed_because: str | None = None  #: why theory makes no claim; None where it makes one
    leading_exponent: str | None = None  #: the power that logarithms go with, where no power is judged
    by_construction: bool = False  #: a definition or an identity makes it hold
    standard_error: float | None = None  #: of the estimate
    title: str = ""  #: a few words for tables and headings
    formula: str = ""  #: LaTeX of the law alone; empty where there is none
    group: str = "Others"  #: what tables put the claim under
    figure: Literal["curve", "collapse"] = "curve"  #: "collapse": also all amplitudes, divided by the predicted power
    column: str | None = None  #: its heading in a table of activations, if it stands there
    stands_for_power: str | None = None  #: what tables write where a power is written, if none is predicted
    measured_as: str = ""  #: what the estimate is where the law is about no power: a few words
    in_short: str = ""  #: why nothing was decided, in a few words, where numbers of networks and margins do not say it
    #: the number that the estimate is compared with: the predicted power, or what a comparison would give, such as 1
    compared_with: float | None = None
    withheld: str | None = None  #: why the rule gives no verdict though there may be an estimate: a clause
    #: what the rule compares with the ``band`` in which the law holds; None where no interval decides
    decided_by: Estimate | None = field(default=None, compare=False, repr=False)
    band: tuple[float, float] | None = field(default=None, compare=False, repr=False)
    minimum: Minimum | None = field(default=None, compare=False, repr=False)  #: what too few data lack for a verdict
    points: xr.Dataset | None = field(default=None, compare=False, repr=False)

    @property
    def claimed(self) -> bool:
        """Whether theory makes a claim of this kind; if not, ``not_claimed_because`` says why."""
        return self.not_claimed_because is None

    @property
    def without_prediction(self) -> bool:
        """Whether theory predicts nothing that this measurement could be compared with."""
        return self.not_claimed_because is not None or self.form is Form.POWER_WITH_LOGARITHMS

    @property
    def outcome_in_words(self) -> str:
        """The outcome, with "undecided" told from "no prediction"."""
        if self.verdict != "inconclusive":
            return str(self.verdict)
        return "no prediction" if self.without_prediction else "undecided"

    @property
    def compared_is_the(self) -> str:
        """What the numbers are, in a few words: "power of A", or "measured over computed"."""
        if self.form in (Form.POWER, Form.POWER_WITH_LOGARITHMS, Form.BOUND):
            return f"power of {VARIABLES[self.variable]}"
        return self.measured_as

    @property
    def measured_in_words(self) -> str:
        """The estimate and the half-width of its 95 % interval; a dash where there is none."""
        measured = number(self.estimate)
        if self.estimate is None or self.ci_low is None or self.ci_high is None:
            return measured
        return f"{measured} ± {number((self.ci_high - self.ci_low) / 2)}"

    def __repr__(self) -> str:
        measured = "not measured" if self.estimate is None else f"measured {self.measured_in_words}"
        predicted = "" if self.predicted is None else f"predicted {power(self.predicted)}, "
        title = with_regime(self.title or self.claim, self.regime)
        compared = f" ({self.compared_is_the})" if self.compared_is_the else ""
        return f"<Verdict “{title}”{compared} in {self.experiment}: {self.outcome_in_words}; {predicted}{measured}>"

    def _repr_html_(self) -> str:
        rows = [
            ("experiment", self.experiment),
            ("law", mathml(self.formula) if self.formula and self.claimed else typeset(self.expected)),
            ("what is compared", self.compared_is_the or "–"),
            ("predicted", self.stands_for_power or power(self.predicted)),
            ("measured", self.measured_in_words),
            ("outcome", self.outcome_in_words),
            ("reason", typeset(self.reason)),
        ]
        return html.table(rows, caption=with_regime(self.title or self.claim, self.regime))

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain JSON values: None, never NaN or Infinity."""
        row = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _NOT_IN_JSON}
        return {name: _finite(value) for name, value in row.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return value
