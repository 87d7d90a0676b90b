r"""How much the tangent kernel of a finite network differs from seed to seed at initialisation, for any activation.

One input x, one output, all layers of width h. With S_l the variance of the preactivations of layer l, S_1 = |x|²/d,
and z_i = sqrt(S_l) zeta_i, going forward and backward through layer l multiplies by means over its neurons,

    S_{l+1} = <sigma(z_i)²>,    M_l = <sigma'(z_i)² chi_i²>,    Theta = sum_{l=0}^{L} S_{l+1} M_{l+1} M_{l+2} ... M_L,

zeta_i and the backward signals chi_i standard normal and independent. To first order in 1/sqrt(h),

    dS_{l+1} = chi_l dS_l + xi_l,    chi_l = d E sigma²/dS,    Var xi_l = (E sigma⁴ - (E sigma²)²)/h,
    dM_l = kappa_l dS_l + eta_l,     kappa_l = d E sigma'²/dS, Var eta_l = (3 E sigma'⁴ - (E sigma'²)²)/h,
    Cov(xi_l, eta_l) = (E sigma² sigma'² - E sigma² E sigma'²)/h,

independently in each layer, so that Var Theta is a sum over layers. For an activation that is homogeneous of degree 1
it is L [c (2L + 1) + m (L + 2)]/(3 (L + 1)) E²/h, c = E sigma⁴/(E sigma²)² - 1, m = E sigma'⁴/(E sigma'²)² - 1: linear
networks have c = 2, m = 0, ReLU c = 5, m = 1. Compare arXiv:1909.05989 (its exponential bound is an order, not this
prefactor).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.gauss import gaussian_mean


@dataclass(frozen=True)
class _Layer:
    """Means over one layer's neurons, h to infinity, and what h·Cov of their deviations is."""

    forward: float  #: E sigma²
    backward: float  #: E sigma'²
    chi: float  #: d E sigma²/dS
    kappa: float  #: d E sigma'²/dS
    covariance: np.ndarray  #: of (xi, eta), (2, 2)


def _layer(activation: Activation, variance: float) -> _Layer:
    deviation = np.sqrt(variance)
    kinks = [k / deviation for k in activation.kinks]

    def mean(power: int, slope_power: int, zeta_power: int = 0) -> float:
        def integrand(zeta: np.ndarray) -> np.ndarray:
            z = deviation * zeta
            return activation(z) ** power * activation.slope(z) ** slope_power * zeta**zeta_power

        return gaussian_mean(integrand, kinks, accuracy=1e-11)

    forward, backward, both = mean(2, 0), mean(0, 2), mean(2, 2)
    # (zeta² - 1)/(2S) is d/dS of the density
    chi, kappa = ((m2 - m0) / (2.0 * variance) for m2, m0 in ((mean(2, 0, 2), forward), (mean(0, 2, 2), backward)))
    covariance = np.array(
        [
            [mean(4, 0) - forward**2, both - forward * backward],
            [both - forward * backward, 3.0 * mean(0, 4) - backward**2],
        ]
    )
    return _Layer(forward, backward, chi, kappa, covariance)


def ntk_variance(activation: Activation | str, depth: int, norm: float = 1.0) -> float:
    """Return h·Var Theta(x, x)/E[Theta(x, x)]² at initialisation, for h -> infinity.

    Parameters
    ----------
    activation : Activation or str
    depth : int
        Hidden layers L >= 1, all of width h.
    norm : float
        |x|/sqrt(d); 1 in the published runs.

    Raises
    ------
    InputError
        If the depth is below 1, the norm is not positive, or a moment of sigma' is infinite.

    Examples
    --------
    >>> round(ntk_variance("relu", 1), 8), round(ntk_variance("linear", 1), 8), round(ntk_variance("softplus", 3), 1)
    (3.0, 1.0, 11.2)
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
        raise InputError("depth", depth, "a network has a hidden layer", "Give 1 or more")
    if not 0.0 < norm < np.inf:
        raise InputError("norm", norm, "an input has a length", "Give a positive number, 1 for |x|² = d")
    layers, variance = [], norm**2
    for _ in range(depth):
        layers.append(_layer(activation, variance))
        variance = layers[-1].forward
    kernel, gradients = _linearised(layers, norm**2)
    spread = sum(g @ layer.covariance @ g for g, layer in zip(gradients, layers, strict=True))
    if not np.isfinite(spread):
        raise InputError(
            "activation", activation.name, "a fourth moment of sigma' is infinite", "Choose one of bounded slope"
        )
    return float(spread / kernel**2)


def _linearised(layers: list[_Layer], input_variance: float) -> tuple[float, list[np.ndarray]]:
    """E Theta, and its derivative by (xi_l, eta_l) of every layer."""
    depth = len(layers)
    forward = [input_variance, *(layer.forward for layer in layers)]
    # after[l]: the product of M_l ... M_L
    after = [1.0]
    for layer in layers[::-1]:
        after.insert(0, layer.backward * after[0])
    kernel = sum(s * m for s, m in zip(forward, after, strict=True))
    # the terms of S_1 .. S_l pass through M_l
    through = np.cumsum([s * m for s, m in zip(forward, after, strict=True)])
    by_backward = [float(sums / layer.backward) for sums, layer in zip(through, layers, strict=False)]
    gradients = []
    for noisy in range(depth):
        by_xi, shift = 0.0, 1.0  # dS of the layer above, as xi travels up
        for above in range(noisy + 1, depth + 1):
            by_xi += shift * after[above]
            if above < depth:
                by_xi += shift * layers[above].kappa * by_backward[above]
                shift *= layers[above].chi
        gradients.append(np.array([by_xi, by_backward[noisy]]))
    return kernel, gradients
