"""``python -m theory ACTIVATION [--depth L]``: what theory predicts, and how it follows."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lazyrich.console import Command, command, console, start
from lazyrich.numbers import short
from lazyrich.options import AsJson
from lazyrich.unicode_math import unicode_math
from theory.activation import Activation
from theory.black_box import is_function_name
from theory.laws.collapse import collapse
from theory.laws.crossover import crossover
from theory.laws.half_time import half_time
from theory.laws.kernel_change_feature import kernel_change_feature
from theory.laws.kernel_change_lazy import kernel_change_lazy
from theory.laws.linear_time import linear_time
from theory.laws.weight_change_feature import weight_change_feature
from theory.model import Model
from theory.notation import power_plain
from theory.prediction import Form, Prediction, Regime
from theory.predictions import model_of, predictions
from theory.scaling import Feature

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
def main(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="ACTIVATION...",
            help="A name (relu, softplus, ...), a formula in z, or module:function, a function of torch.",
        ),
    ],
    depth: Annotated[int, typer.Option(help="Hidden layers.")] = 3,
    compare: Annotated[bool, typer.Option("--compare", help="Compare several activations in one table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the predicted scaling laws of a fully connected network and their derivation."""
    with command():
        if len(names) > 1 and not compare:
            raise typer.BadParameter("more than one activation needs --compare")
        for name in filter(is_function_name, names):
            _load(name)
        chosen = [Activation(name) for name in names]
        if as_json:
            rows = [description(activation, depth) for activation in chosen]
            print(json.dumps(rows if compare else rows[0], indent=2, allow_nan=False))
        elif compare:
            console().print(comparison(chosen, depth))
        else:
            _print_predictions(console(), chosen[0], depth)


def _load(name: str) -> None:
    """Let whoever can load functions do so: theory knows them only as functions of arrays.

    The package's own loader, of torch functions, is `simulate.register_activation`, named in setup.cfg.
    """
    for loader in entry_points(group="lazyrich.functions"):
        loader.load()(name)


def description(activation: Activation, depth: int) -> dict[str, Any]:
    """Return everything about an activation's laws as plain JSON values."""
    return {
        "activation": activation.name,
        "expression": str(activation.expression),
        "depth": depth,
        "degree": str(activation.degree),
        "degree_left": str(activation.degree_left),
        "degree_right": str(activation.degree_right),
        "homogeneous": activation.degree_exact,
        "bounded": activation.bounded,
        "kinks": list(activation.kinks),
        "parity": activation.parity,
        "normalisation": activation.normalisation,
        "predictions": [_row(p) for p in predictions(activation, depth)],
    }


def _row(p: Prediction) -> dict[str, Any]:
    return {
        "claim": p.claim,
        "quantity": p.quantity,
        "variable": p.variable,
        "exponent": None if p.exponent is None else str(p.exponent),
        "exponent_value": None if p.exponent is None else float(p.exponent),
        "expected": p.expected,
        "title": p.title,
        "form": p.form.value,
        "not_claimed_because": p.not_claimed_because,
        "refusal": p.not_claimed_because,  # the same under its older name
        "formula": p.formula,
        "by_construction": p.by_construction,
        "dynamics": list(p.dynamics),
        "leading_exponent": None if p.leading_exponent is None else str(p.leading_exponent),
        "margin": p.margin,
        "regime": _regime(p.regime),
        "statistic": p.statistic,
        "logarithms": p.logarithms,
        "correction_exponent": None if p.correction_exponent is None else str(p.correction_exponent),
        "latex": [step.latex for step in p.derivation],
        "derivation": [{"text": step.text, "latex": step.latex} for step in p.derivation],
        "reference": p.reference,
        "falsified_by": p.falsified_by,
    }


def _regime(regime: Regime) -> dict[str, Any]:
    return {
        "name": regime.label,
        "condition": regime.condition,
        "variable": regime.variable,
        "low": regime.low or None,
        "low_width_exponent": str(regime.low_width_exponent),
        "high": None if math.isinf(regime.high) else regime.high,
        "high_width_exponent": str(regime.high_width_exponent),
        "low_floor": regime.low_floor or None,
    }


