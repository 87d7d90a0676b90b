"""Infinite-width kernels against published formulas, independent integrals, and finite networks."""

import mpmath
import numpy as np
import pytest

from theory import Activation, InputError, infinite_width_kernels
from theory.kernels.dual import NoClosedForm, closed_form
from theory.kernels.infinite_width import ClosedDual, IntegratedDual, dual_of

CLOSED = ["relu", "leaky_relu", "abs(z)", "erf", "gelu", "relu2", "relu(z)**3", "z", "z**2", "z**3 - 3*z", "sin(2*z)",
          "cos(z)", "exp(-z**2/2)", "z*exp(-z**2)", "z*erf(z)", "sin(z) + z", "max(z, -0.2*z)",
          "z + sigmoid(2)"]  # fmt: skip
INTEGRATED = ["softplus", "tanh", "silu", "softplus(z, 20)", "max(z, tanh(z))", "min(max(z, -1), 1)", "relu(z - 0.3)",
              "sqrt(1 + z**2)", "relu(tanh(z))"]  # fmt: skip


def sphere(n, d, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, d))
    return x * np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)


def one_layer(activation, sigma_1, sigma_2, c):
    """The package's E[phi phi] and E[phi' phi'] of one pair."""
    inputs = np.array([[sigma_1, 0.0], [sigma_2 * c, sigma_2 * np.sqrt(1 - c**2)]]) * np.sqrt(2)
    nngp, ntk = infinite_width_kernels(activation, 1, inputs)
    return nngp[0, 1], (ntk - nngp)[0, 1] / (sigma_1 * sigma_2 * c)


