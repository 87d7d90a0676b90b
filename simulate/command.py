"""The commands of ``python -m simulate``: run a campaign into a store, and look after stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lazyrich.console import Command, Group, console, print_json
from lazyrich.errors import InputError
from lazyrich.filenames import check_path
from lazyrich.options import AsJson, DataRoot, Device, Download, DryRun, Quiet, Threads, Workers
from lazyrich.wording import counted
from simulate.campaign.campaign import Campaign, list_presets
from simulate.console import (
    counts_as_json,
    exit_code,
    print_comparisons,
    print_damage,
    print_outcome,
    print_presets,
    print_status,
    progress_on,
    show_plan,
)
from simulate.data import load_data
from simulate.networks.torch_functions import register_activation, require_loaded
from simulate.running.dry_run import plan
from simulate.running.reproduce import reproduce
from simulate.running.runner import run, worker_count
from simulate.store import Store
from simulate.store.damaged_store import DamagedStoreError
from simulate.store.export import export
from simulate.store.growth import growth_of

EXIT_DAMAGE = DamagedStoreError.exit_code


class _RunByDefault(Group):
    """``simulate CAMPAIGN.toml --out S`` means ``simulate run CAMPAIGN.toml --out S``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        of_group = ("--help", "--list-presets", "--version", "--debug")
        if args and args[0] not in self.commands and args[0] not in of_group:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_RunByDefault, add_completion=False, pretty_exceptions_enable=False)

Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS|FILE", help="Let the workers of this Dask scheduler compute.")
]
OwnFunction = Annotated[
    str | None, typer.Option(metavar="MODULE:FUNCTION", help="The store's activation, if it is a torch function.")
]
StorePath = Annotated[
    str, typer.Argument(metavar="STORE", help="A store written by this command: a path, or a URL (s3://bucket/store).")
]


@app.callback(invoke_without_command=True)
def options(
    ctx: typer.Context,
    presets: Annotated[
        bool, typer.Option("--list-presets", help="List the campaigns that come with lazyrich.")
    ] = False,
) -> None:
    """Train ensembles of networks by gradient flow and keep what was measured in a Zarr store."""
    if presets:
        print_presets(console())
    elif ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("run", cls=Command)
