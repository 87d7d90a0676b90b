"""Ticks of logarithmic axes are texts: powers of ten over decades, numbers within two of them."""

import pytest
from matplotlib.figure import Figure

from reports.log_axes import decade, decades


@pytest.mark.parametrize(("value", "text"), [(1e-4, "10⁻⁴"), (1.0, "10⁰"), (9.9e11, "10¹²"), (0.0, "")])
def test_a_decade_is_text(value, text):
    assert decade(value) == text


@pytest.mark.parametrize(
    ("limits", "texts"),
    [((1e-4, 1e4), ["10⁻⁴", "10⁻²", "10⁰", "10²", "10⁴"]), ((1.0, 20.0), ["1", "2", "5", "10", "20"])],
)
def test_ticks_are_powers_of_ten_or_numbers(limits, texts):
    axes = Figure().add_subplot()
    axes.set_xlim(*limits)
    decades(axes, "x")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    ticks = [tick for tick in axes.get_xticks() if limits[0] <= tick <= limits[1]]
    assert [axes.xaxis.get_major_formatter()(tick) for tick in ticks] == texts
