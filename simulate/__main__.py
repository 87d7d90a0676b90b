"""``python -m simulate``: run a campaign into a store, and look after stores."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from lazyrich.console import console, start
from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign, list_presets
from simulate.console import command, duration, exit_code, named, planned, progress_on, tell_plan
from simulate.data import load_data
from simulate.networks.torch_functions import register_activation, require_loaded
from simulate.running.dry_run import plan
from simulate.running.reproduce import reproduce
from simulate.running.runner import run, worker_count
from simulate.running.workers import ATTEMPTS
from simulate.store import Damage, Store, reading

EXIT_DAMAGE = 4


class _RunByDefault(TyperGroup):
    """``simulate CAMPAIGN.toml --out S`` means ``simulate run CAMPAIGN.toml --out S``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--list-presets"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_RunByDefault, add_completion=False, pretty_exceptions_enable=False)

DataRoot = Annotated[Path | None, typer.Option(help="Folder with image data (default: LAZYRICH_DATA).")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS|FILE", help="Let the workers of this Dask scheduler compute.")
]
Download = Annotated[bool, typer.Option("--download", help="Let torchvision fetch missing data.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Workers = Annotated[int | None, typer.Option(help="Processes (default: one a core).")]
Threads = Annotated[int, typer.Option(help="Threads of each process; for networks that keep several cores busy.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]
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
        _list_presets()
    elif ctx.invoked_subcommand is None:
        print(ctx.get_help())


def _list_presets() -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("preset", no_wrap=True)
    table.add_column("networks", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for name in list_presets():
        campaign = Campaign.from_preset(name)
        table.add_row(name, f"{campaign.size:,}", campaign.description)
    out = console()
    out.print(table)
    out.print("What one would take: python -m fit.report --preset NAME --dry-run")


@app.command("run")
def run_command(
    campaign: Annotated[Path | None, typer.Argument(metavar="CAMPAIGN.toml", help="What to simulate.")] = None,
    out: Annotated[
        str, typer.Option(metavar="STORE", help="The store to write, or to go on with: a path, or a URL of fsspec.")
    ] = "store.zarr",
    preset: Annotated[
        str | None,
        typer.Option(help="A campaign that comes with lazyrich, instead of a file.", autocompletion=list_presets),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    workers: Workers = None,
    threads: Threads = 1,
    scheduler: Scheduler = None,
    data_root: DataRoot = None,
    download: Download = False,
    extend: Annotated[
        bool, typer.Option("--extend", help="Add seeds, widths or amplitudes to the store; keep what is finished.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Simulate what is still pending of a campaign. Run again, it goes on where it stopped."""
    with command():
        if (campaign is None) == (preset is None):
            raise InputError(
                "campaign", campaign and str(campaign), "exactly one campaign is run", "Give a file or --preset"
            )
        chosen = Campaign.from_toml(campaign) if campaign is not None else Campaign.from_preset(str(preset))
        if dry_run:
            what = plan(chosen, worker_count(workers, device, threads), device)
            if as_json:
                print(json.dumps(planned(chosen, what), indent=2))
            else:
                tell_plan(console(), chosen, what)
            return
        screen = console(stderr=True, quiet=quiet or as_json)
        with progress_on(screen) as progress:
            outcome = run(
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
        screen.print(f"{chosen.size} networks in {out}: {_told(outcome.counts)}")
        for task in outcome.lost:
            screen.print(f"{named(task)}: its workers died {ATTEMPTS} times; it stays pending")
        if as_json:
            print(json.dumps(_counted(out, chosen, outcome.counts), indent=2))
        code = exit_code(outcome)
    raise typer.Exit(code)


@app.command()
def status(store: StorePath, as_json: AsJson = False) -> None:
    """Say how many networks of each experiment ended how."""
    with command():
        out = console()
        opened = Store.open(store)
        if as_json:
            print(json.dumps(_counted(store, opened.campaign, opened.counts()), indent=2))
            return
        origin = opened.root.attributes
        out.print(f"campaign {opened.campaign.name}: {opened.campaign.size} networks")
        made = f"lazyrich {origin['versions']['lazyrich']}, torch {origin['versions']['torch']}, on {origin['device']}"
        out.print(f"  made with {made}, commit {origin['commit'] or 'unknown'}", soft_wrap=True)
        for name, counts in opened.counts().items():
            told = ", ".join(f"{count} {ended.name.lower()}" for ended, count in sorted(counts.items()))
            out.print(f"  {name}: {told}")
        spent = opened.cost()
        out.print(
            f"  cost: {spent.gradient_evaluations:,} gradients, {spent.flops:.1e} operations, "
            f"{duration(spent.seconds)} of workers' time, in {len(opened.records())} runs",
            soft_wrap=True,
        )


@app.command()
def verify(store: StorePath) -> None:
    """Read everything and list what is not as it was written; exit code 4 if there is any."""
    with command():
        damaged = Store.open(store).verify()
        _list(damaged)
    raise typer.Exit(EXIT_DAMAGE if damaged else 0)


@app.command()
def repair(
    store: StorePath,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    workers: Annotated[int | None, typer.Option(help="Processes (default: one a core).")] = None,
    scheduler: Scheduler = None,
    activation: OwnFunction = None,
    data_root: DataRoot = None,
    quiet: Quiet = False,
) -> None:
    """Compute damaged tasks again, and only those."""
    with command():
        screen = console(stderr=True, quiet=quiet)
        opened = Store.open(store)
        if activation is not None:
            register_activation(activation)
        for experiment in opened.campaign.experiment:  # before anything is taken for pending
            require_loaded(experiment.activation, experiment.activation_source)
        data = {e.name: load_data(e, data_root) for e in opened.campaign.experiment}
        with opened.locked():
            tasks = opened.repair(data)
        screen.print(f"{len(tasks)} damaged tasks")
        with progress_on(screen) as progress:
            outcome = run(
                opened.campaign,
                store,
                device=device,
                workers=workers,
                scheduler=scheduler,
                data_root=data_root,
                progress=progress,
                say=screen.print,
            )
        code = exit_code(outcome)
    raise typer.Exit(code)


@app.command("reproduce")
def reproduce_command(
    store: StorePath,
    network: Annotated[str, typer.Option(help="experiment=NAME,width=H,root_h_alpha=A,seed=S")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N (default: the store's).")] = None,
    activation: OwnFunction = None,
    data_root: DataRoot = None,
) -> None:
    """Compute one network again, alone, and compare every number; exit code 4 if one differs more than it may."""
    with command():
        if activation is not None:
            register_activation(activation)
        compared = reproduce(store, network, device=device, data_root=data_root)
        out = console()
        for one in compared:
            verdict = "agrees" if one.agrees else "differs"
            out.print(f"{one.name:22} {verdict}: {one.difference:.1e} (allowed {one.allowed:.1e})", soft_wrap=True)
        wrong = sum(not one.agrees for one in compared)
        out.print(f"{wrong} of {len(compared)} variables differ" if wrong else "the network is reproduced")
    raise typer.Exit(EXIT_DAMAGE if wrong else 0)


@app.command()
def unlock(store: StorePath) -> None:
    """Release a store on object storage that a killed run has left locked. Make sure that the run is dead."""
    with command():
        held = Store.open(store).place.unlock()
        console().print(f"{store}: released" if held else f"{store}: not held", soft_wrap=True)


@app.command()
def export(
    store: StorePath,
    out: Annotated[Path, typer.Argument(metavar="OUT.csv|OUT.nc", help="A table of all networks, or netCDF.")],
) -> None:
    """Write a store's numbers for other programs: one row per network (csv), or one file an experiment (nc)."""
    with command():
        opened = Store.open(store)
        tree = opened.tree()
        writers = {".csv": _to_csv, ".nc": _to_netcdf}
        if out.suffix not in writers:
            raise InputError("out", str(out), "can't tell the format from its name", "End it in .csv or .nc")
        try:
            with reading(store):
                writers[out.suffix](opened, tree, out)
        except OSError as error:
            raise InputError("out", str(out), f"can't be written ({error.strerror})", "Give another path") from None


def _to_csv(store: Store, tree, out: Path) -> None:
    import pandas as pd

    tables = []
    for experiment in store.campaign.experiment:
        data = tree[experiment.name].to_dataset()
        per_network = data.drop_dims(["layer", "test_point", "checkpoint"], errors="ignore")
        # ||w - w_0|| of all matrices together, which is what a table of networks is asked for
        per_network["weight_change"] = (data["weight_change"] ** 2).sum("layer", skipna=False) ** 0.5
        table = per_network.to_dataframe().reset_index()
        table.insert(0, "experiment", experiment.name)
        table.insert(1, "activation", experiment.activation)
        table.insert(2, "depth", experiment.depth)
        tables.append(table)
    pd.concat(tables).to_csv(out, index=False)


def _to_netcdf(store: Store, tree, out: Path) -> None:
    several = len(store.campaign.experiment) > 1
    for experiment in store.campaign.experiment:
        data = tree[experiment.name].to_dataset().load()
        # netCDF 3 has neither nested attributes nor 64-bit integers
        data.attrs = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.attrs.items()}
        for variable in data.variables.values():
            variable.encoding.clear()
        path = out.with_name(f"{out.stem}-{experiment.name}{out.suffix}") if several else out
        data.to_netcdf(path, engine="scipy")


def _list(damaged: list[Damage]) -> None:
    out = console()
    for one in damaged:
        lost = "" if one.task is None else f" ({named(one.task)})"
        out.print(f"{one.path} {one.problem}{lost}", soft_wrap=True)
    out.print(f"{len(damaged)} damaged" if damaged else "everything is as it was written")


def _counted(store: str, campaign: Campaign, counts: dict) -> dict[str, Any]:
    experiments = {
        name: {status.name.lower(): count for status, count in sorted(of_experiment.items())}
        for name, of_experiment in counts.items()
    }
    return {"store": str(store), "campaign": campaign.name, "networks": campaign.size, "experiments": experiments}


def _told(counts: dict) -> str:
    total: Counter = Counter()
    for of_experiment in counts.values():
        total.update(of_experiment)
    return ", ".join(f"{count} {status.name.lower()}" for status, count in sorted(total.items()))


if __name__ == "__main__":
    start(app, "python -m simulate")
