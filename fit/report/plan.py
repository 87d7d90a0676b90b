"""``fit.report STORE --plan``: what would decide the laws that are undecided, and the campaigns that add it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fit.judge.additions import Addition
from fit.judge.applicable_predictions import applicable_predictions
from fit.judge.plan import LawPlan, plan
from fit.judge.verdict import VARIABLES, Verdict
from fit.measurements.measurements import Measurements
from fit.report.laws import same_prediction
from fit.report.titles import full_title
from lazyrich.errors import InputError
from lazyrich.numbers import number, power
from lazyrich.wording import counted
from theory.prediction import Prediction

if TYPE_CHECKING:
    from simulate.campaign.campaign import Campaign

#: The planned campaign's file.
FILE = "plan.toml"


@dataclass(frozen=True)
class PlannedCampaign:
    """The larger campaign of one store, as a file, and how many networks it adds."""

    store: str
    path: Path
    present: int
    added: int
    #: experiments whose widths would change the integrator: seeds alone are added to them
    without_widths: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What adds the networks to the store."""
        return f"lazyrich simulate {self.path} --extend --out {self.store}"


def plans_of(
    verdicts: Sequence[Verdict], experiments: Sequence[Measurements], additional: Sequence[Prediction] = ()
) -> list[LawPlan]:
    """Return the cheapest plan of each law that no experiment decides, in the order of the verdicts.

    Parameters
    ----------
    verdicts : sequence of Verdict
    experiments : sequence of Measurements
        That they are about.
    additional : sequence of Prediction
        Tested beside theory's.
    """
    laws = {experiment.name: applicable_predictions(experiment, None, additional) for experiment in experiments}
    decided = {same_prediction(v) for v in verdicts if v.verdict != "inconclusive"}
    by_law: dict[tuple, list[LawPlan]] = {}
    for law_plan in plan(verdicts, experiments, laws):
        if same_prediction(law_plan.verdict) not in decided:
            by_law.setdefault(same_prediction(law_plan.verdict), []).append(law_plan)
    return [min(members, key=lambda law_plan: law_plan.cost) for members in by_law.values()]


def write_campaigns(plans: Sequence[LawPlan], folder: Path) -> list[PlannedCampaign]:
    """Write the larger campaign of each store as plan.toml (of several, plan-STORE.toml) into ``folder``.

    Tables and netCDF files have no campaign: nothing is written for them.
    """
    from simulate.campaign.as_toml import as_toml
    from simulate.store import Store

    stores = list(
        dict.fromkeys(law_plan.verdict.store for law_plan in plans if law_plan.options and law_plan.verdict.store)
    )
    stores = [store for store in stores if Path(store, "zarr.json").exists()]
    written = []
    for store in stores:
        opened = Store.open(store)
        chosen = [
            (law_plan.verdict.experiment, law_plan.options[0])
            for law_plan in plans
            if law_plan.options and law_plan.verdict.store == store
        ]
        campaign, without_widths = enlarged(opened.campaign, chosen, opened)
        path = folder / (FILE if len(stores) == 1 else f"plan-{Path(store).stem}.toml")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(as_toml(campaign), encoding="utf-8")
        except OSError as error:
            problem = f"can't be written ({error.strerror})"
            raise InputError("out", str(folder), problem, "Give another folder") from None
        present = opened.campaign.size
        written.append(PlannedCampaign(store, path, present, campaign.size - present, without_widths))
    return written


def enlarged(
    campaign: Campaign, added: Sequence[tuple[str, Addition]], store: Any = None
) -> tuple[Campaign, tuple[str, ...]]:
    """Return a campaign with additions to its experiments, by their names; and where further widths were left out.

    ``store``: the one that is extended. Its networks keep their integrator: widths that would change it stay out.
    """
    from simulate.campaign.campaign import Campaign
    from simulate.planning.integrator_choice import integrator_of

    fields, left_out = campaign.to_dict(), []
    for experiment in fields["experiment"]:
        of_experiment = [addition for name, addition in added if name == experiment["name"]]
        if not of_experiment:
            continue
        axis = "root_h_alpha" if "root_h_alpha" in experiment else "alpha"
        experiment["seeds"] = max(experiment["seeds"], *(addition.seeds for addition in of_experiment))
        experiment[axis] = sorted({*experiment[axis], *(a for addition in of_experiment for a in addition.amplitudes)})
        widths = experiment["widths"]
        experiment["widths"] = sorted({*widths, *(h for addition in of_experiment for h in addition.widths)})
        larger = Campaign.from_dict({**fields, "experiment": [experiment]}).experiment[0]
        if store is not None and integrator_of(larger) != store.integrator(experiment["name"]):
            experiment["widths"] = widths
            left_out.append(experiment["name"])
    return Campaign.from_dict(fields), tuple(left_out)


