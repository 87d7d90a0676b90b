"""What theory expects of a module follows from powers that are measured: here, from exact ones."""

import numpy as np
import pytest
import xarray as xr

from fit.audit.expected_scaling import expected_scaling

SIZES = np.array([32.0, 64.0, 128.0, 256.0])
QUANTITIES = ("input_change", "rate", "spread", "fan_in", "fan_out", "multiplier", "input", "initial", "backward")


def measured(optimizer, **powers):
    """Measurements of one module in which every quantity is an exact power of the width; NaN without one."""
    values = {name: np.nan * SIZES if powers.get(name) is None else SIZES ** powers[name] for name in QUANTITIES}
    values["fan_in"] = 7.0 * values["fan_in"]
    if powers.get("a") is not None:  # the output at the start is h^-a W x, a sum with random signs
        values["initial"] = SIZES ** -powers["a"] * values["spread"] * values["input"] * np.sqrt(values["fan_in"])
    variables = {name: (("module", "step", "size"), row[None, None]) for name, row in values.items()}
    return xr.Dataset(variables, coords={"module": ["m"], "step": [1], "size": SIZES}, attrs={"optimizer": optimizer})


HIDDEN = {"rate": 0.0, "spread": 0.0, "fan_in": 1.0, "fan_out": 1.0, "input": 0.0}


@pytest.mark.parametrize(
    ("optimizer", "backward", "own_step"),
    [("sgd", -0.5, -0.5), ("adam", None, 0.5)],
    ids=["sgd: the hidden layers of the NTK parametrisation stand still", "adam: they blow up at a rate of order one"],
)
def test_hidden_layers_of_the_ntk_parametrisation(optimizer, backward, own_step):
    """a = 1/2, b = c = 0. SGD moves z by -c - 2a + backward + 1 = -1/2, Adam by -c - a + 1 = 1/2."""
    expected = expected_scaling(measured(optimizer, **HIDDEN, a=0.5, backward=backward, input_change=-0.5), "m", 1)
    assert (expected.a, expected.b, expected.c) == pytest.approx((0.5, 0.0, 0.0))
    assert expected.own_step == pytest.approx(own_step)
    # the input's change passes through random weights, h^-1/2 times a sum of h terms, with its own power
    assert expected.total == pytest.approx(max(own_step, -0.5))


def test_a_readout_sums_the_changes_of_its_inputs_coherently():
    """a = 1/2: h terms of order one and of one sign, times h^-1/2."""
    powers = {**HIDDEN, "fan_out": 0.0, "a": 0.5, "backward": 0.0, "input_change": 0.0}
    assert expected_scaling(measured("sgd", **powers), "m", 1).total == pytest.approx(0.5)


def test_the_maximal_update_parametrisation_of_a_hidden_layer_is_stable_under_adam():
    """b = 1/2 and c = 1 without a multiplier."""
    powers = {**HIDDEN, "spread": -0.5, "rate": -1.0, "a": 0.0, "input_change": 0.0}
    expected = expected_scaling(measured("adam", **powers), "m", 1)
    assert (expected.a, expected.b, expected.c) == pytest.approx((0.0, 0.5, 1.0), abs=1e-12)
    assert (expected.own_step, expected.total) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_module_without_weights_passes_on_what_it_gets():
    expected = expected_scaling(measured("sgd", input_change=-0.5), "m", 1)
    assert (expected.own_step, expected.a, expected.b, expected.c) == (None, None, None, None)
    assert expected.total == pytest.approx(-0.5)


def test_steps_of_other_optimisers_are_not_expected_to_be_anything():
    expected = expected_scaling(measured("lion", **HIDDEN, a=0.5, backward=-0.5, input_change=0.0), "m", 1)
    assert (expected.own_step, expected.total) == (None, None)
