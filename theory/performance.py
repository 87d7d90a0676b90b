"""Laws about the test error: which regime errs less, what ensembles and frozen kernels reproduce.

How well a network generalises depends on the data, so that power counting gives no sign for the difference between the
regimes: that one is the article's observation, claimed for the architectures on which it was made. That an ensemble
does for a width follows from the fluctuations alone.
"""

from __future__ import annotations

from fractions import Fraction

from theory.prediction import Prediction, Regime, Step
from theory.scaling import H, fluctuations, power

ARTICLE = "Geiger, Spigler, Jacot, Wyart, arXiv:1906.08034"
_FEATURE = Regime("feature", r"A \ll 1", high=1e-2)
_LAZY = Regime("lazy", r"A \gg 1", low=1e2)


def performance_laws() -> tuple[Prediction, ...]:
    """Return the laws, which no activation or depth changes."""
    return (*(_ensemble(regime) for regime in (_FEATURE, _LAZY)), _regime_preference(), _final_kernel())


def _ensemble(regime: Regime) -> Prediction:
    exponent = 2 * power(fluctuations(H), H)
    shown = Fraction(int(exponent.p), int(exponent.q))
    return Prediction(
        claim="ensemble",
        quantity="test error of the averaged output",
        variable="width",
        exponent=None,
        expected=f"the averaged output of m networks of width h errs as one network of width m^({-1 / shown})·h",
        regime=regime,
        derivation=(
            Step(
                "The excess error is the square of the fluctuation; averaging m independent outputs divides that by m:",
                rf"\epsilon_m(h) - \epsilon(\infty) \sim \delta F^2/m \sim h^{{{shown}}}/m.",
            ),
            Step(
                "A single network of another width has the same excess error for",
                rf"h'^{{{shown}}} = h^{{{shown}}}/m \;\Longleftrightarrow\; h' = m^{{{-1 / shown}}}\,h.",
            ),
        ),
        reference=f"{ARTICLE}, abstract; against it arXiv:2305.18411: narrow networks have a bias that averages keep",
        falsified_by="an ensemble that gains less than half of what the width m·h gains",
    )


def _regime_preference() -> Prediction:
    return Prediction(
        claim="regime_preference",
        quantity="test_error(A << 1) - test_error(A >> 1)",
        variable="root_h_alpha",
        exponent=None,
        expected="fully connected networks err less in the lazy regime, convolutional ones in the feature regime",
        regime=Regime("crossover", r"A = 10^{-4} \text{ against } 10^4"),
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


def _final_kernel() -> Prediction:
    return Prediction(
        claim="final_kernel",
        quantity="(error of the final kernel - the network's)/(error of the initial kernel - the network's)",
        variable="root_h_alpha",
        exponent=None,
        expected="gradient flow with the frozen final kernel errs as the network, where the initial kernel does not",
        regime=_FEATURE,
        derivation=(
            Step(
                "What training has learnt is in the final kernel. Observed, not derived: of what separates the network "
                "from its initial kernel, the final one misses little,",
                r"\frac{\epsilon_{\Theta_\mathrm{end}} - \epsilon}{\epsilon_{\Theta_0} - \epsilon} \approx 0.",
            ),
        ),
        reference=f"{ARTICLE}, figure of the frozen kernels (an observation)",
        falsified_by="a final kernel that misses more than a quarter of what separates network and initial kernel",
    )
