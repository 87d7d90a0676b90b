"""A torch function named module:function is an activation like a formula: same theory, same networks."""

import json
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import fit.report.command
import simulate.command
import theory.__main__
from simulate import Campaign, register_activation, run
from simulate.networks import torch_functions
from simulate.running.reproduce import reproduce
from simulate.store import Store
from simulate.training.status import Status
from theory import Activation, InputError, infinite_width_kernels, predictions
from theory.activation_properties import clear_cached_properties

MODULE = """
import torch
import torch.nn.functional as F

softplus = lambda z: F.softplus(z, beta=5, threshold=200)
gelu = lambda z: F.gelu(z)
relu = torch.relu
leaky = lambda z: F.leaky_relu(z, 0.2)
swish = lambda z: z * torch.sigmoid(1.702 * z)
hat = lambda z: z.clamp(0, 6)
shifted = lambda z: (z - 0.3).abs()
square = lambda z: torch.relu(z) ** 2
power = lambda z: torch.sign(z) * torch.abs(z) ** 1.5
soft = lambda z: F.softsign(z)

logarithm = lambda z: z * torch.log1p(z * z)
wave = lambda z: z * torch.sin(z)
softmax = lambda z: torch.softmax(z.reshape(-1), 0).reshape(z.shape)
jump = lambda z: torch.where(z > 1, z + 1, z)
single = lambda z: z.float()
nothing = lambda z: None
detached = lambda z: z.detach() ** 2
inplace = lambda z: z.relu_()
half = lambda z: z + z.detach()
constant = lambda z: 0 * z + 1
exponential = lambda z: torch.exp(z)
total = lambda z: z.sum()
failing = lambda z: z.no_such_method()
seven = 7
"""

PAIRS = {
    "softplus": "softplus",
    "gelu": "gelu",
    "relu": "relu",
    "leaky": "leaky_relu(z, 0.2)",
    "swish": "z*sigmoid(1.702*z)",
    "hat": "min(max(z, 0), 6)",
    "shifted": "abs(z - 0.3)",
    "square": "relu2",
    "power": "sign(z)*abs(z)**1.5",
    "soft": "z/(1 + abs(z))",
}


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_functions.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop("own_functions", None)
    for name in [n for n in torch_functions._loaded if n.startswith("own_functions")]:
        del torch_functions._loaded[name]


@pytest.mark.parametrize(("function", "formula"), PAIRS.items())
def test_theory_finds_numerically_what_it_derives_from_the_formula(function, formula):
    """Kinks by bisection to rounding; the normalisation from the same quadrature of the same values."""
    register_activation(f"own_functions:{function}")
    found, known = Activation(f"own_functions:{function}"), Activation(formula)
    assert found.normalisation == pytest.approx(known.normalisation, rel=1e-9)
    assert found.kinks == pytest.approx(known.kinks, abs=1e-9)
    assert (found.degree_left, found.degree_right) == (known.degree_left, known.degree_right)
    assert found.saturation == known.saturation
    assert (found.parity, found.degree_exact, found.bounded) == (known.parity, known.degree_exact, known.bounded)
    for depth in (1, 3):
        assert predictions(found, depth) == predictions(known, depth)
    at = np.linspace(-3.01, 3, 50)
    np.testing.assert_allclose(found.slope(at), known.slope(at), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("function", ["relu", "hat", "swish"])
def test_its_kernels_at_infinite_width_are_those_of_the_formula(function):
    """relu's are in closed form for the formula and integrated for the function: 1e-9 is what the integral promises."""
    register_activation(f"own_functions:{function}")
    x = np.sqrt(2) * np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    found = infinite_width_kernels(Activation(f"own_functions:{function}"), 2, x)
    for kernel, known in zip(found, infinite_width_kernels(PAIRS[function], 2, x), strict=True):
        np.testing.assert_allclose(kernel, known, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no_module_of_this_name:f", "there is no module no_module_of_this_name"),
        ("own_functions:absent", "module own_functions has no function absent"),
        ("own_functions:seven", "has no function seven"),
        ("own_functions", "is not of the form module:function"),
        ("own_functions:softmax", "is not elementwise"),
        ("own_functions:total", "is not elementwise"),
        ("own_functions:single", "returns torch.float32 for torch.float64"),
        ("own_functions:nothing", "returns NoneType"),
        ("own_functions:failing", "fails on a tensor"),
        ("own_functions:inplace", "changes its argument"),
        ("own_functions:detached", "autograd finds no derivative"),
        ("own_functions:half", "autograd's derivative is not that of its values"),
        ("own_functions:exponential", "not a finite real number at z = 71"),
        ("own_functions:jump", "jumps at z = 1,"),
        ("own_functions:constant", "it is constant"),
        ("own_functions:logarithm", "its degree does not settle"),
        ("own_functions:wave", "its degree does not settle"),
    ],
)
def test_what_can_not_be_used_is_refused_in_a_sentence(name, problem):
    with pytest.raises(InputError, match="activation = ") as caught:
        register_activation(name)
    assert problem in str(caught.value)


