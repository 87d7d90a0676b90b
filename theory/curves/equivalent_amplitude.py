r"""Where on the crossover a network is whose kernel changed by so much: what makes it lazy, or of features.

The simplest network with a crossover, one hidden layer without an activation, of infinite width, trained on one point
(`theory.curves.single_datum`), has F/A = sinh 2 tau and Theta = 2 cosh 2 tau at the stop F = 1:

    kernel change = sqrt(1 + A^-2) - 1,    A = 1/sqrt((1 + kernel change)² - 1).

Any other network is compared with it: "its kernel changed as that of the simplest network at A". The kernel changes by
its own size at A* = 1/sqrt 3. A factor sqrt(10) of A above, a network counts as lazy: the crossover is half a decade
away.
"""

from __future__ import annotations

import math

#: kernel change at the crossover
CROSSOVER_LEVEL = 1.0
#: A at the crossover, of the simplest network
CROSSOVER_AMPLITUDE = 1 / math.sqrt(3)
#: share of the change of the outputs that the linearised model explains of a network that counts as lazy
LINEAR_SHARE = 0.9


def kernel_change_at(root_h_alpha: float) -> float:
    """Return the kernel change of the simplest network at A = sqrt(h)·alpha.

    Examples
    --------
    >>> round(kernel_change_at(CROSSOVER_AMPLITUDE), 12)
    1.0
    """
    # sqrt(1 + u) - 1 without cancellation
    u = root_h_alpha**-2
    return u / (math.sqrt(1 + u) + 1)


def equivalent_amplitude(kernel_change: float) -> float:
    """Return the A = sqrt(h)·alpha at which the simplest network's kernel changes as much; infinity for no change.

    Examples
    --------
    >>> round(equivalent_amplitude(kernel_change_at(0.03)), 12)
    0.03
    """
    if kernel_change == 0:
        return math.inf
    return 1 / math.sqrt(kernel_change * (kernel_change + 2))


#: kernel change half a decade of A on the lazy side of the crossover
LAZY_LEVEL = kernel_change_at(CROSSOVER_AMPLITUDE * math.sqrt(10))
