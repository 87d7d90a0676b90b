"""Figures for notebooks: each plot returns matplotlib axes, new ones or those given."""

import matplotlib
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from synthetic_campaign import experiment, tree

import fit
from lazyrich.errors import InputError


@pytest.fixture(scope="module")
def verdicts():
    return fit.assess(tree(experiment()))


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("plot", [fit.plot_laws, fit.plot_phase_diagram, lambda v, ax=None: fit.plot_law(v[0], ax)])
def test_axes_are_returned_of_a_figure_that_is_shown_or_those_given(verdicts, plot):
    new = plot(verdicts)
    assert isinstance(new, Axes)
    assert new.figure.number in pyplot.get_fignums()
    _, own = pyplot.subplots()
    assert plot(verdicts, ax=own) is own


def test_nothing_to_draw_is_said(verdicts):
    with pytest.raises(InputError, match="nothing to draw"):
        fit.plot_laws([])
    with pytest.raises(InputError, match="three widths"):
        fit.plot_phase_diagram(verdicts, "nosuch")


def test_figures_after_the_first_are_shown_in_a_notebook_too(verdicts, tmp_path, monkeypatch):
    """A notebook's backend says when it is loaded that figures are shown: that stays when the first figure is drawn."""
    (tmp_path / "notebook_backend.py").write_text(
        "import matplotlib\nfrom matplotlib.backends.backend_agg import FigureCanvas\nmatplotlib.interactive(True)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pyplot, "_backend_mod", None)
    monkeypatch.setitem(matplotlib.rcParams, "backend", "module://notebook_backend")
    try:
        fit.plot_laws(verdicts)
        assert matplotlib.is_interactive()
    finally:
        matplotlib.interactive(False)
        pyplot.switch_backend("agg")
