"""Residual networks: the share of the blocks in the tangent kernel falls as N^(1-2p), and the crossover stays."""

import numpy as np
import pytest
from sympy import Rational

from theory import InputError
from theory.residual import blocks_share, crossover_power_of_blocks


def kernel_ratio(blocks, p, seed, width=48):
    """Theta of the blocks' matrices over that of the first and last one, of a linear stream at one input of size 1."""
    rng = np.random.default_rng((blocks, seed))
    beta = blocks ** -float(p)
    matrices = rng.standard_normal((blocks, width, width)) / np.sqrt(width)
    start, pulled = rng.standard_normal((2, width))  # x_0 of size 1 a neuron, and df/dx_N of size 1
    stream = [start * np.sqrt(width) / np.linalg.norm(start)]
    for w in matrices:
        stream.append(stream[-1] + beta * w @ stream[-1])
    pulled /= np.linalg.norm(pulled)
    last = np.sum(stream[-1] ** 2) / width
    of_blocks = 0.0
    for w, x in zip(matrices[::-1], stream[-2::-1], strict=True):
        of_blocks += beta**2 * np.sum(pulled**2) * np.sum(x**2) / width
        pulled = pulled + beta * w.T @ pulled
    return of_blocks / (last + np.sum(pulled**2))


@pytest.mark.parametrize("p", [Rational(1, 2), Rational(3, 4), 1])
def test_the_share_of_the_blocks_is_that_of_networks(p):
    """N = 16 to 128, eight draws of width 48: the ratio to the two ends is N beta²/(2 (1 + beta²)) at infinite width.

    At p = 1/2 the denominator moves the power by 0.025 between these N, and the draws scatter by as much.
    """
    few, many = (np.mean([kernel_ratio(n, p, seed) for seed in range(8)]) for n in (16, 128))
    assert np.log(many / few) / np.log(8) == pytest.approx(float(blocks_share(p)), abs=0.06)


@pytest.mark.parametrize("p", [Rational(1, 2), Rational(3, 4), 1, 2])
def test_the_crossover_does_not_move_with_the_number_of_blocks(p):
    assert crossover_power_of_blocks(p) == 0


def test_branches_that_outgrow_the_stream_are_refused():
    with pytest.raises(InputError) as caught:
        blocks_share(Rational(1, 3))
    assert caught.value.field == "branch"
