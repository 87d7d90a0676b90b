"""A campaign written as a file is the same campaign when it is read."""

import pytest

from lazyrich.errors import InputError
from simulate.campaign.as_toml import as_toml
from simulate.campaign.campaign import Campaign, list_presets


@pytest.mark.parametrize("preset", list_presets())
def test_what_is_written_is_read_back(preset, tmp_path):
    campaign = Campaign.from_preset(preset)
    path = tmp_path / "campaign.toml"
    path.write_text(as_toml(campaign), encoding="utf-8")
    assert Campaign.from_toml(path) == campaign


def test_quotes_and_letters_of_all_kinds_survive(tmp_path):
    campaign = Campaign.from_preset("smoke").model_copy(update={"name": 'a "b" \\ \n\t\x7f é 漢 \U0001f600'})
    path = tmp_path / "campaign.toml"
    path.write_text(as_toml(campaign), encoding="utf-8")
    assert Campaign.from_toml(path) == campaign


def test_a_function_of_torch_is_refused():
    experiment = Campaign.from_preset("smoke").experiment[0].model_copy(update={"activation": "module:function"})
    campaign = Campaign.from_preset("smoke").model_copy(update={"experiment": (experiment,)})
    with pytest.raises(InputError, match="names no function"):
        as_toml(campaign)
