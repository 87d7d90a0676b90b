"""How far the weights move while the kernel is frozen."""

from __future__ import annotations

from theory.claim import claim
from theory.dynamics import SAME_COURSE_WHERE_LAZY
from theory.model import Model
from theory.notation import plain, tex
from theory.prediction import Prediction, Step
from theory.regimes import lazy_regime
from theory.scaling import A, Lazy, power
from theory.steps import ARTICLE, DERIVED, lazy_steps


@claim(
    "Weight change, lazy regime",
    order=100,
    margin=0.05,
    because="twice the curvature of the law at the window's edge",
)
def weight_change_lazy(model: Model) -> Prediction:
    """Derive ||w - w_0|| ~ 1/A: a time times a gradient that does not change."""
    change = Lazy(model).weight_change
    return Prediction(
        claim="weight_change_lazy",
        quantity="weight_change",
        variable="root_h_alpha",
        exponent=power(change, A),
        expected=f"‖w − w₀‖ ~ {plain(change)}",
        regime=lazy_regime(model),
        derivation=(
            *lazy_steps(model),
            Step(
                "Weights move by T times the gradient, |df/dw| = Θ^(1/2):",
                rf"\|w - w_0\| = T\,\Theta^{{1/2}} \sim {tex(change)}.",
            ),
            Step(
                "Steps on minibatches, too, are combinations of the training points' gradients J, which do not change: "
                "the weights end at the nearest point that has the outputs at the stop,",
                rf"w - w_0 = J^T (J J^T)^{{-1}} (f - f_0) \sim {tex(change)}.",
            ),
        ),
        reference=f"{DERIVED}; slope −1 drawn in {ARTICLE}",
        by_construction=True,
        dynamics=SAME_COURSE_WHERE_LAZY,
        formula=rf"\|w - w_0\| \sim {tex(change)}",
        falsified_by="another power of A for A ≫ 1",
    )
