r"""How much the tangent kernel of a finite network differs from seed to seed at initialisation.

For an exactly homogeneous activation of degree 1, equal widths h, one input and one output, to first order in 1/h,

    Var Theta(x, x)/E² = (1/h)·L [c (2L + 1) + m (L + 2)]/(3 (L + 1)),
    c = E[sigma⁴]/E[sigma²]² - 1,   m = E[sigma'⁴]/E[sigma'²]² - 1,

from products of independent layer factors 1 + O(h^(-1/2)): the kernel is a sum over the L + 1 matrices of forward times
backward norms, and each layer's fluctuation multiplies all terms above (c) or below (m) it. Linear networks have c = 2,
m = 0, ReLU c = 5, m = 1. Compare arXiv:1909.05989 (its exponential bound is an order, not this prefactor).
"""

from __future__ import annotations

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.gauss import gaussian_mean


def ntk_variance(activation: Activation | str, depth: int) -> float:
    """Return h·Var Theta(x, x)/E[Theta(x, x)]² at initialisation, for h -> infinity.

    Parameters
    ----------
    activation : Activation or str
        Exactly homogeneous of degree 1: linear, relu, leaky_relu, abs(z).
    depth : int
        Hidden layers L >= 1, all of width h.

    Raises
    ------
    InputError
        If the activation is not exactly homogeneous of degree 1, or the depth is below 1.

    Examples
    --------
    >>> round(ntk_variance("relu", 1), 10), round(ntk_variance("linear", 1), 10)
    (3.0, 1.0)
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    if not activation.degree_exact or activation.degree != 1:
        raise InputError(
            "activation", activation.name, "the formula needs sigma(s z) = s sigma(z) for s > 0",
            "Use linear, relu, leaky_relu or abs(z), or measure it on networks",
        )  # fmt: skip
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
        raise InputError("depth", depth, "a network has a hidden layer", "Give 1 or more")
    excess = []
    for function in (activation, activation.slope):
        second = gaussian_mean(lambda z, f=function: f(z) ** 2, activation.kinks)  # type: ignore[misc]
        fourth = gaussian_mean(lambda z, f=function: f(z) ** 4, activation.kinks)  # type: ignore[misc]
        excess.append(fourth / second**2 - 1.0)
    c, m = excess
    return depth * (c * (2 * depth + 1) + m * (depth + 2)) / (3 * (depth + 1))
