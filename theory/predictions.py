"""What theory predicts for an activation and a depth: every law with its regime, its derivation and what refutes it.

All exponents come from `theory.scaling`, which solves the model of `theory.model`; here they are put into words, into
regimes of A = sqrt(h)·alpha on which a measurement can be made, and beside their sources.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any, Literal

import sympy

from theory.activation import Activation
from theory.errors import InputError
from theory.model import Model
from theory.performance import performance_laws
from theory.prediction import Prediction, Regime, Step
from theory.scaling import ALPHA, A, Feature, H, Lazy, fluctuations, neuron_growth, power

ARTICLE = "Geiger, Spigler, Jacot, Wyart, arXiv:1906.08034"
_VARIABLES: tuple[tuple[Literal["root_h_alpha", "width"], sympy.Symbol], ...] = (("root_h_alpha", A), ("width", H))
_RATIO = r"\frac{\|\Delta\Theta\|}{\|\Theta_0\|}"
_DERIVED = "derived here by power counting for the model of arXiv:1906.08034"

#: Feature laws are tested below this A: the corrections A^(2/D) have then fallen to about a tenth.
FEATURE_EDGE = 1e-2
#: ||w - w_0|| has larger corrections, A^(1/D), fitted along with their predicted power, and so a smaller window.
FEATURE_EDGE_WEIGHTS = 1e-3
#: Lazy laws without a competing term hold to a relative 1/A.
LAZY_EDGE = 1e2
#: c2/c1 of the two terms of the lazy kernel change, measured on digits and on random data: 3 for L = 1, 5 for L = 3.
LAZY_RATIO = {1: 3.0}
LAZY_RATIO_DEEP = 5.0
#: The crossover's collapse is tested up to here: beyond, the first-order term of the lazy kernel change breaks it.
CROSSOVER_EDGE = 10.0
#: Factor by which the dominating term should exceed its rival at the edge of a window.
CLEAR = 10.0


def predictions(activation: Activation, depth: int, model: Model | None = None) -> tuple[Prediction, ...]:
    """Derive the laws for fully connected networks.

    Parameters
    ----------
    activation : Activation
        Its degree at infinity and its kinks decide the exponents.
    depth : int
        Hidden layers L >= 1.
    model : Model, optional
        The scaling form to start from; default: the article's. With another one (a last layer ~ 1/h, say) the
        exponents change as that model's do.

    Raises
    ------
    InputError
        If the depth is not a positive number.
    """
    if model is None:
        model = Model(depth, activation.degree, not activation.smooth, saturation=activation.saturation)
    elif model.depth != depth:
        raise InputError("depth", depth, f"the model given has depth {model.depth}", "Give the same depth twice")
    return _predictions(model)


@functools.lru_cache(maxsize=256)
def _predictions(model: Model) -> tuple[Prediction, ...]:
    return (
        _crossover(model),
        _linear_time(model),
        *_half_time(model),
        *_fluctuations(model),
        *_kernel_change_feature(model),
        *_kernel_change_lazy(model),
        *_weight_change_feature(model),
        _weight_change_lazy(model),
        _output_growth(model),
        _preactivation_velocity(model),
        _error_vs_width(),
        _depth_trend(model),
        *_collapse_exponent(model),
        *performance_laws(),
    )


# -- regimes -----------------------------------------------------------------------------------------------------------


def _feature(edge: float = FEATURE_EDGE) -> Regime:
    return Regime("feature", r"A \ll 1", high=edge)


def _lazy(edge: float = LAZY_EDGE) -> Regime:
    return Regime("lazy", r"A \gg 1", low=edge)


def window_edge(correction: sympy.Rational, margin: float) -> float:
    """Return the A below which a correction 1 + A^w bends a local slope by less than ``margin``.

    The local slope of A^p (1 + b A^w) is p + w·b·A^w to first order; b is taken to be one.
    """
    w = float(correction)
    return min(1.0, (margin / w) ** (1.0 / w))


# -- words and formulas ------------------------------------------------------------------------------------------------


def _tex(scale: sympy.Expr) -> str:
    """h^p A^q in LaTeX."""
    parts = []
    for symbol, base in ((H, "h"), (A, "A")):
        exponent = power(scale, symbol)
        if exponent == 1:
            parts.append(base)
        elif exponent != 0:
            parts.append(f"{base}^{{{_rational(exponent)}}}")
    return r"\,".join(parts) or "1"


def _times(scale: sympy.Expr) -> str:
    """The scale as a factor in front of something: nothing if it is 1."""
    text = _tex(scale)
    return "" if text == "1" else text + r"\,"


def _rational(value: sympy.Rational) -> str:
    return str(value.p) if value.q == 1 else f"{value.p}/{value.q}"


def _alpha_tex(scale: sympy.Expr) -> str:
    """h^p alpha^q in LaTeX, for a scale given in h and A."""
    exponent_alpha = power(scale, A)
    exponent_h = power(scale, H) + exponent_alpha / 2
    parts = [f"h^{{{_rational(exponent_h)}}}"] if exponent_h else []
    if exponent_alpha:
        parts.append(r"\alpha" if exponent_alpha == 1 else rf"\alpha^{{{_rational(exponent_alpha)}}}")
    return r"\,".join(parts) or "1"


def _lazy_steps(model: Model) -> tuple[Step, ...]:
    lazy = Lazy(model)
    return (
        Step(
            "While the initial weights dominate, a weight moves by T = t/alpha times the gradient of f; sums over the "
            "h neurons of a layer are coherent. The update adds to a layer's signal the relative change",
            rf"u \sim {_times(_without_time(lazy))}T",
        ),
        Step(
            "and to the output",
            rf"f - f_0 \sim {_times(_output_without_time(lazy))}T.",
        ),
        Step(
            "Training stops when alpha (f - f_0) ~ 1, hence",
            rf"T \sim {_tex(lazy.duration)}, \qquad u \sim {_tex(lazy.change)}.",
        ),
    )


def _without_time(lazy: Lazy) -> sympy.Expr:
    # at onset u = 1: u = T / T_onset
    return -lazy.onset


def _output_without_time(lazy: Lazy) -> sympy.Expr:
    return sympy.expand(lazy.output_at_onset - lazy.onset)


def _feature_steps(model: Model) -> tuple[Step, ...]:
    feature = Feature(model, neuron_growth(model.degree))
    degrees = ", ".join(_rational(d) for d in feature.degrees)
    total = _rational(feature.total_degree)
    steps = [
        Step(
            "Once the weights have outgrown their initial values, gradient flow conserves the differences of the "
            "squared gains of consecutive layers (balancedness), so that all layers that f depends on as a power grow "
            "to a common scale",
            r"g_l^2 \sim \Lambda^2 \quad\text{for all } l.",
        ),
        Step(
            f"For sigma(z) ~ |z|^k with k = {_rational(model.degree)}, f has the degree k^(L-l) in the gain of matrix "
            f"l ({degrees} from input to output), in all",
            rf"f \sim \sqrt{{h}}\,\Lambda^{{D}}, \qquad D = \sum_{{j=0}}^{{L}} k^j = {total}.",
        ),
        Step(
            "Training stops when alpha f ~ 1:",
            rf"\Lambda \sim {_tex(feature.gain)}.",
        ),
    ]
    if neuron_growth(model.degree) == 0:
        steps[1] = Step(
            "A neuron's own weights grow as r' ~ r^k with k > 1: each blows up at its own time, and the first one "
            "carries f alone, without the factor h of a coherent sum:",
            rf"f \sim h^{{-1/2}}\,\Lambda^{{{total}}}.",
        )
    return tuple(steps)


def _no_mean_field(model: Model) -> str | None:
    """Why the feature laws can't be claimed for this degree and depth, or None."""
    k = model.degree
    if k > 1 and model.depth > 1:
        return (
            "no verdict: for k > 1 single neurons blow up one after the other, and for two hidden layers or more the "
            "approach to the final balance is slower than any accessible A"
        )
    if 0 < k < sympy.Rational(1, 2):
        return "no verdict: for 0 < k < 1/2 the few points near a transition dominate kernels on held-out data"
    return None