def run_command(
    campaign: Annotated[Path | None, typer.Argument(metavar="CAMPAIGN.toml", help="What to simulate.")] = None,
    out: Annotated[
        str, typer.Option(metavar="STORE", help="The store to write, or to go on with: a path, or a URL of fsspec.")
    ] = "store.zarr",
    preset: Annotated[
        str | None,
        typer.Option(help="A campaign that comes with lazyrich, instead of a file.", autocompletion=list_presets),
    ] = None,
    device: Device = "cpu",
    workers: Workers = None,
    threads: Threads = 1,
    scheduler: Scheduler = None,
    data_root: DataRoot = None,
    download: Download = False,
    extend: Annotated[
        bool, typer.Option("--extend", help="Add seeds, widths or amplitudes to the store; keep what is finished.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Simulate what is still pending of a campaign. Run again, it goes on where it stopped."""
    if campaign is not None and preset is not None:
        raise InputError("preset", preset, f"the campaign {campaign} is given too", "Give one of them")
    if campaign is not None:
        chosen = Campaign.from_toml(check_path("campaign", campaign))
    elif preset is not None:
        chosen = Campaign.from_preset(preset)
    else:
        remedy = "Name a file, CAMPAIGN.toml, or one of --list-presets with --preset"
        raise InputError("campaign", None, "nothing says what to simulate", remedy)
    if dry_run:
        growth = growth_of(out, chosen) if extend else None
        pending = None if growth is None else growth.pending
        planned = plan(chosen, worker_count(workers, device, threads), device, pending)
        show_plan(chosen, planned, growth, as_json=as_json)
        return
    screen = console(stderr=True, quiet=quiet or as_json)
    with progress_on(screen) as progress:
        result = run(
            chosen,
            out,
            device=device,
            workers=workers,
            scheduler=scheduler,
            threads=threads,
            data_root=data_root,
            download=download,
            progress=progress,
            say=screen.print,
            grow=extend,
        )
    print_outcome(screen, out, chosen, result)
    if as_json:
        print_json(counts_as_json(out, chosen, result.counts))
    raise typer.Exit(exit_code(result))


@app.command(cls=Command)
def status(store: StorePath, as_json: AsJson = False) -> None:
    """Say how many networks of each experiment ended how."""
    opened = Store.open(store)
    if as_json:
        print_json(counts_as_json(store, opened.campaign, opened.counts()))
    else:
        print_status(console(), opened)


@app.command(cls=Command)
def verify(store: StorePath) -> None:
    """Read everything and list what is not as it was written; exit code 4 if there is any."""
    damaged = Store.open(store).verify()
    print_damage(console(), damaged)
    raise typer.Exit(EXIT_DAMAGE if damaged else 0)


@app.command(cls=Command)
def repair(
    store: StorePath,
    device: Device = "cpu",
    workers: Workers = None,
    scheduler: Scheduler = None,
    activation: OwnFunction = None,
    data_root: DataRoot = None,
    quiet: Quiet = False,
) -> None:
    """Compute damaged tasks again, and only those."""
    screen = console(stderr=True, quiet=quiet)
    opened = Store.open(store)
    if activation is not None:
        register_activation(activation)
    for experiment in opened.campaign.experiment:  # before anything is taken for pending
        require_loaded(experiment.activation, experiment.activation_source)
    data = {e.name: load_data(e, data_root) for e in opened.campaign.experiment}
    with opened.lock():
        tasks = opened.repair(data)
    screen.print(f"{len(tasks)} damaged tasks")
    with progress_on(screen) as progress:
        result = run(
            opened.campaign,
            store,
            device=device,
            workers=workers,
            scheduler=scheduler,
            data_root=data_root,
            progress=progress,
            say=screen.print,
        )
    raise typer.Exit(exit_code(result))


@app.command("reproduce", cls=Command)
def reproduce_command(
    store: StorePath,
    network: Annotated[str, typer.Option(help="experiment=NAME,width=H,root_h_alpha=A,seed=S")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N (default: the store's).")] = None,
    activation: OwnFunction = None,
    data_root: DataRoot = None,
) -> None:
    """Compute one network again, alone, and compare every number; exit code 4 if one differs more than it may."""
    if activation is not None:
        register_activation(activation)
    comparisons = reproduce(store, network, device=device, data_root=data_root)
    print_comparisons(console(), comparisons)
    raise typer.Exit(0 if all(c.agrees for c in comparisons) else EXIT_DAMAGE)


@app.command(cls=Command)
def unlock(store: StorePath) -> None:
    """Release a store on object storage that a killed run has left locked. Make sure that the run is dead."""
    held = Store.open(store).backend.break_lock()
    console().print(f"{store}: released" if held else f"{store}: not held", soft_wrap=True)


@app.command("export", cls=Command)
def export_command(
    store: StorePath,
    file: Annotated[
        str | None, typer.Argument(metavar="OUT.csv|OUT.nc", help="A table of all networks, or netCDF.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="OUT.csv|OUT.nc", help="The same as an option.")] = None,
) -> None:
    """Write a store's numbers for other programs: one row per network (csv), or one group an experiment (nc)."""
    if file is None and out is None:
        raise InputError("file", None, "an export goes to one", "Name it: export STORE OUT.csv, or OUT.nc for netCDF")
    if file is not None and out is not None:
        raise InputError("out", out, f"the file {file} is named too", "Name one of them")
    target = str(file or out)
    opened = Store.open(store)
    experiments, networks = len(opened.campaign.experiment), opened.campaign.size
    for path in export(opened, target):
        written = f"{counted(networks, 'network')} of {counted(experiments, 'experiment')}"
        console().print(f"{path}: {written}, {path.stat().st_size / 1e6:.2g} MB", soft_wrap=True, markup=False)
