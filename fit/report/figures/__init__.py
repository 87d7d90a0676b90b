"""The figures of a report: measured curves beside predicted powers, the phase diagram, all laws side by side.

`measured_curve`, `phase_diagram`, `exponents` and `forest` each draw one kind of figure onto matplotlib axes and return
a `drawing.Drawing`; `svg` writes it as a file and as a part of a page; `style` holds colours, sizes and ticks.
"""
