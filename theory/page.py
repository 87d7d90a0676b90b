# ruff: noqa: E501 -- it is text
"""The documentation page of the theory, rendered from the code: ``python -m theory.page > docs/theory.md``."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from theory.activation import Activation
from theory.claims import claims
from theory.conventions import CONVENTIONS
from theory.dynamics import GRADIENT_FLOW, in_words
from theory.kernels import dual_expression
from theory.laws.collapse import collapse
from theory.laws.kernel_change_feature import half_distance_to_next_depth, kernel_change_feature
from theory.model import Model
from theory.parametrisation import parametrisations_in_use
from theory.predictions import model_of, predictions
from theory.regimes import window_edge
from theory.scaling import A, Feature, neuron_growth, power

#: (activation, depth) whose derivations are printed: degree one, bounded (nearing it fast, and slowly), above one
SHOWN = (("relu", 3), ("softplus", 1), ("tanh", 1), ("z/(1 + abs(z))", 2), ("relu2", 1))
COMPARED = ("relu", "leaky_relu", "softplus", "gelu", "silu", "linear", "tanh", "erf", "z/(1 + abs(z))", "relu2")
DEPTHS = (1, 2, 3, 5, 9)
CLOSED = ("relu", "erf", "gelu", "relu2")

_HEAD = """\
# The theory, rendered from the code

This page is written by `python -m theory.page`; a test compares it with what the code derives today.

## The model

A network of $L$ hidden layers and width $h$, $F = \\alpha\\,[f(w) - f(w_0)]$,
$f = h^{-1/2}\\,v\\cdot x^L$, $z^{l+1} = W_l x^l/\\sqrt{\\text{fan-in}}$, $x^{l+1} = \\sigma(z^{l+1})$, all weights
$N(0, 1)$, is trained by the gradient flow of $\\alpha^{-2}\\,\\langle \\ell(F y)\\rangle$ until $F y \\ge 1$ on every
training point (arXiv:1906.08034). $A = \\sqrt{h}\\,\\alpha$. Everything below follows from the powers of $h$, $A$ and $t$
that this description contains (`theory/model.py`), by solving linear equations in exponents (`theory/scaling/`).
Nothing is looked up: `tests/theory/test_mutation.py` changes the description and compares the new exponents with
numerical solutions of the changed model.
"""

_CURVES = """\
## Beyond exponents

`theory.curves` solves for whole curves, with nothing to fit:

| function | what | checked against |
|---|---|---|
| `mean_field_curve` | two layers, $h \\to \\infty$ at fixed $A$, any activation with $k \\le 1$, any data | closed forms; trained networks of 1,024 neurons, within 3 % |
| `deep_linear_curve` | deep linear networks, $h \\to \\infty$, exact up to the step size | $\\sqrt{1 + A^{-2}} - 1$ to 0.2 %; slopes $2 - 2/(L+1)$ and 2 for $L = 1..5$; trained networks |
| `single_datum_curve` | one datum, linear or ReLU, closed form | integrals over angles; particles |
| `first_order_kernel_change` | one given network, $A \\gg 1$ | each trained network's own kernel change at $A = 10^4$, within 2 % |
| `ntk_variance` | $h\\,\\mathrm{Var}\\,\\Theta/E^2$ at initialisation, any activation and depth | networks of width 100 and 256, within 15 % |
| `lazy_prediction` | outputs for $A \\to \\infty$, their variance over seeds, and the test error of $m$ networks of width $h$; any depth, soft hinge or square loss | frozen flows of finite networks, $h\\,\\mathrm{Var}\\,F$ within 15 % |
| `lazy_output_variance` | $h\\,\\mathrm{Var}\\,F$, lazy, square loss | kernel regression with finite networks |

For $k > 1$ there is no mean-field limit (single neurons blow up in finite time, whatever their number), and
`mean_field_curve` refuses.

## Where theory and measurement differ, and why

- Exponents measured in a window $A \\le 10^{-2}$ carry the correction to scaling $A^{2/D}$, whose power is derived (see
  the table): deep linear theory itself, without any noise, has the local slope 1.504 at $L = 3$ and 1.682 at $L = 5$
  between $10^{-4}$ and $10^{-3}$. The slope −4/3 drawn in the published figure at $L = 3$ is what the crossover gives,
  not the asymptotic power.
