r"""Several outputs: how their number moves the end of lazy training, by the power counting of `theory.scaling`.

C outputs f_c = h^(-e) v_c·x_L share their hidden layers; the loss is a sum over outputs. As in the model of one output
each f_c has to change by 1/alpha, from forces of size one, of which those on a hidden neuron come from all outputs,
with the random signs of the initial v_c:

    d_l = sum_c (force c)·df_c/dz_l ~ C^(1/2) times that of one output,
    f_c moves by the part of a layer's update that is along its own gradient, as if it were alone.

So the time T that training takes does not depend on C, and hidden signals change C^(1/2) times as much, u ~ C^(1/2)/A:
they have changed by their own size at A* ~ C^(1/2). Once weights have grown, each output has a direction of its own in
every layer, and f_c ~ Lambda^D as before: the powers of A stay.

The kernel, averaged over outputs, changes to second order by terms ~ u² and by terms of each output alone, which
do not grow with C. The former are the smaller ones at C = 1 and, of outputs with different targets, do not point in one
direction: for C <= 16 the level ||dTheta|| = ||Theta_0|| was measured to move as C^0.1 to C^0.25 only. No power is
claimed for it.
"""

from __future__ import annotations

import sympy

from theory.model import Model
from theory.scaling import A, Lazy, power

C = sympy.Symbol("log_C", real=True)  #: logarithm of the number of outputs


def change_with_outputs(model: Model) -> sympy.Expr:
    """Return the relative change u of hidden signals at the stop of lazy training, as a form in log h, log A, log C."""
    # C random signs in the force on a hidden neuron; the stop is that of each output by itself
    return sympy.expand(Lazy(model).change + C / 2)


def crossover_power_of_outputs(model: Model) -> sympy.Rational:
    """Return p in A* ~ C^p, A* where hidden signals have changed by their own size.

    Examples
    --------
    >>> crossover_power_of_outputs(Model(1)), crossover_power_of_outputs(Model(3))
    (1/2, 1/2)
    """
    change = change_with_outputs(model)
    return sympy.Rational(-change.coeff(C) / power(change, A))
