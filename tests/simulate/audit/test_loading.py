"""A user's files: what can't be used is named in a sentence."""

import os
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.loading import as_inputs, as_targets, build, load_checkpoint, load_function, load_probe
from simulate.audit.model_function import ModelFunction, check_forward
from simulate.data import npz


def test_a_function_of_a_file_is_found_and_its_neighbours_can_be_imported(tmp_path):
    (tmp_path / "beside_it.py").write_text("SIZE = 3\n")
    (tmp_path / "model.py").write_text(
        "from beside_it import SIZE\nfrom torch import nn\ndef make(width=SIZE):\n    return nn.Linear(width, 1)\n"
    )
    assert build(load_function(f"{tmp_path}/model.py:make")).in_features == 3


@pytest.mark.parametrize(
    ("text", "reference", "says"),
    [
        ("", "missing.py:make", "no such Python file"),
        ("", "model.py", "no function is named"),
        ("x = 1", "model.py:make", "defines no function 'make'"),
        ("import no_such_package", "model.py:make", "No module named 'no_such_package'"),
        ("def make(:", "model.py:make", "SyntaxError"),
    ],
)
def test_what_can_not_be_imported(tmp_path, text, reference, says):
    (tmp_path / "model.py").write_text(text)
    with pytest.raises(InputError, match=says):
        load_function(f"{tmp_path}/{reference}")


def test_make_must_make_a_module():
    with pytest.raises(InputError, match="something other than a model"):
        build(lambda: 3)
    with pytest.raises(InputError, match="it raised ValueError: no"):
        build(lambda: (_ for _ in ()).throw(ValueError("no")))


def test_checkpoints_of_every_shape_of_file(tmp_path):
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    for name, content in (("a", other.state_dict()), ("b", {"state_dict": other.state_dict(), "step": 3})):
        torch.save(content, tmp_path / name)
        assert torch.equal(load_checkpoint(model, tmp_path / name, "after").weight, other.weight)
    assert torch.equal(load_checkpoint(model, other, "after").weight, other.weight)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (nn.Linear(4, 2).state_dict(), "does not fit the model"),
        ({"weight": torch.zeros(2, 3)}, "Missing key"),
        ({"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}, "not finite"),
        ([1, 2], "no state dictionary"),
        (Harmful(), "no file of tensors alone"),
    ],
)
def test_checkpoints_that_can_not_be_used(tmp_path, capsys, content, says):
    torch.save(content, tmp_path / "after.pt")
    with pytest.raises(InputError, match=says):
        load_checkpoint(nn.Linear(3, 2), tmp_path / "after.pt", "after")
    assert capsys.readouterr().out == ""  # no code of a checkpoint is run


def test_a_checkpoint_that_is_no_file(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        load_checkpoint(nn.Linear(3, 2), tmp_path / "after.pt", "after")
    (tmp_path / "after.pt").write_text("text")
    with pytest.raises(InputError, match="no file of tensors"):
        load_checkpoint(nn.Linear(3, 2), tmp_path / "after.pt", "after")


def test_probe_points(tmp_path):
    np.savez(tmp_path / "probe.npz", inputs=np.ones((4, 2)), targets=np.arange(4))
    inputs, targets = load_probe(tmp_path / "probe.npz")
    assert inputs.shape == (4, 2)
    assert as_targets(targets, 4).shape == (4, 4)
    assert as_targets(np.array([1, -1, 1, 1]), 4).shape == (4, 1)
    assert as_inputs(np.ones((4, 2), dtype=np.int32), torch.float32).dtype == torch.int64
    np.savez(tmp_path / "probe.npz", x=np.ones((4, 2)))
    with pytest.raises(InputError, match="has no array inputs, but x"):
        load_probe(tmp_path / "probe.npz")
    np.savez(tmp_path / "probe.npz", inputs=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="it holds Python objects"):
        load_probe(tmp_path / "probe.npz")
    with pytest.raises(InputError, match="not finite"):
        as_inputs(np.array([1.0, np.inf]), torch.float32)
    with pytest.raises(InputError, match="two points"):
        as_inputs(np.ones(1), torch.float32)
    with pytest.raises(InputError, match="4 inputs need as many"):
        as_targets(np.ones(3), 4)


class Centred(nn.Linear):
    def forward(self, x):
        return super().forward(x) - super().forward(x).mean(0)


class Noisy(nn.Linear):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.5, training=True)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Centred(3, 2), "depends on the other points"),
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, track_running_stats=False)), "depends on the other|can't be"),
        (Noisy(3, 2), "two evaluations of the same inputs differ"),
        (nn.Linear(4, 2), "can't be evaluated on it"),
        (nn.LSTM(3, 2), "gives no tensor"),
    ],
)
def test_models_that_can_not_be_audited(model, says):
    with pytest.raises(InputError, match=says):
        check_forward(ModelFunction.from_module(model), torch.randn(5, 3))


def test_dropout_and_batch_normalisation_are_in_evaluation_mode():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5)).train()
    check_forward(ModelFunction.from_module(model), torch.randn(5, 3))


def test_a_model_without_trained_parameters():
    with pytest.raises(InputError, match="no parameter that is trained"):
        ModelFunction.from_module(nn.Tanh())


def test_probes_are_looked_at_before_they_are_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(InputError, match="is not a file"):
        load_checkpoint(nn.Linear(3, 2), tmp_path / "pipe.npz", "after")
    with pytest.raises(InputError, match="is not a file"):
        load_probe(tmp_path / "pipe.npz")
    monkeypatch.setattr(npz, "_LARGEST", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", inputs=np.zeros(2**18))
    with pytest.raises(InputError, match="at most 0 GiB are read"):
        load_probe(tmp_path / "bomb.npz")


def test_weights_that_unpack_to_more_than_their_size_are_refused_unread(tmp_path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "good.pt")
    with (
        zipfile.ZipFile(tmp_path / "good.pt") as good,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in good.namelist():
            packed.writestr(name, good.read(name) + bytes(10**6) * name.endswith("data/0"))
    load_checkpoint(nn.Linear(3, 2), tmp_path / "good.pt", "after")
    with pytest.raises(InputError, match="more than its size"):
        load_checkpoint(nn.Linear(3, 2), tmp_path / "packed.pt", "after")
