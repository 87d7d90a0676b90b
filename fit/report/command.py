"""``python -m fit.report``: from nothing, or from stores, to a page of verdicts."""

from __future__ import annotations

import functools
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from fit.curves.agreement import with_agreement
from fit.curves.theory_curves import theory_curves
from fit.judge.assess import assess
from fit.judge.verdict import Verdict
from fit.measurements.dialects import is_table
from fit.measurements.measurements import Measurements
from fit.measurements.reading import measurements
from fit.models.assess import assess_models
from fit.models.statement import ModelStatement, models_of, states_models
from fit.processes import helpers
from fit.report import model_page
from fit.report import plan as planning
from fit.report.campaigns import campaign_for, in_size_of_store, seeds_for
from fit.report.content import collect
from fit.report.figures.svg import FORMATS
from fit.report.page import write
from fit.report.terminal import print_verdicts
from fit.user_predictions import UserPrediction, predictions_of
from lazyrich.console import Command, command, console, print_json, start
from lazyrich.documents import read_toml
from lazyrich.errors import InputError
from lazyrich.filenames import check_output_folder
from lazyrich.options import DataRoot, Device, Download, DryRun, Quiet, Threads, Workers
from theory.black_box import is_function_name

#: so many sources are named in the title; of more, the folder's name is
MOST_NAMED_SOURCES = 4

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
        screen = console(stderr=True, quiet=quiet or as_json)
        formats = _figure_formats(figures or [])
        content = {} if predictions is None else read_toml("predictions", predictions)
        if predictions is not None and states_models(content):
            models = models_of(content, predictions)
            _report_on_models(stores or [], models, predictions, out, formats, quiet=quiet, as_json=as_json)
            return
        user_predictions = [] if predictions is None else predictions_of(content, predictions)
        if activation is not None and is_function_name(activation):
            from simulate.networks.torch_functions import register_activation

            register_activation(activation)
            activation = None if stores else activation.strip()
        if stores:
            _refuse_campaign_options(preset=preset, activation=activation, depth=depth, base_seed=base_seed)
            sources = list(stores)
            title, folder = _title_and_folder(sources, out)
            if dry_run:
                screen.print("nothing to run: a store is given")
                return
            _check_writable(folder)
            if plan_ahead:
                _plan(sources, folder, user_predictions, as_json=as_json, quiet=quiet)
                return
        elif plan_ahead:
            raise InputError("plan", None, "it is made of measurements", "Give a store: fit.report STORE --plan")
        else:
            import simulate.console
            from simulate.running.dry_run import plan
            from simulate.running.runner import run, worker_count

            processes = worker_count(workers, device, threads)
            sized = functools.partial(campaign_for, preset or "quick", activation, depth, base_seed, alone=alone)
            campaign = sized(seeds=seeds_for(processes, device))
            title, folder = campaign.name, out or Path("reports", campaign.name)
            store = folder / "store.zarr"
            if activation is not None:
                campaign = in_size_of_store(store, campaign, sized)
            if dry_run:
                simulate.console.tell_plan(campaign, plan(campaign, processes, device), as_json=as_json)
                return
            _check_writable(folder)
            with simulate.console.progress_on(screen) as progress:
                result = run(
                    campaign, store, device=device, workers=workers, threads=threads, data_root=data_root,
                    download=download, progress=progress,
                )  # fmt: skip
            code = simulate.console.exit_code(result)
            sources = [store]
        made_by = _command_line(
            stores or [], preset=preset, activation=activation, depth=depth, alone=alone, base_seed=base_seed,
            predictions=predictions,
        )  # fmt: skip
        verdicts, experiments = _report(sources, title, folder, user_predictions, data_root, formats, made_by)
        if as_json:
            print_json([v.to_json() for v in verdicts])
        elif not quiet:
            print_verdicts(console(), verdicts, folder, experiments)
    raise typer.Exit(code)


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
        remedy = "Give one file of text (.csv, .tsv, .txt); a store becomes one by python -m simulate export"
        raise InputError("store", given, "models are fitted to one table", remedy)
    _, folder = _title_and_folder(list(tables), out)
    _check_writable(folder)
    report = assess_models(tables[0], models)
    page = model_page.write(report, folder, _command_line(tables, predictions=statements), tuple(formats))
    if as_json:
        print_json(report.to_json())
    elif not quiet:
        model_page.print_models(console(), report, page)


