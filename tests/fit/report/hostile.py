"""Experiments that are called like markup, patterns and paths."""

from synthetic_campaign import experiment

from fit import assess, prediction
from fit.measurements.reading import measurements
from fit.report.content import collect
from fit.report.page import write

HOSTILE = (
    "a/b", "A b", "a$b$c_ $\\frac{1}$ <script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>&amp; [/red]**x**|y ../../etc größe',
)  # fmt: skip


def hostile_report(folder, names=HOSTILE):
    """Write the report on such experiments, whose networks are made up; return its verdicts."""
    small = {"widths": (32, 64, 128, 256), "seeds": 5, "root_h_alpha": (1e-4, 1e-3, 1e-2, 1e2)}
    datasets = [experiment(name=name, seed=i, **small) for i, name in enumerate(names)]
    data = [measurements(one)[0] for one in datasets]
    law = prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(1e-4, 1e-2), claim="</td><b>$\\x_$ mine", why="<i>[/b]")
    verdicts = assess(data, also=[law])
    write(collect("<b>$title$[/red]", verdicts, data, folder), folder)
    return verdicts
