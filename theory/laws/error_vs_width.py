"""What a finite width costs in test error."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import power_plain, rational
from theory.prediction import ANY_REGIME, Prediction, Regime, Step
from theory.scaling import H, fluctuations, power
from theory.steps import ARTICLE


@claim(
    "Excess test error of a finite width",
    order=160,
    margin=0.25,
    because="half the distance between 1/h and h^(−1/2)",
)
def error_vs_width(model: Model) -> Prediction:
    """Derive the excess error as the square of the fluctuation; no activation or depth changes it."""
    exponent = 2 * power(fluctuations(H), H)
    return Prediction(
        claim="error_vs_width",
        quantity="test_error(h) - test_error(infinity)",
        variable="width",
        exponent=exponent,
        expected=f"the excess test error falls as δF² ~ {power_plain('h', exponent)}",
        formula=rf"\epsilon(h) - \epsilon(\infty) \sim h^{{{rational(exponent)}}}",
        regime=Regime(ANY_REGIME, r"h \gg 1"),
        derivation=(
            Step(
                "A fluctuation δF of either sign moves the decision boundary; the error changes by its square:",
                rf"\epsilon(h) - \epsilon(\infty) \sim \delta F^2 \sim h^{{{rational(exponent)}}}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract; arXiv:1901.01608",
        falsified_by="another power of h in the excess error",
    )