- In the lazy regime the published slope is −1 with a collapse in $A$. For smooth activations the −1 comes with a prefactor
  $h^{-1/2}$ and so does not collapse; at infinite width (`mean_field_curve`) the slope is −2 all the way.
- The tangent kernel of one ReLU datum first *shrinks*: to first order $\\Delta\\Theta/\\Theta_0 = -1/(\\sqrt{2}\\,\\pi A)$, from neurons
  that die; it grows from $A \\approx 5$ on down.
- For $k > 1$ and one hidden layer a single neuron carries the output, but only for $A \\ll h^{-2/(k-1)}$. Measured for
  relu², $h = 32$: $a$ = 1.34 below $A = 10^{-7}$, 1.36 to 1.47 from there to $10^{-1}$, where theory has 4/3; against $A/F$
  1.33 to 1.38 all the way. The exponent of $h$ at fixed $A$ comes with logarithms of $h$: 0.30 to 0.45 between $h = 32$ and
  128 where power counting gives 1/3, and is not judged.
- The kernel goes as a power of the output $f = F/\\alpha$ at the stop, $f^{a}$: that is a law of its own
  (`kernel_homogeneity`). It goes as $A^{-a}$ only where the flow ends in a direction that does not depend on $A$, which
  nothing above derives, for any activation: the stop fixes the smallest margin, and the other outputs may go on growing
  towards $A \\to 0$. Measured at $L = 3$, GELU and ELU have $a$ = 1.54 to 1.61 and 1.59 to 1.74 against $A$, and 1.500 and
  1.525 against $A/F$; `leaky_relu(z, 0.2)` at $L = 4$ 1.75 to 1.92, and 1.60
  ([measured](limits.md#the-direction-in-which-the-flow-ends)). How fast the direction settles is open.
- A bounded activation that nears its bound slowly, as $|z|^{-p}$, lets the matrices below the last grow as powers of $A$;
  weights and times then reach their powers only with the correction $A^{2p/(2+p)}$, whose prefactor is large (about 25 in
  the time of `z/(1 + abs(z))` at $L = 1$: 25 % at $A = 10^{-3}$).
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *_comparison(), *_windows(), *_derivations(), *_margins(), *_parametrisations(), *_times(),
                      *_duals(), _CURVES])  # fmt: skip


def _comparison() -> Iterator[str]:
    yield "## The exponents\n"
    yield "| activation | k | " + " | ".join(f"a, L = {d}" for d in DEPTHS) + " | kernel at fixed A, L = 1 |"
    yield "|---" * (len(DEPTHS) + 3) + "|"
    for name in COMPARED:
        activation = Activation(name)
        cells = []
        for depth in DEPTHS:
            law = kernel_change_feature(model_of(activation, depth))
            if law.leading_exponent is not None:
                cells.append(f"{-law.leading_exponent}, with logarithms")
            else:
                cells.append("no verdict" if law.exponent is None else str(-law.exponent))
        law = collapse(model_of(activation, 1))
        grows = f"grows as $h^{{{law.leading_exponent}}}$, with logarithms" if law.leading_exponent else "no verdict"
        cells.append("collapses" if law.exponent == 0 else grows)
        yield f"| {name} | {activation.degree} | " + " | ".join(cells) + " |"
    yield "\nHere the kernel changes as $A^{-a}$ for $A \\ll 1$, with $a = 2 - 2/D$, $D = \\sum_{j=0}^{L} k^j$.\n"


def _windows() -> Iterator[str]:
    yield "## Corrections to scaling, and where a law can be tested\n"
    yield "A law $A^{-a}\\,(1 + b\\,A^{w})$ with $b \\approx 1$ has a local slope within a margin of $-a$ below the A given.\n"
    yield "| L | a | w, kernel | A for a margin of 0.05 | A for 0.1 | w, weights | A for 0.05 |"
    yield "|---" * 7 + "|"
    for depth in DEPTHS:
        model = Model(depth)
        feature = Feature(model, neuron_growth(model.degree))
        kernel, weights = feature.kernel_correction, feature.gain_correction
        edges = [window_edge(kernel, 0.05), window_edge(kernel, 0.1), window_edge(weights, 0.05)]
        shown = [f"{edge:.1e}" for edge in edges]
        a = -power(feature.kernel_change, A)
        yield f"| {depth} | {a} | {kernel} | {shown[0]} | {shown[1]} | {weights} | {shown[2]} |"
    yield ""


