"""Integrals over two correlated Gaussians, against moments and arc-cosine kernels."""

import mpmath
import numpy as np
import pytest

from theory.expression import parse
from theory.kernels.quadrature import GaussianPair, Unresolved, kinks, panels
from theory.kernels.rules import Rule, banded_means

CORRELATIONS = (-1.0, -0.7, 0.0, 0.4, 1 - 1e-6, 1.0)


def relu(z):
    return np.maximum(z, 0.0)


@pytest.mark.parametrize("c", CORRELATIONS)
@pytest.mark.parametrize(("s", "t"), [(1.0, 1.0), (0.3, 2.0), (2.0, 0.3)])
def test_moments_of_polynomials(s, t, c):
    """E[u v] = s t c, E[u² v²] = s² t² (1 + 2 c²), E[u³ v³] = s³ t³ (9 c + 6 c³)."""
    pair = GaussianPair((lambda z: z, np.square, lambda z: z**3), np.empty(0), 2.0)
    expected = [s * t * c, (s * t) ** 2 * (1 + 2 * c**2), (s * t) ** 3 * (9 * c + 6 * c**3)]
    np.testing.assert_allclose(pair(s, t, c), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_kinks_are_integrated_exactly(c):
    """The arc-cosine kernel of degree one (Cho & Saul 2009), whatever the angle."""
    angle = np.arccos(c)
    pair = GaussianPair((relu,), np.zeros(1), 2.0)
    expected = 2.0 * 0.5 * (np.sin(angle) + (np.pi - angle) * c) / (2 * np.pi)
    assert pair(2.0, 0.5, c)[0] == pytest.approx(expected, rel=1e-11, abs=1e-12)


def test_a_point_of_norm_zero_has_the_mean_of_the_other():
    """E[relu(u) f(0)]: 0 for relu, and f(0) E[f(u)] for relu + 1."""
    pair = GaussianPair((relu, lambda z: relu(z) + 1), np.zeros(1), 1.0)
    for sigma in ((1.0, 0.0), (0.0, 1.0)):
        np.testing.assert_allclose(pair(*sigma, 0.0), [0.0, 1 + 1 / np.sqrt(2 * np.pi)], rtol=1e-13)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("relu(z)", [0.0]),
        ("max(z, 1)", [1.0]),
        ("relu(z - 5)", []),
        ("tanh(z)", []),
        ("min(max(z, -1), 1)", [-1.0, 1.0]),
    ],
)
def test_switches_of_branches_within_reach(formula, expected):
    np.testing.assert_allclose(kinks(parse(formula), 3.0), expected, atol=1e-14)


def test_panels_begin_and_end_at_the_kinks_and_span_the_reach():
    edges = panels(lambda z: np.abs(z - 0.3), 1.0, [0.3])
    assert (edges[0], edges[-1]) == (-11.0, 11.0)
    assert 0.3 in edges
    assert len(edges) == 3  # a polynomial of degree one on either side


def test_what_varies_too_quickly_is_not_resolved():
    with pytest.raises(Unresolved):
        panels(lambda z: np.sin(1e5 * z), 1.0)


def test_the_matrix_of_the_density_has_the_moments_of_the_pair():
    """E[x² y²] = 1 + 2 c² on the nodes of two rules of the density's width."""
    c = 0.6
    rows, columns = (Rule.throughout(np.array([-9.0, 0.0, 9.0]), np.sqrt(1 - c**2)) for _ in range(2))
    means = banded_means(rows, columns, [rows.nodes[None] ** 2], [columns.nodes[None] ** 2], c)
    assert means.shape == (1, 1, 1)
    assert means[0, 0, 0] == pytest.approx(1 + 2 * c**2, rel=1e-12)


@pytest.mark.parametrize(
    ("s", "t", "c"),
    [(1.0, 1.0, 1 - 1e-10), (10.0, 9.99, 1 - 1e-6), (9.0, 2.0, -0.999), (0.2, 5.0, 0.3)],
)
def test_hardtanh_at_any_norms_and_angles_against_mpmath(s, t, c):
    """By one integral: given u, the mean of min(max(v, -1), 1) and the chance of |v| < 1 are in closed form."""
    pair = GaussianPair((lambda z: np.clip(z, -1, 1), lambda z: 1.0 * (abs(z) < 1)), np.array([-1.0, 1.0]), 10.0)
    with mpmath.workdps(20):
        s_, tc = mpmath.mpf(s), t * mpmath.mpf(c)
        width = t * mpmath.sqrt((1 - mpmath.mpf(c)) * (1 + mpmath.mpf(c)))

        def rectified(distance):
            """E[max(w - distance, 0)] for w of mean zero and deviation ``width``."""
            return width * mpmath.npdf(distance / width) - distance * mpmath.ncdf(-distance / width)

        def clipped(x):
            return -1 + rectified(-1 - tc * x) - rectified(1 - tc * x)

        def inside(x):
            return mpmath.ncdf((1 - tc * x) / width) - mpmath.ncdf((-1 - tc * x) / width)

        places = [(k + d * width) / tc for k in (-1, 1) for d in (-9, -3, 0, 3, 9)]
        chance, mean = (
            mpmath.quad(f, sorted([-end, end, *(p for p in [*places, *more] if abs(p) < end)]), method="gauss-legendre")
            for f, end, more in (
                (lambda x: inside(x) * mpmath.npdf(x), 1 / s_, ()),
                (lambda x: max(min(s * x, 1), -1) * clipped(x) * mpmath.npdf(x), 11, (-1 / s_, 1 / s_, -3, 0, 3)),
            )
        )
    np.testing.assert_allclose(pair(s, t, c), [float(mean), float(chance)], rtol=2e-13)
