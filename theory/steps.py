"""The steps that derivations share: how weights move while the initial ones dominate, and once they have grown."""

from __future__ import annotations

import math

import sympy

from theory.model import Model
from theory.notation import number, power_plain, rational, tex, times
from theory.prediction import Step
from theory.regimes import LAZY_CHANGE, growth_regime, lazy_delay, lazy_regime
from theory.scaling import Feature, Lazy, neuron_growth

ARTICLE = "Geiger, Spigler, Jacot, Wyart, arXiv:1906.08034"
DERIVED = "derived here by power counting for the model of arXiv:1906.08034"
#: Derivations mention the onset of the degree if it is beyond this: GELU's is 2, SiLU's 2.8.
SMALLEST_ONSET_MENTIONED = 4.0
#: The relative change of the kernel.
RATIO = r"\frac{\|\Delta\Theta\|}{\|\Theta_0\|}"


def lazy_steps(model: Model) -> tuple[Step, ...]:
    """How weights, signals and output move while the initial weights dominate, until training stops."""
    lazy = Lazy(model)
    return (
        Step(
            "While the initial weights dominate, a weight moves by T = t/α times the gradient of f; sums over the "
            "h neurons of a layer are coherent. The update adds to a layer's signal the relative change",
            rf"u \sim {times(_without_time(lazy))}T",
        ),
        Step(
            "and to the output",
            rf"f - f_0 \sim {times(_output_without_time(lazy))}T.",
        ),
        Step(
            "Training stops when α (f − f₀) ~ 1, hence",
            rf"T \sim {tex(lazy.duration)}, \qquad u \sim {tex(lazy.change)}.",
        ),
        *delay_steps(model),
    )


def delay_steps(model: Model) -> tuple[Step, ...]:
    """Why the lazy regime of an activation that is nearly constant begins late; nothing to say of others."""
    if lazy_delay(model) == 1:
        return ()
    lazy, regime = Lazy(model), lazy_regime(model)
    chi, half_depth = number(model.susceptibility), rational(sympy.Rational(model.depth, 2))
    return (
        Step(
            "Margins are reached by outputs that differ from input to input. A hidden layer leaves the share "
            f"χ = E[σ'²] = {chi} of the squared difference of two inputs (σ normalised). Signals and outputs then "
            "differ by χ^(L/2) of their size; the part of the tangent kernel that tells inputs apart is χ^L of it. "
            "That difference of signals changes by u, and that of outputs is to change by 1/α:",
            rf"\alpha\,\chi^{{{half_depth}}}\,{times(lazy.output_at_onset)}u \sim 1, \qquad "
            rf"u \sim \chi^{{-{half_depth}}}\,{tex(lazy.change)}.",
        ),
        Step(
            f"u is below {LAZY_CHANGE:g}, the smallest margin of a law of the frozen kernel, for",
            rf"A > {number(regime.low)}.",
        ),
    )


def _without_time(lazy: Lazy) -> sympy.Expr:
    # at onset u = 1: u = T / T_onset
    return -lazy.onset


def _output_without_time(lazy: Lazy) -> sympy.Expr:
    return sympy.expand(lazy.output_at_onset - lazy.onset)


def feature_steps(model: Model) -> tuple[Step, ...]:
    """How all layers grow to a common scale, and how large it is when training stops."""
    feature = Feature(model, neuron_growth(model.degree))
    degrees = ", ".join(rational(d) for d in feature.degrees)
    total = rational(feature.total_degree)
    steps = [
        Step(
            "Once the weights have outgrown their initial values, gradient flow conserves the differences of the "
            "squared gains of consecutive layers (balancedness), so that all layers that f depends on as a power grow "
            "to a common scale",
            r"g_l^2 \sim \Lambda^2 \quad\text{for all } l.",
        ),
        Step(
            f"For σ(z) ~ |z|^k with k = {rational(model.degree)}, f has the degree k^(L−l) in the gain of matrix "
            f"l ({degrees} from input to output), in all",
            rf"f \sim \sqrt{{h}}\,\Lambda^{{D}}, \qquad D = \sum_{{j=0}}^{{L}} k^j = {total}.",
        ),
        Step(
            "Training stops when α f ~ 1:",
            rf"\Lambda \sim {tex(feature.gain)}.",
        ),
    ]
    if model.onset > SMALLEST_ONSET_MENTIONED or not math.isinf(model.reach):
        ends = f" to {model.reach:.2g}" if not math.isinf(model.reach) else " on"
        steps.insert(
            1,
            Step(
                f"σ has the power k = {rational(model.degree)} for |z| from {model.onset:.2g}{ends} only. The "
                "first hidden layer's preactivations are of size Λ, and reach that for",
                rf"{growth_regime(model).condition}.",
            ),
        )
    if neuron_growth(model.degree) == 0:
        steps[-2] = Step(
            "A neuron's own weights grow as r′ ~ r^k with k > 1: each blows up at its own time, and the first one "
            "carries f alone, without the factor h of a coherent sum:",
            rf"f \sim h^{{-1/2}}\,\Lambda^{{{total}}}.",
        )
    return tuple(steps)


def no_mean_field(model: Model) -> str | None:
    """Why the feature laws can't be claimed for this degree and depth, or None."""
    k = model.degree
    if k == 0 and not model.switches:
        return (
            "σ is bounded and does not tend to two different limits, so that neurons of large weights are no "
            "switches, on which the laws rest"
        )
    if k > 1 and model.depth > 1:
        return (
            "for k > 1 single neurons blow up one after the other, and for two hidden layers or more the "
            "approach to the final balance is slower than any accessible A"
        )
    if 0 < k < sympy.Rational(1, 2):
        return "for 0 < k < 1/2 the few points near a transition dominate kernels on held-out data"
    return None


def no_kernel_law(model: Model) -> str | None:
    """Why the kernel's change is no power of A in the feature regime, or None."""
    saturates = model.switches and Feature(model).saturating_growth is not None
    if saturates and model.saturation is not None:
        return (
            f"σ nears its bound as {power_plain('|z|', -model.saturation)} only, so that the few points "
            "near a transition dominate kernels on held-out data"
        )
    return no_mean_field(model)


def once_corrected(correction: sympy.Rational | None) -> str:
    """What a power that is approached with a correction is to be measured with, as the end of a sentence."""
    if not correction:
        return ""
    return f", once the correction of relative size {power_plain('A', correction)} is fitted along"


def saturation_steps(model: Model) -> tuple[Step, ...]:
    """How the matrices below a slowly saturating activation grow, and what that does to the laws of the last one."""
    feature = Feature(model)
    growth = feature.saturating_growth
    if growth is None or model.saturation is None:
        return ()
    gains = [growth ** (model.depth - layer) * -feature.gain_correction for layer in range(model.depth)]
    listed = r",\quad ".join(rf"g_{layer} \sim A^{{{rational(gain)}}}" for layer, gain in reversed([*enumerate(gains)]))
    p = rational(model.saturation)
    return (
        Step(
            f"Below it, balancedness reads g_l dg_l = (z σ′/σ) g dg of the next matrix, and σ nears its "
            f"bound as {power_plain('|z|', -model.saturation)}, with z ~ g_l:",
            rf"g_l^{{{rational(2 + model.saturation)}}} \sim g_{{l+1}}^2: \qquad {listed}.",
        ),
        Step(
            "The last hidden layer is that much below its bound, which corrects the last matrix and the time:",
            rf"f = v\,(1 - O(z^{{-{p}}})) = v\,(1 - O(A^{{{rational(feature.saturation_correction)}}})).",
        ),
    )