def _derivations() -> Iterator[str]:
    yield "## Derivations\n"
    yield "Laws hold for training by gradient flow, unless one says that it is derived for other dynamics too.\n"
    for name, depth in SHOWN:
        yield f"### {name}, L = {depth}\n"
        printed: set[tuple[str, str]] = set()
        for law in predictions(Activation(name), depth):
            about = f"${law.regime.condition}$; `{law.claim}` in files"
            yield f"**{law.full_title}** ({about}): {law.expected}.\n"
            for step in law.derivation:
                if (step.text, step.latex) in printed:
                    continue
                printed.add((step.text, step.latex))
                yield f"{step.text}\n\n$${step.latex}$$\n"
            derived_for = "" if law.dynamics == GRADIENT_FLOW else f" Derived for {in_words(law.dynamics)}."
            yield f"Source: {law.reference}. Refuted by: {law.falsified_by}.{derived_for}\n"


def _margins() -> Iterator[str]:
    yield "## Margins, fixed before any data\n"
    yield "How far a measured exponent may be from the predicted one and still be called the same. A margin is at most half the"
    yield "distance to the nearest rival law, so that no measurement is consistent with both, and at least twice the bias that the"
    yield "window itself causes, so that a true law can be confirmed.\n"
    yield "| law | name in files | margin | why |"
    yield "|---" * 4 + "|"
    for claim in claims():
        if claim.because:
            yield f"| {claim.title} | `{claim.name}` | {claim.margin_text} | {claim.because} |"
    margins = ((depth, half_distance_to_next_depth(Model(depth))) for depth in DEPTHS)
    listed = ", ".join(f"{margin:.3f} (L = {depth})" for depth, margin in margins)
    yield f"\nThe margin of the kernel's powers, of degree one: {listed}.\n"


def _parametrisations() -> Iterator[str]:
    yield "## Which parametrisations learn features\n"
    yield "Layers $l = 1..L+1$ have weights $h^{-a_l} w_l$, $w_l \\sim N(0, h^{-2 b_l})$, learning rate $h^{-c}$; a step moves"
    yield "preactivations by $h^{-r}$ (arXiv:2011.14522, whose table this equals; L = 3).\n"
    yield "| parametrisation | a | b | c | r | |"
    yield "|---" * 6 + "|"
    for p in parametrisations_in_use(3):
        a, b = (", ".join(map(str, values)) for values in (p.a, p.b))
        yield f"| {p.name} | {a} | {b} | {p.c} | {-p.update} | {p.kind} |"
    yield ""


def _times() -> Iterator[str]:
    yield "## Clocks\n"
    yield "Times are the article's, $t$; on another clock they are $t\\,h^p A^q$ (`theory.conventions.convert_time`).\n"
    yield "| convention | dynamics | p | q | source |"
    yield "|---" * 5 + "|"
    for c in CONVENTIONS.values():
        yield f"| {c.name} | {c.definition} | {c.width_exponent} | {c.amplitude_exponent} | {c.source} |"
    yield ""


def _duals() -> Iterator[str]:
    yield "## Infinite-width kernels\n"
    yield "`theory.infinite_width_kernels(activation, depth, x1, x2)` returns NNGP and NTK. On the sphere one layer is a"
    yield "function of the correlation $q$ of two inputs, in closed form where there is one:\n"
    for name in CLOSED:
        sigma, slope = dual_expression(Activation(name))
        yield f"{name}:\n\n$$\\Sigma(q) = {sympy.latex(sigma)}$$\n\n$$\\dot\\Sigma(q) = {sympy.latex(slope)}$$\n"
    yield "Others (softplus, tanh, anything with kinks away from zero) are integrated to 1e-9, kinks included.\n"


if __name__ == "__main__":
    print(page(), end="")
