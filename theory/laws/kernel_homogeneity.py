"""How the kernel at the stop goes with the output at the stop: what homogeneity alone says."""

from __future__ import annotations

from theory.claim import claim
from theory.laws.kernel_change_feature import growth_steps, half_distance_to_next_depth, kernel_regime
from theory.model import Model
from theory.notation import power_plain, rational
from theory.prediction import Prediction, Step
from theory.scaling import Feature, neuron_growth
from theory.steps import DERIVED, RATIO, no_kernel_law


@claim(
    "Kernel change as a power of the output", order=10, because="half the distance to the exponent of the next depth"
)
def kernel_homogeneity(model: Model) -> Prediction:
    """Derive ||dTheta||/||Theta_0|| ~ (A/F)^(-a), F the rms output at the stop, without asking where the flow ends.

    The law in A presumes besides that the rms output F at the stop does not depend on A. The stop fixes the smallest
    margin only, so that F drifts as long as the direction of the weights does.
    """
    feature = Feature(model, neuron_growth(model.degree))
    exponent = -feature.kernel_by_output
    reason = no_kernel_law(model)
    if reason is None and model.degree == 0:
        reason = "σ is bounded, so that f is not homogeneous in the inner weights"
    return Prediction(
        claim="kernel_homogeneity",
        quantity="kernel_change",
        variable="root_h_alpha_over_output",
        exponent=None if reason else exponent,
        expected=f"‖ΔΘ‖/‖Θ₀‖ ~ {power_plain('(A/F)', exponent)}, F the rms output at the stop",
        not_claimed_because=reason,
        regime=kernel_regime(model),
        derivation=(
            *growth_steps(model),
            Step(
                "The last relation needs no stopping rule: at a given direction of the weights, f and Θ are "
                "homogeneous in their scale Λ, so that Λ drops out between them. With f = F/α,",
                rf"{RATIO} \sim \left(\frac{{f}}{{\sqrt{{h}}}}\right)^{{2-2/D}} = "
                rf"\left(\frac{{A}}{{F}}\right)^{{{rational(exponent)}}}.",
            ),
            Step(
                "The stop fixes the smallest margin, not the rms F: where the flow's direction still drifts with A, "
                "F ~ A^d, the power of A alone is another one. What d is has not been derived, for any activation:",
                rf"{RATIO} \sim A^{{{rational(exponent)}\,(1-d)}}.",
            ),
        ),
        reference=DERIVED,
        falsified_by="another power of A/F for A ≪ 1",
        correction_exponent=None if model.degree == 0 else feature.kernel_correction,
        margin=half_distance_to_next_depth(model),
        counts_layers=True,
        formula=rf"{RATIO} \sim (A/F)^{{{rational(exponent)}}}",
    )
