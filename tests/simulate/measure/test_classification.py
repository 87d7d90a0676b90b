"""The test error counts wrong signs."""

import torch

from simulate.measure.classification import error_fraction

Y = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)


def test_an_output_of_zero_decides_nothing_and_is_wrong():
    output = torch.tensor([[2.0, 0.1, -3.0, -1.0], [0.0, 1.0, 1.0, -1.0]], dtype=torch.float64)
    assert error_fraction(output, Y).tolist() == [0.0, 0.5]


def test_a_network_without_finite_outputs_has_no_error():
    output = torch.ones(2, 4, dtype=torch.float64)
    output[1, 2] = torch.inf
    errors = error_fraction(output, Y)
    assert errors[0] == 0.5
    assert errors[1].isnan()
