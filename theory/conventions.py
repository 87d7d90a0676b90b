r"""Which clock a time is on: the article's gradient flow beside others, in one table.

All networks compute the same predictor F = alpha·h^(-1/2)·v·x^L; conventions differ in what the loss is divided by and
in how the output is scaled, which changes the unit of time only. With t the article's time (arXiv:1906.08034, loss
alpha^(-2)·mean l(F y)) a time in another convention is t·h^p·A^q, A = sqrt(h)·alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from lazyrich.errors import InputError


@dataclass(frozen=True)
class Convention:
    """A clock: its time is t_article · width**width_exponent · A**amplitude_exponent."""

    name: str
    definition: str
    width_exponent: sympy.Rational
    amplitude_exponent: sympy.Rational
    source: str


CONVENTIONS = {
    c.name: c
    for c in (
        Convention("article", "dw/dt = -grad alpha^-2 mean l(F y)", sympy.S.Zero, sympy.S.Zero, "arXiv:1906.08034"),
        Convention(
            "code",
            "f scaled by 1/h, loss alpha_code^-1 mean l, alpha_code = A",
            sympy.S.One, -sympy.S.One, "published code of arXiv:1906.08034: t_code/h = t_article/A",
        ),
        Convention(
            "per neuron",
            "code time divided by the width: weights move at a rate of order one (T of the derivations, over sqrt h)",
            sympy.S.Zero, -sympy.S.One, "published code of arXiv:1906.08034",
        ),
        Convention(
            "plain loss",
            "dw/dt = -grad mean l(F y), without alpha^-2",
            sympy.S.One, sympy.Integer(-2), "arXiv:1806.07572",
        ),
        Convention(
            "mean field",
            "gamma_0 = 1/A, df/dt = Theta·force (forces are sums over the data there, means here)",
            sympy.S.Zero, sympy.S.Zero, "arXiv:2205.09653",
        ),
    )
}  # fmt: skip


def convert_time(
    time: np.ndarray | float, width: float, root_h_alpha: float, to: str, source: str = "article"
) -> np.ndarray | float:
    """Return a time on another clock.

    Parameters
    ----------
    time : float or array
    width : float
        h.
    root_h_alpha : float
        A = sqrt(h)·alpha, alpha in the article's convention.
    to, source : str
        The convention that is asked for and that of ``time``: names in `CONVENTIONS`.

    Raises
    ------
    InputError
        If there is no such convention.

    Examples
    --------
    >>> convert_time(1.0, width=100, root_h_alpha=10, to="code")
    10.0
    """
    factor = 1.0
    for name, sign in ((to, 1), (source, -1)):
        if name not in CONVENTIONS:
            raise InputError("convention", name, "no such convention", f"Use one of {', '.join(CONVENTIONS)}")
        c = CONVENTIONS[name]
        factor *= (width ** float(c.width_exponent) * root_h_alpha ** float(c.amplitude_exponent)) ** sign
    return time * factor
