"""A campaign: a named set of experiments, read from TOML, validated once, and frozen."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from lazyrich import html
from lazyrich.documents import parse_toml, read_toml
from lazyrich.errors import InputError
from lazyrich.validation import first_problem
from lazyrich.wording import counted
from simulate.campaign.dynamics import NAMES
from simulate.campaign.experiment import Experiment, Frozen
from theory.black_box import is_function_name

_SHOWN = 6  #: experiments in a campaign's repr


class Campaign(Frozen):
    """A named set of experiments.

    Examples
    --------
    >>> campaign = Campaign.from_preset("smoke")
    >>> [experiment.name for experiment in campaign.experiment]
    ['softplus-L1', 'relu-L2']
    """

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    experiment: Annotated[tuple[Experiment, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, fields: Any) -> Any:
        """A table ``defaults`` holds what experiments share; a field of an experiment's own wins."""
        if not isinstance(fields, Mapping) or "defaults" not in fields:
            return fields
        shared, experiments = fields["defaults"], fields.get("experiment")
        if not isinstance(shared, Mapping) or "name" in shared:
            raise InputError("defaults", shared, "it is a table of fields that experiments share", "Write [defaults]")
        if not isinstance(experiments, list | tuple) or not all(isinstance(e, Mapping) for e in experiments):
            return {k: v for k, v in fields.items() if k != "defaults"}  # refused for what is wrong with it
        # an experiment's own amplitude axis replaces a shared one of the other kind
        replaced = {
            "root_h_alpha": "alpha",
            "alpha": "root_h_alpha",
        }
        spread = [{**{k: v for k, v in shared.items() if replaced.get(k) not in e}, **e} for e in experiments]
        return {**{k: v for k, v in fields.items() if k != "defaults"}, "experiment": spread}

    @model_validator(mode="after")
    def _unique_names(self) -> Campaign:
        names = Counter(e.name for e in self.experiment)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise InputError("experiment.name", twice[0], "two experiments have this name", "Rename one of them")
        alike = Counter(name.casefold() for name in names)  # each is a folder, also where case does not count
        twice = [name for name in names if alike[name.casefold()] > 1]
        if twice:
            problem = f"{', '.join(map(repr, twice[1:]))} differs from it by capitals alone"
            raise InputError("experiment.name", twice[0], problem, "Rename one of them")
        return self

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Campaign:
        """Validate ``fields`` (the structure of the TOML file).

        Raises
        ------
        InputError
            For the first thing that is wrong, naming it as in ``experiment[1].widths``.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            spelling = "Remove it, or look up its spelling in docs/campaign.md"
            raise first_problem(error, document="campaign", unknown_field=spelling, tags=NAMES) from None

    @classmethod
    def from_toml(cls, path: str | Path) -> Campaign:
        """Read a campaign file."""
        return cls._from_fields(read_toml("campaign", path))

    @classmethod
    def from_preset(cls, name: str) -> Campaign:
        """Read one of the campaigns that come with the package."""
        presets = list_presets()
        if name not in presets:
            raise InputError("preset", name, "no such preset", f"Use one of {', '.join(presets)}")
        text = _preset_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return cls._from_fields(parse_toml("preset", text, name))

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> Campaign:
        _refuse_functions(fields)
        return cls.from_dict(fields)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, from which `from_dict` makes an equal campaign."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the campaign."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many networks the campaign has."""
        return sum(e.size for e in self.experiment)

    def __repr__(self) -> str:
        shown = [f"  {'; '.join(experiment.grid_in_words)}" for experiment in self.experiment[:_SHOWN]]
        more = len(self.experiment) - len(shown)
        return "\n".join([f"<Campaign {self._counts()}", *shown, *([f"  and {more} more"] if more else [])]) + ">"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        heading = ("experiment", "networks", "data", "widths", "amplitudes", "seeds", "size")
        return html.table(
            (experiment.grid_in_words for experiment in self.experiment), heading, f"Campaign {self._counts()}"
        )

    def _counts(self) -> str:
        count = len(self.experiment)
        return f"{self.name}: {counted(count, 'experiment')}, {counted(self.size, 'network')}"

    def find(self, name: str) -> Experiment:
        """Return the experiment of this name."""
        return next(e for e in self.experiment if e.name == name)

    def changed(self, **fields: Any) -> Campaign:
        """Return the campaign with these fields of every experiment replaced, validated anew."""
        old = self.to_dict()
        return Campaign.from_dict({**old, "experiment": [{**e, **fields} for e in old["experiment"]]})


def list_presets() -> tuple[str, ...]:
    """Return the names of the campaigns that come with the package."""
    return tuple(sorted(p.name[: -len(".toml")] for p in _preset_folder().iterdir() if p.name.endswith(".toml")))


def _preset_folder():
    return resources.files("simulate.campaign").joinpath("presets")


def _refuse_functions(fields: Mapping[str, Any]) -> None:
    """A file must not make anyone import a module: functions are named on the command line and in Python only."""
    listed = fields.get("experiment")
    tables = {"defaults": fields.get("defaults")}
    tables |= {f"experiment[{i}]": e for i, e in enumerate(listed if isinstance(listed, list) else [])}
    for path, table in tables.items():
        if isinstance(table, Mapping) and is_function_name(table.get("activation")):
            problem = "a campaign file can't name a function of a module"
            remedy = "Write a formula, or give the function to lazyrich report as --activation"
            raise InputError(f"{path}.activation", table["activation"], problem, remedy)