def print_plans(out: Console, plans: Sequence[LawPlan], campaigns: Sequence[PlannedCampaign]) -> None:
    """Print what would decide each undecided law, on 80 columns, and how to add it."""
    possible = [law_plan for law_plan in plans if law_plan.options]
    impossible = [law_plan for law_plan in plans if not law_plan.options]
    if not plans:
        out.print("Every law that these data bear is decided.")
    for title, members in (("What would decide it", possible), ("What no addition decides", impossible)):
        if members:
            out.print(Text(title))
        for heading, lines in _paragraphs(members):
            out.print(Padding(Text(heading), (0, 0, 0, 2)))
            for line in lines:
                out.print(Padding(Text(line), (0, 0, 0, 4)))
    for campaign in campaigns:
        out.print()
        out.print(
            f"{campaign.path}: {counted(campaign.added, 'network')} beside the {campaign.present:,} "
            f"of {campaign.store}",
            soft_wrap=True,
        )
        for name in campaign.without_widths:
            out.print(Text(f"{name}: further widths would change the integrator, so that none are added"))
        out.print(campaign.command, soft_wrap=True)
    if possible and not campaigns:
        out.print("These sources have no campaign: measure what is named above, and report again.")


def _paragraphs(plans: Sequence[LawPlan]) -> list[tuple[str, list[str]]]:
    """Return a heading and lines for each law; laws that were not measured for one reason share a paragraph."""
    together: dict[str, list[str]] = {}
    paragraphs = []
    for law_plan in plans:
        if law_plan.options:
            lines = [
                ("or " if i else "") + _in_words(law_plan.verdict, option) for i, option in enumerate(law_plan.options)
            ]
            paragraphs.append((_heading(law_plan.verdict), lines))
        elif law_plan.verdict.estimate is None:
            together.setdefault(f"{law_plan.impossible_because}", []).append(full_title(law_plan.verdict))
        else:
            paragraphs.append((_heading(law_plan.verdict), [f"{law_plan.impossible_because}."]))
    return [*paragraphs, *(("; ".join(dict.fromkeys(titles)), [f"{why}."]) for why, titles in together.items())]


def _heading(v: Verdict) -> str:
    heading = f"{full_title(v)} (power of {VARIABLES.get(v.variable, v.variable)}), {v.experiment}: "
    if v.estimate is None:
        return heading + "not measured"
    predicted = "" if v.predicted is None else f", predicted {power(v.predicted)}"
    margin = "" if v.margin is None or v.predicted is None else f" ± {number(v.margin, 2)}"
    return f"{heading}measured {v.measured_in_words}{predicted}{margin}"


def _in_words(v: Verdict, option: Addition) -> str:
    parts = []
    if option.amplitudes:
        parts.append(f"A = {', '.join(f'{a:.3g}' for a in option.amplitudes)} as well")
    if option.widths:
        parts.append(f"h = {', '.join(map(str, option.widths))} as well")
    if option.seeds > v.n_seeds or not parts:
        parts.append(f"{counted(option.seeds, 'seed')} (now {v.n_seeds})")
    text = "; ".join(parts)
    if option.probability is None:
        return f"{text}: then it can be judged at all"
    return f"{text}: decides with probability {option.probability:.0%}"


def as_json(plans: Sequence[LawPlan], campaigns: Sequence[PlannedCampaign]) -> dict[str, Any]:
    """Return plans and campaigns as plain JSON values."""
    return {
        "laws": [
            {
                "experiment": law_plan.verdict.experiment,
                "claim": law_plan.verdict.claim,
                "regime": law_plan.verdict.regime,
                "variable": law_plan.verdict.variable,
                "impossible_because": law_plan.impossible_because,
                "options": [
                    {
                        "seeds": option.seeds,
                        "widths": list(option.widths),
                        "root_h_alpha": list(option.amplitudes),
                        "probability": option.probability,
                    }
                    for option in law_plan.options
                ],
            }
            for law_plan in plans
        ],
        "campaigns": [
            {
                "store": campaign.store,
                "file": str(campaign.path),
                "networks_added": campaign.added,
                "command": campaign.command,
            }
            for campaign in campaigns
        ],
    }
