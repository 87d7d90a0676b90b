r"""The seed-to-seed variance of a lazily trained two-layer network's output, without free parameters.

For one hidden layer the tangent kernel is an average over independent neurons, Theta_ij = <q_ij>,
q_ij = phi_i phi_j + v² phi'_i phi'_j x_i·x_j/d, at any width. Trained on the square loss to the end, the lazy predictor
is F(x) = k^T K^(-1) y, and a fluctuation of Theta moves it to first order by

    dF(x) = sum_j [dTheta(x, j) - sum_i a_i dTheta(i, j)] b_j,    a = K^(-1) k(x),   b = K^(-1) y:

again an average over neurons, so Var F(x) = C(x)/h with C the variance of one neuron's share.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.curves.training_set import training_set
from theory.kernels import infinite_width_kernels


def lazy_output_variance(
    activation: Activation | str,
    x: np.ndarray,
    y: np.ndarray,
    x_eval: np.ndarray,
    *,
    neurons: int = 100_000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return h·Var F(x) over initial weights for A -> infinity, one hidden layer, square loss trained to the end.

    Parameters
    ----------
    activation : Activation or str
    x, y : arrays of shape (n, d), (n,)
    x_eval : array of shape (m, d)
    neurons : int
        Samples of a neuron's share.

    Returns
    -------
    variance, standard_error : float64 arrays of shape (m,)
        C(x), and its Monte Carlo error.

    Raises
    ------
    InputError
        If an argument can't be used, or the kernel of the training points is singular.
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    data = training_set(x, y, x_eval)
    train, test = data.inputs, data.evaluation
    all_inputs = np.concatenate([train, test])
    # coordinates carry the 1/sqrt(d) already
    _, ntk = infinite_width_kernels(activation, 1, all_inputs * np.sqrt(all_inputs.shape[1]))
    n = len(train)
    try:
        factor = scipy.linalg.cho_factor(ntk[:n, :n])
    except np.linalg.LinAlgError as error:
        raise InputError("x", n, "the infinite-width kernel is singular on them", "Remove repeated points") from error
    b = scipy.linalg.cho_solve(factor, data.labels)
    a = scipy.linalg.cho_solve(factor, ntk[:n, n:])
    rng = np.random.default_rng(seed)
    gram = all_inputs @ train.T
    total = np.zeros((4, len(test)))
    for size in np.diff(np.linspace(0, neurons, max(2, neurons * (n + len(test)) // 2**24 + 2)).astype(int)):
        z = all_inputs @ rng.standard_normal((size, all_inputs.shape[1])).T
        v = rng.standard_normal(size)
        phi, slope = activation(z), activation.slope(z) * v
        # sum_j q_{.j} b_j of every neuron, at all points
        pushed = phi * (b @ phi[:n]) + slope * (gram @ (slope[:n] * b[:, None]))
        share = pushed[n:] - a.T @ pushed[:n]
        total += [np.sum(share**k, axis=1) for k in (1, 2, 3, 4)]
    m1, m2, m3, m4 = total / neurons
    variance = m2 - m1**2
    fourth = m4 - 4 * m3 * m1 + 6 * m2 * m1**2 - 3 * m1**4
    return variance, np.sqrt(np.maximum(fourth - variance**2, 0.0) / neurons)
