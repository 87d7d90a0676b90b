"""How fast preactivations move at the start."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import alpha_tex, power_plain, rational
from theory.prediction import ANY_REGIME, Prediction, Regime, Step
from theory.scaling import ALPHA, A, H, Lazy, power
from theory.steps import ARTICLE, lazy_steps


@claim(
    "Velocity of preactivations",
    order=140,
    margin=0.1,
    because="a fifth of the distance to a velocity independent of h",
)
def preactivation_velocity(model: Model) -> Prediction:
    """Derive |dz/dt| at fixed alpha, which is how the article shows it."""
    lazy = Lazy(model)
    rate = sympy.expand(-(lazy.onset + ALPHA))
    at_fixed_alpha = power(rate, H) + power(rate, A) / 2
    return Prediction(
        claim="preactivation_velocity",
        quantity="preactivation_velocity",
        variable="width",
        exponent=at_fixed_alpha,
        expected=f"|dz/dt| ~ {power_plain('h', at_fixed_alpha)} at fixed α, in every hidden layer",
        regime=Regime(ANY_REGIME, r"t \lesssim t_1, \ \alpha \text{ fixed}"),
        derivation=(
            *lazy_steps(model)[:1],
            Step("Preactivations are of size 1 and change by u, hence", rf"\dot z \sim u/t \sim {alpha_tex(rate)}."),
        ),
        reference=f"{ARTICLE}, figure of the preactivations' velocity",
        formula=rf"\dot z \sim h^{{{rational(at_fixed_alpha)}}} \quad (\alpha \text{{ fixed}})",
        falsified_by="another power of h at fixed α",
    )
