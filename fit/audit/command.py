"""``python -m fit.audit``: which regime is this network in, and does its parametrisation keep it there as it grows?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fit.audit.result import Result, to_text, writable
from lazyrich.console import Command, command, console
from lazyrich.errors import InputError

if TYPE_CHECKING:
    from simulate.audit.measure import Cost

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
def main(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL.py:make",
            help="A Python file of yours and a function in it that returns a torch.nn.Module. The file is run.",
        ),
    ],
    before: Annotated[
        list[Path] | None, typer.Option(metavar="INIT.pt", help="Weights before training; once for each run.")
    ] = None,
    after: Annotated[
        list[Path] | None, typer.Option(metavar="TRAINED.pt", help="Weights after training; once for each run.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="PROBE.npz", help="Probe points: arrays inputs and, if you like, targets.")
    ] = None,
    points: Annotated[int, typer.Option(help="Use the first so many probe points.", min=2)] = 64,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.  [default: the model's own]")] = None,
    memory: Annotated[float, typer.Option(help="GiB that gradients may take at a time.", min=1e-3)] = 1.0,
    out: Annotated[Path, typer.Option(help="Folder for the page and audit.json.")] = Path("reports", "audit"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
) -> None:
    """Say which regime a network is in, for any model of torch.

    With --before, --after and --data: is the trained model lazy, or did it learn features, as a whole and by module?

    MODEL.py is your own code and is run as such; checkpoints are read as tensors alone.
    """
    with command():
        settings = {"model": model, "points": points, "memory": memory, "dtype": dtype}
        _check(settings)
        if not before or not after or data is None:
            remedy = "Give --before INIT.pt --after TRAINED.pt --data PROBE.npz"
            raise InputError("model", model, "nothing to compare is given", remedy)
        writable(out)
        results: list[Result] = [_trained(settings, before, after, data, quiet=quiet or as_json)]
        finish(results, out, quiet=quiet, as_json=as_json)


def _check(settings: dict[str, Any]) -> None:
    if settings["dtype"] not in (None, "float32", "float64"):
        raise InputError("dtype", settings["dtype"], "it is not supported", "Use float32 or float64")


def _trained(settings: dict[str, Any], before: list[Path], after: list[Path], data: Path, *, quiet: bool) -> Result:
    from fit.audit.audit import audit
    from simulate.audit.loading import load_function, load_probe

    make = load_function(settings["model"])
    inputs, targets = load_probe(data)
    n = settings["points"]
    with _progress(quiet=quiet) as (announce, report):
        return audit(
            make,
            before,
            after,
            inputs[:n],
            None if targets is None else targets[:n],
            name=settings["model"],
            memory=int(settings["memory"] * 2**30),
            dtype=settings["dtype"],
            announce=announce,
            report=report,
        )


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Any, Any]]:
    """Say what it will take, and show how much of it is done."""
    screen = console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("tangent kernels", total=1.0)

        def announce(cost: Cost) -> None:
            screen.print(
                f"{cost.parameters:,} parameters, {cost.kernels} kernels: about {_duration(cost.seconds)}, "
                f"{cost.memory / 2**30:.2g} GiB for gradients"
            )

        yield announce, lambda share: bar.update(task, completed=share)


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def finish(results: list[Result], out: Path, *, quiet: bool, as_json: bool) -> None:
    """Write the page and print what came out."""
    from fit.audit.page import write

    page = write(results, out)
    if as_json:
        print(to_text(results), end="")
    elif not quiet:
        screen = console()
        for result in results:
            result.tell(screen)
        screen.print(f"page: {page}", soft_wrap=True)