def panels(edges, order=24):
    """Nodes and weights of Gauss and Legendre's rule in each interval between neighbours of (..., n) sorted edges."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges)[..., None] / 2
    middle = edges[..., :-1, None] + half
    return tuple(a.reshape(*edges.shape[:-1], -1) for a in (middle + half * nodes, half * weights))


def integral(activation, sigma_1, sigma_2, c):
    """The same by brute force: a product rule whose panels, half a standard deviation wide, are split at the kinks.

    Softplus of slope 20 has its poles 0.16 off the real axis: 24 nodes on a panel are then within 1e-12.
    """
    r = np.sqrt(1 - c**2)
    kinks = np.array([*activation.kinks, 0.0])
    grid = np.linspace(-9, 9, 37)
    x, weights_x = panels(np.sort(np.concatenate([grid, kinks / sigma_1])))
    kinks_y = np.clip((kinks / sigma_2 - c * x[:, None]) / r, -9, 9)
    y, weights_y = panels(np.sort(np.concatenate([np.broadcast_to(grid, (len(x), 37)), kinks_y], axis=1)))
    weights_x, weights_y = (w * np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi) for w, at in ((weights_x, x), (weights_y, y)))

    def mean(f):
        inner = np.sum(f(sigma_2 * (c * x[:, None] + r * y)) * weights_y, axis=1)
        return np.sum(f(sigma_1 * x) * inner * weights_x)

    return mean(activation), mean(activation.slope)


@pytest.mark.parametrize("activation", [*CLOSED, *INTEGRATED])
def test_one_layer_against_an_independent_integral(activation):
    phi = Activation(activation)
    for where in ((0.7, 1.1, -0.4),):
        np.testing.assert_allclose(one_layer(phi, *where), integral(phi, *where), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("activation", CLOSED)
def test_closed_forms_equal_quadrature(activation):
    """To 1e-10 relative to the size of the kernel, at norms and angles of all kinds."""
    phi = Activation(activation)
    closed, integrated = dual_of(phi), IntegratedDual(phi)
    assert isinstance(closed, ClosedDual)
    rng = np.random.default_rng(1)
    sigma_1, sigma_2 = rng.uniform(0.3, 1.6, (2, 6))
    correlation = np.concatenate([rng.uniform(-1, 1, 33), [1.0, -1.0, 1 - 1e-9]]).reshape(6, 6)
    exact = closed.between(sigma_1, sigma_2, 1)(sigma_1, sigma_2, correlation)
    found = integrated.between(sigma_1, sigma_2, 1)(sigma_1, sigma_2, correlation)
    for a, b in zip(exact, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.max(np.abs(a)))


@pytest.mark.parametrize("activation", INTEGRATED)
def test_tables_equal_the_integrals_that_they_stand_for(activation):
    """Many points on the sphere, and at many norms: the table within 1e-8 of the entries integrated one by one."""
    phi = Activation(activation)
    with pytest.raises(NoClosedForm):
        closed_form(phi.expression)
    several_norms = sphere(40, 6) * np.linspace(0.9, 1.1, 40)[:, None]
    for inputs in (sphere(60, 5), several_norms) if activation in ("tanh", "softplus") else (sphere(60, 5),):
        many = infinite_width_kernels(phi, 2, inputs)
        few = infinite_width_kernels(phi, 2, inputs[:2], inputs[2:4])
        for a, b in zip(many, few, strict=True):
            np.testing.assert_allclose(a[:2, 2:4], b, rtol=1e-8, atol=1e-8)


def test_arc_cosine_kernels():
    """Cho & Saul 2009: n = 0, 1, 2, times 2 for the normalised ReLU."""
    theta = np.linspace(0.05, np.pi - 0.05, 9)
    j1 = np.sin(theta) + (np.pi - theta) * np.cos(theta)
    j2 = 3 * np.sin(theta) * np.cos(theta) + (np.pi - theta) * (1 + 2 * np.cos(theta) ** 2)
    x = np.sqrt(2) * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    nngp, ntk = infinite_width_kernels("relu", 1, np.array([[np.sqrt(2), 0.0]]), x)
    np.testing.assert_allclose(nngp[0], j1 / np.pi, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ntk[0], j1 / np.pi + np.cos(theta) * (np.pi - theta) / np.pi, rtol=1e-12, atol=1e-14)
    squares, _ = infinite_width_kernels("relu2", 1, np.array([[np.sqrt(2), 0.0]]), x)
    np.testing.assert_allclose(squares[0], j2 / (3 * np.pi), rtol=1e-12, atol=1e-14)  # E[relu^4] = 3/2


def test_erf_and_gelu_as_published():
    """Williams 1997; Tsuchida et al. arXiv:2002.08517."""
    a, b, c = 0.6**2, 1.3**2, 0.45
    covariance = c * 0.6 * 1.3
    sigma, slope = one_layer(Activation("erf", normalise=False), 0.6, 1.3, c)
    assert sigma == pytest.approx(2 / np.pi * np.arcsin(2 * covariance / np.sqrt((1 + 2 * a) * (1 + 2 * b))), rel=1e-12)
    assert slope == pytest.approx(4 / np.pi / np.sqrt((1 + 2 * a) * (1 + 2 * b) - 4 * covariance**2), rel=1e-11)
    sigma, slope = one_layer(Activation("gelu", normalise=False), 0.6, 1.3, c)
    delta = np.sqrt((1 + a) * (1 + b) - covariance**2)
    psi = np.arctan2(covariance, delta)
    expected = covariance / 4 + (
        (covariance**2 + a * b * delta**2) / ((1 + a) * (1 + b) * delta) + covariance * psi
    ) / (2 * np.pi)
    assert sigma == pytest.approx(expected, rel=1e-12)
    expected = (
        0.25
        + psi / (2 * np.pi)
        + covariance / (2 * np.pi * delta) * (1 / delta**2 + (1 - a * b) / ((1 + a) * (1 + b)) + 1)
    )
    assert slope == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("depth", [1, 2, 5, 20])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs(z)", "linear"])
def test_normalised_homogeneous_networks_have_depth_plus_one_on_the_diagonal(activation, depth):
    nngp, ntk = infinite_width_kernels(activation, depth, sphere(5, 4))
    np.testing.assert_allclose(np.diag(nngp), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.diag(ntk), depth + 1, rtol=1e-12)


@pytest.mark.parametrize("activation", ["softplus", "tanh", "relu", "gelu"])
def test_the_diagonal_of_normalised_activations_against_mpmath(activation):
    """Sigma_2 = 1 on the sphere: the normalisation is right to 1e-12."""
    phi = Activation(activation)
    nngp, _ = infinite_width_kernels(phi, 3, sphere(3, 4))
    np.testing.assert_allclose(np.diag(nngp), 1.0, rtol=1e-11)
    exact = {
        "softplus": lambda z: mpmath.log1p(mpmath.exp(5 * z)) / 5,
        "tanh": mpmath.tanh,
        "relu": lambda z: max(z, 0),
        "gelu": lambda z: z * mpmath.ncdf(z),
    }[activation]
    with mpmath.workdps(30):
        second = mpmath.quad(lambda z: exact(z) ** 2 * mpmath.npdf(z), [-15, -5, -1, 0, 1, 5, 15])
    assert phi.normalisation == pytest.approx(float(second**-0.5), rel=1e-12)


@pytest.mark.parametrize("activation", ["relu", "softplus", "tanh"])
def test_wide_networks_have_these_kernels(activation):
    """The tangent kernel of networks of two hidden layers, averaged over initial weights, by the chain rule."""
    phi, width, x = Activation(activation), 300, sphere(4, 3, seed=3)
    rng = np.random.default_rng(4)
    kernels, outputs = [], []
    for _ in range(60):
        w0, w1, w2 = rng.standard_normal((3, width)), rng.standard_normal((width, width)), rng.standard_normal(width)
        z1 = x @ w0 / np.sqrt(3)
        x1 = phi(z1)
        z2 = x1 @ w1 / np.sqrt(width)
        x2 = phi(z2)
        d2 = w2 / np.sqrt(width) * phi.slope(z2)
        d1 = d2 @ w1.T / np.sqrt(width) * phi.slope(z1)
        kernels.append(x2 @ x2.T / width + (x1 @ x1.T / width) * (d2 @ d2.T) + (x @ x.T / 3) * (d1 @ d1.T))
        outputs.append(x2 @ x2.T / width)
    nngp, ntk = infinite_width_kernels(phi, 2, x)
    for sample, expected in ((kernels, ntk), (outputs, nngp)):
        error = np.std(sample, axis=0) / np.sqrt(len(sample))
        assert np.all(np.abs(np.mean(sample, axis=0) - expected) < 5 * error + 3 * np.abs(expected) / width)


@pytest.mark.parametrize("activation", ["relu2", "relu(z)**3", "softplus", "abs(z)", "min(max(z, -1), 1)"])
def test_never_nan_at_parallel_opposite_and_vanishing_inputs(activation):
    x = np.array([[1.0, 0.0], [1.0, 1e-9], [-1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    for kernel in infinite_width_kernels(activation, 3, x):
        assert np.all(np.isfinite(kernel))
        np.testing.assert_array_equal(kernel, kernel.T)


def test_kernels_are_positive_semidefinite():
    for activation in ("relu", "softplus", "relu2", "min(max(z, -1), 1)"):
        for kernel in infinite_width_kernels(activation, 3, sphere(40, 6)):
            eigenvalues = np.linalg.eigvalsh(kernel)
            assert eigenvalues[0] > -1e-8 * eigenvalues[-1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": True}, "depth"),
        ({"x1": np.zeros(3)}, "x1"),
        ({"x1": np.array([[np.nan, 1.0]])}, "x1"),
        ({"x1": [["a"]]}, "x1"),
        ({"x2": np.ones((2, 5))}, "x2"),
        ({"activation": "nosuch"}, "activation"),
        ({"activation": 3}, "activation"),
        ({"activation": "sin(z**4)"}, "activation"),
        ({"x1": np.full((1, 2), 1e200)}, "x1"),
        ({"activation": "relu(z)**4", "depth": 30, "x1": np.full((1, 2), 1e3)}, "depth"),
    ],
)
def test_what_can_not_be_computed_is_refused(changes, field):
    given = {"activation": "relu", "depth": 1, "x1": np.ones((2, 3)), "x2": None} | changes
    with pytest.raises(InputError) as caught:
        infinite_width_kernels(**given)
    assert caught.value.field == field