def window(regime: Regime) -> str:
    """The interval of A in plain text, e.g. ``A ≥ 50·h^(1/2)``."""

    def edge(value: float, exponent: Any) -> str:
        return short(value) + ("" if exponent == 0 else f"·{power_plain('h', exponent)}")

    low = edge(regime.low, regime.low_width_exponent)
    if regime.low_floor:
        low = f"max({low}, {short(regime.low_floor)})"
    high = edge(regime.high, regime.high_width_exponent)
    if regime.low and not math.isinf(regime.high):
        return f"{low} ≤ A ≤ {high}"
    if regime.low:
        return f"A ≥ {low}"
    return "" if math.isinf(regime.high) else f"A ≤ {high}"


def _print_predictions(out: Console, activation: Activation, depth: int) -> None:
    laws = predictions(activation, depth)
    kinks = ", ".join(f"{k:g}" for k in activation.kinks) or "none"
    out.print(Text(activation.name, "bold"), f", {depth} hidden layer{'s' if depth > 1 else ''}", sep="")
    out.print(
        f"degree {activation.degree} (left {activation.degree_left}, right {activation.degree_right}), "
        f"kinks: {kinks}, normalisation {activation.normalisation:.6g}"
    )
    out.print("A = √h·α; times are gradient-flow times of the article (arXiv:1906.08034); no units.\n")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("law", "prediction", "where"):
        table.add_column(title, overflow="fold")
    for p in laws:
        table.add_row(p.full_title, p.expected, window(p.regime) or p.regime.in_words)
    out.print(table)
    out.print("\nDerivations", style="bold")
    for line in _derivations(laws):
        indent = " " * (len(line) - len(line.lstrip()))
        wrapped = textwrap.fill(line.strip(), out.width, initial_indent=indent, subsequent_indent=indent)
        out.print(wrapped, markup=False, soft_wrap=True)


def _derivations(laws: tuple[Prediction, ...]) -> Iterator[str]:
    shown: set[tuple] = set()
    for p in laws:
        yield ""
        yield f"{p.full_title}: {unicode_math(p.formula)}" if p.formula and p.claimed else p.full_title
        fresh = [step for step in p.derivation if (step.text, step.latex) not in shown]
        if len(fresh) < len(p.derivation):
            yield "  as above, and"
        for step in fresh:
            shown.add((step.text, step.latex))
            yield f"  {step.text}"
            yield f"      {unicode_math(step.latex)}"
        yield f"  source: {p.reference}"
        yield f"  refuted by: {p.falsified_by}"


def comparison(activations: list[Activation], depth: int) -> Table:
    """One row per activation: degree, exponents, times, collapse."""
    table = Table(
        title=f"{depth} hidden layer{'s' if depth > 1 else ''}", box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for column in ("activation", "k", "D", "a", "α*", "t₁", "t½", "‖w − w₀‖", "collapse", "lazy kernel"):
        table.add_column(column, overflow="fold")
    for activation in activations:
        model = model_of(activation, depth)
        kernel, (weights,), on_one_curve = kernel_change_feature(model), weight_change_feature(model), collapse(model)
        time, _ = half_time(model)
        lazy, _ = kernel_change_lazy(model)
        onset, _ = linear_time(model)
        table.add_row(
            activation.name,
            str(activation.degree),
            str(_total_degree(activation, depth)),
            f"{-kernel.leading_exponent} (log)"
            if kernel.leading_exponent is not None
            else ("-" if kernel.exponent is None else str(-kernel.exponent)),
            _power("h", crossover(model).exponent),
            _power("A", onset.exponent),
            "A ln(1/A)" if time.form is Form.LOGARITHM else _power("A", time.exponent),
            _power("A", weights.exponent),
            "yes"
            if on_one_curve.exponent == 0
            else f"no: {power_plain('h', on_one_curve.leading_exponent)}"
            if on_one_curve.leading_exponent is not None
            else "-",
            unicode_math(lazy.formula.rpartition(r"\sim")[2]) if lazy.claimed else "-",
        )
    return table


def _power(base: str, exponent: Any) -> str:
    return "-" if exponent is None else power_plain(base, exponent)


def _total_degree(activation: Activation, depth: int) -> Any:
    return Feature(Model(depth, activation.degree)).total_degree


if __name__ == "__main__":
    start(app, "python -m theory")