def campaign(activation):
    return Campaign.from_dict(
        {
            "name": "own",
            "experiment": [
                {"name": "e", "dataset": "digits", "n_train": 20, "n_test": 20, "depth": 2, "activation": activation,
                 "widths": [12, 16], "root_h_alpha": [1e-2, 1.0], "seeds": 2, "tolerance": 1e-2}
            ],
        }
    )  # fmt: skip


@pytest.mark.parametrize(("function", "workers"), [("leaky", 1), ("swish", 2)])
def test_networks_are_trained_with_the_function_itself_in_workers_too(tmp_path, function, workers):
    """Rounding differs between torch's own leaky_relu and the formula: 1e-9, and more where a kink is crossed."""
    register_activation(f"own_functions:{function}")
    found = run(campaign(f"own_functions:{function}"), tmp_path / "own.zarr", workers=workers).store.tree()["e"]
    known = run(campaign(PAIRS[function]), tmp_path / "formula.zarr", workers=1).store.tree()["e"]
    tolerance = 1e-2 if Activation(PAIRS[function]).kinks else 1e-9
    for name in ("kernel_change", "time_half", "weight_change"):
        np.testing.assert_allclose(found[name].values, known[name].values, rtol=tolerance)
    compared = reproduce(tmp_path / "own.zarr", "experiment=e,width=16,root_h_alpha=1,seed=1")
    assert all(one.agrees for one in compared)


@pytest.fixture
def as_in_another_process(monkeypatch):
    """A function after whose call no function has been registered here."""

    def forget_all():
        monkeypatch.setattr(torch_functions, "_loaded", {})
        monkeypatch.setattr("theory.black_box._registered", {})
        clear_cached_properties()

    yield forget_all
    monkeypatch.undo()
    clear_cached_properties()


def test_a_changed_module_is_noticed_and_an_unknown_one_is_not_imported(tmp_path, module, as_in_another_process):
    path = tmp_path / "store.zarr"
    (module / "changing.py").write_text("import torch\n\n\ndef f(z):\n    return torch.relu(z)\n")
    register_activation("changing:f")
    run(campaign("changing:f"), path, workers=1)
    try:
        del sys.modules["changing"], torch_functions._loaded["changing:f"]
        (module / "changing.py").write_text("import torch\n\n\ndef f(z):\n    return 2.0 * torch.relu(z)\n")
        register_activation("changing:f")
        with pytest.raises(InputError, match=r"activation_source.*the store .* was made with"):
            run(campaign("changing:f"), path, workers=1)
        with pytest.raises(InputError, match="its module has changed"):
            reproduce(path, "experiment=e,width=16,root_h_alpha=1,seed=1")
    finally:
        del torch_functions._loaded["changing:f"]
    # a process that was not told of the function counts networks, and says what it lacks to compute some
    as_in_another_process()
    counted = CliRunner().invoke(simulate.command.app, ["status", str(path)])
    assert "8 converged" in counted.stdout
    refused = CliRunner().invoke(fit.report.command.app, [str(path), "--out", str(tmp_path / "report")])
    assert refused.exit_code == 2
    assert "this function has not been loaded" in refused.stderr


