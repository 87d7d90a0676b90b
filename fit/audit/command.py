"""``python -m fit.audit``: which regime is this network in, and does its parametrisation keep it there as it grows?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fit.audit.page import content, writable, write
from fit.audit.result import Result
from lazyrich.console import Command, command, console, print_json
from lazyrich.errors import InputError
from lazyrich.options import FOLDER, Quiet

if TYPE_CHECKING:
    from simulate.audit.measure import Cost
    from simulate.audit.training import TrainingData

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class SpreadOptions(Command):
    """``--widths 64 128`` is ``--widths 64 --widths 128``, for every option that can be given several times."""

    def parse_args(self, ctx, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        several = {name for p in self.params if getattr(p, "multiple", False) for name in p.opts}
        spread: list[str] = []
        current: str | None = None
        for argument in args:
            if argument.startswith("--"):
                current = argument if argument in several else None
                spread.append(argument)
            elif current is not None and spread[-1] != current:
                spread += [current, argument]
            else:
                spread.append(argument)
        return super().parse_args(ctx, spread)


@dataclass(frozen=True)
class Settings:
    """What all parts of an audit share."""

    model: str
    data: Path | None
    points: int
    optimizer: str
    rate: float
    seeds: int
    quiet: bool

    def make(self) -> Any:
        """Return the user's function."""
        from simulate.audit.loading import load_function

        return load_function(self.model)

    def training_data(self) -> TrainingData | None:
        """Return inputs and targets of the file given, in the model's own precision; None without a file."""
        import torch

        from simulate.audit.loading import as_inputs, load_probe, training_targets
        from simulate.audit.training import TrainingData

        if self.data is None:
            return None
        inputs, targets = load_probe(self.data)
        if targets is None:
            raise InputError("data", str(self.data), "training needs targets", "Add an array named targets")
        dtype = torch.get_default_dtype()
        x = as_inputs(inputs[: self.points], dtype)
        y = training_targets(targets, dtype)
        if y.ndim == 0 or len(y) != len(inputs):
            remedy = "Give a target for each point"
            raise InputError("targets", tuple(y.shape), f"there are {len(inputs)} points", remedy)
        return TrainingData(x, y[: self.points])

    def needed_data(self, purpose: str) -> TrainingData:
        """The same, where nothing can be done without."""
        data = self.training_data()
        if data is None:
            raise InputError("data", None, f"{purpose} needs data to train on", "Give --data FILE.npz")
        return data

    def make_optimizer(self) -> Any:
        """Return "sgd", "adam", or the user's function."""
        from simulate.audit.loading import load_function

        return load_function(self.optimizer) if ":" in self.optimizer else self.optimizer


@app.command(cls=SpreadOptions)
def main(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL.py:make",
            help="A Python file of yours and a function in it that returns a torch.nn.Module. The file is run.",
        ),
    ],
    before: Annotated[
        list[Path] | None, typer.Option(metavar="INIT.pt", help="Weights before training, one file a run.")
    ] = None,
    after: Annotated[
        list[Path] | None, typer.Option(metavar="TRAINED.pt", help="Weights after training, one file a run.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="PROBE.npz", help="Points: arrays inputs and (to train) targets.")
    ] = None,
    points: Annotated[int, typer.Option(help="Use the first so many points.", min=2)] = 64,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.  [default: the model's own]")] = None,
    memory: Annotated[float, typer.Option(help="GiB that gradients may take at a time.", min=1e-3, max=1e6)] = 1.0,
    widths: Annotated[
        list[int] | None, typer.Option(help="Coordinate check: make(width) at these widths, 64 128 256 512 say.")
    ] = None,
    depths: Annotated[list[int] | None, typer.Option(help="The same with make(depth=depth).")] = None,
    optimizer: Annotated[
        str, typer.Option(help="sgd, adam, or FILE.py:FUNCTION of (model, rate) that returns an optimiser.")
    ] = "adam",
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 1e-3,
    steps: Annotated[list[int] | None, typer.Option(help="Look after these steps.  [default: 1 5]")] = None,
    seeds: Annotated[int, typer.Option(help="Initial weights at each size.", min=2)] = 8,
    transfer: Annotated[
        bool, typer.Option("--transfer", help="Does the best learning rate stay where it is at the widths?")
    ] = False,
    rates: Annotated[
        list[float] | None, typer.Option(help="Rates for --transfer.  [default: 1e-4 to 1, each twice the last]")
    ] = None,
    train: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:FUNCTION", help="A function of (model, rate, seed) that trains; returns a loss."),
    ] = None,
    train_steps: Annotated[
        int | None,
        typer.Option(
            help="Steps of the built-in training.  [default: 100 for --transfer, at most 2000 for --scales]", min=1
        ),
    ] = None,
    scales: Annotated[
        list[float] | None, typer.Option(help="Train with the output scaled, 1e-3 ... 1e3: where is its crossover?")
    ] = None,
    out: Annotated[Path, typer.Option(**FOLDER, help="Folder for the page and audit.json.")] = Path("reports", "audit"),
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
) -> None:
    """Say which regime a network is in, for any model of torch.

    With --before, --after and --data: is the trained model lazy, or did it learn features, as a whole and by module?
    With --widths (or --depths): do its activations move alike at all sizes? With --transfer: does its rate transfer?
    With --scales and --data: how far is it from its own crossover?

    MODEL.py is your own code and is run as such; checkpoints are read as tensors alone.
    """
    with command():
        settings = Settings(model, data, points, optimizer, rate, seeds, quiet or as_json)
        if before or after or widths or depths or scales:
            writable(out)  # found out before anything is computed
        results: list[Result] = []
        if before or after:
            results.append(_trained(settings, before or [], after or [], dtype, memory))
        for axis, sizes in (("width", widths), ("depth", depths)):
            if sizes:
                results.append(_scaled(settings, axis, sizes, steps or [1, 5]))
        if transfer:
            results.append(_transferred(settings, widths or [], rates, train, train_steps or 100))
        if scales:
            results.append(_placed(settings, scales, train, train_steps or 2000))
        if not results:
            remedy = "Give --before INIT.pt --after TRAINED.pt --data PROBE.npz, or --widths 64 128 256 512"
            raise InputError("model", model, "no question is asked about it", remedy)
        _finish(results, out, quiet=quiet, as_json=as_json)


