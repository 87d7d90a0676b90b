"""How large the steps of gradient descent may be."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.laws.kernel_change_feature import half_distance_to_next_depth, kernel_regime
from theory.model import Model
from theory.notation import plain, power_tex, tex
from theory.prediction import Prediction, Regime, Step
from theory.regimes import lazy_regime
from theory.scaling import A, Feature, neuron_growth, power
from theory.steps import DERIVED, feature_steps, lazy_steps, no_kernel_law


@claim(
    "Largest stable learning rate",
    order=150,
    margin=0.1,
    because="a fifth of the distance to rates that follow the kernel's root; in the feature regime that of the kernel",
)
def largest_rate(model: Model) -> tuple[Prediction, ...]:
    """Derive eta* ~ 1/||Theta||: gradient descent is stable while eta times the curvature is below 2."""
    feature = Feature(model, neuron_growth(model.degree))
    reason = no_kernel_law(model)
    in_feature = -feature.kernel_change
    bounded = model.degree == 0
    return (
        _law(
            in_feature,
            kernel_regime(model),
            feature_steps(model),
            not_claimed_because=reason or ("the kernel's power comes with logarithms" if bounded else None),
            margin=half_distance_to_next_depth(model),
        ),
        _law(sympy.S.Zero, lazy_regime(model), lazy_steps(model)),
    )


def _law(
    rate: sympy.Expr,
    regime: Regime,
    steps: tuple[Step, ...],
    *,
    not_claimed_because: str | None = None,
    margin: float | None = None,
) -> Prediction:
    gamma, by_richness = r"\gamma", 2 - power(rate, A)
    return Prediction(
        claim="largest_rate",
        quantity="largest_stable_rate",
        variable="root_h_alpha",
        exponent=None if not_claimed_because else power(rate, A),
        expected=f"gradient descent is stable up to η* ~ {plain(rate)}",
        not_claimed_because=not_claimed_because,
        regime=regime,
        derivation=(
            *steps,
            Step(
                "A step of gradient descent on the loss α⁻² mean l(F y) takes the time η of the article's flow. "
                "It contracts along the sharpest direction as long as η times the largest eigenvalue of the "
                "Gauss-Newton curvature, l″ Θ/n, is below 2; the kernel is largest where training ends:",
                rf"\eta^* \sim \frac{{2n}}{{l''\,\|\Theta\|}} \sim {tex(rate)}.",
            ),
            Step(
                "In units of the loss without α⁻² it is α² times that; with γ = 1/A,",
                rf"\eta^* \alpha^{{-2}} \sim {power_tex(gamma, by_richness)} \quad (h \text{{ fixed}}).",
            ),
        ),
        reference=f"{DERIVED}; γ² and γ^(2/L′) of arXiv:2410.04642 are its degree one",
        falsified_by="another power of A in the largest rate at which gradient descent on the square loss still fits",
        margin=margin,
        counts_layers=rate != 0,
        formula=rf"\eta^* \sim {tex(rate)}",
    )
