"""The campaign that a report without a store simulates: a preset, or a variant with an activation of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fit.findings.finding import MIN_SEEDS
from lazyrich.errors import InputError
from lazyrich.filenames import file_name
from theory.activation import Activation

if TYPE_CHECKING:  # what simulates is imported where it is used: a report on a store does not wait for torch
    from simulate.campaign.campaign import Campaign

#: what a new activation is put beside
FAMILIAR = ("relu", "softplus", "tanh")
#: the grid on which: enough for the exponents, the crossover and the times
BESIDE_WIDTHS, BESIDE_SEEDS, BESIDE_HIGHEST = 3, 5, 100.0
#: where a new activation is asked about the laws in h: both regimes, and three amplitudes around the crossover
ACROSS_WIDTHS = (64, 91, 128, 181, 256)
ACROSS_AMPLITUDES = (1e-2, 1.0, 10**0.5, 10.0, 1e3)
#: with so many seeds: for two processes, for four, and for eight and more or a GPU, in about the same time
ACROSS_SEEDS = (16, 32, 64)


def seeds_for(processes: int, device: str) -> int:
    """Return how many seeds of a new activation this machine trains in a few minutes, for the laws in h."""
    small, medium, large = ACROSS_SEEDS
    if device != "cpu" or processes >= 8:
        return large
    return medium if processes >= 4 else small


def in_size_of_store(path: Path, campaign: Campaign, sized: Callable[..., Campaign]) -> Campaign:
    """Return the campaign with as many seeds as a store was begun with; unchanged if there is no store.

    Parameters
    ----------
    path : pathlib.Path
        Where the store is, or will be.
    sized : callable
        Takes ``seeds`` and returns the campaign with so many.
    """
    from simulate.store import Store

    if not (path / "zarr.json").exists():
        return campaign
    try:
        begun = Store.open(path).campaign
    except InputError:  # the run will say what is the matter with it
        return campaign
    return next((size for n in ACROSS_SEEDS if (size := sized(seeds=n)) == begun), campaign)


def campaign_for(
    preset: str,
    activation: str | None,
    depth: int | None,
    base_seed: int | None,
    *,
    alone: bool = False,
    seeds: int = ACROSS_SEEDS[0],
) -> Campaign:
    """Return a preset, or the campaign that it becomes with another activation, depth or draw of initial weights.

    With an activation, the experiments of the preset's first activation are taken as the pattern, with one more at
    depths where they have few widths, for the laws in h; and relu, softplus and tanh are run beside it on smaller
    grids, unless ``alone``; ``seeds`` are those for the laws in h. With a depth, the pattern is of the preset's nearest
    depth.
    """
    from simulate.campaign.campaign import Campaign

    campaign = Campaign.from_preset(preset)
    fields = campaign.to_dict()
    experiments: list[dict[str, Any]] = fields["experiment"]
    name = campaign.name
    if activation is not None:
        label = file_name(Activation(activation).name, longest=40)
        pattern = campaign.experiment[0].activation
        experiments = [
            {**e, "activation": activation, "name": e["name"].replace(pattern, label)}
            for e in experiments
            if e["activation"] == pattern
        ]
        name = f"{name}-{label}"
    if depth is not None:
        if depth < 1:
            raise InputError("depth", depth, "a network has a hidden layer", "Give 1 or more")
        nearest = min({e["depth"] for e in experiments}, key=lambda d: (abs(d - depth), -d))
        experiments = [
            {**e, "depth": depth, "name": e["name"].replace(f"L{nearest}", f"L{depth}")}
            for e in experiments
            if e["depth"] == nearest
        ]
        name = f"{name}-L{depth}"
    if activation is not None:
        pattern_of = {e["depth"]: e for e in reversed(experiments)}
        experiments = [*experiments, *_across_widths(experiments, seeds)]
        if not alone:
            experiments += _familiar(pattern_of, Activation(activation))
    if base_seed is not None:
        experiments = [{**e, "base_seed": base_seed} for e in experiments]
        name = f"{name}-seed{base_seed}"
    return Campaign.from_dict({**fields, "name": name, "experiment": experiments})


def _across_widths(experiments: list[dict[str, Any]], seeds: int) -> Iterator[dict[str, Any]]:
    """More widths and seeds at few amplitudes, for the laws in h, at depths where the pattern has few widths."""
    for depth in sorted({e["depth"] for e in experiments}):
        of_depth = [e for e in experiments if e["depth"] == depth]
        pattern = of_depth[0]
        too_few_widths = max(len(e["widths"]) for e in of_depth) < len(ACROSS_WIDTHS)
        # with fewer than five seeds the preset is not meant for verdicts
        if too_few_widths and "root_h_alpha" in pattern and pattern["seeds"] >= MIN_SEEDS:
            yield {
                **pattern,
                "name": f"{pattern['name']}-widths",
                "widths": ACROSS_WIDTHS,
                "root_h_alpha": ACROSS_AMPLITUDES,
                "seeds": seeds,
            }


def _familiar(patterns: dict[int, dict[str, Any]], new: Activation) -> Iterator[dict[str, Any]]:
    """The known activations, once at each depth, on the first widths and the lower amplitudes of its pattern."""
    for depth, pattern in sorted(patterns.items()):
        axis = "root_h_alpha" if "root_h_alpha" in pattern else "alpha"
        for name in FAMILIAR:
            if Activation(name).expression == new.expression:
                continue
            yield {
                **pattern,
                "name": f"beside-{name}-L{depth}",
                "activation": name,
                "widths": pattern["widths"][:BESIDE_WIDTHS],
                "seeds": min(pattern["seeds"], BESIDE_SEEDS),
                axis: [a for a in pattern[axis] if a <= BESIDE_HIGHEST] or pattern[axis],
            }
