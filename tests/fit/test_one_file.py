"""What CONTRIBUTING promises: an activation, a claim, a data set, an architecture are a file each, and in the report.

The files are put where a contributor would put them (a folder that the package's path is extended by), and nothing else
is changed.
"""

import re
import sys
import textwrap
from pathlib import Path

import pytest

import fit.claims
import simulate.data.sets
import simulate.networks
import theory.laws
from fit.findings import registry as measures
from fit.judge import measuring
from fit.judge.measuring import all_measures
from fit.report.from_sources import report_on
from simulate import Campaign, run
from simulate.data import sources
from simulate.networks import registry
from theory import claim, expression
from theory.claims import claims

#: the claim that CONTRIBUTING shows, and how it is measured
CLAIM, MEASURE = re.findall(
    r"^```python\n(.*?)^```", (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S
)

DATA = '''
    """Points on two sides of a plane."""

    import numpy as np

    from simulate.data.sources import Pool, source


    @source("two_sides", shape=(6,))
    def two_sides(root, download):
        x = np.random.default_rng(0).normal(size=(120, 6))
        return Pool(x, (x[:, 0] > 0).astype(int), "120 points on two sides of a plane")
'''

ARCHITECTURE = '''
    """One hidden layer, whose activations are applied twice."""

    import math

    from simulate.networks.architecture import Architecture


    class Twice(Architecture):
        name = "twice"

        def weight_shapes(self):
            return [(self.width, self.input_dim), (1, self.width)]

        def forward(self, weights, x):
            first, last = weights
            x = self.sigma(self.sigma(x @ first.mT / math.sqrt(self.input_dim)))
            return (x @ last.mT / math.sqrt(self.width)).squeeze(-1)
'''


@pytest.fixture
def contribute(monkeypatch, tmp_path):
    """Put a file into a package, for one test."""

    def put(package, name, text):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)

    # what registers itself is forgotten afterwards; what is the package's own has done so before
    claims(), sources.sources(), registry.architecture_names()
    monkeypatch.setattr(claim, "_claims", dict(claim._claims))
    monkeypatch.setattr(sources, "_sources", dict(sources._sources))
    all_measures()
    monkeypatch.setattr(measures, "_measures", dict(measures._measures))
    measuring._import_claims.cache_clear()
    registry._built_in.cache_clear()
    yield put
    measuring._import_claims.cache_clear()
    registry._built_in.cache_clear()
    for name in (
        "theory.laws.predictor_at_t1",
        "fit.claims.predictor_at_t1",
        "simulate.data.sets.two_sides",
        "simulate.networks.twice",
    ):
        sys.modules.pop(name, None)


def test_an_activation_a_claim_a_data_set_and_an_architecture_are_a_file_each(contribute, monkeypatch, tmp_path):
    contribute(theory.laws, "predictor_at_t1", CLAIM)
    contribute(fit.claims, "predictor_at_t1", MEASURE)
    contribute(simulate.data.sets, "two_sides", DATA)
    contribute(simulate.networks, "twice", ARCHITECTURE)
    monkeypatch.setitem(expression.NAMED, "squareplus", "(z + sqrt(z**2 + 1))/2")  # a line of that file
    one = {
        "name": "mine", "dataset": "two_sides", "architecture": "twice", "activation": "squareplus", "depth": 1,
        "n_train": 20, "n_test": 20, "widths": [8, 12, 16], "root_h_alpha": [1e-4, 1e-3, 1e-2], "seeds": 5,
        "tolerance": 3e-2,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "contributed", "experiment": [one]})
    run(campaign, tmp_path / "store.zarr", workers=1)
    verdicts = report_on([str(tmp_path / "store.zarr")], "contributed", tmp_path)
    told = next(v for v in verdicts if v.claim == "predictor_at_t1")
    assert (told.predicted, told.margin, told.n_seeds) == ("1", 0.1, 5)
    assert told.estimate == pytest.approx(1, abs=0.01)
    assert (told.group, told.points.attrs["y_label"]) == ("Outputs", r"A\,F(t_1)/t_1")
    assert list((tmp_path / "figures").glob("*predictor_at_t1*.svg"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for word in ("How large F is at t1", "120 points on two sides", "twice", "squareplus"):
        assert word in page, word
