"""``python -m fit.report``: from nothing, or from stores, to a page of verdicts."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fit.curves.agreement import with_agreement
from fit.curves.theory_curves import theory_curves
from fit.findings.finding import MIN_SEEDS
from fit.judge.assess import assess
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.measurements.reading import measurements
from fit.processes import helpers
from fit.report.headline import headlines
from fit.report.render import build, decisive, judged, summary, write
from fit.user_predictions import UserPrediction, read_predictions
from lazyrich.console import Command, command, console, print_json, start
from lazyrich.errors import InputError
from theory.activation import Activation
from theory.black_box import is_function_name

if TYPE_CHECKING:  # what simulates is imported where it is used: a report on a store does not wait for torch
    from simulate.campaign.campaign import Campaign

_STYLES = {"consistent": "green", "inconsistent": "red", "inconclusive": "yellow"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _presets() -> Sequence[str]:
    from simulate.campaign.campaign import list_presets

    return list_presets()


@app.command(cls=Command)
def main(
    stores: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[STORE.zarr|DATA.csv|DATA.nc]...", help="What to report on; without, a preset is run."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="The campaign to run, if there is no store.  [default: quick]", autocompletion=_presets),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Run the preset with this activation: a name, a formula in z, or module:function, a function of "
            "torch. With a store, such a function is the store's."
        ),
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Run the preset with this many hidden layers.")] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="With --activation: leave out relu, softplus and tanh beside it.")
    ] = False,
    base_seed: Annotated[int | None, typer.Option(help="Run the preset with other initial weights.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.  [default: reports/<preset>]")] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Laws of your own, judged beside those of theory.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    workers: Annotated[int | None, typer.Option(help="Processes (default: one a core).")] = None,
    threads: Annotated[int, typer.Option(help="Threads of each process.")] = 1,
    data_root: Annotated[Path | None, typer.Option(help="Folder with image data (default: LAZYRICH_DATA).")] = None,
    download: Annotated[bool, typer.Option("--download", help="Let torchvision fetch missing data.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Say which predicted scaling laws hold, how well, and where they stop holding.

    Without a store the preset is simulated first (two minutes or so on two cores); run again, it goes on where it
    stopped, or reports on what is there.
    """
    code = 0
    with command():
        screen = console(stderr=True, quiet=quiet or as_json)
        own = read_predictions(predictions) if predictions is not None else []
        if activation is not None and is_function_name(activation):
            from simulate.networks.torch_functions import register_activation

            register_activation(activation)
            activation = None if stores else activation.strip()
        if stores:
            _refuse_campaign_options(preset=preset, activation=activation, depth=depth, base_seed=base_seed)
            sources = list(stores)
            called = [_called(source) for source in sources]
            folder = out or Path(
                "reports", "+".join(called) if len(called) <= FEW else f"{called[0]}+{len(called) - 1}"
            )
            title = ", ".join(called) if len(called) <= FEW else folder.name
            if dry_run:
                screen.print("nothing to run: a store is given")
                return
            _writable(folder)
        else:
            import simulate.console
            from simulate.running.dry_run import plan
            from simulate.running.runner import run, worker_count

            processes = worker_count(workers, device, threads)
            sized = functools.partial(campaign_for, preset or "quick", activation, depth, base_seed, alone=alone)
            campaign = sized(seeds=seeds_for(processes, device))
            title = campaign.name
            folder = out or Path("reports", campaign.name)
            if activation is not None:
                campaign = as_begun(folder / "store.zarr", campaign, sized)
            if dry_run:
                what = plan(campaign, processes, device)
                if as_json:
                    print_json(simulate.console.plan_as_json(campaign, what))
                else:
                    simulate.console.print_plan(console(), campaign, what)
                return
            _writable(folder)
            with simulate.console.progress_on(screen) as progress:
                outcome = run(
                    campaign,
                    folder / "store.zarr",
                    device=device,
                    workers=workers,
                    threads=threads,
                    data_root=data_root,
                    download=download,
                    progress=progress,
                )
            code = simulate.console.exit_code(outcome)
            sources = [folder / "store.zarr"]
        verdicts = report_on(sources, title, folder, own, data_root)
        if as_json:
            print_json([v.to_json() for v in verdicts])
        elif not quiet:
            tell(console(), verdicts, folder)
    raise typer.Exit(code)


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """`simulate.store.reading`: where reading fails, what wrote the store says which part is damaged."""
    try:
        yield
    except Exception:
        from simulate.store import naming_damage

        with naming_damage(path):
            raise


