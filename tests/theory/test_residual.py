"""Residual networks: the share of the blocks in the tangent kernel falls as N^(1-2p), and the crossover stays."""

import numpy as np
import pytest
from sympy import Rational

from simulate import Campaign, run
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


def trained(architecture, depth, amplitudes, folder):
    """Three networks of width 48 on twelve digits at each A: their variables, (root_h_alpha, seed, ...)."""
    experiment = {
        "name": "blocks", "dataset": "digits", "n_train": 12, "n_test": 20, "architecture": architecture,
        "depth": depth, "widths": [48], "activation": "softplus", "root_h_alpha": amplitudes, "seeds": 3,
        "tolerance": 2e-2,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "blocks", "experiment": [experiment]})
    data = run(campaign, folder / f"{depth}.zarr").store.tree()["blocks"].to_dataset().load().isel(width=0)
    assert (data["status"] == 1).all()
    return data


def log_crossover(data):
    """log A where the kernel changes by its own size."""
    changes = np.log(data["kernel_change"].transpose("root_h_alpha", "seed").values).mean(axis=1)
    return np.interp(0.0, -changes, np.log(data["root_h_alpha"].values))


@pytest.mark.parametrize(
    ("architecture", "p", "moves"), [("residual", Rational(1, 2), 0.24), ("residual_ode", 1, -0.05)]
)
def test_trained_blocks_move_by_their_share_and_the_crossover_hardly_moves(architecture, p, moves, tmp_path):
    """4 and 16 blocks: lazy weights at A = 100, which scatter by 0.05; the crossover, between A = 1 and 3."""
    few, many = (trained(architecture, depth, [1.0, 3.0, 100.0], tmp_path) for depth in (5, 17))
    shares = []
    for data in (few, many):
        squares = (data["weight_change"].isel(root_h_alpha=-1) ** 2).mean("seed").values
        shares.append(squares[1:-1].sum() / (squares[0] + squares[-1]))
    assert np.log(shares[1] / shares[0]) / np.log(4) == pytest.approx(float(blocks_share(p)), abs=0.1)
    moved = log_crossover(many.isel(root_h_alpha=[0, 1])) - log_crossover(few.isel(root_h_alpha=[0, 1]))
    assert moved / np.log(4) == pytest.approx(moves, abs=0.1)


def test_without_residual_connections_the_crossover_moves(tmp_path):
    few, many = (trained("fc", depth, [3.0, 10.0, 30.0], tmp_path) for depth in (5, 9))
    assert (log_crossover(many) - log_crossover(few)) / np.log(9 / 5) == pytest.approx(1.5, abs=0.15)


def test_branches_that_outgrow_the_stream_are_refused():
    with pytest.raises(InputError) as caught:
        blocks_share(Rational(1, 3))
    assert caught.value.field == "branch"
