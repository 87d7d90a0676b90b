"""What a console and a notebook show of objects: a few lines in words, never a dump or an address in memory."""

import re

import pytest
from synthetic_campaign import experiment, laws, tree

import fit
import simulate
import theory
from fit.measurements.reading import measurements


def objects(tmp_path):
    campaign = simulate.Campaign.from_preset("smoke")
    data = {e.name: simulate.load_data(e) for e in campaign.experiment}
    return {
        "Prediction": theory.predictions("gelu", 3)[0],
        "Verdict": fit.assess(experiment(seeds=6), laws()[:1])[0],
        "Measurements": measurements(tree(experiment(seeds=6)))[0],
        "Campaign": campaign,
        "Experiment": campaign.experiment[0],
        "Store": simulate.Store.create(tmp_path / "s.zarr", campaign, data, "cpu"),
    }


def test_reprs_are_short_and_name_the_object(tmp_path):
    for name, one in objects(tmp_path).items():
        for text in (repr(one), str(one)):
            assert text.startswith(f"<{name} "), text
            assert len(text) < 600, text
            assert not re.search(r"0x[0-9a-f]{6}", text), text
        html = one._repr_html_()
        assert html.startswith("<table>")
        assert html.endswith("</table>")
        assert not re.search(r"0x[0-9a-f]{6}", html)


@pytest.mark.parametrize("preset", simulate.list_presets())
def test_a_campaign_of_many_experiments_is_a_few_lines(preset):
    campaign = simulate.Campaign.from_preset(preset)
    assert len(repr(campaign)) < 1500
    assert len(repr(campaign).splitlines()) <= 8
    assert "root_h_alpha" not in repr(campaign)  # a symbol, not an identifier
    assert campaign._repr_html_().count("<tr>") == 1 + len(campaign.experiment)


def test_every_law_of_theory_is_a_line():
    for activation in ("relu", "tanh", "relu2", "z/(1 + abs(z))"):
        for law in theory.predictions(activation, 2):
            assert "\n" not in repr(law)
            assert len(repr(law)) < 320
            assert law.claim in repr(law)


def test_a_verdict_says_the_outcome_and_the_numbers():
    (verdict,) = fit.assess(
        experiment(seeds=10), [fit.prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(1e-4, 1e-2))]
    )
    assert "consistent; predicted −3/2, measured −1.48" in repr(verdict)
    assert "kernel_change" not in repr(fit.assess(experiment(seeds=6))[0])  # a title, not an identifier


def test_a_verdict_in_a_notebook_has_its_law_as_a_formula():
    (verdict,) = [v for v in fit.assess(experiment()) if v.claim == "kernel_change_feature"]
    shown = verdict._repr_html_()
    assert "<math" in shown
    assert "dTheta" not in shown
    assert not re.search(r"[\[ (^]-\d", re.sub(r"<math.*?</math>", "", shown))  # minus signs, not hyphens