def report_on(
    sources: Sequence[Path | str],
    title: str,
    folder: Path,
    own: Sequence[UserPrediction] = (),
    data_root: Path | str | None = None,
) -> list[Verdict]:
    """Write the report on stores and tables, called ``title``, into ``folder``; return its verdicts.

    Raises
    ------
    InputError
        If a source can't be read, or the folder can't be written.
    """
    paths = [str(source) for source in sources]
    with helpers() as share:
        read: list[Measurements] = []
        for path in paths:
            with _reading(path):
                read += measurements(path)
        with _reading(paths[0]):
            found = measurements(read)
            apply = share(sum(one.size for one in found))
            verdicts = assess(found, also=own, apply=apply)
            curves = theory_curves(found, data_root, apply)
            verdicts = with_agreement(verdicts, found, curves)
            title = f"Lazy and feature training: {title}"
            report = build(title, verdicts, found, folder, theory=curves, apply=apply)
    try:
        write(report, verdicts, folder)
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return verdicts


#: so many sources are named in the title; of more, the folder's name is
FEW = 4
#: what a new activation is put beside
FAMILIAR = ("relu", "softplus", "tanh")
#: the grid on which: enough for the exponents, the crossover and the times
BESIDE_WIDTHS, BESIDE_SEEDS, BESIDE_HIGHEST = 3, 5, 100.0
#: where a new activation is asked about the laws in h: both regimes, and three amplitudes around the crossover
ACROSS_WIDTHS = (64, 91, 128, 181, 256)
ACROSS_AMPLITUDES = (1e-2, 1.0, 10**0.5, 10.0, 1e3)
#: with so many seeds: for two processes, for four, and for eight and more or a GPU, in about the same time
ACROSS_SEEDS = (16, 32, 64)


def _called(source: Path) -> str:
    """A source's name; a report's own ``DIR/store.zarr`` goes by its folder's."""
    return source.parent.name if source.stem == "store" and source.parent.name else source.stem


def seeds_for(processes: int, device: str) -> int:
    """Return how many seeds of a new activation this machine trains in a few minutes, for the laws in h."""
    small, medium, large = ACROSS_SEEDS
    if device != "cpu" or processes >= 8:
        return large
    return medium if processes >= 4 else small


def as_begun(path: Path, campaign: Campaign, sized: Callable[..., Campaign]) -> Campaign:
    """Return the campaign in the size in which a store was begun, on another machine maybe; as it is without one."""
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
        label = slug(Activation(activation).name)
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
        here = [e for e in experiments if e["depth"] == depth]
        pattern = here[0]
        # with fewer than five seeds the preset is not meant for verdicts
        few = max(len(e["widths"]) for e in here) < len(ACROSS_WIDTHS)
        if few and "root_h_alpha" in pattern and pattern["seeds"] >= MIN_SEEDS:
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


def slug(text: str) -> str:
    """A formula as part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:40] or "custom"


def tell(out: Console, verdicts: Sequence[Verdict], folder: Path) -> None:
    """Print a row for each predicted power, as on the report's first screen, and where the report is."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("claim", "of", "predicted", "measured ± 95 %", "verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("exp.", justify="right", no_wrap=True)
    rows = headlines(decisive(verdicts))
    for row in rows:
        v = row.shown
        named = v.regime == "crossover" or v.claim.endswith(("_lazy", "_feature"))
        table.add_row(
            v.claim if named else f"{v.claim} ({v.regime[0]})",
            "A" if v.variable == "root_h_alpha" else "h",
            v.predicted or "-",
            _measured(v),
            Text(row.word, _STYLES[row.word]),
            str(len(row.members)),
        )
    out.print(table)
    shown = sum(len(row.members) for row in rows)
    undecided = len(judged(verdicts)) - shown
    left = len(verdicts) - shown - undecided
    out.print(
        "(f) feature regime, A << 1; (l) lazy regime, A >> 1; A = sqrt(h)·alpha. Of several experiments the one "
        "that speaks most against a law is shown; the report has all."
    )
    if undecided:
        out.print(f"{undecided} more measurements of these laws are inconclusive: see the report.")
    if left:
        out.print(f"{left} more claims can't be measured with these data: see the report.")
    out.print(f"\n{summary(verdicts)}\n", markup=False)
    out.print(f"{folder / 'report.html'}", soft_wrap=True, markup=False)


def _measured(verdict: Verdict) -> str:
    if verdict.estimate is None:
        return "no power"
    if verdict.ci_low is None or verdict.ci_high is None:
        return f"{verdict.estimate:+.3f}"
    return f"{verdict.estimate:+.3f} ± {(verdict.ci_high - verdict.ci_low) / 2:.3f}"


def _refuse_campaign_options(**options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"--{name.replace('_', '-')}",
                value,
                "says what to simulate, and a store is given",
                "Leave one of them out",
            )


def _writable(folder: Path) -> None:
    """Find out before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        problem = f"can't be written ({error.strerror})"
        raise InputError("out", str(folder), problem, "Give a folder that can be written with --out") from None


if __name__ == "__main__":
    start(app, "python -m fit.report")
