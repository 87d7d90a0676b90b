"""The kernel's exponent over depth: which measurements are drawn, and where."""

import dataclasses

import pytest

from fit.report.comparison import Row
from fit.report.figures import exponents


@pytest.fixture(scope="session")
def kernel(verdicts):
    return next(v for v in verdicts if v.claim == "kernel_change_feature")


def row(activation, degree, kernel, depth=3):
    return Row(activation, depth, degree, "4", {} if kernel is None else {"kernel": kernel}, None)


def test_every_measured_exponent_is_told_and_drawn_beside_its_prediction(kernel):
    other = dataclasses.replace(kernel, estimate=-1.25)
    drawing = exponents.draw([row("relu", "1", kernel), row("softplus", "1", other)])
    (x_1, a_1, text), (x_2, a_2, _) = drawing.notes
    assert a_1 == -kernel.estimate
    assert a_2 == 1.25
    assert text == f"relu, L = 3: a = {-kernel.estimate:.3f}, predicted {kernel.predicted}"
    # side by side around their depth, in the order of the rows
    assert x_1 < 3.0 < x_2
    assert x_1 + x_2 == pytest.approx(6.0)
    assert list(drawing.table["a_predicted"]) == [1.5, 1.5]


def test_what_has_no_power_or_no_measurement_is_left_out_and_one_point_alone_is_no_figure(kernel):
    no_power = dataclasses.replace(kernel, not_claimed_because="the kernel moves as a logarithm")
    unmeasured = dataclasses.replace(kernel, estimate=None)
    rows = [row("relu", "1", kernel), row("slow", "0", no_power), row("gelu", "1", unmeasured), row("erf", "0", None)]
    assert exponents.draw(rows) is None
    assert len(exponents.draw([*rows, row("softplus", "1", kernel)]).notes) == 2
