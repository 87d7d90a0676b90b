"""How large the output is when dynamics stop being linear."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, tex
from theory.prediction import Prediction, Step
from theory.regimes import feature_regime
from theory.scaling import H, Lazy, power
from theory.steps import ARTICLE, lazy_steps


@claim("Output at t₁", order=120, margin=0.1, because="a fifth of the distance to no growth")
def output_growth(model: Model) -> Prediction:
    """Derive how much f has grown when weights have moved by their own size."""
    lazy = Lazy(model)
    return Prediction(
        claim="output_growth",
        quantity="output_rms_linear / alpha",
        variable="width",
        exponent=power(lazy.output_at_onset, H),
        expected=f"at t₁ the output f − f₀ has grown to {plain(lazy.output_at_onset)}",
        regime=feature_regime(),
        derivation=(
            *lazy_steps(model)[:2],
            Step("At the end of linear dynamics, u = 1:", rf"f(t_1) - f_0 \sim {tex(lazy.output_at_onset)}."),
        ),
        reference=f"{ARTICLE}, abstract: at t₁ the output has grown by √h",
        formula=rf"f(t_1) - f_0 \sim {tex(lazy.output_at_onset)}",
        falsified_by="f − f₀ at t₁ growing with another power of h for A ≪ 1",
    )
