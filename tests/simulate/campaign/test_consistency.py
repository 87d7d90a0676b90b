"""Fields that do not go together: the one to change is named, with its value, the reason and a remedy."""

import pytest
from campaigns import campaign

from theory import InputError

SGD = {"name": "sgd", "temperature": 0.1, "batch_size": 2}


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"alpha": [1.0]}, "root_h_alpha", "given once"),
        ({"activation_source": "0" * 64}, "activation_source", "only an activation module:function has a source"),
        ({"n_test": 30, "n_kernel": 31}, "n_kernel", "n_test = 30"),
        ({"dimension": 3}, "dimension", "one of their own"),
        ({"dataset": "sphere", "pca": 3}, "pca", "uniform"),
        ({"architecture": "cnn", "pca": 3}, "pca", "sees images"),
        ({"architecture": "cnn", "dataset": "sphere"}, "architecture", "sees images"),
        ({"dtype": "float32", "root_h_alpha": [4001.0]}, "dtype", "alpha = 1e+03"),
        ({"loss": "hinge"}, "loss", "chatters"),
        ({"loss": "hinge", "dynamics": SGD, "arms": ["network", "initial_kernel"]}, "arms", "chatters"),
        ({"dynamics": {**SGD, "batch_size": 41}}, "dynamics.batch_size", "n_train = 40"),
        ({"seeds": 2_500_001}, "seeds", "10000004 networks"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, field, problem):
    with pytest.raises(InputError) as caught:
        campaign(**changes)
    assert caught.value.field == f"experiment[0].{field}"
    assert problem in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "float32", "root_h_alpha": [4000.0]},  # alpha = 1000 at h = 16
        {"loss": "hinge", "dynamics": SGD},
        {"dynamics": {**SGD, "batch_size": 40}},
        {"seeds": 2_500_000},
        {"dataset": "sphere", "dimension": 3},
        {"n_kernel": 60},
    ],
)
def test_what_is_just_allowed(changes):
    assert campaign(**changes).size > 0
