"""A report from stores and tables: read, judged, compared with curves, drawn, written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fit.curves.agreement import with_agreement
from fit.curves.theory_curves import theory_curves
from fit.judge.assess import assess
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.measurements.reading import measurements
from fit.processes import helpers
from fit.report.content import collect
from fit.report.page import write
from fit.user_predictions import UserPrediction
from lazyrich.errors import InputError
from lazyrich.filenames import real_path
from lazyrich.wording import counted

#: so many sources are named in the title; of more, the folder's name is
MOST_NAMED_SOURCES = 4


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
    return write_report(sources, title, folder, user_predictions, data_root, figure_formats)[0]


def write_report(
    sources: Sequence[Path | str],
    title: str,
    folder: Path,
    user_predictions: Sequence[UserPrediction],
    data_root: Path | str | None,
    figure_formats: Sequence[str],
    made_by: str = "",
    say: Callable[[str], object] | None = None,
) -> tuple[list[Verdict], list[Measurements]]:
    """As `report_on`; ``made_by`` is the command that the page says it is made by. Return the measurements too.

    ``say`` is told what is being done, a line before each part.
    """
    say = say or _silent
    paths = [str(source) for source in sources]
    with helpers() as share:
        experiments: list[Measurements] = []
        for path in paths:
            with naming_damage(path):
                experiments += measurements(path)
        with ExitStack() as stack:
            for path in paths:
                stack.enter_context(naming_damage(path))
            experiments = measurements(experiments)
            networks = sum(m.size for m in experiments)
            apply = share(networks)
            say(f"judging laws: {counted(len(experiments), 'experiment')}, {counted(networks, 'network')}")
            verdicts: list[Verdict] = assess(experiments, also=user_predictions, apply=apply)
            say("computing theory's curves for the same data")
            curves = theory_curves(experiments, data_root, apply)
            verdicts = with_agreement(verdicts, experiments, curves)
            say("drawing figures and writing the page")
            report = collect(
                f"Lazy and feature training: {title}", verdicts, experiments, folder,
                theory=curves, formats=figure_formats, command=made_by, apply=apply,
            )  # fmt: skip
    try:
        write(report, folder)
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return verdicts, experiments


def _silent(_: str) -> None:
    """Say nothing."""


@contextmanager
def naming_damage(path: str) -> Iterator[None]:
    """Where reading a store fails, let what wrote it say which part is damaged (`simulate.store.naming_damage`)."""
    try:
        yield
    except Exception:
        from simulate.store import naming_damage

        with naming_damage(path):
            raise


def title_and_folder(sources: Sequence[Path], out: Path | None) -> tuple[str, Path]:
    """Return what a report on these sources is called, and the folder it goes to unless ``out`` says another."""
    names = [_source_name(source) for source in sources]
    named = len(names) <= MOST_NAMED_SOURCES
    folder = out or Path("reports", "+".join(names) if named else f"{names[0]}+{len(names) - 1}")
    return (", ".join(names) if named else folder.name), folder


def _source_name(source: Path) -> str:
    """A source's name; a report's own ``DIR/store.zarr`` goes by its folder's. ``.`` and ``..`` are no names."""
    named_by = source.parent if source.stem == "store" and source.parent.name else source
    if named_by.name in ("", ".", ".."):
        named_by = real_path(named_by)
    return (named_by.stem if named_by == source else named_by.name) or "unnamed"
