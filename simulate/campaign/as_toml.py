"""A campaign as the text of a campaign file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from theory.black_box import is_function_name


def as_toml(campaign: Campaign) -> str:
    """Return the text from which `Campaign.from_toml` reads an equal campaign.

    Raises
    ------
    InputError
        If an activation is a function of torch, which a file can't name.

    Examples
    --------
    >>> print(as_toml(Campaign.from_preset("smoke")).splitlines()[0])
    name = "smoke"
    """
    for experiment in campaign.experiment:
        if is_function_name(experiment.activation):
            problem = "a campaign file names no function of torch"
            raise InputError(
                "activation", experiment.activation, problem, "Change the campaign in Python and run it there"
            )
    fields = campaign.to_dict()
    lines = [f"{key} = {_value(value)}" for key, value in fields.items() if key != "experiment"]
    for experiment in fields["experiment"]:
        lines += ["", "[[experiment]]", *(f"{key} = {_value(value)}" for key, value in experiment.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):  # TOML knows the escapes of JSON but no surrogates, and wants DEL escaped
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
