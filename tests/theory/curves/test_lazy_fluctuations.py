"""The variance of lazily trained outputs, against kernel regression with the kernels of finite networks."""

import numpy as np
import pytest
from clouds import cloud

from theory import Activation, InputError, infinite_width_kernels
from theory.curves import lazy_output_variance
from theory.curves.lazy_network import signals


def test_the_variance_of_lazy_outputs():
    """Kernel regression with the tangent kernels of finite networks, over many seeds."""
    x, y = cloud(6, 4, seed=3)
    x_eval, _ = cloud(3, 4, seed=4)
    variance, error = lazy_output_variance("softplus", x, y, x_eval)
    phi, h, rng, outputs = Activation("softplus"), 4000, np.random.default_rng(5), []
    for _ in range(400):
        weights = [rng.standard_normal((h, 4)), rng.standard_normal((1, h))]
        training, evaluation = (signals(phi, weights, points) for points in (x, x_eval))
        outputs.append(evaluation.kernel(training) @ np.linalg.solve(training.kernel(training), y))
    _, ntk = infinite_width_kernels(phi, 1, x_eval, x)
    _, kernel = infinite_width_kernels(phi, 1, x)
    np.testing.assert_allclose(np.mean(outputs, axis=0), ntk @ np.linalg.solve(kernel, y), atol=0.05)
    np.testing.assert_allclose(h * np.var(outputs, axis=0), variance, rtol=0.3)
    assert np.all(error < 0.05 * variance)


def test_repeated_points_are_refused():
    x, _ = cloud(2)
    with pytest.raises(InputError, match="singular"):
        lazy_output_variance("relu", np.concatenate([x, x[:1]]), np.array([1.0, -1.0, 1.0]), x, neurons=10)
