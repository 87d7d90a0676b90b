"""What theory says about one quantity, and where it says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import sympy


@dataclass(frozen=True)
class Regime:
    """Interval of ``variable`` in which a law is claimed; an edge is ``value * width**exponent``.

    ``name`` is ``"feature"`` (A = sqrt(h)·alpha << 1), ``"lazy"`` (A >> 1) or ``"crossover"``.
    """

    name: Literal["feature", "lazy", "crossover"]
    condition: str  #: LaTeX, e.g. r"A \ll 1"
    low: float = 0.0
    high: float = math.inf
    low_width_exponent: sympy.Rational = sympy.S.Zero
    high_width_exponent: sympy.Rational = sympy.S.Zero
    variable: str = "root_h_alpha"

    def bounds(self, width_max: float) -> tuple[float, float]:
        """Return the interval that holds for all widths up to ``width_max``.

        The lower edge grows with the width (or stays), so the widest network decides it; the upper edge is
        taken at the same width and is conservative only where its exponent is zero.
        """
        low = self.low * width_max ** float(self.low_width_exponent)
        high = self.high if math.isinf(self.high) else self.high * width_max ** float(self.high_width_exponent)
        return low, high


@dataclass(frozen=True)
class Step:
    """One line of a derivation: a sentence and the LaTeX of the equation it arrives at."""

    text: str
    latex: str


@dataclass(frozen=True)
class Prediction:
    """A law ``quantity ~ variable**exponent`` inside ``regime``, with its derivation.

    ``exponent`` is an exact sympy number, signed as the power of ``variable`` (kernel change of a ReLU network with
    three hidden layers: -3/2), or None where the claim is not a power; ``expected`` says it in words in any case.
    """

    claim: str
    quantity: str
    variable: Literal["root_h_alpha", "width", "time"]
    exponent: sympy.Rational | None
    expected: str
    regime: Regime
    derivation: tuple[Step, ...]
    reference: str
    falsified_by: str
    #: relative corrections vanish as variable**correction_exponent inside the regime (None: not known)
    correction_exponent: sympy.Rational | None = None
    #: which summary over seeds the law is about
    statistic: Literal["mean", "rms", "median"] = "mean"
    #: the power is accompanied by logarithms, so a measured slope need not reach it
    logarithms: bool = False
    #: how far a measured exponent may be from this one and still be called the same; None where no power is judged
    margin: float | None = None

    @property
    def claimed(self) -> bool:
        """False where theory makes no claim of this kind for the model at hand; ``expected`` says why."""
        return is_claimed(self.expected)


def is_claimed(expected: str) -> bool:
    """Whether a prediction in words, `Prediction.expected`, is one; else it says why there is "no verdict"."""
    return not expected.startswith("no verdict")
