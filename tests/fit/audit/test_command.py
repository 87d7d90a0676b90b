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
        ((*AUDIT[:-1], "none.npz"), "no such file"),
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


NETWORK = """
import torch
from torch import nn
from torch.nn import functional

class Network(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.a, self.b = nn.Linear(4, width), nn.Linear(width, 2)

    def forward(self, x):
        {}

make = Network
"""


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        ("return self.b(functional.dropout(self.a(x)))", "two evaluations of the same inputs differ"),
        ("return self.b(self.a(x) - self.a(x).mean(0))", "depends on the other points"),
        ("return self.b(self.a(x)), x", "gives no tensor"),
        ("return self.b(self.a(x)) * 1j", "gives no real numbers"),
        ("return self.b(self.a(x)) > 0", "gives no real numbers"),
        ("return self.b(self.a(x)).mean()", "of shape () for"),
        ("return torch.from_numpy(self.b(self.a(x)).detach().numpy())", "can be differentiated"),
        ("x += 1; return self.b(self.a(x))", "changes them in place"),
        ("raise SystemExit(1)", "can't be evaluated on it (SystemExit: 1)"),
    ],
)
@pytest.mark.parametrize("question", ["trained", "widths"])
def test_forwards_that_can_not_be_audited(folder, forward, says, question):
    (folder / "model.py").write_text(NETWORK.format(forward))
    state = {
        "a.weight": torch.ones(8, 4),
        "a.bias": torch.ones(8),
        "b.weight": torch.ones(2, 8),
        "b.bias": torch.ones(2),
    }
    torch.save(state, "init.pt")
    arguments = {
        "trained": ("--before", "init.pt", "--after", "init.pt"),
        "widths": ("--widths", 8, 16, "--seeds", 2),
    }[question]
    done = run("model.py:make", "--data", "probe.npz", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys\nsys.exit(3)", "can't be imported (SystemExit: 3)"),
        ("def make(width):\n    raise SystemExit(1)", "it raised SystemExit: 1"),
        ("def make(a, b):\n    pass", "missing 1 required positional argument"),
        ("from torch import nn\ndef make(width):\n    return nn.LazyLinear(2)", "has no shape before data are seen"),
        ("import torch\ndef make(width):\n    return torch.nn.Linear(4, 2, dtype=torch.cfloat)", "complex numbers"),
        ("from torch import nn\ndef make(width):\n    return nn.Tanh()", "no parameter that is trained"),
    ],
)
def test_model_files_that_can_not_be_audited(folder, text, says):
    (folder / "model.py").write_text(text)
    done = run("model.py:make", "--widths", 8, 16, "--data", "probe.npz")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


X = np.random.default_rng(1).normal(size=(10, 4))


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"inputs": X * 1j}, "complex numbers"),
        ({"inputs": np.array(["a"] * 10)}, "these are no numbers"),
        ({"inputs": np.ones((10, 4), dtype=int)}, "integers are given as tokens"),
        ({"inputs": X, "targets": np.array(["a"] * 10)}, "these are no numbers"),
        ({"inputs": X, "targets": np.array(1.0)}, "10 inputs need as many"),
        ({"inputs": X, "targets": np.full(10, np.nan)}, "not finite"),
        ({"inputs": X, "targets": np.ones(10) * 1j}, "complex numbers"),
    ],
)
def test_data_that_can_not_be_used(folder, arrays, says):
    np.savez("probe.npz", **arrays)
    done = run(*AUDIT)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_one_array_in_place_of_several(folder):
    np.save("probe.npy", X)
    done = run(*AUDIT[:-1], "probe.npy")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "arrays with names" in done.stderr


@pytest.mark.parametrize(("loss", "verdict"), [("float('nan')", "not decided"), ("-1.0", "not decided")])
def test_losses_that_have_no_logarithm(folder, loss, verdict):
    (folder / "mine.py").write_text(f"def train(model, rate, seed):\n    return {loss}\n")
    done = run("model.py:make", "--widths", 8, 16, "--seeds", 2, "--transfer", "--train", "mine.py:train", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["rate_transfer"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import torch\ndef f(model, rate):\n    return torch.optim.LBFGS(model.parameters())", "no step by gradients"),
        ("def f(model, rate):\n    raise SystemExit(1)", "it raised SystemExit"),
    ],
)
def test_optimisers_that_can_not_be_used(folder, text, says):
    (folder / "mine.py").write_text(text)
    done = run("model.py:make", "--widths", 8, 16, "--seeds", 2, "--optimizer", "mine.py:f")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr
