"""A finding names what speaks against a bare "consistent"."""

from synthetic_campaign import FEATURE, prediction

from fit.findings.finding import Finding, not_measured

LAW = prediction("kernel_change_feature", "root_h_alpha", -1.5, FEATURE, margin=0.1)


def row(name, estimate, half_width):
    return {"window": name, "estimate": estimate, "ci_low": estimate - half_width, "ci_high": estimate + half_width}


def test_only_rows_wholly_outside_the_margin_contradict():
    rows = [row("inside", -1.55, 0.02), row("wide", -1.7, 0.2), row("outside", -1.7, 0.05)]
    (clause,) = Finding(sensitivity=rows).contradictions(LAW)
    assert clause == "another choice (outside) gives an estimate outside the margin, -1.700"


def test_a_row_without_an_estimate_says_nothing():
    empty = {"window": "trimmed", "estimate": None, "ci_low": None, "ci_high": None}
    assert Finding(sensitivity=[empty]).contradictions(LAW) == ()


def test_what_is_not_measured_says_so():
    assert not_measured("the source does not hold x").undecided_because == "not measured: the source does not hold x"