def _no_kernel_law(model: Model) -> str | None:
    """Why the kernel's change is no power of A in the feature regime, or None."""
    if Feature(model).saturating_growth is not None:
        return (
            f"no verdict: sigma nears its bound as |z|^(-{_rational(model.saturation)}) only, so that the few points "
            "near a transition dominate kernels on held-out data"
        )
    return _no_mean_field(model)


def _once_corrected(correction: sympy.Rational | None) -> str:
    """What a power that is approached with a correction is to be measured with, as the end of a sentence."""
    return f", once the correction of relative size A^({_rational(correction)}) is fitted along" if correction else ""


def _transition_steps(model: Model) -> tuple[Step, ...]:
    """Why kernels on held-out data follow no power where sigma saturates slowly."""
    p = model.saturation
    assert p is not None
    return (
        Step(
            "The slope is sigma' ~ |z|^-(1+p) at a typical point, and of order one at a point within reach of the "
            "transition. All neurons of a layer share the direction that has grown: for few points, if any,",
            rf"\Theta \sim A^{{-2}} \quad\text{{instead of}}\quad A^{{-2}}\,g_{{L-1}}^{{-{_rational(2 + 2 * p)}}}.",
        ),
    )


def _saturation_steps(model: Model) -> tuple[Step, ...]:
    """How the matrices below a slowly saturating activation grow, and what that does to the laws of the last one."""
    feature = Feature(model)
    growth = feature.saturating_growth
    if growth is None or model.saturation is None:
        return ()
    gains = [growth ** (model.depth - layer) * -feature.gain_correction for layer in range(model.depth)]
    listed = r",\quad ".join(
        rf"g_{layer} \sim A^{{{_rational(gain)}}}" for layer, gain in reversed([*enumerate(gains)])
    )
    p = _rational(model.saturation)
    return (
        Step(
            f"Below it, balancedness reads g_l dg_l = (z sigma'/sigma) g dg of the next matrix, and sigma nears its "
            f"bound as |z|^(-{p}), with z ~ g_l:",
            rf"g_l^{{{_rational(2 + model.saturation)}}} \sim g_{{l+1}}^2: \qquad {listed}.",
        ),
        Step(
            "The last hidden layer is that much below its bound, which corrects the last matrix and the time:",
            rf"f = v\,(1 - O(z^{{-{p}}})) = v\,(1 - O(A^{{{_rational(feature.saturation_correction)}}})).",
        ),
    )


