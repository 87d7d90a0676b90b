"""alpha* as a power of h, whole and where curves end before the kernel changes by its own size."""

import numpy as np
import pytest
from synthetic_campaign import CROSSOVER, experiment, prediction

from fit import assess

LAW = prediction("crossover", "width", "-1/2", CROSSOVER)


def verdict(end=10.0, seeds=8, power=0.0):
    """Kernel changes (3 h^power/A)^(3/2), with 10 % of scatter between pairs, at half-decades up to ``end``."""
    grid = tuple(10 ** (i / 2) for i in range(-4, 5) if 10 ** (i / 2) <= end * 1.01)
    data = experiment(seeds=seeds, root_h_alpha=grid)
    noise = 0.1 * np.random.default_rng(0).standard_normal((5, seeds))
    star = 3 * data.width**power * (1 + data.seed * 0)
    data["kernel_change"] = (star * np.exp(noise) / data.root_h_alpha) ** 1.5 + 0 * data.kernel_change
    return assess(data, [LAW])[0]


@pytest.mark.parametrize(("power", "outcome"), [(0.0, "consistent"), (0.3, "inconsistent")])
def test_a_crossover_at_fixed_a_is_alpha_star_as_the_inverse_root_of_h(power, outcome):
    result = verdict(power=power, seeds=20, end=100)
    assert result.verdict == outcome
    assert result.estimate == pytest.approx(-0.5 + power, abs=0.03)  # 0.1/sqrt(100) over a factor of 16 in h, times 3


def test_levels_beside_one_have_the_same_power():
    rows = {row["window"]: row["estimate"] for row in verdict(seeds=20).sensitivity}
    for level in ("0.3", "3"):
        assert rows[f"α* at a kernel change of {level}"] == pytest.approx(-0.5, abs=0.05)


def test_curves_that_all_end_before_the_level_give_no_verdict():
    result = verdict(end=1.0)
    assert result.verdict == "inconclusive"
    assert result.reason.startswith("For 100% of the seeds the kernel change does not pass 1 inside the grid")
    assert result.excluded == {"its kernel change does not pass 1 between amplitudes at most a decade apart": 40}
