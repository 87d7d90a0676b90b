"""A campaign of one small experiment, changed by a test."""

from simulate import Campaign

VALID = {
    "name": "one",
    "dataset": "digits",
    "n_train": 40,
    "n_test": 60,
    "depth": 2,
    "activation": "relu",
    "widths": [16, 32],
    "root_h_alpha": [0.1, 1.0],
    "seeds": 5,
}


def campaign(**changes):
    fields = {k: v for k, v in (VALID | changes).items() if v is not None}
    return Campaign.from_dict({"name": "test", "experiment": [fields]})


def experiment(**changes):
    return campaign(**changes).experiment[0]
