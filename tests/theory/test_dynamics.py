"""Each law says which training dynamics it holds for: gradient flow, and more where that is derived."""

from simulate.campaign.dynamics import NAMES
from theory.activation import Activation
from theory.dynamics import IN_WORDS, in_words
from theory.predictions import predictions


def test_every_dynamics_of_a_campaign_has_a_name_in_sentences():
    assert set(IN_WORDS) == set(NAMES)
    assert in_words(("adam",)) == "Adam"
    assert in_words(("gradient_flow", "sgd")) == "gradient flow and stochastic gradient descent"


def test_laws_hold_for_gradient_flow_and_those_of_a_frozen_kernels_pace_for_minibatches_too():
    further = set()
    for law in predictions(Activation("softplus"), 3):
        assert "gradient_flow" in law.dynamics
        assert set(law.dynamics) <= set(NAMES)
        further |= {(law.claim, law.regime.name)} if len(law.dynamics) > 1 else set()
    # before training there is no dynamics, and the better regime was observed with Adam, too
    assert further == {
        ("weight_change_lazy", "lazy"), ("half_time", "lazy"), ("initial_kernel_variance", "any"),
        ("regime_preference", None),
    }  # fmt: skip
