"""Errors of averaged networks, as jackknife pseudo-values: exact where every partition is a whole one."""

import numpy as np
import pytest
import xarray as xr

from fit.findings.ensembles import PARTITIONS, ensemble_errors


def predictors(outputs):
    """Predictors (amplitude, seed, test point)."""
    return xr.DataArray(np.asarray(outputs, float), dims=("amplitude", "seed", "test_point"))


def labels(values):
    return xr.DataArray(np.asarray(values, float), dims="test_point")


def test_of_single_networks_they_are_the_networks_own_errors():
    """The mean over partitions into single networks is the mean over seeds, without sampling."""
    outputs = [[[1, 1, 1, 1], [1, 1, 1, -1], [1, -1, -1, 0]], [[-1, -1, -1, -1], [1, 1, 1, 1], [1, 1, -1, -1]]]
    errors = ensemble_errors(predictors(outputs), labels([1, 1, 1, 1]), 1)
    np.testing.assert_allclose(errors, [[0.0, 0.25, 0.75], [1.0, 0.0, 0.5]], atol=1e-12)
    assert errors.dims == ("amplitude", "seed")


def test_outputs_are_averaged_before_their_sign_is_taken():
    """Two strong networks are right, two weak ones wrong: pairs of both kinds are right, as are the strong ones."""
    outputs = predictors([[[3.0], [3.0], [-1.0], [-1.0]]])
    of_pairs = ensemble_errors(outputs, labels([1.0]), 2).mean().item()
    # one of six pairs is wrong; 50 partitions of two pairs, of which a third is {strong, strong}, {weak, weak}
    assert of_pairs == pytest.approx(1 / 6, abs=4 * np.sqrt(2 / 9 / PARTITIONS) / 2)
    assert ensemble_errors(outputs, labels([1.0]), 1).mean().item() == pytest.approx(0.5)


def test_a_seed_that_helps_has_the_smallest_pseudo_value():
    """Three networks are wrong by 1 and one right by 9: pairs with it are right."""
    errors = ensemble_errors(predictors([[[-1.0], [-1.0], [9.0], [-1.0]]]), labels([1.0]), 2).values[0]
    assert errors.argmin() == 2
    assert errors.mean() == pytest.approx(0.5, abs=1e-12)  # of each two pairs exactly one holds it


def test_the_same_networks_give_the_same_numbers_again():
    rng = np.random.default_rng(1)
    outputs, label = predictors(rng.standard_normal((2, 6, 9))), labels(np.sign(rng.standard_normal(9)))
    xr.testing.assert_identical(ensemble_errors(outputs, label, 2), ensemble_errors(outputs, label, 2))
