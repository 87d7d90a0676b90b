"""Laws in the width that a few hundred small trained networks confirm or refute: what is judged is what was derived."""

import functools

import pytest

from fit import assess
from simulate import Campaign, run
from simulate.store.in_memory import MemoryBackend

WIDTHS = [32, 64, 128, 256]


@functools.cache
def verdicts(activation, depth, amplitudes, seeds, **fields):
    fields = {"name": "small", "dataset": "digits", "n_train": 8, "n_test": 30, "depth": depth, "widths": WIDTHS,
              "activation": activation, "root_h_alpha": list(amplitudes), "seeds": seeds, "tolerance": 1e-2,
              "max_steps": 2000} | fields  # fmt: skip
    outcome = run(Campaign.from_dict({"name": "small", "experiment": [fields]}), MemoryBackend(), workers=1)
    return assess(outcome.store.tree())


def verdict(judged, claim, regime):
    (result,) = [v for v in judged if v.claim == claim and v.regime == regime]
    return result


@pytest.mark.parametrize("regime", ["feature", "lazy"])
@pytest.mark.parametrize(("claim", "power"), [("weight_collapse", 0.5), ("time_collapse", 0.0)])
def test_weights_and_times_of_all_widths_fall_on_one_curve(claim, power, regime):
    """Five seeds of eight points, so that h >= n throughout: the power of h to 0.1, its margin."""
    judged = verdicts("softplus", 1, (1e-4, 1e-3, 1e3, 1e4), 5)
    result = verdict(judged, claim, regime)
    assert result.predicted_value == power
    assert result.estimate == pytest.approx(power, abs=0.1)
    assert result.verdict in ("consistent", "inconclusive")


def test_undoing_the_initial_output_leaves_a_plateau_of_the_kernel_that_falls_as_one_over_the_width():
    """Sixteen seeds, of whose f_0 the rms is known to 18 %: the power to 0.1, far from -1/2 of a first-order change."""
    judged = verdicts("softplus", 1, (1e4,), 16, subtract_initial=False)
    result = verdict(judged, "kernel_plateau", "lazy")
    assert result.predicted_value == -1
    assert result.estimate == pytest.approx(-1, abs=0.2)
    assert result.verdict in ("consistent", "inconclusive")
