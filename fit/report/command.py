"""``python -m fit.report``: from nothing, or from stores, to a page of verdicts."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from fit.judge.assess import assess
from fit.measurements.dialects import is_table
from fit.measurements.reading import measurements
from fit.models.assess import assess_models
from fit.models.statement import ModelStatement, models_of, states_models
from fit.processes import helpers
from fit.report import model_page
from fit.report import plan as planning
from fit.report.figures.svg import FORMATS
from fit.report.from_sources import naming_damage, title_and_folder, write_report
from fit.report.simulation import simulation_for
from fit.report.terminal import print_verdicts
from fit.user_predictions import UserPrediction, predictions_of
from lazyrich.console import Command, command, console, print_json, start
from lazyrich.documents import read_toml
from lazyrich.errors import InputError
from lazyrich.filenames import check_output_folder
from lazyrich.options import FOLDER, DataRoot, Device, Download, DryRun, Quiet, Threads, Workers
from theory.black_box import is_function_name

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
    out: Annotated[
        Path | None, typer.Option(**FOLDER, help="Folder for the report.  [default: reports/<preset>]")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Laws of your own, judged beside those of theory.")
    ] = None,
    figures: Annotated[
        list[str] | None,
        typer.Option("--figures", metavar="pdf|png", help="Write the figures in this format too (may be repeated)."),
    ] = None,
    device: Device = "cpu",
    workers: Workers = None,
    threads: Threads = 1,
    data_root: DataRoot = None,
    download: Download = False,
    plan_ahead: Annotated[
        bool,
        typer.Option("--plan", help="Say what would decide the undecided laws of a store, write its campaign, stop."),
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Say which predicted scaling laws hold, how well, and where they stop holding.

    Without a store the preset is simulated first (two minutes or so on two cores); run again, it goes on where it
    stopped, or reports on what is there.
    """
    code = 0
    with command():
        formats = _figure_formats(figures or [])
        content = {} if predictions is None else read_toml("predictions", predictions)
        if predictions is not None and states_models(content):
            models = models_of(content, predictions)
            _report_on_models(stores or [], models, predictions, out, formats, quiet=quiet, as_json=as_json)
            return
        user_predictions = [] if predictions is None else predictions_of(content, predictions)
        activation = _registered(activation, with_store=bool(stores))
        if stores:
            _refuse_campaign_options(preset=preset, activation=activation, depth=depth, base_seed=base_seed)
            sources = list(stores)
            title, folder = title_and_folder(sources, out)
            if dry_run:
                console(stderr=True, quiet=quiet or as_json).print("nothing to run: a store is given")
                return
            _check_writable(folder)
            if plan_ahead:
                _plan(sources, folder, user_predictions, as_json=as_json, quiet=quiet)
                return
        elif plan_ahead:
            raise InputError("store", None, "a plan is made from measurements", "Name one: report STORE --plan")
        else:
            simulation = simulation_for(
                preset or "quick", activation, depth, base_seed, alone=alone, out=out, device=device, workers=workers,
                threads=threads,
            )  # fmt: skip
            title, folder, sources = simulation.campaign.name, simulation.store.parent, [simulation.store]
            if dry_run:
                simulation.print_plan(as_json=as_json)
                return
            _check_writable(folder)
            code = simulation.run(data_root, download=download, quiet=quiet or as_json)
        made_by = _command_line(
            stores or [], preset=preset, activation=activation, depth=depth, alone=alone, base_seed=base_seed,
            predictions=predictions,
        )  # fmt: skip
        say = console(stderr=True, quiet=quiet or as_json).print
        verdicts, experiments = write_report(
            sources, title, folder, user_predictions, data_root, formats, made_by, say
        )  # fmt: skip
        if as_json:
            print_json([v.to_json() for v in verdicts])
        elif not quiet:
            print_verdicts(console(), verdicts, folder, experiments)
    raise typer.Exit(code)


def _registered(activation: str | None, *, with_store: bool) -> str | None:
    """Let a function of torch be known by its name; return the activation to simulate, none where there is a store."""
    if activation is None or not is_function_name(activation):
        return activation
    from simulate.networks.torch_functions import register_activation

    register_activation(activation)
    return None if with_store else activation.strip()


def _report_on_models(
    tables: Sequence[Path],
    models: Sequence[ModelStatement],
    statements: Path,
    out: Path | None,
    formats: Sequence[str],
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fit ``models``, which the file ``statements`` states, to one table, and write their page."""
    if len(tables) != 1 or not is_table(tables[0]):
        given = ", ".join(map(str, tables)) or None
        remedy = "Give one file of text (.csv, .tsv, .txt); a store becomes one by lazyrich simulate export"
        raise InputError("store", given, "models are fitted to one table", remedy)
    _, folder = title_and_folder(list(tables), out)
    _check_writable(folder)
    report = assess_models(tables[0], models)
    page = model_page.write(report, folder, _command_line(tables, predictions=statements), tuple(formats))
    if as_json:
        print_json(report.to_json())
    elif not quiet:
        model_page.print_models(console(), report, page)


def _plan(
    sources: Sequence[Path], folder: Path, user_predictions: Sequence[UserPrediction], *, as_json: bool, quiet: bool
) -> None:
    """Judge the sources, print what would decide the laws that are undecided, and write the campaigns."""
    with helpers() as share, ExitStack() as stack:
        for source in sources:
            stack.enter_context(naming_damage(str(source)))
        experiments = measurements([str(source) for source in sources])
        verdicts = assess(experiments, also=user_predictions, apply=share(sum(m.size for m in experiments)))
        plans = planning.plans_of(verdicts, experiments, user_predictions)
    campaigns = planning.write_campaigns(plans, folder)
    if as_json:
        print_json(planning.as_json(plans, campaigns))
    elif not quiet:
        planning.print_plans(console(), plans, campaigns)


def _command_line(sources: Sequence[Path], **options: Any) -> str:
    """Return the command that makes the report again, with what decides its content."""
    words = ["lazyrich", "report", *map(str, sources)]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value not in (None, False):
            words += [flag, str(value)]
    return shlex.join(words)


def _figure_formats(requested: Sequence[str]) -> list[str]:
    for name in requested:
        if name not in FORMATS:
            raise InputError(
                "--figures", name, "figures are not written in this format", f"Use {' or '.join(FORMATS)}"
            )  # fmt: skip
    return list(dict.fromkeys(requested))


def _refuse_campaign_options(**options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"--{name.replace('_', '-')}",
                value,
                "says what to simulate, and a store is given",
                "Leave one of them out",
            )


def _check_writable(folder: Path) -> None:
    """Find out before anything is computed."""
    check_output_folder("out", folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        problem = f"can't be written ({error.strerror})"
        raise InputError("out", str(folder), problem, "Give a folder that can be written with --out") from None


if __name__ == "__main__":
    start(app, "python -m fit.report")
