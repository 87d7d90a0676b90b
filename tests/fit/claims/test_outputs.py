"""Claims about outputs and times whose quantity is derived: growth at t1, fluctuations, the collapse, half times."""

import numpy as np
import pytest
from synthetic_campaign import CROSSOVER, FEATURE, LAZY, experiment, prediction

from fit import assess
from theory.prediction import Form


@pytest.mark.parametrize(("power", "outcome"), [(0.5, "consistent"), (0.0, "inconsistent")])
def test_the_output_at_t1_is_f_over_alpha(power, outcome):
    data = experiment(seeds=6)
    alpha = data.root_h_alpha / data.width**0.5
    data["output_rms_linear"] = data.output_rms_linear * 0 + alpha * data.width**power
    (verdict,) = assess(data, [prediction("output_growth", "width", "1/2", FEATURE)])
    assert (verdict.verdict, verdict.estimate) == (outcome, pytest.approx(power, abs=1e-9))


def test_fluctuations_are_the_standard_deviation_over_seeds():
    """Outputs that deviate from their mean by ±h^(-1/2) in turn fluctuate as that, exactly."""
    data = experiment(seeds=6)
    sign = (-1.0) ** data.seed
    data["test_output"] = (data.test_output * 0 + 1 + sign / data.width**0.5).astype(float)
    (verdict,) = assess(data, [prediction("fluctuations", "width", "-1/2", LAZY)])
    assert verdict.estimate == pytest.approx(-0.5, abs=1e-6)


def test_the_collapse_of_a_function_of_a_has_nu_one_half():
    data = experiment(seeds=6, widths=(32, 64, 128), root_h_alpha=(0.1, 0.3, 1, 3, 10))
    data["kernel_change"] = data.kernel_change * 0 + 1 / (1 + data.root_h_alpha)
    (verdict,) = assess(data, [prediction("collapse_exponent", "width", "1/2", CROSSOVER)])
    assert verdict.estimate == pytest.approx(0.5, abs=0.02)  # straight lines between points of a bent curve


@pytest.mark.parametrize("form", [Form.POWER, Form.LOGARITHM])
def test_a_half_time_is_judged_as_the_law_has_it(form):
    data = experiment(seeds=6)
    noise = 1 + 1e-4 * np.random.default_rng(0).standard_normal(data.time_linear.shape)
    growth = 1.0 if form is Form.POWER else 3 - np.log(data.root_h_alpha)
    data["time_half"] = (data.time_linear * 0 + data.root_h_alpha * growth) * noise
    law = prediction("half_time", "root_h_alpha", 1 if form is Form.POWER else None, FEATURE, form=form)
    (verdict,) = assess(data, [law])
    assert verdict.verdict == "consistent"
    assert (verdict.estimate is None) == (form is Form.LOGARITHM)
