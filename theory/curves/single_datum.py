r"""One training point, one hidden layer, infinite width: closed forms of the crossover.

A neuron (u, v), u its preactivation and v its output weight, moves on a hyperbola: for sigma(z) = z,
(u, v) -> (u cosh tau + v sinh tau, u sinh tau + v cosh tau); for the normalised ReLU the same, sqrt(2) times as fast,
until u reaches zero, where the neuron dies. F = A <v sigma(u)> fixes tau at the stop, F = 1, and the kernel is
<sigma(u)²> + <v² sigma'(u)²>. Means over the initial Gaussians, u and v ~ N(0, 1):

    linear   F/A = sinh 2 tau,  Theta = 2 cosh 2 tau
    ReLU     F/A = [(pi/2 + theta) sinh 2 tau + sinh² tau]/(sqrt2 pi),  theta = arctan(coth tau),
             Theta = (2/pi) [(pi/2 + theta) cosh 2 tau + sinh 2 tau sinh² tau/cosh 2 tau].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.optimize

from lazyrich.errors import InputError
from theory.curves.training_set import amplitudes


def _linear(tau: float) -> tuple[float, float]:
    return np.sinh(2 * tau), 2 * np.cosh(2 * tau)


def _relu(tau: float) -> tuple[float, float]:
    angle = np.pi / 2 + np.arctan2(np.cosh(tau), np.sinh(tau))
    square = np.sinh(tau) ** 2
    output = (angle * np.sinh(2 * tau) + square) / (np.sqrt(2) * np.pi)
    return output, 2 / np.pi * (angle * np.cosh(2 * tau) + np.sinh(2 * tau) * square / np.cosh(2 * tau))


_FORMS = {"linear": _linear, "relu": _relu}


def single_datum_curve(activation: str, root_h_alpha: Sequence[float] | np.ndarray | float) -> np.ndarray:
    """Return (Theta_end - Theta_0)/Theta_0, signed, of a network with one hidden layer trained on one point to F = 1.

    Parameters
    ----------
    activation : str
        "linear" or "relu" (the normalised one, sqrt(2)·max(z, 0)).
    root_h_alpha : floats
        Values of A = sqrt(h)·alpha.

    Returns
    -------
    float64 array of shape (m,)

    Raises
    ------
    InputError
        If there is no closed form for the activation, or an A is not positive.

    Examples
    --------
    >>> single_datum_curve("relu", [3, 1, 0.1]).round(3).tolist()
    [0.04, 0.645, 13.162]
    """
    if activation not in _FORMS:
        raise InputError(
            "activation", activation, "has no closed form on one datum", f"Use one of {', '.join(_FORMS)}, or "
            "mean_field_curve, which takes any",
        )  # fmt: skip
    form = _FORMS[activation]
    changes = []
    for a in amplitudes(root_h_alpha):
        largest = 0.5 * np.arcsinh(4 / a) + 1.0
        tau = scipy.optimize.brentq(lambda t: form(t)[0] - 1 / a, 0.0, largest, xtol=1e-15, rtol=1e-14)  # noqa: B023
        changes.append(form(tau)[1] / form(0.0)[1] - 1.0)
    return np.array(changes)
