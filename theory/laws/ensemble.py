"""Whether an average over seeds does for a larger width: that follows from the fluctuations alone."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import power_plain, power_tex, rational
from theory.prediction import Form, Prediction, Regime, Step
from theory.regimes import feature_regime, lazy_regime
from theory.scaling import H, fluctuations, power
from theory.steps import ARTICLE


@claim("Ensembles in place of width", order=170)
def ensemble(model: Model) -> tuple[Prediction, ...]:
    """Derive the claim in both regimes; no activation or depth changes it."""
    return _in(feature_regime()), _in(lazy_regime(model))


def _in(regime: Regime) -> Prediction:
    exponent = 2 * power(fluctuations(H), H)
    shown, in_width = rational(exponent), -1 / exponent
    return Prediction(
        claim="ensemble",
        quantity="test error of the averaged output",
        variable="width",
        exponent=None,
        form=Form.COMPARISON,
        expected="the averaged output of m networks of width h errs as one network of width "
        f"{power_plain('m', in_width)}·h",
        regime=regime,
        derivation=(
            Step(
                "The excess error is the square of the fluctuation; averaging m independent outputs divides that by m:",
                rf"\epsilon_m(h) - \epsilon(\infty) \sim \delta F^2/m \sim h^{{{shown}}}/m.",
            ),
            Step(
                "A single network of another width has the same excess error for",
                rf"h'^{{{shown}}} = h^{{{shown}}}/m \;\Longleftrightarrow\; h' = {power_tex('m', in_width)}\,h.",
            ),
        ),
        reference=f"{ARTICLE}, abstract; against it arXiv:2305.18411: narrow networks have a bias that averages keep",
        falsified_by="an ensemble that gains less than half of what the width m·h gains",
    )
