"""Which regime generalises better.

That depends on the data, so that power counting gives no sign: the article's observation, claimed for the architectures
on which it was made.
"""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.prediction import Form, Prediction, Regime, Step
from theory.steps import ARTICLE


@claim("Which regime generalises better", order=180)
def regime_preference(model: Model) -> Prediction:
    """State the article's observation."""
    return Prediction(
        claim="regime_preference",
        quantity="test_error(A << 1) - test_error(A >> 1)",
        variable="root_h_alpha",
        exponent=None,
        form=Form.COMPARISON,
        expected="on images, fully connected networks err less in the lazy regime, convolutional ones in the feature "
        "regime; on data with few relevant directions the feature regime wins",
        regime=Regime(None, r"A = 10^{-4} \text{ against } 10^4"),
        derivation=(
            Step(
                "An observation, which no power counting gives: over networks of equal initial weights the sign of",
                r"\epsilon(A = 10^{-4}) - \epsilon(A = 10^4).",
            ),
        ),
        reference=f"{ARTICLE}, abstract (an observation on image data, not a derivation; data with few relevant "
        "directions prefer the feature regime: arXiv:2007.11471)",
        falsified_by="the other sign of the difference, paired over initial weights",
    )
