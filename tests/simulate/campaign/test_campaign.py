"""Campaign files: what is valid, what is refused and how, and how a grid is cut into tasks."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate import Campaign, list_presets
from simulate.planning.tasks import campaign_tasks, experiment_tasks, seeds_per_task
from theory import InputError

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


def test_defaults_are_filled_in():
    one = experiment()
    assert (one.loss, one.dtype, one.base_seed, one.n_kernel, one.amplitude) == (
        "softhinge",
        "float64",
        0,
        60,
        "root_h_alpha",
    )


def test_a_range_gives_the_powers_of_ten_between_its_ends():
    one = experiment(root_h_alpha={"start": 1e-2, "stop": 10.0, "per_decade": 2})
    np.testing.assert_allclose(one.amplitudes, 10.0 ** (np.arange(-4, 3) / 2), rtol=1e-14)


def test_alpha_and_root_h_alpha_are_the_same_axis_read_two_ways():
    by_alpha = experiment(root_h_alpha=None, alpha=[0.1, 1.0])
    assert by_alpha.amplitude == "alpha"
    np.testing.assert_allclose(by_alpha.root_h_alphas(16), [0.4, 4.0])
    np.testing.assert_allclose(experiment().alphas(16), [0.025, 0.25])


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"widths": [-1]}, "experiment[0].widths[0]", "greater than or equal to 1"),
        ({"widths": [32, 16]}, "experiment[0].widths", "ascending"),
        ({"widths": [16, 16]}, "experiment[0].widths", "ascending"),
        ({"widths": []}, "experiment[0].widths", "at least 1"),
        ({"activation": "q*z"}, "experiment[0].activation", "symbol other than z"),
        ({"activation": "exp(z**2)"}, "experiment[0].activation", "no finite second moment"),
        ({"loss": "hinge"}, "experiment[0].loss", "chatters"),
        ({"loss": "nosuch"}, "experiment[0].loss", "no such loss"),
        ({"depth": 0}, "experiment[0].depth", "greater than or equal to 1"),
        ({"depth": None}, "experiment[0].depth", "missing"),
        ({"n_train": "many"}, "experiment[0].n_train", "integer"),
        ({"widht": [16]}, "experiment[0].widht", "no such field"),
        ({"arms": ["final_kernel"]}, "experiment[0].arms", "the network, first"),
        ({"architecture": "nosuch"}, "experiment[0].architecture", "no such architecture"),
        ({"bias": -0.1}, "experiment[0].bias", "greater than or equal to 0"),
        ({"dtype": "float32", "root_h_alpha": [1e5]}, "experiment[0].dtype", "lose its digits at alpha = 2.5e+04"),
        ({"dtype": "float16"}, "experiment[0].dtype", "not supported"),
        ({"root_h_alpha": None}, "experiment[0].root_h_alpha", "given once"),
        ({"alpha": [1.0]}, "experiment[0].root_h_alpha", "given once"),
        ({"root_h_alpha": [0.0]}, "experiment[0].root_h_alpha[0]", "greater than 0"),
        ({"root_h_alpha": [math.nan]}, "experiment[0].root_h_alpha[0]", "finite"),
        ({"root_h_alpha": {"start": 1.0}}, "experiment[0].root_h_alpha", "start, stop and per_decade"),
        ({"root_h_alpha": {"start": 1.0, "stop": 0.1, "per_decade": 1}}, "experiment[0].root_h_alpha", "start <= stop"),
        ({"n_kernel": 61}, "experiment[0].n_kernel", "n_test = 60"),
        ({"seeds": 10**9}, "experiment[0].seeds", "networks"),
        ({"dynamics": {"name": "newton"}}, "experiment[0].dynamics.name", "no such dynamics"),
        ({"tolerance": 1.0}, "experiment[0].tolerance", "less than or equal to 0.1"),
        ({"name": "../up"}, "experiment[0].name", "pattern"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_a_remedy(changes, field, problem):
    with pytest.raises(InputError) as caught:
        campaign(**changes)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_two_experiments_of_one_name_are_refused():
    with pytest.raises(InputError, match="two experiments have this name"):
        Campaign.from_dict({"name": "test", "experiment": [VALID, VALID]})


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


def test_tasks_cover_the_grid_once_and_cut_it_along_chunks():
    one = experiment(seeds=230, widths=[16, 32, 64])
    block = seeds_per_task(one)
    seen = np.zeros((3, 230), dtype=int)
    for task in experiment_tasks(one):
        assert task.seed_start % block == 0
        assert one.widths[task.index] == task.width
        seen[task.index, task.seed_start : task.seed_stop] += 1
    assert (seen == 1).all()
    # about a hundred networks a task: 2 amplitudes × 46 seeds
    assert 80 <= block * len(one.amplitudes) <= 100


def test_memory_limits_a_task():
    assert seeds_per_task(experiment(widths=[8000], n_train=1000, seeds=40)) == 1


def test_expensive_tasks_come_first():
    tasks = campaign_tasks(campaign())
    assert [t.width for t in tasks] == sorted((t.width for t in tasks), reverse=True)


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


@pytest.mark.parametrize("wrong", [0, 21, [], [1.0, 1.0], [2.0, 1.0], [-1.0], "often"])
def test_checkpoints_are_a_number_or_ascending_times(wrong):
    with pytest.raises(InputError, match=r"experiment\[0\]\.checkpoints"):
        campaign(checkpoints=wrong)


@pytest.mark.parametrize("wrong", [[], ["initial_kernel"], ["network", "network"], ["network", "kernel"]])
def test_arms_are_the_network_and_known_others(wrong):
    with pytest.raises(InputError, match=r"experiment\[0\]\.arms"):
        campaign(arms=wrong)
