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
        ((*AUDIT, "--out", "model.py"), "out = 'model.py'"),
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


def test_all_questions_in_one_command(folder):
    done = run(
        *AUDIT, "--widths", 8, 16, 32, "--steps", 1, 2, "--seeds", 2, "--transfer", "--rates", 1e-3, 1e-2, 0.1, 1, 10,
        "--train-steps", 3, "--scales", 0.1, 10, "--out", "here",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    content = json.loads((folder / "here" / "audit.json").read_text())
    assert {"audit", "coordinate_check", "rate_transfer", "own_crossover", "provenance"} < set(content)
    assert content["coordinate_check"]["sizes"] == [8, 16, 32]
    assert content["coordinate_check"]["steps"] == [1, 2]
    page = (folder / "here" / "audit.html").read_text()
    for title in ("Lazy or feature training", "Does it keep its regime", "Does the learning rate", "How far is it"):
        assert page.count(title) >= 2


def test_the_users_own_optimiser_and_training(folder):
    (folder / "mine.py").write_text(
        "import torch\n"
        "def slow(model, rate):\n    return torch.optim.SGD(model.parameters(), lr=rate / 10)\n"
        "def train(model, rate, seed):\n    return (rate - 0.01) ** 2 + 1\n"
    )
    done = run("model.py:make", "--widths", 8, 16, "--seeds", 2, "--optimizer", "mine.py:slow", "--json")
    assert json.loads(done.stdout)["coordinate_check"]["optimizer"] == "slow"
    rates = [0.0025 * 2**k for k in range(6)]
    done = run("model.py:make", "--widths", 8, 16, "--seeds", 2, "--transfer", "--train", "mine.py:train", "--rates",
               *rates, "--json")  # fmt: skip
    assert json.loads(done.stdout)["rate_transfer"]["verdict"] == "transfers"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("model.py:make", "--widths", "8"), "two sizes"),
        (("model.py:make", "--scales", "1", "2", "3"), "needs data"),
        (("model.py:make", "--widths", "8", "16", "--transfer"), "needs data"),
        (("model.py:make", "--widths", "8", "16", "--optimizer", "lion"), "no such optimiser"),
        (("model.py:make", "--depths", "1", "2"), "it raised TypeError"),
    ],
)
def test_questions_that_can_not_be_asked(folder, arguments, says):
    done = run(*arguments)
    assert done.exit_code == 2
    assert says in done.stderr
