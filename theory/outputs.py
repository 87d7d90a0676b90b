r"""Several outputs: how their number moves the crossover, by the power counting of `theory.scaling`.

C outputs f_c = h^(-e) v_c·x_L share their hidden layers; the loss is a sum over outputs. As in the model of one output
each f_c has to change by 1/alpha, from forces of size one, of which those on a hidden neuron come from all outputs,
with the random signs of the initial v_c:

    d_l = sum_c (force c)·df_c/dz_l ~ C^(1/2) times that of one output,
    f_c moves by the part of a layer's update that is along its own gradient, as if it were alone.

So the time T that training takes does not depend on C, and the relative change u of hidden signals is C^(1/2) larger.
What the kernel sees of it is of second order, coherent over neurons, and a sum over outputs of rank-one terms,

    Delta Theta/Theta ~ A^(-2) |sum_c y_c y_c^T|_F/n ~ A^(-2) C^s,

y_c the targets on n points: s = 1 where targets have a direction in common, as the classes of one-hot targets have in
their mean, and s = 1/2 where they are independent and fewer than the points. The kernel changes by its own size at
A* ~ C^(s/2): C^(1/2), or C^(1/4). Once weights have grown, each output has a direction of its own in every layer, and
f_c ~ Lambda^D as before: the powers of A stay.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.model import Model
from theory.scaling import A, Lazy, power

C = sympy.Symbol("log_C", real=True)  #: logarithm of the number of outputs
ALIGNED = sympy.S.One  #: s of targets with a direction in common: one-hot classes
INDEPENDENT = sympy.Rational(1, 2)  #: s of independent targets


def change_with_outputs(model: Model) -> sympy.Expr:
    """Return the relative change u of hidden signals at the stop of lazy training, as a form in log h, log A, log C."""
    # C random signs in the force on a hidden neuron; the stop is that of each output by itself
    return sympy.expand(Lazy(model).change + C / 2)


def crossover_power_of_outputs(model: Model, overlap: sympy.Rational = ALIGNED) -> sympy.Rational:
    """Return p in A* ~ C^p: where the kernel has changed by its own size, to second order in the weights.

    Parameters
    ----------
    model : Model
    overlap : sympy.Rational
        s in |sum_c y_c y_c^T|_F/n ~ C^s.

    Examples
    --------
    >>> crossover_power_of_outputs(Model(1)), crossover_power_of_outputs(Model(3), INDEPENDENT)
    (1/2, 1/4)
    """
    # u² ~ C/A^(2q), of which outputs that act in different directions add up to C^(s-1) in norm
    kernel = sympy.expand(2 * change_with_outputs(model) + (overlap - 1) * C)
    return sympy.Rational(-kernel.coeff(C) / power(kernel, A))


def target_overlap(targets: np.ndarray) -> float:
    """Return |sum_c y_c y_c^T|_F/n of targets ±1, shape (n, C): what the second-order kernel change grows with.

    Examples
    --------
    >>> target_overlap(np.ones((10, 1))), target_overlap(np.ones((10, 4)))
    (1.0, 4.0)
    """
    return float(np.linalg.norm(targets @ targets.T) / len(targets))
