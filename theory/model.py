r"""The model of arXiv:1906.08034, written once in scaling form.

A network of ``depth`` hidden layers, F = alpha·h^(-e)·v·x^L with z^{l+1} = h^(-m) W_l x^l and x^{l+1} = sigma(z^{l+1}),
all weights N(0, 1), is trained by the gradient flow of alpha^(-2)·mean l(F y) until F ~ A^target. No number below is an
exponent of a result: they are those of the definition, and changing one changes what `theory.scaling` derives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import sympy

from lazyrich.errors import InputError

_HALF = sympy.Rational(1, 2)
MAX_DEPTH = 1000


@dataclass(frozen=True)
class Model:
    """What is trained.

    Parameters
    ----------
    depth : int
        Hidden layers L; there are L + 1 weight matrices, numbered 0..L.
    degree : sympy.Rational
        k with sigma(z) ~ |z|^k at infinity; 0 for bounded activations.
    kinked : bool
        Whether sigma' jumps somewhere.
    output : sympy.Rational
        e, the power of 1/h in front of the last layer, beside alpha.
    hidden : sympy.Rational
        m, the power of 1/h in front of the weight matrices between hidden layers.
    saturation : sympy.Rational, optional
        p of a bounded sigma that nears its bound as |z|^-p; None if it does so faster than any power.
    switches : bool
        Whether a bounded sigma tends to two different limits, so that a neuron of large weights is a switch.
    kink_strength : float
        Of a kinked sigma: the sum over kinks of (jump of sigma')²·normal density, as a multiple of normalised ReLU's.
    susceptibility : float
        chi, what a hidden layer leaves of the squared difference of two near inputs: E[sigma'^2]/E[sigma^2], the
        geometric mean over layers where they differ.
    onset, reach : float
        sigma grows with its degree for preactivations of sizes between these: 1 and infinity for a sigma that is
        homogeneous, or nearly so from where weights start.
    target : sympy.Rational
        Training stops when F ~ A**target; 0 for "every margin is 1".
    """

    depth: int
    degree: sympy.Rational = field(default_factory=lambda: sympy.S.One)
    kinked: bool = False
    output: sympy.Rational = _HALF
    hidden: sympy.Rational = _HALF
    target: sympy.Rational = sympy.S.Zero
    saturation: sympy.Rational | None = None
    switches: bool = True
    kink_strength: float = 1.0
    susceptibility: float = 1.0
    onset: float = 1.0
    reach: float = math.inf

    def __post_init__(self) -> None:
        if not isinstance(self.depth, int) or isinstance(self.depth, bool) or not 1 <= self.depth <= MAX_DEPTH:
            raise InputError(
                "depth", self.depth, f"must be a whole number of hidden layers, 1 to {MAX_DEPTH}", "Change it"
            )
        for name in ("degree", "output", "hidden", "target"):
            object.__setattr__(self, name, sympy.Rational(getattr(self, name)))
        if self.saturation is not None:
            object.__setattr__(self, "saturation", sympy.Rational(self.saturation))
        if self.degree < 0:
            raise InputError("degree", self.degree, "an activation has a degree of 0 or more", "Change it")

    @property
    def layers(self) -> range:
        """The weight matrices."""
        return range(self.depth + 1)
