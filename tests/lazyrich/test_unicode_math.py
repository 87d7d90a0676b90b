"""Formulas on a terminal: every law and every step of a derivation, without LaTeX."""

from __future__ import annotations

import re

import pytest

from lazyrich.unicode_math import unicode_math
from theory import predictions


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{\|\Delta\Theta\|}{\|\Theta_0\|} \sim A^{-3/2}", "‖ΔΘ‖/‖Θ₀‖ ~ A^(−3/2)"),
        (r"\left(\frac{f}{\sqrt{h}}\right)^{2-2/D}", "(f/√h)^(2−2/D)"),
        (r"\alpha^* \sim h^{-1/2}", "α* ~ h^(−1/2)"),
        (r"h'^{-1} = h^{-1}/m \;\Longleftrightarrow\; h' = m\,h", "h′⁻¹ = h⁻¹/m  ⟺  h′ = m·h"),
        (r"-1 + (-2) - x", "−1 + (−2) − x"),
        (r"\frac{2d-1}{3d-2}", "(2d − 1)/(3d − 2)"),
        (r"\frac{L\,[c\,(2L+1)]}{3\,(L+1)}", "L·[c·(2L + 1)]/(3·(L + 1))"),
        (r"\sqrt{C(x)/(m\,h)}", "√(C(x)/(m·h))"),
        (r"\sum_{j=0}^{L} k^j \quad \sum_i a_i\,b", "∑_(j=0)^L k^j  ∑_i a_i·b"),
        (r"h\,\mathrm{Var}\,\xi + b \ln x", "h·Var ξ + b·ln x"),
        (r"\dot z \sim \bar\Theta, \ \alpha \text{ fixed}", "ż ~ Θ̄,  α fixed"),
        (r"t_{1/2} \lesssim 2.4 \cdot 10^{-6}", "t½ ≲ 2.4·10⁻⁶"),
        (r"\left(\frac{a}{b}\right)^2 \neq {\frac{a}{b}}^2", "(a/b)² ≠ (a/b)²"),
    ],
)
def test_a_formula_is_a_line_that_means_the_same(latex, text):
    assert unicode_math(latex) == text


@pytest.mark.parametrize("latex", [r"\nosuchcommand{1}", "x_1_2"])
def test_what_the_converter_does_not_know_is_shown_as_it_was_written(latex):
    assert unicode_math(latex) == latex


@pytest.mark.parametrize(("activation", "depth"), [("relu", 3), ("softplus", 1), ("tanh", 2), ("relu2", 1)])
def test_nothing_of_latex_is_left_of_any_law_or_derivation(activation, depth):
    laws = predictions(activation, depth)
    formulas = {law.formula for law in laws} | {step.latex for law in laws for step in law.derivation}
    assert len(formulas) > 30
    for formula in formulas:
        text = unicode_math(formula)
        assert not re.search(r"[\\{}]|\^\^|__|·[·)]", text), text
        for opening, closing in ("()", "[]"):
            assert text.count(opening) == text.count(closing), text
