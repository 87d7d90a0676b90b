"""How far the kernel moves in the lazy regime where f_0 is kept in F: no less than it takes to undo f_0."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.laws.kernel_change_lazy import CLEAR
from theory.model import Model
from theory.notation import plain, tex
from theory.prediction import Prediction, Regime, Step
from theory.regimes import lazy_delay
from theory.scaling import ALPHA, A, H, Lazy, power
from theory.steps import DERIVED, RATIO, lazy_steps


@claim(
    "Kernel change that undoes f₀",
    order=82,
    margin=0.2,
    because="two fifths of the distance to the power −1/2 at fixed A that first-order changes have with f₀ subtracted",
)
def kernel_plateau(model: Model) -> Prediction:
    """Derive the plateau ~ 1/h of networks that are trained on F = alpha f, for A >> h^(1/2)."""
    lazy = Lazy(model)
    change = lazy.change_undoing_output
    terms = lazy.kernel_terms_of(change)
    plateau = max((term for name, term in terms.items() if name != "flips"), key=lambda term: power(term, H))
    edge = sympy.solve(sympy.expand(ALPHA + lazy.initial.output), A)[0]
    refusal = (
        "neurons that pass a kink add a term h^(−3/4), which exceeds the others only for widths beyond 10⁴"
        if model.kinked
        else None
    )
    return Prediction(
        claim="kernel_plateau",
        quantity="kernel_change",
        variable="width",
        exponent=None if refusal else power(plateau, H),
        expected=f"without f₀ subtracted, ‖ΔΘ‖/‖Θ₀‖ ~ {plain(plateau)} at any A ≫ {plain(edge)}",
        not_claimed_because=refusal,
        regime=Regime("lazy", rf"A \gg {tex(edge)}", low=CLEAR * lazy_delay(model), low_width_exponent=power(edge, H)),
        derivation=(
            *lazy_steps(model)[:2],
            Step(
                "F = α f starts at α f₀, a sum over h neurons of random signs. For α f₀ ≫ 1 the fit "
                "takes what undoes it, whatever α is:",
                rf"f - f_0 \sim f_0 \sim {tex(lazy.initial.output)}, \qquad u \sim {tex(change)}.",
            ),
            Step(
                "The kernel changes of first and of second order in u, as in the lazy regime of networks whose f₀ is "
                "subtracted, are then of one size:",
                rf"{RATIO} \sim {tex(terms['first order'])} + {tex(terms['second order'])} \sim {tex(plateau)}.",
            ),
        ),
        reference=DERIVED,
        falsified_by="a kernel change that goes on falling with A, or another power of h, for A ≫ h^(1/2)",
        statistic="rms",
        subtracts_initial=False,
        formula=rf"{RATIO} \sim {tex(plateau)}",
    )
