"""Kinks of an activation: where sigma' jumps, and how strongly the kernel feels it; jumps of sigma are refused."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import sympy

from theory import black_box, functions
from theory.activation_refusals import FEWER_KINKS, JUMP_REMEDY, refusal
from theory.asymptotics import DOMAIN_REMEDY
from theory.evaluation import numpy_value

LARGEST = 1e6  #: sigma and sigma' are looked at for |z| up to this
_ASIDE = 1e-7  #: relative distance at which one-sided slopes are taken
#: Kinks further out than this are beyond the reach of Gaussian means, and left out where there are many.
_NEAR = 40.0
_MOST_KINKS = 1000
_SMALLEST_JUMP = 1e-5  #: of sigma', relative to 1 + |sigma'|
#: Of sigma, relative to 1 + |sigma|, where the distance to a point is halved to `_ASIDE`: at a pole it rises by more.
_SMALLEST_RISE = 0.02


def sample_points() -> np.ndarray:
    """Return the ascending z at which activations are looked at: every 0.005 up to |z| = 20, then evenly in log |z|."""
    positive = np.concatenate([np.linspace(0.0, 20.0, 4001)[1:], np.geomspace(20.0, LARGEST, 1001)[1:]])
    return np.concatenate([-positive[::-1], [0.0], positive])


def kinks_of_formula(name: str, expression: sympy.Expr, derivative: sympy.Expr) -> tuple[float, ...]:
    """Return the kinks of a formula, ascending: zeros of the arguments that switch a branch, where sigma' jumps.

    Raises
    ------
    InputError
        If sigma jumps, or has more than a thousand kinks.
    """
    switching = (functions.step, functions.signum, functions.absolute, functions.relu, functions.select)
    arguments = {node.args[0] for e in (expression, derivative) for node in e.atoms(*switching)}
    # a switch may hide from the grid the pole at which it happens, as in min(z, 1/z), which is 0 at 0
    arguments |= {node.base for node in expression.atoms(sympy.Pow) if node.exp.is_negative}
    candidates: set[float] = set()
    points = sample_points()
    for argument in arguments:
        values = numpy_value(argument, points)
        candidates.update(points[values == 0.0])
        for i in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0):
            root = scipy.optimize.brentq(
                lambda z, a=argument: float(numpy_value(a, z)), points[i], points[i + 1], xtol=1e-14, maxiter=1000
            )  # more than the default of 100: it is slow at a triple root
            candidates.add(root)
    kinks: list[float] = []
    for z in sorted(candidates):
        if kinks and z - kinks[-1] < 1e-9 * (1 + abs(z)):
            continue
        slope_below, slope_above = _slopes_beside(name, expression, derivative, z)
        steepest = max(abs(slope_below), abs(slope_above))
        if abs(slope_above - slope_below) > _SMALLEST_JUMP * (1 + steepest):
            kinks.append(float(z))
    if len(kinks) > _MOST_KINKS // 10:
        kinks = [z for z in kinks if abs(z) <= _NEAR]
    return _not_too_many(name, kinks)


def kinks_of_values(name: str, expression: sympy.Expr, derivative: sympy.Expr) -> tuple[float, ...]:
    """Return the kinks of a function of which nothing but its values is known: where bisection finds sigma' to jump.

    Raises
    ------
    InputError
        If sigma jumps, or has more than a thousand kinks.
    """
    points = sample_points()
    for z in black_box.jumps(expression, points, 1e-9):
        _slopes_beside(name, expression, derivative, float(z))
    return _not_too_many(name, [float(z) for z in black_box.jumps(derivative, points, _SMALLEST_JUMP)])


def kink_strength(derivative: sympy.Expr, kinks: tuple[float, ...], second_moment: float) -> float:
    """Return the sum over kinks of (jump of sigma')²·normal density, sigma normalised, as a multiple of ReLU's.

    Parameters
    ----------
    derivative : sympy.Expr
        sigma' before it is normalised.
    second_moment : float
        E[sigma(z)²], by which it is.
    """
    if not kinks:
        return 0.0
    z = np.array(kinks)
    aside = _ASIDE * (1 + np.abs(z))
    jumps = numpy_value(derivative, z + aside) - numpy_value(derivative, z - aside)
    relu = 2.0  # its c² J² with a kink at 0, J = 1
    strength = np.sum(jumps**2 * np.exp(-(z**2) / 2)) / second_moment / relu
    return float(f"{strength:.6g}")  # kinks of black boxes are known to rounding only


def _not_too_many(name: str, kinks: list[float]) -> tuple[float, ...]:
    if len(kinks) > _MOST_KINKS:
        raise refusal(name, "it has too many kinks", FEWER_KINKS)
    return tuple(kinks)


def _slopes_beside(name: str, expression: sympy.Expr, derivative: sympy.Expr, z: float) -> tuple[float, float]:
    """Return sigma' to the left and to the right of a point, at which sigma must neither jump nor have a pole."""
    aside = _ASIDE * (1 + abs(z))
    near, farther = (np.abs(numpy_value(expression, z + d * np.array([-aside, aside]))) for d in (1, 2))
    # far out the distance is a long one, and Gaussian means do not reach there
    if abs(z) <= _NEAR and not np.all(np.abs(near - farther) <= _SMALLEST_RISE * (1 + np.minimum(near, farther))):
        pole = z if abs(z) > aside else 0.0  # a root that was searched for is one to rounding
        raise refusal(name, f"σ is not a finite real number at z = {pole:.6g} (needed for |z| ≤ 1e6)", DOMAIN_REMEDY)
    below, above = (float(numpy_value(expression, z + d)) for d in (-aside, aside))
    slopes = (float(numpy_value(derivative, z - aside)), float(numpy_value(derivative, z + aside)))
    if abs(above - below) > 4 * aside * max(abs(s) for s in slopes) + 1e-9 * (1 + abs(above)):
        raise refusal(name, f"it jumps at z = {z:.6g}, so it has no gradient flow", JUMP_REMEDY)
    return slopes