def report_on(
    sources: Sequence[Path | str],
    title: str,
    folder: Path,
    user_predictions: Sequence[UserPrediction] = (),
    data_root: Path | str | None = None,
    figure_formats: Sequence[str] = (),
) -> list[Verdict]:
    """Write the report on stores and tables, called ``title``, into ``folder``; return its verdicts.

    Parameters
    ----------
    user_predictions : sequence of UserPrediction
        Judged beside theory's.
    data_root : path, optional
        Where image data are: theory's curves are computed for the experiment's own points.
    figure_formats : sequence of {"pdf", "png"}
        In which the figures are written beside SVG.

    Raises
    ------
    InputError
        If a source can't be read, or the folder can't be written.
    """
    return _report(sources, title, folder, user_predictions, data_root, figure_formats)[0]


def _report(
    sources: Sequence[Path | str],
    title: str,
    folder: Path,
    user_predictions: Sequence[UserPrediction],
    data_root: Path | str | None,
    figure_formats: Sequence[str],
    made_by: str = "",
) -> tuple[list[Verdict], list[Measurements]]:
    paths = [str(source) for source in sources]
    with helpers() as share:
        experiments: list[Measurements] = []
        for path in paths:
            with _naming_damage(path):
                experiments += measurements(path)
        with ExitStack() as stack:
            for path in paths:
                stack.enter_context(_naming_damage(path))
            experiments = measurements(experiments)
            apply = share(sum(one.size for one in experiments))
            verdicts: list[Verdict] = assess(experiments, also=user_predictions, apply=apply)
            curves = theory_curves(experiments, data_root, apply)
            verdicts = with_agreement(verdicts, experiments, curves)
            report = collect(
                f"Lazy and feature training: {title}", verdicts, experiments, folder,
                theory=curves, formats=figure_formats, command=made_by, apply=apply,
            )  # fmt: skip
    try:
        write(report, folder)
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return verdicts, experiments


def _plan(
    sources: Sequence[Path], folder: Path, user_predictions: Sequence[UserPrediction], *, as_json: bool, quiet: bool
) -> None:
    """Judge the sources, print what would decide the laws that are undecided, and write the campaigns."""
    with helpers() as share, ExitStack() as stack:
        for source in sources:
            stack.enter_context(_naming_damage(str(source)))
        experiments = measurements([str(source) for source in sources])
        verdicts = assess(experiments, also=user_predictions, apply=share(sum(one.size for one in experiments)))
        plans = planning.plans_of(verdicts, experiments, user_predictions)
    campaigns = planning.write_campaigns(plans, folder)
    if as_json:
        print_json(planning.as_json(plans, campaigns))
    elif not quiet:
        planning.print_plans(console(), plans, campaigns)


@contextmanager
def _naming_damage(path: str) -> Iterator[None]:
    """Where reading a store fails, let what wrote it say which part is damaged (`simulate.store.naming_damage`)."""
    try:
        yield
    except Exception:
        from simulate.store import naming_damage

        with naming_damage(path):
            raise


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


def _title_and_folder(sources: Sequence[Path], out: Path | None) -> tuple[str, Path]:
    names = [_source_name(source) for source in sources]
    named = len(names) <= MOST_NAMED_SOURCES
    folder = out or Path("reports", "+".join(names) if named else f"{names[0]}+{len(names) - 1}")
    return (", ".join(names) if named else folder.name), folder


def _source_name(source: Path) -> str:
    """A source's name; a report's own ``DIR/store.zarr`` goes by its folder's."""
    return source.parent.name if source.stem == "store" and source.parent.name else source.stem


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