# -- the laws ----------------------------------------------------------------------------------------------------------


def _crossover(model: Model) -> Prediction:
    lazy = Lazy(model)
    # alpha* in terms of h alone
    exponent = power(ALPHA.subs(A, lazy.crossover), H)
    return Prediction(
        claim="crossover",
        quantity="alpha at which kernel_change = 1",
        variable="width",
        exponent=exponent,
        expected=f"alpha* ~ h^({_rational(exponent)}): lazy and feature training meet at a fixed A = sqrt(h)·alpha",
        regime=Regime("crossover", r"\|\Delta\Theta\| = \|\Theta_0\|"),
        derivation=(
            *_lazy_steps(model),
            Step(
                "The initial weights stop dominating where u ~ 1, and there the kernel changes by its own size:",
                rf"A^* \sim {_tex(lazy.crossover)} \;\Longleftrightarrow\; \alpha^* \sim h^{{{_rational(exponent)}}}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract: alpha* ~ 1/sqrt(h)",
        falsified_by="alpha* at kernel_change = 1 moving with another power of h (levels far below 1 are not this law)",
    )


def _linear_time(model: Model) -> Prediction:
    lazy = Lazy(model)
    time = sympy.expand(lazy.onset + ALPHA)
    return Prediction(
        claim="linear_time",
        quantity="time_linear",
        variable="root_h_alpha",
        exponent=power(time, A),
        expected=f"t1 ~ {_plain(time)}: the trajectory leaves its tangent",
        regime=_feature(),
        derivation=(
            *_lazy_steps(model)[:2],
            Step(
                "Dynamics are linear as long as u << 1, so that they end, for A << 1 long before the stop, at",
                rf"t_1 = \alpha\,T\big|_{{u=1}} \sim {_tex(time)}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract: t1 ~ sqrt(h)·alpha",
        falsified_by="time_linear / A drifting with A for A << 1",
    )


def _half_time(model: Model) -> tuple[Prediction, ...]:
    feature, lazy = Feature(model), Lazy(model)
    duration, logarithmic = feature.completion
    time = sympy.expand(duration + ALPHA)
    growth = rf"\dot B \sim f \sim B^{{D/2}}, \qquad D = {_rational(feature.total_degree)}"
    if logarithmic:
        words = "t_half ~ A·(a + b·ln(1/A)): exponential growth, no power"
        step = Step(
            "For D = 2 growth is exponential: a factor 1/A takes a number of e-folds", r"t_{1/2} \sim A\,\ln(1/A)."
        )
    else:
        words = f"t_half ~ {_plain(time)}"
        step = Step("The time in which B grows to its final size is", rf"t_{{1/2}} \sim {_tex(time)}.")
    blocked = model.degree > 1
    correction = None if blocked else feature.completion_correction
    in_feature = Prediction(
        claim="half_time",
        quantity="time_half",
        variable="root_h_alpha",
        exponent=None if logarithmic or blocked else power(time, A),
        expected="no verdict: for k > 1 the time of the blow-up depends on the width" if blocked else words,
        regime=_feature(FEATURE_EDGE if correction is None else FEATURE_EDGE_WEIGHTS),
        derivation=(
            *_feature_steps(model),
            *_saturation_steps(model),
            Step("Beyond the end of linear dynamics the squared gain grows as", growth),
            step,
        ),
        reference=_DERIVED,
        falsified_by="another power of A"
        + (" (or, where a logarithm is predicted, a power)" if logarithmic else "")
        + _once_corrected(correction),
        correction_exponent=correction,
        logarithms=logarithmic,
    )
    lazy_time = sympy.expand(lazy.duration + ALPHA)
    in_lazy = Prediction(
        claim="half_time",
        quantity="time_half",
        variable="root_h_alpha",
        exponent=power(lazy_time, A),
        expected="t_half independent of A: the frozen kernel sets the pace",
        regime=_lazy(),
        derivation=(*_lazy_steps(model), Step("In article time,", rf"t = \alpha T \sim {_tex(lazy_time)}.")),
        reference=_DERIVED,
        falsified_by="time_half changing with A for A >> 1",
    )
    return in_feature, in_lazy


def _fluctuations(model: Model) -> tuple[Prediction, ...]:
    exponent = power(fluctuations(H), H)
    laws = []
    for regime, steps, what in (
        (_feature(), _feature_steps(model), "the drive of the grown weights"),
        (_lazy(), _lazy_steps(model), "the tangent kernel"),
    ):
        blocked = regime.name == "feature" and neuron_growth(model.degree) == 0
        laws.append(
            Prediction(
                claim="fluctuations",
                quantity="fluctuation",
                variable="width",
                exponent=None if blocked else exponent,
                expected=(
                    "no verdict: for k > 1 few neurons carry the output, so it does not average over the width"
                    if blocked
                    else f"delta F ~ h^({_rational(exponent)}) ({regime.name} regime)"
                ),
                regime=regime,
                derivation=(
                    *steps,
                    Step(
                        f"At the stop F ~ 1, whatever the width. F is decided by {what}, a sum over h exchangeable "
                        "neurons; by the central limit theorem it differs from seed to seed by",
                        rf"\frac{{\delta F}}{{F}} \sim \frac{{\sqrt{{h}}}}{{h}} = h^{{{_rational(exponent)}}}.",
                    ),
                ),
                reference=f"{ARTICLE}, abstract: delta F ~ 1/sqrt(h) in both regimes",
                falsified_by="the seed-to-seed standard deviation of F falling with another power of h",
            )
        )
    return tuple(laws)


def _kernel_change_feature(model: Model) -> tuple[Prediction, ...]:
    feature = Feature(model, neuron_growth(model.degree))
    change = feature.kernel_change
    in_a, in_h = power(change, A), power(change, H)
    reason = _no_kernel_law(model)
    bounded = model.degree == 0 and not reason
    steps = (
        *_feature_steps(model),
        Step(
            "By homogeneity |df/dW_l| ~ f/|W_l|, so each part of the kernel grows as",
            rf"{_RATIO} \sim \Lambda^{{2D-2}} \sim {_tex(change)}, \qquad a = 2 - \frac{{2}}{{D}}.",
        ),
    )
    if model.degree == 0 and reason:
        steps = (*_feature_steps(model), *_saturation_steps(model), *_transition_steps(model))
    elif bounded:
        steps = (
            *_feature_steps(model),
            Step(
                "A bounded activation passes no growth on: only the last layer grows as a power, the others "
                "logarithmically, and the kernel as its square, divided by logarithms:",
                rf"{_RATIO} \sim {_tex(change)} \quad (\text{{up to logarithms}}).",
            ),
        )
    words = f"||dTheta||/||Theta_0|| ~ {_plain(change)}, a = {_rational(-in_a)}"
    common: dict[str, Any] = {
        "claim": "kernel_change_feature",
        "quantity": "kernel_change",
        "derivation": steps,
        "correction_exponent": None if model.degree == 0 else feature.kernel_correction,
        "logarithms": bounded,
    }
    law = Prediction(
        variable="root_h_alpha",
        exponent=None if reason or bounded else in_a,
        expected=reason or (f"{words}, with large logarithmic corrections: no power to test" if bounded else words),
        regime=_feature(),
        reference=f"{ARTICLE}, abstract: a < 2, a -> 2 with depth; the formula 2 - 2/D is {_DERIVED}",
        falsified_by="another power of A for A << 1",
        **common,
    )
    collapse = Prediction(
        **{**common, "claim": "collapse"},
        variable="width",
        exponent=None if reason else in_h,
        expected=reason
        or (
            "kernel changes of all widths fall on one curve in A"
            if in_h == 0
            else f"no collapse in A: at fixed A the kernel change grows as h^({_rational(in_h)}), up to logarithms"
        ),
        regime=_feature(),
        reference=f"{ARTICLE}, figures: collapse in sqrt(h)·alpha",
        falsified_by="a power of h in the kernel change at fixed A",
    )
    return law, collapse


def _kernel_change_lazy(model: Model) -> tuple[Prediction, ...]:
    lazy = Lazy(model)
    terms = lazy.kernel_terms
    name = "flips" if model.kinked else "first order"
    low, high = lazy.dominates(name)
    ratio = LAZY_RATIO.get(model.depth, LAZY_RATIO_DEEP)
    # the rival at the lower edge is the second-order term
    factor = CLEAR if model.kinked else CLEAR * ratio
    regime = Regime(
        "lazy",
        rf"{_edge_tex(low)} \ll A" + ("" if high == sympy.oo else rf" \ll {_edge_tex(high)}"),
        low=factor,
        low_width_exponent=sympy.Rational(low),
        high=float("inf") if high == sympy.oo else CLEAR,
        high_width_exponent=sympy.S.Zero if high == sympy.oo else sympy.Rational(high),
    )
    second = Step(
        "Under v -> -v the output is odd and the kernel even, so that the change of first order in u averages to zero "
        "over initial weights and is seen as a fluctuation only; that of second order is coherent:",
        rf"{_RATIO} \simeq \left[(c_1\,{_tex(terms['first order'])})^2 + "
        rf"(c_2\,{_tex(terms['second order'])})^2\right]^{{1/2}}.",
    )
    steps = [*_lazy_steps(model), second]
    if model.kinked:
        steps.append(
            Step(
                "A kinked activation adds the neurons whose preactivation changes sign: a share u of the (neuron, "
                "datum) pairs, of random signs, in sums over h neurons:",
                rf"\sqrt{{u/h}} \sim {_tex(terms['flips'])}.",
            )
        )
    steps.append(
        Step(
            "This term is the largest for",
            rf"{_edge_tex(low)} \ll A" + ("" if high == sympy.oo else rf" \ll {_edge_tex(high)}."),
        )
    )
    return tuple(
        Prediction(
            claim="kernel_change_lazy",
            quantity="kernel_change",
            variable=variable,
            exponent=power(terms[name], symbol),
            expected=f"rms over seeds of ||dTheta||/||Theta_0|| ~ {_plain(terms[name])}"
            + ("" if variable == "root_h_alpha" else ": no collapse in A"),
            regime=regime,
            derivation=tuple(steps),
            reference=f"{_DERIVED}; it refines the slope -1 drawn in {ARTICLE}",
            falsified_by="another power of "
            + ("A" if variable == "root_h_alpha" else "h at fixed A, as in a collapse"),
            statistic="rms",
        )
        for variable, symbol in _VARIABLES
    )


def _edge_tex(edge: sympy.Expr) -> str:
    return "1" if edge == 0 else ("h" if edge == 1 else rf"h^{{{_rational(sympy.Rational(edge))}}}")


def _weight_change_feature(model: Model) -> tuple[Prediction, ...]:
    feature = Feature(model, neuron_growth(model.degree))
    change = feature.weight_change
    reason = _no_mean_field(model)
    correction = feature.saturation_correction if model.degree == 0 else feature.gain_correction
    edge = FEATURE_EDGE if correction is None else FEATURE_EDGE_WEIGHTS
    steps = (
        *_feature_steps(model),
        *_saturation_steps(model),
        Step(
            "A coherent gain Lambda takes weights of Frobenius norm",
            rf"\|w - w_0\| \sim \sqrt{{h}}\,\Lambda \sim {_tex(change)}.",
        ),
    )
    return (
        Prediction(
            claim="weight_change_feature",
            quantity="weight_change",
            variable="root_h_alpha",
            exponent=None if reason else power(change, A),
            expected=reason or f"||w - w_0|| ~ {_plain(change)}",
            regime=_feature(edge),
            derivation=steps,
            reference=_DERIVED,
            falsified_by="another power of A" + _once_corrected(correction),
            correction_exponent=correction,
        ),
    )


def _weight_change_lazy(model: Model) -> Prediction:
    change = Lazy(model).weight_change
    return Prediction(
        claim="weight_change_lazy",
        quantity="weight_change",
        variable="root_h_alpha",
        exponent=power(change, A),
        expected=f"||w - w_0|| ~ {_plain(change)}",
        regime=_lazy(),
        derivation=(
            *_lazy_steps(model),
            Step(
                "Weights move by T times the gradient, |df/dw| = Theta^(1/2):",
                rf"\|w - w_0\| = T\,\Theta^{{1/2}} \sim {_tex(change)}.",
            ),
        ),
        reference=f"{_DERIVED}; slope -1 drawn in {ARTICLE}",
        falsified_by="another power of A for A >> 1",
    )


def _output_growth(model: Model) -> Prediction:
    lazy = Lazy(model)
    return Prediction(
        claim="output_growth",
        quantity="output_rms_linear / alpha",
        variable="width",
        exponent=power(lazy.output_at_onset, H),
        expected=f"at t1 the output f - f_0 has grown to {_plain(lazy.output_at_onset)}",
        regime=_feature(),
        derivation=(
            *_lazy_steps(model)[:2],
            Step("At the end of linear dynamics, u = 1:", rf"f(t_1) - f_0 \sim {_tex(lazy.output_at_onset)}."),
        ),
        reference=f"{ARTICLE}, abstract: at t1 the output has grown by sqrt(h)",
        falsified_by="f - f_0 at time_linear growing with another power of h for A << 1",
    )


def _preactivation_velocity(model: Model) -> Prediction:
    lazy = Lazy(model)
    rate = sympy.expand(-(lazy.onset + ALPHA))
    at_fixed_alpha = power(rate, H) + power(rate, A) / 2
    return Prediction(
        claim="preactivation_velocity",
        quantity="preactivation_velocity",
        variable="width",
        exponent=at_fixed_alpha,
        expected=f"|dz/dt| ~ h^({_rational(at_fixed_alpha)}) at fixed alpha, in every hidden layer",
        regime=Regime("crossover", r"t \lesssim t_1, \ \alpha \text{ fixed}"),
        derivation=(
            *_lazy_steps(model)[:1],
            Step("Preactivations are of size 1 and change by u, hence", rf"\dot z \sim u/t \sim {_alpha_tex(rate)}."),
        ),
        reference=f"{ARTICLE}, figure of the preactivations' velocity",
        falsified_by="another power of h at fixed alpha",
    )


def _error_vs_width() -> Prediction:
    exponent = 2 * power(fluctuations(H), H)
    return Prediction(
        claim="error_vs_width",
        quantity="test_error(h) - test_error(infinity)",
        variable="width",
        exponent=exponent,
        expected=f"the excess test error falls as delta F^2 ~ h^({_rational(exponent)})",
        regime=Regime("crossover", r"h \gg 1"),
        derivation=(
            Step(
                "A fluctuation delta F of either sign moves the decision boundary; the error changes by its square:",
                rf"\epsilon(h) - \epsilon(\infty) \sim \delta F^2 \sim h^{{{_rational(exponent)}}}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract; arXiv:1901.01608",
        falsified_by="another power of h in the excess error",
    )


def _depth_trend(model: Model) -> Prediction:
    depths = (1, 2, 3, 5, 9)
    values = [-power(Feature(dataclasses.replace(model, depth=d)).kernel_change, A) for d in depths]
    listed = ", ".join(f"{_rational(a)} (L={d})" for a, d in zip(values, depths, strict=True))
    rising = all(a < b for a, b in itertools.pairwise(values))
    testable = rising and _no_kernel_law(model) is None
    return Prediction(
        claim="depth_trend",
        quantity="a = -d ln kernel_change / d ln A",
        variable="root_h_alpha",
        exponent=None,
        expected=f"a rises with depth: {listed}, and tends to 2"
        if testable
        else "no verdict: a does not depend on depth as a power law",
        regime=_feature(),
        derivation=_feature_steps(model),
        reference=f"{ARTICLE}, abstract: a < 2 and a -> 2 when depth grows",
        falsified_by="a falling with depth",
    )


def _collapse_exponent(model: Model) -> tuple[Prediction, ...]:
    """The nu of a collapse in alpha·h^nu: of the whole crossover, and of the lazy regime by itself."""
    nu = -power(ALPHA.subs(A, Lazy(model).crossover), H)
    blocked = model.degree > 1 or _no_kernel_law(model) is not None
    whole = Prediction(
        claim="collapse_exponent",
        quantity="nu: kernel_change is one function of alpha·h^nu",
        variable="width",
        exponent=None if blocked else nu,
        expected="no verdict: for k > 1 no alpha·h^nu collapses both regimes"
        if model.degree > 1
        else "no verdict: kernels on held-out data are no power of A"
        if blocked
        else f"the kernel changes of all widths are one function of alpha·h^({_rational(nu)})",
        regime=Regime("crossover", r"A \lesssim 10", high=CROSSOVER_EDGE),
        derivation=(
            *_lazy_steps(model),
            Step(
                "Both regimes meet at a fixed A, and neither law has another power of h:",
                rf"{_RATIO} = g(A), \qquad A = \alpha\,h^{{{_rational(nu)}}}.",
            ),
        ),
        reference=f"{ARTICLE}, figures: collapse in sqrt(h)·alpha",
        falsified_by="curves of different widths that another power of h brings together",
    )
    in_a, in_h = _kernel_change_lazy(model)
    if in_a.exponent is None or in_h.exponent is None:
        return (whole,)
    alone = sympy.Rational(1, 2) + in_h.exponent / in_a.exponent
    lazy = dataclasses.replace(
        in_h,
        claim="collapse_exponent",
        quantity=whole.quantity,
        exponent=alone,
        expected=f"in the lazy regime the kernel changes are one function of alpha·h^({_rational(alone)}) instead",
        derivation=(
            *in_h.derivation,
            Step(
                "A power of A and one of h at fixed A are one power of",
                rf"h^{{q}}A^{{p}} = (\alpha\,h^{{1/2 + q/p}})^p, \qquad "
                rf"\tfrac12 + \tfrac{{q}}{{p}} = {_rational(alone)}.",
            ),
        ),
        falsified_by="curves of different widths that another power of h brings together",
    )
    return whole, lazy


def _plain(scale: sympy.Expr) -> str:
    """h^p A^q in plain text."""
    parts = []
    for symbol, base in ((H, "h"), (A, "A")):
        exponent = power(scale, symbol)
        if exponent == 1:
            parts.append(base)
        elif exponent != 0:
            parts.append(f"{base}^({_rational(exponent)})")
    return "·".join(parts) or "1"
