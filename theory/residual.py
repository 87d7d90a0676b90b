r"""Residual networks: how depth moves the crossover, by power counting in the number of blocks.

A stream x_l = x_(l-1) + beta W_l sigma(x_(l-1))/sqrt(h), l = 1..N, with beta = N^(-p) and p >= 1/2, so that N random
branches keep the stream at a size of one (Sigma_N = (1 + beta²)^N). All sizes are powers of N (h and A as in
`theory.scaling`, to which this multiplies). In a time T

    first and last matrix          change the stream, and f, by T
    a block's own matrix           has a gradient ~ beta, and acts through beta: beta² T;
                                   N blocks add coherently: N beta² T = N^(1-2p) T
    what the blocks pass on        random branches: N^(1/2) beta = N^(1/2-p) at most one

so that both f and the stream move by T·max(1, N^(1-2p)), and the stop f - f_0 ~ 1/alpha leaves u ~ 1/A: alpha* does not
depend on depth. The blocks' share of the kernel, and of what is learnt, is N^(1-2p): all at p = 1/2, none at p = 1
(the discretisation of a differential equation), where blocks stay lazy. arXiv:2309.16620, arXiv:2310.02244.

Trained networks of 4 and 16 blocks (softplus, h = 48) have that share, and the A at which the kernel changes by its own
size moves as N^0.24 at p = 1/2 and as N^(-0.05) at p = 1. Without the connections it moves as the 3/2 power of the
number of layers.
"""

from __future__ import annotations

import sympy

from lazyrich.errors import InputError
from theory.coordinate_check import depth_power


def crossover_power_of_blocks(branch: sympy.Expr | float) -> sympy.Rational:
    """Return q in A* ~ N^q, N blocks scaled N^(-branch).

    Raises
    ------
    InputError
        If the branches' random signals would grow with their number.

    Examples
    --------
    >>> crossover_power_of_blocks(sympy.Rational(1, 2)), crossover_power_of_blocks(1)
    (0, 0)
    """
    moved = sympy.Max(0, blocks_share(branch))  # of the stream, in a unit of time
    duration = -moved  # until f has moved by 1/alpha
    return sympy.Rational(moved + duration)


def blocks_share(branch: sympy.Expr | float) -> sympy.Rational:
    """Return the power of the number of blocks in their share of the tangent kernel and of the features learnt.

    Examples
    --------
    >>> blocks_share(sympy.Rational(1, 2)), blocks_share(1)
    (0, -1)
    """
    p = sympy.nsimplify(branch)
    if p < sympy.Rational(1, 2):
        raise InputError("branch", branch, "the stream grows with the number of blocks", "Give 1/2 or more")
    return sympy.Rational(depth_power("sgd", p, 0))
