"""The functions that activations are made of and sympy lacks, or differentiates in a form that loses digits.

All are functions of real arguments. The slope of relu at 0 is the one from the left, 0, as in torch.
"""

from __future__ import annotations

import sympy


class step(sympy.Function):
    """1 for x > 0, else 0; its derivative is 0 almost everywhere."""

    nargs = 1

    @classmethod
    def eval(cls, x):
        return sympy.Integer(int(bool(x > 0))) if x.is_number else None

    def fdiff(self, argindex=1):
        return sympy.S.Zero

    def _latex(self, printer, exp=None):
        return _power(rf"\Theta\left({printer._print(self.args[0])}\right)", exp)


class signum(sympy.Function):
    """1 for x > 0, else -1 (the sign, taken from the left at 0)."""

    nargs = 1

    @classmethod
    def eval(cls, x):
        return sympy.Integer(1 if x > 0 else -1) if x.is_number else None

    def fdiff(self, argindex=1):
        return sympy.S.Zero

    def _latex(self, printer, exp=None):
        return _power(rf"\operatorname{{sign}}\left({printer._print(self.args[0])}\right)", exp)


class absolute(sympy.Function):
    """|x|."""

    nargs = 1

    @classmethod
    def eval(cls, x):
        return sympy.Abs(x) if x.is_number else None

    def fdiff(self, argindex=1):
        return signum(self.args[0])

    def _latex(self, printer, exp=None):
        return _power(rf"\left|{printer._print(self.args[0])}\right|", exp)


class relu(sympy.Function):
    """max(0, x)."""

    nargs = 1

    @classmethod
    def eval(cls, x):
        return sympy.Max(x, 0) if x.is_number else None

    def fdiff(self, argindex=1):
        return step(self.args[0])

    def _latex(self, printer, exp=None):
        return _power(rf"\max\left(0, {printer._print(self.args[0])}\right)", exp)


class select(sympy.Function):
    """``a`` where c > 0, else ``b``; what a jump at c = 0 would add to the derivative is left out."""

    nargs = 3

    @classmethod
    def eval(cls, c, a, b):
        if a == b:
            return a
        return (a if c > 0 else b) if c.is_number else None

    def _eval_derivative(self, symbol):
        # not through fdiff: the slope of the branch that is not taken may be infinite
        c, a, b = self.args
        return select(c, a.diff(symbol), b.diff(symbol))

    def _latex(self, printer, exp=None):
        c, a, b = (printer._print(arg) for arg in self.args)
        return _power(rf"\begin{{cases}} {a} & {c} > 0 \\ {b} & \text{{otherwise}} \end{{cases}}", exp)


class logistic(sympy.Function):
    """1/(1 + exp(-x))."""

    nargs = 1

    @classmethod
    def eval(cls, x):
        return sympy.Rational(1, 2) if x.is_zero else None

    def fdiff(self, argindex=1):
        return logistic(self.args[0]) * logistic(-self.args[0])

    def _eval_evalf(self, prec):
        return (1 / (1 + sympy.exp(-self.args[0])))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        return _power(rf"\operatorname{{logistic}}\left({printer._print(self.args[0])}\right)", exp)


class softplus(sympy.Function):
    """log(1 + exp(x))."""

    nargs = 1

    def fdiff(self, argindex=1):
        return logistic(self.args[0])

    def _eval_evalf(self, prec):
        return sympy.log(1 + sympy.exp(self.args[0]))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        return _power(rf"\ln\left(1 + e^{{{printer._print(self.args[0])}}}\right)", exp)


def _power(latex: str, exp: str | None) -> str:
    return latex if exp is None else rf"\left({latex}\right)^{{{exp}}}"
