"""What --extend would add is said before: new widths, amplitudes and seeds, and which tasks there are to train."""

import pytest
from typer.testing import CliRunner

from simulate import Campaign, Store, run
from simulate.command import app
from simulate.store.growth import growth_of
from theory import InputError

LARGER = """name = "tiny"
[[experiment]]
name = "one"
dataset = "digits"
n_train = 20
n_test = 30
depth = 1
activation = "softplus"
widths = [8, 16]
root_h_alpha = [0.1, 10.0]
seeds = 5
tolerance = 0.05
"""


def test_new_networks_are_counted_and_named(tiny, finished):
    larger = tiny.changed(widths=[8, 12, 16], root_h_alpha=[0.1, 1.0, 10.0], seeds=5)
    growth = growth_of(finished, larger)
    assert (growth.networks, growth.finished) == (larger.size - tiny.size, tiny.size)
    assert growth.new["one"] == ["width 12", "root_h_alpha 1", "2 seeds (3 to 4)"]


def test_only_new_widths_leave_the_tasks_of_the_others_finished(tiny, finished):
    growth = growth_of(finished, tiny.changed(widths=[8, 12, 16]))
    assert {task.width for task in growth.pending} == {12}


def test_a_store_of_the_same_campaign_gets_nothing_new(tiny, finished):
    growth = growth_of(finished, tiny)
    assert (growth.networks, growth.pending, growth.new["one"]) == (0, (), [])


def test_where_there_is_no_store_all_is_new(tiny, tmp_path):
    assert growth_of(tmp_path / "none", tiny) is None


def test_another_campaign_is_no_growth(tiny, finished):
    with pytest.raises(InputError, match="n_train"):
        growth_of(finished, tiny.changed(n_train=21))


def test_the_dry_run_of_an_extension_says_what_is_new_and_writes_nothing(tiny, tmp_path):
    (experiment,) = (e for e in tiny.experiment if e.name == "one")
    one = tiny.to_dict() | {"experiment": [experiment.model_dump(mode="json", exclude_none=True)]}
    run(Campaign.from_dict(one), tmp_path / "s", workers=1)
    (tmp_path / "larger.toml").write_text(LARGER)
    before = Store.open(tmp_path / "s").records()
    arguments = ["run", tmp_path / "larger.toml", "--out", tmp_path / "s", "--extend", "--dry-run"]
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    assert "new in the store: 8 networks; 12 that are finished are kept" in done.stdout
    assert "one: 2 seeds (3 to 4)" in done.stdout
    assert Store.open(tmp_path / "s").records() == before
