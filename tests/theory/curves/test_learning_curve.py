"""Held-out square error from the kernel's spectrum, against kernel regression; exponents of errors against n."""

import numpy as np
import pytest
import scipy.linalg
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from simulate.data.synthetic import draw_points
from theory import Activation, InputError, infinite_width_kernels
from theory.curves import feature_exponent, lazy_exponent, learning_curve
from theory.curves.learning_curve import kernel_cusp


def digits():
    x, label = load_digits(return_X_y=True)
    x = x - x.mean(axis=0)
    x *= np.sqrt(x.shape[1]) / np.linalg.norm(x, axis=1, keepdims=True)
    return x, np.where(label % 2 == 0, 1.0, -1.0)


def regression(kernel, target, n, draws, ridge=0.0, noise=0.0, seed=0):
    """Mean square error on the points that were not drawn."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(draws):
        order = rng.permutation(len(target))
        train, test = order[:n], order[n:]
        labels = target[train] + noise * rng.standard_normal(n)
        matrix = kernel[np.ix_(train, train)] + ridge * np.eye(n)
        predicted = kernel[np.ix_(test, train)] @ scipy.linalg.solve(matrix, labels, assume_a="pos")
        errors.append(np.mean((predicted - target[test]) ** 2) + noise**2)
    return np.mean(errors)


@pytest.mark.parametrize(("activation", "depth"), [("relu", 3)])
def test_parity_of_digits_is_learnt_as_the_spectrum_says(activation, depth):
    """Within 7 % for n <= N/7: terms of the next order in 1/n."""
    x, y = digits()
    _, ntk = infinite_width_kernels(activation, depth, x)
    sizes = [32, 64, 128, 256]
    measured = [regression(ntk, y, n, draws=40) for n in sizes]
    np.testing.assert_allclose(learning_curve(ntk, y, sizes), measured, rtol=0.07)


@pytest.mark.parametrize(("ridge", "noise"), [(3.0, 0.0), (0.5, 0.5)])
def test_ridge_and_noise_enter_as_they_do_in_regression(ridge, noise):
    """400 Gaussian points in 30 directions of falling weight: 400 draws, 3 % each."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1500, 30)) / np.arange(1, 31)
    target = x @ rng.standard_normal(30)
    kernel = x @ x.T
    measured = regression(kernel, target, 60, 200, ridge, noise)
    assert learning_curve(kernel, target, [60], ridge=ridge, noise=noise)[0] == pytest.approx(measured, rel=0.06)


def test_the_first_point_learns_a_constant_and_what_no_kernel_spans_is_never_learnt():
    constant = np.ones((50, 50))
    target = np.r_[np.ones(25), -np.ones(25)] + 0.5
    # the mean, 1/2, is learnt from any number of points; the rest, of variance 1, is noise to this kernel
    # 10/9 over the pool, of which the ten training points err by 9/10
    exact = (50 * 10 / 9 - 10 * 9 / 10) / 40
    assert learning_curve(constant, target, [10])[0] == pytest.approx(exact, rel=1e-12)
    assert learning_curve(constant, target, [10], ridge=1e-9)[0] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("d", [5, 10, 20])
def test_a_cusp_decides_the_exponent_and_features_the_larger_one(d):
    """(d-1+xi)/(3d-3+xi) at xi = 1 is d/(3d-2); directions that carry nothing make the feature regime steeper."""
    assert lazy_exponent(d) == lazy_exponent(d, kernel_cusp(Activation("relu")))
    exponents = [feature_exponent(d, relevant) for relevant in (1, 2, d - 1, d)]
    assert exponents == sorted(exponents, reverse=True)
    assert exponents[-1] == lazy_exponent(d)


def power_of_margin_classifiers(rule, coordinates):
    """beta of the error n^-beta from n = 64 to 1,024, with the kernel of ReLU: six draws of 3,000 test points, 0.05."""
    sizes = [64, 128, 256, 512, 1024]
    errors = np.zeros(len(sizes))
    for draw in range(6):
        x, y = draw_points(rule, 1024 + 3000, coordinates, seed=draw)
        _, kernel = infinite_width_kernels("relu", 1, x, x[:1024])
        for i, n in enumerate(sizes):
            classifier = SVC(kernel="precomputed", C=1e8, tol=1e-4).fit(kernel[:n, :n], y[:n])
            errors[i] += np.mean(classifier.predict(kernel[1024:, :n]) != y[1024:])
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


@pytest.mark.parametrize("rule", ["one_direction", "stripes"])
@pytest.mark.parametrize("coordinates", [3, 4])
def test_margin_classifiers_err_on_a_stripe_as_the_dimension_of_the_sphere_says(rule, coordinates):
    """What is left of smaller n adds as much again as the draws scatter."""
    measured = power_of_margin_classifiers(rule, coordinates)
    assert measured == pytest.approx(float(lazy_exponent(coordinates - 1)), abs=0.1)


def test_on_a_cylinder_the_power_is_not_reached():
    """0.56 at four coordinates, where 3/7 is derived for large n: no law claims it."""
    assert power_of_margin_classifiers("cylinder", 4) == pytest.approx(0.56, abs=0.05)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(z, 0.2)", "hardtanh"])
def test_the_kernel_of_a_kink_has_a_linear_cusp(activation):
    """Theta(1) - Theta(cos r) at r = 1e-3 and 2e-3: a factor 2 within the next order, where smooth ones have 4."""
    base = np.array([[np.cos(r), np.sin(r)] for r in (0.0, 1e-3, 2e-3)]) * np.sqrt(2)
    for name, factor in ((activation, 2.0), ("softplus", 4.0)):
        _, ntk = infinite_width_kernels(name, 2, base)
        drop = ntk[0, 0] - ntk[0]
        assert drop[2] / drop[1] == pytest.approx(factor, rel=0.02)


def test_what_is_no_kernel_is_refused():
    with pytest.raises(InputError, match="symmetric"):
        learning_curve(np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones(2), [1])
    with pytest.raises(InputError, match="points"):
        learning_curve(np.eye(3), np.ones(3), [3])
    with pytest.raises(InputError, match="targets"):
        learning_curve(np.eye(3), np.ones(2), [1])
    with pytest.raises(InputError, match="directions"):
        feature_exponent(5, 6)