def test_repair_of_a_store_names_its_function_before_anything_is_dropped(tmp_path, as_in_another_process):
    path = tmp_path / "store.zarr"
    register_activation("own_functions:swish")
    run(campaign("own_functions:swish"), path, workers=1)
    chunk = next((path / "e" / "kernel_change" / "c").rglob("*"))
    chunk = chunk if chunk.is_file() else next(p for p in chunk.rglob("*") if p.is_file())
    damaged = bytearray(chunk.read_bytes())
    damaged[8] ^= 1
    chunk.write_bytes(damaged)
    command = ["repair", str(path), "--workers", "1"]
    as_in_another_process()
    refused = CliRunner().invoke(simulate.command.app, command)
    assert refused.exit_code == 2
    assert "this function has not been loaded" in refused.stderr
    assert "--activation" in refused.stderr
    assert len(Store.open(path).verify()) == 1
    repaired = CliRunner().invoke(simulate.command.app, [*command, "--activation", "own_functions:swish"])
    assert repaired.exit_code == 0, repaired.output
    assert not Store.open(path).verify()
    assert sum(Store.open(path).counts()["e"].values()) == Store.open(path).counts()["e"][Status.CONVERGED]


def test_theory_says_of_a_function_what_it_says_of_its_formula(monkeypatch):
    """Theory does not import simulate: an entry point of the installed package leads to its loader."""
    point = EntryPoint("torch", "simulate.networks.torch_functions:register_activation", "lazyrich.functions")
    monkeypatch.setattr("theory.__main__.entry_points", lambda group: [point])
    told = {}
    for name in ("own_functions:swish", PAIRS["swish"]):
        done = CliRunner().invoke(theory.__main__.app, [name, "--json"])
        assert done.exit_code == 0, done.output
        told[name] = json.loads(done.output)
    own, known = told.values()
    assert (own["degree"], own["predictions"]) == (known["degree"], known["predictions"])
    assert own["normalisation"] == pytest.approx(known["normalisation"], rel=1e-10)
    monkeypatch.setattr("theory.__main__.entry_points", lambda group: [])
    refused = CliRunner().invoke(theory.__main__.app, ["own_functions:nobody_loaded_this"])
    assert refused.exit_code == 2
    assert "this function has not been loaded" in refused.output


def test_a_campaign_file_can_not_name_a_function(tmp_path):
    path = tmp_path / "campaign.toml"
    path.write_text('name = "x"\n[defaults]\nactivation = "os:system"\n[[experiment]]\nname = "e"\n')
    with pytest.raises(InputError, match="can't name a function of a module"):
        Campaign.from_toml(path)


def test_the_report_command_takes_one(module, monkeypatch, as_in_another_process):
    """From the folder of the module, as a user would: dry, since the long way is tested above."""
    as_in_another_process()
    monkeypatch.chdir(module)
    arguments = ["--activation", "own_functions:swish", "--depth", "3", "--dry-run"]
    told = CliRunner().invoke(fit.report.command.app, arguments)
    assert told.exit_code == 0, told.output
    assert "own_functions:swish, L = 3" in told.stdout
    assert "beside-tanh-L3" in told.stdout


def test_a_function_keeps_dtype_and_shape_in_layers():
    register_activation("own_functions:gelu")
    from simulate.networks.torch_activation import compile_activation

    compiled, known = (compile_activation(Activation(name), 0.5) for name in ("own_functions:gelu", "gelu"))
    for dtype in (torch.float32, torch.float64):
        x = torch.randn(3, 4, 5, dtype=dtype)
        for own, other in zip(compiled.value_and_slope(x), known.value_and_slope(x), strict=True):
            assert own.dtype == dtype
            torch.testing.assert_close(own, other)
