"""The sections of docs/benchmarks.md about theory's claims and constants, rendered from benchmarks/results/."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.wrong_claims import FORMULAS
from lazyrich.wording import counted
from theory.laws.kernel_change_lazy import FLIP_RATIO, FLIP_RATIO_DEEP, LAZY_RATIO, LAZY_RATIO_DEEP

WRONG_CLAIMS = "wrong_claims.json"
LAZY_TERMS = "lazy_terms.json"
CLOSE_POINTS = "close_points.json"
#: claims that a first measurement contradicts, and a second one too or not
_AGAINST = ("contradicted", "not_confirmed")


def _results(path: Path) -> list[dict[str, Any]] | None:
    """Return the rows of a benchmark; None where it has left none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def claims_on_random_activations(folder: Path) -> str:
    """Return the section on `benchmarks.wrong_claims`; empty without its results."""
    results = _results(folder / WRONG_CLAIMS)
    if results is None:
        return ""
    cases = sorted(results, key=lambda case: case["depth"])
    rows = []
    for depth, members in itertools.groupby(cases, key=lambda case: case["depth"]):
        group = list(members)
        contradicted, not_confirmed = (sum(len(case[kind]) for case in group) for kind in _AGAINST)
        consistent = sum(case["consistent"] for case in group)
        rows.append(
            f"| {depth} | {len(group)} | {sum(case['converged'] for case in group) / len(group):.0%} "
            f"| {consistent + contradicted} | {consistent} | {sum(case['inconclusive'] for case in group)} "
            f"| {not_confirmed} | {contradicted} |"
        )
    listed = [
        f"- `{case['activation']}`, L = {case['depth']}: {row['claim']} ({row['regime']}), "
        f"{row['predicted']} predicted, {_interval(row)} measured, {_interval(row['again'])} by other seeds"
        for case in cases
        for kind in _AGAINST
        for row in case[kind]
    ]
    depths_of = Counter(case["activation"] for case in cases)
    complete = sum(count == max(depths_of.values()) for count in depths_of.values())
    return (
        "## Claims of theory on activations that nobody thought of\n\n"
        "`python -m benchmarks.wrong_claims` draws formulas from a grammar (`max(gelu(-z), relu(z/3)**2)`, say), "
        "trains five networks\nof each of three widths (24, 48, 96) on 16 digits at 14 amplitudes from 1e-6 to 1e4, "
        "and judges every law as a report does.\nWhat is called `inconsistent` is measured again with twenty other "
        "networks of each width, and is a wrong claim if it is so again.\nWhat is refused is none, and networks that "
        f"do not fit are left out. This result is about {counted(len(depths_of), 'formula')} of {FORMULAS}, "
        f"{complete} of them at all depths.\n\n"
        "| hidden layers | activations | networks that fit | claims decided | consistent | undecided "
        "| contradicted by five seeds alone | contradicted |\n"
        "|---|---|---|---|---|---|---|---|\n" + "\n".join([*rows, *(["", *listed] if listed else [])]) + "\n"
    )


def _interval(row: dict[str, Any] | None) -> str:
    """The estimate with its 95 % interval."""
    if row is None:
        return "nothing"
    return f"{row['estimate']:.3f} [{row['ci'][0]:.3f}, {row['ci'][1]:.3f}]"


def terms_of_the_lazy_kernel(folder: Path) -> str:
    """Return the section on `benchmarks.lazy_terms`; empty without its results."""
    results = _results(folder / LAZY_TERMS)
    if results is None:
        return ""
    rows = [
        f"| `{row['activation']}` | {row['depth']} | {row['c1']:.3g} | {row['c2']:.3g} | {row['c2'] / row['c1']:.2g} "
        f"| {row['s']:.3g} | {row['strength']:.3g} | {'' if row['flip_ratio'] is None else row['flip_ratio']} |"
        for row in results
    ]
    shallow, deep = LAZY_RATIO[1], LAZY_RATIO_DEEP
    return (
        "## The terms of the lazy kernel change\n\n"
        "rms² = c1²/(h A²) + s/(h A) + c2²/A⁴, measured on 40 digits (`python -m benchmarks.lazy_terms`): 16 networks "
        "of two widths, A from\n30 to 3,000. The law's powers are derived; where one term is large against the others "
        "depends on the data, and is measured.\nWindows of `kernel_change_lazy` are computed with "
        f"c2/c1 = {shallow:g} at one hidden layer and {deep:g} beyond, and with c1²·strength/s\nbetween "
        f"{FLIP_RATIO[1][0]:g} and {FLIP_RATIO[1][1]:g} ({FLIP_RATIO_DEEP[0]:g} and {FLIP_RATIO_DEEP[1]:g}), strength "
        "being that of the kinks, 1 for ReLU.\n\n"
        "| activation | L | c1 | c2 | c2/c1 | s | strength | c1²·strength/s |\n|---|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def kernels_of_close_points(folder: Path) -> str:
    """Return the section on `benchmarks.close_points`; empty without its results."""
    results = _results(folder / CLOSE_POINTS)
    if results is None:
        return ""
    rows = [
        f"| `{row['activation']}` | {row['n']} | {row['times_faster']:g} | {row['difference']:.0e} |" for row in results
    ]
    return (
        "## Infinite-width kernels of points with large norms and close directions\n\n"
        "`python -m benchmarks.close_points --before FOLDER`: two layers, norms 1 to 10, angles of 1e-3, against one "
        "rule for wide and\none for narrow densities (revision 13d8760). Processor time, both in one run.\n\n"
        "| activation | points | times faster | largest difference of kernels |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
