"""How far the kernel moves where weights have grown."""

from __future__ import annotations

import dataclasses

import sympy

from theory.claim import claim
from theory.model import MAX_DEPTH, Model
from theory.notation import plain, rational, tex
from theory.prediction import Form, Prediction, Regime, Step
from theory.regimes import FEATURE_EDGE, growth_regime, window_edge
from theory.scaling import A, Feature, neuron_growth, power
from theory.steps import ARTICLE, DERIVED, RATIO, feature_steps, no_kernel_law, saturation_steps


@claim("Kernel change, feature regime", order=50, because="half the distance to the exponent of the next depth")
def kernel_change_feature(model: Model) -> Prediction:
    """Derive a = 2 - 2/D: a kernel of a function that is homogeneous of degree D in a common scale of its weights.

    At a fixed direction of the weights, that is. Whether the direction in which the flow ends depends on A is not
    derived for any activation: `kernel_homogeneity` says what follows where it does.
    """
    feature = Feature(model, neuron_growth(model.degree))
    change = feature.kernel_change
    reason = no_kernel_law(model)
    bounded = model.degree == 0 and not reason
    words = f"‖ΔΘ‖/‖Θ₀‖ ~ {plain(change)}, a = {rational(-power(change, A))}"
    return Prediction(
        claim="kernel_change_feature",
        quantity="kernel_change",
        variable="root_h_alpha",
        exponent=None if reason or bounded else power(change, A),
        expected=f"{words}, with large logarithmic corrections: no power to test" if bounded else words,
        not_claimed_because=reason,
        regime=kernel_regime(model),
        derivation=growth_steps(model),
        reference=f"{ARTICLE}, abstract: a < 2, a → 2 with depth; the formula 2 − 2/D is {DERIVED}",
        falsified_by="another power of A for A ≪ 1 at a fixed direction: where the rms output at the stop does not "
        "drift with A, or its drift does not account for the difference",
        correction_exponent=None if model.degree == 0 else feature.kernel_correction,
        form=Form.POWER_WITH_LOGARITHMS if bounded else Form.POWER,
        leading_exponent=power(change, A) if bounded else None,
        formula=rf"{RATIO} \sim {tex(change)}",
        margin=half_distance_to_next_depth(model),
        counts_layers=True,
    )


def kernel_regime(model: Model) -> Regime:
    """Return where the kernel's correction, A^(2/D), moves a local slope by less than the margin: the deeper, the less.

    At one to three hidden layers that is all of A <= `FEATURE_EDGE`.
    """
    margin = half_distance_to_next_depth(model)
    if model.degree == 0 or margin is None:
        return growth_regime(model)
    correction = Feature(model, neuron_growth(model.degree)).kernel_correction
    return growth_regime(model, min(FEATURE_EDGE, window_edge(correction, margin)))


def half_distance_to_next_depth(model: Model) -> float | None:
    """Return half the distance from a to that of the closer of the depths L - 1 and L + 1; None if a is the same.

    Farther off, a measured exponent is closer to the law of another depth.
    """

    def exponent(depth: int) -> sympy.Rational:
        return power(Feature(dataclasses.replace(model, depth=depth), neuron_growth(model.degree)).kernel_change, A)

    depths = [depth for depth in (model.depth - 1, model.depth + 1) if 1 <= depth <= MAX_DEPTH]
    distance = min(abs(exponent(depth) - exponent(model.depth)) for depth in depths)
    return float(distance / 2) or None


def growth_steps(model: Model) -> tuple[Step, ...]:
    """How the kernel grows with the weights."""
    change = Feature(model, neuron_growth(model.degree)).kernel_change
    if model.degree == 0 and no_kernel_law(model):
        return (*feature_steps(model), *saturation_steps(model), *_transition_steps(model))
    if model.degree == 0:
        last = Step(
            "A bounded activation passes no growth on: only the last layer grows as a power, the others "
            "logarithmically, and the kernel as its square, divided by logarithms:",
            rf"{RATIO} \sim {tex(change)} \quad (\text{{up to logarithms}}).",
        )
    else:
        last = Step(
            "By homogeneity |df/dW_l| ~ f/|W_l| at a fixed direction of the weights, so each part of the kernel grows "
            "as",
            rf"{RATIO} \sim \Lambda^{{2D-2}} \sim {tex(change)}, \qquad a = 2 - \frac{{2}}{{D}}.",
        )
    return (*feature_steps(model), last)


def _transition_steps(model: Model) -> tuple[Step, ...]:
    """Why kernels on held-out data follow no power where sigma saturates slowly, or not at all."""
    p = model.saturation
    if not model.switches:
        return (
            Step(
                "A neuron of large weights is a switch if σ tends to two different limits. Here large inner "
                "weights gain nothing: where each of them settles depends on the data, and so do the slopes there,",
                r"\Theta \sim A^{-2}\,\langle \sigma'^2 \rangle, \qquad \langle \sigma'^2 \rangle \text{ unknown}.",
            ),
        )
    if p is None:
        return ()
    return (
        Step(
            "The slope is σ′ ~ |z|^(−1−p) at a typical point, and of order one at a point within reach of the "
            "transition. All neurons of a layer share the direction that has grown: for few points, if any,",
            rf"\Theta \sim A^{{-2}} \quad\text{{instead of}}\quad A^{{-2}}\,g_{{L-1}}^{{-{rational(2 + 2 * p)}}}.",
        ),
    )
