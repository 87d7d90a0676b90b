"""An activation function: one expression of ``z``, and all that the theory needs to know of it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from theory.activation_properties import properties_of
from theory.evaluation import numpy_value
from theory.gauss import gaussian_mean
from theory.power_ranges import PowerRange


@dataclass(frozen=True)
class Activation:
    """sigma(z) = c·expression(z), with c such that E[sigma(z)²] = 1 for z ~ N(0, 1) if ``normalise``.

    Parameters
    ----------
    formula : str
        A name (relu, softplus (beta = 5), tanh, erf, gelu, silu, leaky_relu, linear, relu2), a formula in ``z``, or
        ``module:function`` for a function that `theory.black_box` was told of.
    normalise : bool
        Whether to scale by c; the published runs scaled relu and softplus, and not tanh (arXiv:1906.08034).

    Raises
    ------
    InputError
        If the formula can't be read, or the theory can't say anything about it: not finite for |z| <= 1e6, not
        continuous, constant, no finite second moment, or growth that is not a power.

    Examples
    --------
    >>> relu = Activation("relu")
    >>> relu.degree, relu.kinks, round(relu.normalisation**2, 12)
    (1, (0.0,), 2.0)
    """

    formula: str
    normalise: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", self.formula.strip() if isinstance(self.formula, str) else self.formula)
        properties_of(self.formula)  # refuses what can't be used

    @property
    def name(self) -> str:
        """The formula as it was given."""
        return self.formula

    @property
    def expression(self) -> sympy.Expr:
        """sigma/c as a sympy expression of the real symbol ``z``."""
        return properties_of(self.formula).expression

    @property
    def derivative(self) -> sympy.Expr:
        """d(sigma/c)/dz; at a kink one of the two one-sided slopes (relu: from the left)."""
        return properties_of(self.formula).derivative

    @property
    def normalisation(self) -> float:
        """The factor c."""
        return properties_of(self.formula).normalisation if self.normalise else 1.0

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where sigma' jumps or rises infinitely steeply, ascending."""
        return properties_of(self.formula).kinks

    @property
    def smooth(self) -> bool:
        """Whether sigma has no kinks."""
        return not self.kinks

    @property
    def degree(self) -> sympy.Rational:
        """k with |sigma| ~ |z|^k at infinity: the larger of the two sides; 0 if bounded."""
        return max(self.degree_left, self.degree_right)

    @property
    def degree_left(self) -> sympy.Rational:
        """The degree for z -> -infinity."""
        return properties_of(self.formula).degrees[0]

    @property
    def degree_right(self) -> sympy.Rational:
        """The degree for z -> +infinity."""
        return properties_of(self.formula).degrees[1]

    @property
    def degree_exact(self) -> bool:
        """Whether sigma(lambda z) = lambda^k sigma(z) exactly for lambda > 0."""
        return properties_of(self.formula).homogeneous

    @property
    def bounded(self) -> bool:
        """Whether |sigma| has an upper bound."""
        return self.degree == 0

    @property
    def saturation(self) -> sympy.Rational | None:
        """p if a bounded sigma nears its bound as |z|^-p only, on the slower side; None if faster, or unbounded.

        Examples
        --------
        >>> Activation("z/(1 + abs(z))").saturation, Activation("tanh").saturation
        (1, None)
        """
        return properties_of(self.formula).saturation

    @property
    def switches(self) -> bool:
        """Whether a bounded sigma tends to two different limits, as tanh does and exp(-z²) does not."""
        return properties_of(self.formula).switches

    @property
    def kink_strength(self) -> float:
        """The sum over kinks of (jump of sigma')²·normal density there, sigma normalised; 1 for ReLU.

        The variance of the kernel that neurons leave whose preactivation passes a kink is proportional to it.

        Examples
        --------
        >>> [round(Activation(name).kink_strength, 3) for name in ("relu", "abs(z)", "leaky_relu(z, 0.5)", "tanh")]
        [1.0, 2.0, 0.2, 0.0]
        """
        return properties_of(self.formula).kink_strength

    @property
    def susceptibility(self) -> float:
        """chi = E[sigma'(z)²]/E[sigma(z)²], z ~ N(0, 1): what a layer leaves of the squared difference of near inputs.

        Where sigma is normalised z stays of variance 1, and chi is the slope of the dual kernel at correlation 1
        (arXiv:1611.01232). Small for a sigma that is nearly constant.

        Examples
        --------
        >>> [round(Activation(name).susceptibility, 3) for name in ("relu", "softplus", "tanh", "sigmoid")]
        [1.0, 0.838, 1.178, 0.153]
        """
        return properties_of(self.formula).susceptibility

    def mean_susceptibility(self, depth: int) -> float:
        """Return the geometric mean of the `susceptibility` over ``depth`` hidden layers, all alike if normalised.

        If not, a layer has E[sigma'(z)²] with z of variance S, 1 in the first and E[sigma(z)²] of each in the next.
        Where that variance grows beyond all numbers, or vanishes, so does the mean.

        Examples
        --------
        >>> [round(Activation("tanh", normalise=n).mean_susceptibility(2), 3) for n in (True, False)]
        [1.178, 0.544]
        """
        if self.normalise:
            return self.susceptibility
        logarithms, variance = [], 1.0
        for _ in range(depth):
            deviation = math.sqrt(variance)
            kinks = [k / deviation for k in self.kinks]
            forward, backward = (
                gaussian_mean(functools.partial(_square_at, function, deviation), kinks, accuracy=1e-6)
                for function in (self, self.slope)
            )
            if not (0 < backward < math.inf and 0 < forward < math.inf):
                return 0.0 if backward == 0 or forward == 0 else math.inf
            logarithms.append(math.log(backward))
            variance = forward
        return math.exp(math.fsum(logarithms) / depth)

    @property
    def power_ranges(self) -> tuple[PowerRange, ...]:
        """Where sigma is nearly a power of |z|, ascending; the last range is that of the degree at infinity."""
        return properties_of(self.formula).power_ranges

    @property
    def parity(self) -> str | None:
        """ "even", "odd" or None."""
        return properties_of(self.formula).parity

    @property
    def latex(self) -> str:
        """The normalised sigma(z) in LaTeX; c is written as a number of six digits where it is not 1."""
        text = sympy.latex(self.expression)
        return text if self.normalisation == 1.0 else rf"{self.normalisation:.6g}\left({text}\right)"

    def __call__(self, z: np.ndarray | float) -> np.ndarray:
        """Return sigma at float64 points of any shape."""
        return self.normalisation * numpy_value(self.expression, z)

    def slope(self, z: np.ndarray | float) -> np.ndarray:
        """Return sigma' at float64 points of any shape."""
        return self.normalisation * numpy_value(self.derivative, z)


def _square_at(function: Callable[[np.ndarray], np.ndarray], deviation: float, z: np.ndarray) -> np.ndarray:
    return function(deviation * z) ** 2
