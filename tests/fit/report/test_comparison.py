"""Activations side by side: predicted and measured for each, from the verdicts."""

import json

import numpy as np
import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.measurements.reading import measurements
from fit.report.comparison import comparison, expected_power, has_power, tally
from fit.report.content import collect
from fit.report.page import write


def called(activation, data):
    data.attrs["experiment"] = json.dumps({**json.loads(data.attrs["experiment"]), "activation": activation})
    return data


@pytest.fixture(scope="module")
def two():
    """A softplus and a tanh experiment, the latter with a kernel that changes as A^-2."""
    softplus = experiment(name="softplus-L3", depth=3)
    tanh = called("tanh", experiment(name="tanh-L1", depth=1, exponent=-2.0, seed=3))
    data = tree(softplus, tanh)
    return data, assess(data), measurements(data)


def test_each_activation_stands_beside_the_others_with_its_own_prediction(two):
    _, verdicts, found = two
    rows = {row.activation: row for row in comparison(verdicts, found)}
    assert set(rows) == {"softplus", "tanh"}
    assert (rows["softplus"].degree, rows["softplus"].total_degree) == ("1", "4")
    assert expected_power(rows["softplus"].cells["kernel"]) == "−3/2"
    assert expected_power(rows["tanh"].cells["kernel"]) == "−2, with logs"
    assert rows["tanh"].cells["kernel"].estimate == pytest.approx(-2, abs=0.1)
    # the amplitude at which the widest networks' kernel changes by its own size, read off the measured curve
    logs = np.nanmean(np.log(found[0].network("kernel_change").values[-1]), axis=-1)
    grid = np.log(found[0].root_h_alpha.values[-1])
    assert np.log(rows["softplus"].star) == pytest.approx(np.interp(0, -logs, grid), abs=0.2)


def test_the_sentence_counts_only_what_has_a_predicted_power(two):
    _, verdicts, found = two
    told = tally(comparison(verdicts, found))
    assert "2 activations" in told
    assert "1 pair of activation and depth" in told


def test_one_activation_alone_is_no_comparison():
    data = tree(experiment())
    assert comparison(assess(data), measurements(data)) == []


def test_what_theory_gives_no_law_for_has_no_power():
    slow = called("z/(1 + abs(z))", experiment(name="slow-L1", depth=1, exponent=0.8))
    data = tree(experiment(), slow, called("tanh", experiment(name="tanh-L1", depth=1, exponent=-2.0)))
    rows = comparison(assess(data), measurements(data))
    assert expected_power(next(row for row in rows if "abs" in row.activation).cells["kernel"]) == "–"
    assert [has_power(row.cells["kernel"]) for row in rows if "abs" in row.activation] == [False]


def test_with_many_experiments_the_page_is_an_overview(tmp_path):
    parts = []
    for i, activation in enumerate(["relu", "softplus", "gelu", "silu", "tanh", "erf", "linear"] * 2):
        part = experiment(name=f"{activation}-{i}", depth=1 + i // 7, widths=(32, 64, 128), seeds=5, seed=i, n_test=4)
        part = called(activation, part)
        parts.append(part)
    data = tree(*parts)
    verdicts = assess(data)
    write(collect("many", verdicts, measurements(data), tmp_path), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.index('id="activations"') < page.index('id="verdicts"')
    names = sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert names == ["exponents.csv", "exponents.svg", "laws.csv", "laws.svg"]
    assert "figures of single curves are left out" in page