def _trained(settings: Settings, before: list[Path], after: list[Path], dtype: str | None, memory: float) -> Result:
    from fit.audit.audit import audit
    from simulate.audit.loading import load_probe

    if dtype not in (None, "float32", "float64"):
        raise InputError("dtype", dtype, "it is not supported", "Use float32 or float64")
    if settings.data is None:
        raise InputError("data", None, "models are compared on probe points", "Give --data PROBE.npz")
    make = settings.make()
    inputs, targets = load_probe(settings.data)
    n = settings.points
    with _progress("tangent kernels", quiet=settings.quiet) as report:
        return audit(
            make,
            before,
            after,
            inputs[:n],
            targets if targets is None or targets.ndim == 0 else targets[:n],
            name=settings.model,
            memory=int(memory * 2**30),
            dtype=dtype,
            announce=None if settings.quiet else _announce,
            report=report,
        )


def _scaled(settings: Settings, axis: str, sizes: list[int], steps: list[int]) -> Result:
    from fit.audit.coordinate_check import coordinate_check

    with _progress(f"{axis}s", quiet=settings.quiet) as report:
        return coordinate_check(
            settings.make(),
            sizes,
            axis=axis,
            optimizer=settings.make_optimizer(),
            rate=settings.rate,
            steps=steps,
            seeds=settings.seeds,
            data=settings.training_data(),
            name=settings.model,
            report=report,
        )


def _transferred(
    settings: Settings, widths: list[int], rates: list[float] | None, train: str | None, steps: int
) -> Result:
    from fit.audit.rate_transfer import rate_transfer
    from simulate.audit.loading import load_function
    from simulate.audit.transfer import built_in_training

    if train is not None:
        run = load_function(train)
    else:
        run = built_in_training(settings.make_optimizer(), settings.needed_data("training"), steps)
    tried = rates or [2.0**-k for k in range(14)]
    with _progress("rates", quiet=settings.quiet) as report:
        return rate_transfer(
            settings.make(), widths, tried, run, seeds=settings.seeds, name=settings.model, report=report
        )


def _placed(settings: Settings, scales: list[float], train: str | None, most_steps: int) -> Result:
    from fit.audit.own_crossover import own_crossover
    from simulate.audit.loading import load_function

    with _progress("output scales", quiet=settings.quiet) as report:
        return own_crossover(
            settings.make(),
            scales,
            settings.needed_data("a crossover"),
            optimizer=settings.make_optimizer(),
            rate=settings.rate,
            most_steps=most_steps,
            train=None if train is None else load_function(train),
            seeds=settings.seeds,
            name=settings.model,
            report=report,
        )


def _announce(cost: Cost) -> None:
    """Say what tangent kernels will take."""
    seconds = cost.seconds
    duration = f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    console(stderr=True).print(
        f"{cost.parameters:,} parameters, {cost.kernels} kernels: about {duration}, "
        f"{cost.memory / 2**30:.2g} GiB for gradients at most"
    )


@contextmanager
def _progress(label: str, *, quiet: bool) -> Iterator[Any]:
    """Show how much is done, on a terminal."""
    screen = console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _finish(results: list[Result], out: Path, *, quiet: bool, as_json: bool) -> None:
    """Write the page and print what came out."""
    page = write(results, out)
    if as_json:
        print_json(content(results))
    elif not quiet:
        screen = console()
        for result in results:
            result.tell(screen)
        screen.print(f"page: {page}", soft_wrap=True)
