"""The compiled activation is the same function as the expression, to rounding, on every kind of tensor."""

import mpmath
import numpy as np
import pytest
import torch
from activation_zoo import ZOO

from simulate.networks.torch_activation import compile_activation
from theory import Activation
from theory.evaluation import mpmath_value

POINTS = [-1e6, -812.3, -33.7, -6.1, -1.7, -0.3, -1e-3, 2e-4, 0.41, 1.3, 5.9, 17.2, 743.1, 1e6]


@pytest.mark.parametrize("name", ZOO)
def test_value_and_slope_equal_many_digit_arithmetic(name):
    activation = Activation(name)
    compiled = compile_activation(activation)
    z = torch.tensor(POINTS, dtype=torch.float64)
    value, slope = compiled.value_and_slope(z)
    with mpmath.workdps(50):
        c = mpmath.mpf(activation.normalisation)
        for expression, found in ((activation.expression, value), (activation.derivative, slope)):
            for at, got in zip(POINTS, found.tolist(), strict=True):
                exact = c * mpmath_value(expression, at)
                # relative, but for formulas that cancel as they are written: there, rounding of their terms
                assert abs(got - exact) <= 1e-12 * abs(exact) + 4e-16 * (1 + abs(at)), (at, got, exact)
    assert torch.equal(compiled.value(z), value)
    assert torch.equal(compiled.slope(z), slope)


@pytest.mark.parametrize("name", ["relu", "softplus", "gelu", "tanh", "linear", "where(z>0, z, exp(z)-1)"])
def test_dtype_and_shape_are_kept_and_results_are_new_tensors(name):
    compiled = compile_activation(Activation(name))
    z = torch.linspace(-2, 2, 12, dtype=torch.float32).reshape(3, 4)
    value, slope = compiled.value_and_slope(z)
    assert value.dtype == slope.dtype == torch.float32
    assert value.shape == slope.shape == z.shape
    before = z.clone()
    value.mul_(2)
    slope.mul_(2)
    assert torch.equal(z, before)


@pytest.mark.parametrize("name", ["relu", "softplus", "gelu", "z*erf(z)"])
def test_the_numpy_and_the_torch_side_agree(name):
    activation = Activation(name)
    at = np.linspace(-4, 4, 41)
    compiled = compile_activation(activation)
    np.testing.assert_allclose(compiled.value(torch.as_tensor(at)).numpy(), activation(at), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        compiled.slope(torch.as_tensor(at)).numpy(), activation.slope(at), rtol=1e-12, atol=1e-15
    )


def test_works_under_functional_transforms():
    compiled = compile_activation(Activation("where(z>0, z, exp(z)-1)"))
    z = torch.tensor([-1.0, 0.5], dtype=torch.float64)
    jacobian = torch.func.jacrev(compiled.value)(z)
    torch.testing.assert_close(jacobian.diagonal(), compiled.slope(z))
