"""What pydantic finds wrong, as one sentence that names the field as it stands in the file."""

import pytest
from campaigns import VALID, campaign

from simulate import Campaign
from theory import InputError


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"widht": [1]}, "experiment[0].widht = [1]: no such field. Remove it, or look up its spelling in "),
        ({"depth": None}, "experiment[0].depth = None: it is missing. Add it."),
        ({"dtype": "float16"}, "experiment[0].dtype = 'float16': is not supported. Use 'float64', 'float32' or"),
        ({"loss": "no"}, "experiment[0].loss = 'no': no such loss. Use one of hinge, softhinge, logistic, square, "),
        ({"widths": [16, -1]}, "experiment[0].widths[1] = -1: should be greater than or equal to 1. Change it."),
        (
            {"dynamics": {"name": "sgd", "temperature": -1.0, "batch_size": 2}},
            "experiment[0].dynamics.temperature = -1.0: should be greater than 0. Change it.",
        ),
    ],
)  # fmt: skip
def test_the_first_problem_is_one_sentence(changes, sentence):
    with pytest.raises(InputError) as caught:
        campaign(**changes)
    assert str(caught.value).startswith(sentence)


def test_a_problem_of_the_campaign_itself_is_named_without_an_experiment():
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "", "experiment": [VALID]})
    assert caught.value.field == "name"
