"""``python -m fit.audit``: what it prints and writes, and what it refuses in one sentence."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from fit.audit.command import app

MODEL = """
import torch
from torch import nn

def make(width=8):
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    torch.save(model.state_dict(), "init.pt")
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(5)
    torch.save(model.state_dict(), "end.pt")
    np.savez("probe.npz", inputs=np.random.default_rng(0).normal(size=(10, 4)), targets=np.arange(10) % 2)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


AUDIT = ("model.py:make", "--before", "init.pt", "--after", "end.pt", "--data", "probe.npz")


def test_an_audit_of_two_checkpoints(folder):
    done = run(*AUDIT, "--out", "here")
    assert done.exit_code == 0, done.output
    assert "model.py:make: learns features" in done.stdout
    assert "about 1 s" in done.stderr
    assert (folder / "here" / "audit.html").exists()
    content = json.loads((folder / "here" / "audit.json").read_text())
    assert content["audit"]["inputs"] == 10
    again = run(*AUDIT, "--json", "--points", 5)
    assert json.loads(again.stdout)["audit"]["inputs"] == 5
    assert run(*AUDIT, "--quiet").output == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.py:make", *AUDIT[1:]), "no such Python file"),
        (("model.py:other", *AUDIT[1:]), "defines no function"),
        (AUDIT[:-2], "Give --data"),
        (AUDIT[:1], "no question is asked"),
        (("model.py:make", "--before", "init.pt", "--data", "probe.npz"), "one pair a run"),
        ((*AUDIT[:-1], "none.npz"), "can't be read"),
        ((*AUDIT[:-3], "probe.npz", "--data", "probe.npz"), "after = "),
        ((*AUDIT, "--before", "init.pt"), "one pair a run"),
        ((*AUDIT, "--dtype", "int8"), "not supported"),
        ((*AUDIT, "--out", "model.py"), "can't be written"),
    ],
)
def test_what_can_not_be_used_is_one_sentence_and_exit_code_2(folder, arguments, says):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_data_that_do_not_fit_and_weights_that_are_not_finite(folder):
    np.savez("probe.npz", inputs=np.ones((10, 3)))
    assert "can't be evaluated on it" in run(*AUDIT).stderr
    np.savez("probe.npz", inputs=np.ones((10, 4)))
    state = torch.load("end.pt")
    torch.save(state | {"0.weight": torch.full((8, 4), torch.nan)}, "end.pt")
    assert "0.weight has numbers that are not finite" in run(*AUDIT).stderr
