"""The steps that derivations share, by hand; and the reasons for which a law is not claimed."""

import math

import pytest
from sympy import Integer, Rational

from theory import Model
from theory.steps import (
    feature_steps,
    lazy_steps,
    no_kernel_law,
    no_mean_field,
    once_corrected,
    saturation_steps,
)

HALF = Rational(1, 2)


def test_the_lazy_steps_of_the_articles_model():
    assert [step.latex for step in lazy_steps(Model(3))] == [
        r"u \sim h^{-1/2}\,T",
        r"f - f_0 \sim T.",
        r"T \sim h^{1/2}\,A^{-1}, \qquad u \sim A^{-1}.",
    ]


def test_a_late_lazy_regime_is_derived_where_it_is_late():
    """chi = 0.04 at L = 3: 125/0.05."""
    *_, differences, edge = lazy_steps(Model(3, susceptibility=0.04))
    assert "χ = E[σ'²] = 0.04" in differences.text
    assert differences.latex == r"\alpha\,\chi^{3/2}\,h^{1/2}\,u \sim 1, \qquad u \sim \chi^{-3/2}\,A^{-1}."
    assert edge.latex == r"A > 2.5 \cdot 10^{3}."
    assert lazy_steps(Model(3, susceptibility=0.5)) == lazy_steps(Model(3))


def test_the_feature_steps_end_in_the_common_gain():
    *_, output, gain = feature_steps(Model(3))
    assert r"D = \sum_{j=0}^{L} k^j = 4." in output.latex
    assert gain.latex == r"\Lambda \sim A^{-1/4}."


def test_above_degree_one_f_has_no_factor_of_a_coherent_sum():
    *_, output, gain = feature_steps(Model(1, degree=Integer(2)))
    assert output.latex == r"f \sim h^{-1/2}\,\Lambda^{3}."
    assert gain.latex == r"\Lambda \sim h^{1/3}\,A^{-1/3}."


@pytest.mark.parametrize(
    ("onset", "reach", "mentioned"), [(2.8, math.inf, False), (700.0, math.inf, True), (1, 1e5, True)]
)
def test_a_degree_that_is_reached_late_or_left_again_is_mentioned(onset, reach, mentioned):
    texts = [step.text for step in feature_steps(Model(1, onset=onset, reach=reach))]
    assert any("only. The first hidden layer's" in text for text in texts) is mentioned


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Model(3), None),
        (Model(1, degree=Integer(2)), None),
        (Model(2, degree=Integer(2)), "for k > 1"),
        (Model(1, degree=Rational(1, 3)), "for 0 < k < 1/2"),
        (Model(1, degree=HALF), None),
        (Model(1, degree=Integer(0)), None),
        (Model(1, degree=Integer(0), switches=False), "does not tend to two different limits"),
    ],
)
def test_why_the_feature_laws_can_not_be_claimed(model, reason):
    for refusal in (no_mean_field(model), no_kernel_law(model)):
        assert refusal is None if reason is None else reason in refusal


def test_slow_saturation_spoils_the_kernels_law_alone():
    model = Model(2, degree=Integer(0), saturation=Integer(1))
    assert no_mean_field(model) is None
    assert "|z|⁻¹ only" in no_kernel_law(model)
    growth, correction = saturation_steps(model)
    # g_l^3 ~ g_(l+1)^2 from the last matrix, g_2 ~ 1/A, downwards
    assert growth.latex == r"g_l^{3} \sim g_{l+1}^2: \qquad g_1 \sim A^{-2/3},\quad g_0 \sim A^{-4/9}."
    assert correction.latex.endswith("(1 - O(A^{2/3})).")
    assert saturation_steps(Model(2)) == ()


def test_a_correction_is_named_at_the_end_of_a_sentence():
    assert once_corrected(None) == ""
    assert once_corrected(HALF) == ", once the correction of relative size A^(1/2) is fitted along"
