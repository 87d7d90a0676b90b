"""Whatever formula a user types: a full set of predictions, or one clear refusal; never a wrong silence."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import Activation, InputError, infinite_width_kernels, predictions
from theory.__main__ import description
from theory.claims import claims

_leaf = st.sampled_from(["z", "z", "z", "1", "2", "0.5", "pi", "-3", "1e-3", "7"])
_unary = st.sampled_from(
    ["relu", "softplus", "sigmoid", "silu", "gelu", "tanh", "erf", "sin", "cos", "exp", "log", "sqrt", "abs", "sign",
     "leaky_relu", "heaviside"]
)  # fmt: skip


def _grow(inner):
    return st.one_of(
        st.builds("{}({})".format, _unary, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("({})**{}".format, inner, st.integers(0, 4)),
        st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), inner, inner),
        st.builds("where({} > {}, {}, {})".format, inner, inner, inner, inner),
    )


formulas = st.recursive(_leaf, _grow, max_leaves=6).filter(lambda text: "z" in text)
NO_POWERS = ("initial_kernel_variance", "lazy_error", "depth_trend", "ensemble", "regime_preference", "final_kernel")
CLAIMS = {
    "crossover", "linear_time", "half_time", "fluctuations", "kernel_change_feature", "collapse", "kernel_change_lazy",
    "weight_change_feature", "weight_change_lazy", "output_growth", "preactivation_velocity", "error_vs_width",
    "depth_trend", "collapse_exponent", "ensemble", "regime_preference", "final_kernel",
}  # fmt: skip


@given(formulas, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_predictions_or_a_refusal(formula, depth):
    try:
        activation = Activation(formula)
    except InputError:
        return
    laws = predictions(activation, depth)
    assert {p.claim for p in laws} == {claim.name for claim in claims()} >= CLAIMS
    for p in laws:
        assert p.exponent is not None or p.expected
        if p.exponent is None and p.claim not in NO_POWERS:
            assert p.logarithms or p.not_claimed_because, p
    # what is said of the activation is true of its values
    second = np.polynomial.hermite_e.hermegauss(2)  # it can be evaluated, vectorised
    assert np.all(np.isfinite(activation(second[0])))
    far = activation(np.array([-1e6, 1e6]))
    growth = math.log10(max(np.max(np.abs(far)), 1e-300)) / 6
    assert growth < float(activation.degree) + 0.7
    described = description(activation, depth)
    assert described["degree"] == str(activation.degree)


@given(formulas)
@settings(max_examples=25, deadline=None)
def test_kernels_of_whatever_is_an_activation(formula):
    """Finite and symmetric, with 1 on the NNGP's diagonal for inputs on the sphere; or a refusal."""
    x = np.array([[1.0, 1.0], [1.0, -1.0], [np.sqrt(2), 0.0]])
    try:
        nngp, ntk = infinite_width_kernels(formula, 1, x)
    except InputError:
        return
    np.testing.assert_allclose(np.diag(nngp), 1.0, rtol=1e-6)
    assert np.all(np.isfinite(ntk))
    assert np.all(np.diag(ntk) >= 1.0 - 1e-6)
