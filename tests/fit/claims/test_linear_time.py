"""t1 is a power of alpha·h^nu: nu is judged, since another power of h is possible."""

import numpy as np
import pytest
from synthetic_campaign import FEATURE, experiment, prediction

from fit import assess

NU = prediction("linear_time", "width", "1/2", FEATURE, margin=0.1)


@pytest.mark.parametrize(("extra", "word"), [(0.0, "consistent"), (0.4, "inconsistent")])
def test_the_power_of_h_beside_alpha_is_measured(extra, word):
    """t1 ~ alpha h^(1/2 + extra); networks of one width and seed are the units."""
    data = experiment(seeds=20)
    data["time_linear"] = data.time_linear * data.width**extra
    (verdict,) = assess(data, [NU])
    assert verdict.verdict == word
    assert verdict.estimate == pytest.approx(0.5 + extra, abs=0.03)  # noise of 4 % a seed over a factor of 16 in h
    (joint,) = [row for row in verdict.sensitivity if row["window"].startswith("α and h in one fit")]
    assert joint["estimate"] == pytest.approx(verdict.estimate, abs=0.02)  # widths weigh differently in the mean


def test_a_campaign_in_alpha_has_the_same_nu():
    data = experiment(seeds=20)
    grid = [1e-4, 1e-3, 1e-2, 1e-1]
    by_alpha = data.isel(root_h_alpha=slice(len(grid))).assign_coords(root_h_alpha=grid).rename(root_h_alpha="alpha")
    noise = by_alpha.time_linear.copy(
        data=np.exp(0.02 * np.random.default_rng(0).standard_normal(by_alpha.time_linear.shape))
    )
    by_alpha["time_linear"] = by_alpha.alpha * by_alpha.width**0.5 * noise
    wide = prediction("linear_time", "width", "1/2", FEATURE.__class__("feature", "A < 10", high=10.0), margin=0.1)
    (verdict,) = assess(by_alpha, [wide])
    assert verdict.estimate == pytest.approx(0.5, abs=0.02)
