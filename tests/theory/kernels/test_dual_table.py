"""Tables in the angle: Chebyshev series of correlations."""

import numpy as np

from theory.kernels.dual_table import tabulate


def relu_duals(sigma_1, sigma_2, c):
    """E[relu relu] and E[relu' relu'] of arXiv:1806.07572, for standard deviations and a correlation."""
    angle = np.arccos(c)
    return np.array([sigma_1 * sigma_2 * (np.sin(angle) + (np.pi - angle) * c), np.pi - angle]) / (2 * np.pi)


def test_a_table_holds_the_correlations_of_relu_at_any_angle():
    """Smooth in the angle, the ends included: 1e-12 of the second moments."""
    table = tabulate(relu_duals, 2.0, budget=1000)
    c = np.array([[1.0, 0.3, -0.99], [1 - 1e-9, -1.0, 0.0]])
    found = table(np.ones(2), np.ones(3), c)
    second = relu_duals(2.0, 2.0, 1.0)
    expected = np.vectorize(lambda x: relu_duals(2.0, 2.0, x), signature="()->(f)")(c) / second
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), atol=1e-12)


def test_the_series_ends_where_rounding_begins():
    """cos(3 angle) alone, in the angle that is the variable: 4 c³ - 3 c, a short series."""
    table = tabulate(lambda s, t, c: np.array([4 * c**3 - 3 * c]), 1.0, budget=1000)
    assert table.series.shape[1] < 33


def test_no_table_for_more_calls_than_are_allowed_nor_for_what_it_can_not_hold():
    assert tabulate(relu_duals, 1.0, budget=10) is None
    assert tabulate(lambda s, t, c: np.array([np.sign(c - 0.3)]), 1.0, budget=1000) is None


def test_a_function_that_vanishes_has_correlations_of_zero():
    assert not tabulate(lambda s, t, c: np.zeros(1), 1.0, budget=1000)(np.ones(1), np.ones(1), np.ones((1, 1))).any()
