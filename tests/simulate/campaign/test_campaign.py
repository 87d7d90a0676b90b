"""Campaign files: what is valid, what is refused, what experiments share."""

import contextlib

import pytest
from campaigns import VALID, campaign
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate import Campaign, list_presets
from theory import InputError


def test_two_experiments_of_one_name_are_refused():
    with pytest.raises(InputError, match="two experiments have this name"):
        Campaign.from_dict({"name": "test", "experiment": [VALID, VALID]})


def test_two_experiments_whose_names_differ_by_capitals_alone_are_refused():
    """They would be one folder where case does not count, and zarr finds neither of them again."""
    with pytest.raises(InputError, match=r"'Relu': 'relu' differs from it by capitals alone"):
        Campaign.from_dict({"name": "test", "experiment": [VALID | {"name": "Relu"}, VALID | {"name": "relu"}]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"widht": [1]}, "experiment[0].widht = [1]: no such field. Remove it, or look up its spelling in "),
        ({"depth": None}, "experiment[0].depth is not given: it has no default. Add it."),
        ({"dtype": "float16"}, "experiment[0].dtype = 'float16': is not supported. Use 'float64', 'float32' or"),
        ({"loss": "no"}, "experiment[0].loss = 'no': no such loss. Use one of hinge, softhinge, logistic, square, "),
        ({"widths": [16, -1]}, "experiment[0].widths[1] = -1: should be greater than or equal to 1. Change it."),
        (
            {"dynamics": {"name": "sgd", "temperature": -1.0, "batch_size": 2}},
            "experiment[0].dynamics.temperature = -1.0: should be greater than 0. Change it.",
        ),
    ],
)  # fmt: skip
def test_the_first_problem_of_an_experiment_is_one_sentence(changes, sentence):
    with pytest.raises(InputError) as caught:
        campaign(**changes)
    assert str(caught.value).startswith(sentence)


def test_a_problem_of_the_campaign_itself_is_named_without_an_experiment():
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "", "experiment": [VALID]})
    assert caught.value.field == "name"


def test_files_that_are_not_campaigns_are_refused(tmp_path):
    for name, content in (("a.toml", b"name = "), ("b.toml", b"\xff\xfe"), ("c.toml", b"name = 'x'")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError):
            Campaign.from_toml(tmp_path / name)
    with pytest.raises(InputError, match="can't be read"):
        Campaign.from_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="no such preset"):
        Campaign.from_preset("nosuch")


def test_every_preset_is_valid_and_comes_back_from_its_plain_values():
    assert {"quick", "smoke"} <= set(list_presets())
    for name in list_presets():
        one = Campaign.from_preset(name)
        again = Campaign.from_dict(one.to_dict())
        assert again == one
        assert again.digest == one.digest


def test_a_changed_campaign_is_validated_anew():
    assert campaign().changed(base_seed=7).experiment[0].base_seed == 7
    with pytest.raises(InputError):
        campaign().changed(depth=-1)


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*VALID, "pca", "alpha", "loss", "tolerance", "dynamics"]), _junk)
@settings(max_examples=400, deadline=None)
def test_nonsense_in_a_field_is_refused_or_valid_and_never_an_accident(field, value):
    with contextlib.suppress(InputError):
        Campaign.from_dict({"name": "test", "experiment": [VALID | {field: value}]})


@given(_junk)
@settings(max_examples=200, deadline=None)
def test_nonsense_in_place_of_a_campaign_is_refused(value):
    with pytest.raises(InputError):
        Campaign.from_dict(value)


def test_defaults_are_what_experiments_share_and_their_own_fields_win():
    shared = {"dataset": "digits", "n_train": 20, "n_test": 20, "widths": [8], "root_h_alpha": [1.0], "seeds": 2}
    campaign = Campaign.from_dict(
        {
            "name": "both",
            "defaults": {**shared, "activation": "relu", "depth": 1},
            "experiment": [{"name": "a"}, {"name": "b", "depth": 2, "alpha": [0.5]}],
        }
    )
    assert [(e.activation, e.depth, e.amplitude) for e in campaign.experiment] == [
        ("relu", 1, "root_h_alpha"),
        ("relu", 2, "alpha"),
    ]
    assert "defaults" not in campaign.to_dict()
    assert Campaign.from_dict(campaign.to_dict()) == campaign


@pytest.mark.parametrize("wrong", [[1], {"name": "x"}])
def test_defaults_of_another_kind_are_refused(wrong):
    with pytest.raises(InputError, match="table of fields"):
        Campaign.from_dict({"name": "x", "defaults": wrong, "experiment": []})


def test_the_atlas_has_a_dozen_activations_at_five_depths():
    atlas = Campaign.from_preset("atlas").experiment
    activations = {e.activation for e in atlas}
    assert len(activations) >= 12
    assert {(e.activation, e.depth) for e in atlas} == {(a, d) for a in activations for d in range(1, 6)}
