"""All laws in one figure, in units of their margins."""

import dataclasses

from matplotlib.figure import Figure

from fit.report.figures import forest


def test_powers_are_measured_in_margins_and_shows_what_lies_beyond(verdicts):
    kernel = next(v for v in verdicts if v.claim == "kernel_change_feature")
    far = dataclasses.replace(kernel, estimate=kernel.predicted_value - 5 * kernel.margin, verdict="inconsistent")
    near = dataclasses.replace(kernel, estimate=kernel.predicted_value + 0.5 * kernel.margin, verdict="consistent")
    drawing = forest.draw([near, far])
    assert [round(x, 6) for x, _, _ in drawing.notes] == [0.5, -forest.LIMIT]
    assert list(drawing.table["verdict"]) == ["consistent", "inconsistent"]
    assert forest.draw([dataclasses.replace(kernel, margin=None)]) is None


def test_it_can_be_drawn_on_given_axes(verdicts):
    axes = Figure().add_subplot()
    assert forest.draw(verdicts, axes).axes is axes


def test_verdicts_on_one_law_stand_together_in_their_order(verdicts):
    by_claim = {v.claim: v for v in verdicts}
    kernel, times = by_claim["kernel_change_feature"], by_claim["linear_time"]
    second = dataclasses.replace(kernel, experiment="second")
    rows = forest.by_law([second, times, kernel])
    assert [(v.claim, v.experiment) for v in rows if v.claim == kernel.claim] == [
        (kernel.claim, "second"), (kernel.claim, kernel.experiment)
    ]  # fmt: skip
    assert [v.claim for v in rows] in (
        [times.claim, kernel.claim, kernel.claim], [kernel.claim, kernel.claim, times.claim]
    )  # fmt: skip
