"""Dynamics that a campaign asks for, and what does not go with them."""

import pytest

from simulate import Campaign
from theory import InputError

FIELDS = {
    "name": "one", "dataset": "sphere", "n_train": 16, "n_test": 30, "depth": 2, "activation": "softplus",
    "widths": [24], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dynamics": {"name": "newton"}}, "experiment[0].dynamics.name"),
        ({"dynamics": {"name": "sgd", "batch_size": 4}}, "experiment[0].dynamics.temperature"),
        ({"dynamics": {"name": "sgd", "batch_size": 17, "temperature": 1.0}}, "experiment[0].dynamics.batch_size"),
        ({"dynamics": {"name": "momentum", "integrator": "euler"}}, "experiment[0].dynamics.integrator"),
        ({"dynamics": {"name": "momentum"}, "loss": "hinge"}, "experiment[0].loss"),
        ({"dynamics": {"name": "adam"}, "loss": "hinge", "arms": ["network", "final_kernel"]}, "experiment[0].arms"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(changes, field):
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "x", "experiment": [FIELDS | changes]})
    assert caught.value.field == field
