"""What the tests of data ask for, and what all data are."""

import numpy as np

from simulate import Experiment


def experiment(**changes):
    fields = {
        "name": "test",
        "dataset": "digits",
        "n_train": 100,
        "n_test": 200,
        "depth": 1,
        "activation": "relu",
        "widths": (8,),
        "root_h_alpha": (1.0,),
        "seeds": 1,
    }
    return Experiment(**(fields | changes))


def check(data, n_train=100, n_test=200):
    assert len(data.x_train) == len(data.y_train) == n_train
    assert len(data.x_test) == len(data.y_test) == n_test
    d = data.x_train.shape[1]
    for x in (data.x_train, data.x_test):
        assert x.dtype == np.float64
        np.testing.assert_allclose((x**2).sum(axis=1), d, rtol=1e-10)
    assert set(np.unique(data.y_train)) == {-1.0, 1.0}
    assert len(data.sha256) == 64
    assert data.description
