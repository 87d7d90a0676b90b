"""Where lazy training ends: alpha*."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import power_plain, rational, tex
from theory.prediction import Prediction, Regime, Step
from theory.scaling import ALPHA, A, H, Lazy, power
from theory.steps import ARTICLE, lazy_steps


@claim(
    "End of lazy training: α*",
    order=20,
    margin=0.1,
    because="a fifth of the distance between α* ~ h^(−1/2) and α* ~ 1 or 1/h",
)
def crossover(model: Model) -> Prediction:
    """Derive alpha* ~ h^(-1/2): the initial weights stop dominating at a fixed A."""
    lazy = Lazy(model)
    # alpha* in terms of h alone
    exponent = power(ALPHA.subs(A, lazy.crossover), H)
    return Prediction(
        claim="crossover",
        quantity="alpha at which kernel_change = 1",
        variable="width",
        exponent=exponent,
        expected=f"α* ~ {power_plain('h', exponent)}: lazy and feature training meet at a fixed A = √h·α",
        regime=Regime(None, r"\|\Delta\Theta\| = \|\Theta_0\|"),
        derivation=(
            *lazy_steps(model),
            Step(
                "The initial weights stop dominating where u ~ 1, and there the kernel changes by its own size:",
                rf"A^* \sim {tex(lazy.crossover)} \;\Longleftrightarrow\; \alpha^* \sim h^{{{rational(exponent)}}}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract: α* ~ 1/√h",
        formula=rf"\alpha^* \sim h^{{{rational(exponent)}}}",
        falsified_by="another power of h in α* at a kernel change of 1 (levels far below are not this law)",
    )
