import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fit.report.command import app

STATEMENT = """
[[model]]
name = "a <b>power</b>"
law = "y = a/x^p"
draws = 50
starts = 4
expects = {p = [0.5, 0.1]}

[[model]]
law = "y = c + a/x^p"
draws = 50
starts = 4
"""


@pytest.fixture
def files(tmp_path):
    x = np.geomspace(1, 1000, 40)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    pd.DataFrame({"x": x, "y": 2 * x**-0.5 * noise}).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "laws.toml").write_text(STATEMENT)
    return tmp_path


def run(folder, *arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_the_report_command_fits_models_to_a_table(files):
    out = files / "out"
    done = run(files, files / "table.csv", "--predictions", files / "laws.toml", "--out", out)
    assert done.exit_code == 0, done.output
    assert "consistent" in done.output
    assert "Predicting points held out" in done.output
    page = (out / "report.html").read_text()
    assert "a &lt;b&gt;power&lt;/b&gt;" in page
    assert "<b>power" not in page
    assert "Which law predicts points that it has not seen" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    content = json.loads((out / "models.json").read_text())
    assert content["models"][0]["expectations"][0]["outcome"] == "consistent"
    text = (out / "report.md").read_text()
    assert "| p | 0.4" in text or "| p | 0.5" in text
    assert re.search(r"\| (as good|worse) \|$", text, re.M)
    rival = next(line for line in text.splitlines() if line.endswith(("| as good |", "| worse |")))
    assert re.fullmatch(r"0\.\d+|< 10⁻⁴", rival.split(" | ")[-2])  # p
    drawn = pd.read_csv(next((out / "figures").glob("*.csv")))
    assert len(drawn) == 40
    np.testing.assert_allclose(np.log(drawn["y"] / drawn["fitted"]), drawn["residual"], atol=1e-6)


def test_what_is_not_decided_is_called_undecided(files):
    statement = (files / "laws.toml").read_text().replace("[0.5, 0.1]", "[0.5, 0.0001]")
    (files / "laws.toml").write_text(statement)
    done = run(files, files / "table.csv", "--predictions", files / "laws.toml", "--out", files / "out")
    content = json.loads((files / "out" / "models.json").read_text())
    assert content["models"][0]["expectations"][0]["outcome"] == "inconclusive"
    assert "undecided" in done.output
    for name in ("report.html", "report.md"):
        text = re.sub(r"<style>.*?</style>|class=\"[^\"]*\"", "", (files / "out" / name).read_text(), flags=re.S)
        assert "undecided" in text
        assert "inconclusive" not in text


def test_models_want_one_table(files):
    done = run(files, files / "table.csv", files / "table.csv", "--predictions", files / "laws.toml")
    assert done.exit_code == 2
    assert "one table" in " ".join(done.output.split())
    done = run(files, "--predictions", files / "laws.toml")
    assert done.exit_code == 2


@pytest.mark.parametrize("span", [1e3, 20.0])
def test_logarithmic_axes_have_labels_that_can_be_read(files, span):
    """matplotlib's own are formulas, which figures write as they stand."""
    x = np.geomspace(1e6, span * 1e6, 40)
    pd.DataFrame({"x": x, "y": 2 * x**-0.5}).to_csv(files / "table.csv", index=False)
    out = files / "out"
    assert run(files, files / "table.csv", "--predictions", files / "laws.toml", "--out", out).exit_code == 0
    for figure in (out / "figures").glob("*.svg"):
        text = figure.read_text()
        assert "mathdefault" not in text
        assert "10⁶" in text
