"""Which regime generalises better.

That depends on the data, so that power counting gives no sign. Two are claimed: the article's observation on images,
for the architectures and from the number of points on for which it was made; and, for labels that one or two directions
decide, what compression of the others does (arXiv:2007.11471), for fully connected networks on the planted rules.
"""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.prediction import Form, Prediction, Regime, Step
from theory.regimes import lazy_regime
from theory.steps import ARTICLE

#: training images of the article's runs: with fewer, other signs were measured (docs/findings.md)
OBSERVED_FROM = 10_000
#: the A at which lazy networks are compared
LAZY_AMPLITUDE = 1e4


@claim("Regime of smaller test error", order=180)
def regime_preference(model: Model) -> Prediction:
    """State the article's observation, and the sign that compression of uninformative directions gives."""
    edge = lazy_regime(model).low
    refusal = f"A = 10⁴ is not in its lazy regime, which begins at A = {edge:.2g}" if edge > LAZY_AMPLITUDE else None
    return Prediction(
        claim="regime_preference",
        quantity="test_error(A << 1) - test_error(A >> 1)",
        variable="root_h_alpha",
        exponent=None,
        form=Form.COMPARISON,
        not_claimed_because=refusal,
        expected="where one or two of many directions decide the label, fully connected networks err less in the "
        f"feature regime; on images of all directions, N ≥ {OBSERVED_FROM:,} points, fully connected ones err less in "
        "the lazy regime and convolutional ones in the feature regime; no sign elsewhere: with fewer images it "
        "changes with N and h",
        regime=Regime(None, r"A = 10^{-4} \text{ against } 10^4"),
        derivation=(
            Step(
                f"On images an observation on {OBSERVED_FROM:,} points, which no power counting gives: over networks "
                "of equal initial weights the sign of",
                r"\epsilon(A = 10^{-4}) - \epsilon(A = 10^4).",
            ),
            Step(
                "Where only some of d directions decide the label, grown weights turn away from the d_⊥ others by a "
                "factor ~ n^(1/2), a frozen kernel does not. For one hidden layer, normal points and a kernel with a "
                "linear cusp, errors then fall as n^(−β) with (one direction; several)",
                r"\beta_\mathrm{feature} = \frac{2d-1}{3d-2};\ \frac{d + d_\perp/2}{3d-2} \quad > \quad "
                r"\beta_\mathrm{lazy} = \frac{d}{3d-2}.",
            ),
        ),
        dynamics=("gradient_flow", "adam"),  # the article's convolutional networks were trained by Adam
        reference=f"{ARTICLE}, abstract (an observation on image data, not a derivation); arXiv:2007.11471 "
        "(rules of few directions; the sign is judged, not the powers)",
        falsified_by="the other sign of the difference, paired over initial weights",
    )
