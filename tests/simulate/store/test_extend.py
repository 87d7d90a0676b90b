"""A store can grow: more seeds, widths, amplitudes, and what is finished is neither lost nor computed again."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from simulate import Campaign, Status, Store, run, run_task
from simulate.command import app
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.store import extend as extending
from theory import InputError

LARGER = {"widths": [8, 12, 16], "root_h_alpha": [0.1, 1.0, 10.0], "seeds": 5}


@pytest.fixture(scope="session")
def larger(tiny):
    return tiny.changed(**LARGER)


@pytest.fixture(scope="session")
def fresh(larger, tmp_path_factory):
    """The store of a run of the larger campaign from nothing: only to be read."""
    path = tmp_path_factory.mktemp("larger") / "fresh.zarr"
    run(larger, path, workers=1)
    return path


def networks(path, name):
    return xr.open_datatree(path, engine="zarr")[name].to_dataset().load()


def shared(path, name):
    """The networks of a larger store that the tiny one has, too."""
    return networks(path, name).sel(width=[8, 16], root_h_alpha=[0.1, 10.0], seed=[0, 1, 2])


def assert_grown(path, finished, fresh):
    """What was there is there, to the bit; the rest is what a run of the larger campaign gives."""
    assert Store.open(path).pending() == ()
    assert Store.open(path).verify() == []
    for name in ("one", "two"):
        for variable, values in networks(finished, name).data_vars.items():
            np.testing.assert_array_equal(shared(path, name)[variable], values)
        grown, expected = networks(path, name), networks(fresh, name)
        for variable in set(expected.data_vars) - set(NONDETERMINISTIC_VARIABLES):
            # batches are composed otherwise: rounding for softplus (of float32 where it is kept so), the integrator's
            # tolerance (0.05 here) where a kink decides by rounding
            rounding = 1e-6 if expected[variable].dtype == np.float32 else 1e-9
            limit = {"rtol": rounding, "atol": rounding} if name == "one" else {"rtol": 0.1, "atol": 0.1}
            if variable not in ("steps", "gradient_evaluations") or name == "one":
                np.testing.assert_allclose(grown[variable], expected[variable], **limit, err_msg=variable)


def test_a_store_grows_in_all_three_directions_and_computes_what_is_new(tiny, finished, larger, fresh, store_path):
    computed = []

    def counted(experiment, task, data, *, device):
        computed.append(len(experiment.amplitudes) * (task.seed_stop - task.seed_start))
        return run_task(experiment, task, data, device=device)

    run(larger, store_path, workers=1, grow=True, compute=counted)
    assert sum(computed) == larger.size - tiny.size
    assert_grown(store_path, finished, fresh)
    told = [record for record in Store.open(store_path).records() if "extended_from" in record]
    assert told[0]["networks_kept"] == tiny.size
    assert not list(store_path.parent.glob("*.extending")) + list(store_path.parent.glob("*.replaced"))


def test_processes_finish_what_an_extension_has_begun(finished, larger, fresh, store_path):
    run(larger, store_path, workers=2, grow=True)
    assert_grown(store_path, finished, fresh)


def test_an_extension_that_is_killed_anywhere_loses_nothing(finished, larger, store_path, tmp_path, monkeypatch):
    """While copying, before the first renaming, between the two, and in the run after it."""
    for number, target in enumerate(("write", "write_records", "rename")):
        path = shutil.copytree(store_path, tmp_path / f"copy{number}")
        with monkeypatch.context() as patched:
            if target == "write":
                patched.setattr(Store, "write", _interrupt)
            elif target == "write_records":
                patched.setattr(extending, "write_records", _interrupt)
            else:
                patched.setattr(type(path), "rename", _first_renaming_only)
            with pytest.raises(KeyboardInterrupt):
                run(larger, path, workers=1, grow=True)
        run(larger, path, workers=1, grow=True)
        assert Store.open(path).verify() == []
        for name in ("one", "two"):
            assert (networks(path, name)["status"] != Status.PENDING).all()
            xr.testing.assert_equal(shared(path, name).drop_attrs(), networks(finished, name).drop_attrs())
        assert {p.name for p in tmp_path.glob(f"copy{number}*")} == {f"copy{number}"}


def _interrupt(*_, **__):
    raise KeyboardInterrupt


_rename = Path.rename


def _first_renaming_only(self, target):
    if self.name.endswith(".extending"):
        raise KeyboardInterrupt
    return _rename(self, target)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seeds": 2}, "experiment[0].seeds"),
        ({"widths": [8, 32]}, "experiment[0].widths[1]"),
        ({"root_h_alpha": [0.1, 1.0]}, "experiment[0].root_h_alpha[1]"),
        ({"seeds": 4, "activation": "tanh"}, "experiment[0].activation"),
        ({"seeds": 4, "base_seed": 1}, "experiment[0].base_seed"),
    ],
)
def test_any_other_change_is_the_error_and_touches_nothing(tiny, store_path, change, field):
    fields = tiny.to_dict()
    fields["experiment"][0] |= change
    with pytest.raises(InputError, match="Extending adds seeds, widths or amplitudes") as caught:
        run(Campaign.from_dict(fields), store_path, grow=True)
    assert caught.value.field == field
    assert Store.open(store_path).campaign == tiny
    assert Store.open(store_path).verify() == []


def test_without_the_option_a_larger_campaign_is_refused_with_it_as_the_remedy(larger, store_path):
    with pytest.raises(InputError, match="--extend"):
        run(larger, store_path)


def test_a_store_on_object_storage_is_refused(tiny, larger):
    run(tiny, "memory://grow", workers=1)
    with pytest.raises(InputError, match="only stores in folders"):
        run(larger, "memory://grow", grow=True)


def test_the_command_extends(finished, tiny, store_path, tmp_path):
    from test_runner import _toml

    (tmp_path / "c.toml").write_text(_toml(tiny.changed(seeds=4)))
    arguments = [tmp_path / "c.toml", "--out", store_path, "--extend", "--workers", "1"]
    ended = CliRunner().invoke(app, [str(a) for a in arguments])
    assert ended.exit_code == 0, ended.output
    assert "extended: 24 networks kept" in ended.stderr
    assert "32 networks in" in ended.stderr
