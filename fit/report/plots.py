"""The figures of a report on matplotlib axes, for notebooks and papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fit.judge.verdict import Verdict
from lazyrich.errors import InputError

if TYPE_CHECKING:  # `import fit` does not wait for matplotlib
    from matplotlib.axes import Axes

    from fit.report.figures.drawing import Drawing


def plot_law(verdict: Verdict, ax: Axes | None = None) -> Axes:
    """Plot what a verdict is about: the measured curve, the fitted power and the predicted one.

    Parameters
    ----------
    verdict : Verdict
    ax : matplotlib.axes.Axes, optional
        To draw on; default: axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If nothing was measured that can be drawn.
    """
    from fit.report.figures import measured_curve

    _load_backend()
    curves = measured_curve.curves([verdict])
    return _axes(None if not curves else measured_curve.draw(curves[0], ax, _new_figure), verdict.reason, [verdict])


def plot_laws(verdicts: Sequence[Verdict], ax: Axes | None = None) -> Axes:
    """Plot all measured powers less the predicted ones, in units of their margins: a forest plot.

    Parameters, returns and raises as `plot_law`.
    """
    from fit.report.figures import forest

    _load_backend()
    return _axes(
        forest.draw(forest.by_law(verdicts), ax, _new_figure), "no measured power has a predicted one", verdicts
    )


def plot_phase_diagram(verdicts: Sequence[Verdict], experiment: str | None = None, ax: Axes | None = None) -> Axes:
    """Plot the kernel change over width and output scale, with the line alpha* on which it is 1.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of `fit.assess`.
    experiment : str, optional
        Default: the first one that has three widths and four amplitudes.
    ax : matplotlib.axes.Axes, optional
        To draw on; default: axes of a new figure.

    Raises
    ------
    InputError
        If no experiment has as many.
    """
    from fit.report.figures import phase_diagram

    _load_backend()
    names = dict.fromkeys(v.experiment for v in verdicts) if experiment is None else [experiment]
    drawings = (phase_diagram.draw(verdicts, name, ax, _new_figure) for name in names)
    drawing = next((candidate for candidate in drawings if candidate is not None), None)
    return _axes(drawing, "three widths and four amplitudes of the kernel change are needed", verdicts)


def _axes(drawing: Drawing | None, problem: str, verdicts: Sequence[Verdict]) -> Axes:
    if drawing is None:
        raise InputError(
            "verdicts", list(verdicts), f"there is nothing to draw: {problem}", "Give verdicts with a measurement"
        )
    return drawing.axes


def _load_backend() -> None:
    """Let pyplot load its backend before figures are drawn with parameters of their own.

    In a notebook the backend sets the parameter ``interactive`` when it is loaded, by which figures are shown; set
    while other parameters are in force for a time, it would be taken back with them.
    """
    from matplotlib import pyplot

    pyplot.draw_if_interactive()


def _new_figure(**options):
    """A figure that notebooks and `matplotlib.pyplot.show` show; white, since its ink is dark on any page."""
    from matplotlib import pyplot

    return pyplot.figure(facecolor="#ffffff", **options)
