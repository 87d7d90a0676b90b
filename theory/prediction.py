"""What theory says about one quantity, and where it says it."""

from __future__ import annotations

import enum
import math
import textwrap
from dataclasses import dataclass
from typing import Literal

import sympy
from markupsafe import Markup

from lazyrich import html
from lazyrich.mathematics import mathml
from theory.dynamics import GRADIENT_FLOW

#: what tables and files have as the regime of a law that compares the two
BOTH_REGIMES = "crossover"
#: what they have as that of a law that holds at any A, before training, say
ANY_REGIME: Literal["any"] = "any"
_IN_WORDS: dict[str | None, str] = {None: "both regimes", ANY_REGIME: "any regime"}


@dataclass(frozen=True)
class Regime:
    """Interval of ``variable`` in which a law is claimed; an edge is ``value * width**exponent`` (or ``low_floor``).

    ``name`` is ``"feature"`` (A = sqrt(h)·alpha << 1), ``"lazy"`` (A >> 1) or ``"any"``, of a law that holds whatever A
    is; None for a law that compares the two.
    """

    name: Literal["feature", "lazy", "any"] | None
    condition: str  #: LaTeX, e.g. r"A \ll 1"
    low: float = 0.0
    high: float = math.inf
    low_width_exponent: sympy.Rational = sympy.S.Zero
    high_width_exponent: sympy.Rational = sympy.S.Zero
    variable: str = "root_h_alpha"
    low_floor: float = 0.0  #: the lower edge is not below this, whatever the width

    @property
    def label(self) -> str:
        """The name in tables and files, where a law that compares the regimes has `BOTH_REGIMES`."""
        return self.name or BOTH_REGIMES

    @property
    def in_words(self) -> str:
        """ "feature regime", "lazy regime", "any regime" or "both regimes"."""
        return _IN_WORDS.get(self.name) or f"{self.name} regime"

    def bounds(self, width: float) -> tuple[float, float]:
        """Return the interval for networks of one width."""
        low = max(self.low_floor, self.low * width ** float(self.low_width_exponent))
        high = self.high if math.isinf(self.high) else self.high * width ** float(self.high_width_exponent)
        return low, high


def with_regime(title: str, regime: str) -> str:
    """Return the title of a law with the label of its regime, unless it is about both or names it already."""
    return title if regime in (BOTH_REGIMES, ANY_REGIME) or regime in title else f"{title}, {regime} regime"


@dataclass(frozen=True)
class Step:
    """One line of a derivation: a sentence and the LaTeX of the equation it arrives at."""

    text: str
    latex: str


class Form(enum.StrEnum):
    """What kind of statement a prediction is."""

    POWER = "power"  #: quantity ~ variable^exponent
    POWER_WITH_LOGARITHMS = "power_with_logarithms"  #: the same, divided or multiplied by powers of ln(1/A)
    LOGARITHM = "logarithm"  #: quantity ~ A·(a + b·ln(1/A))
    TREND = "trend"  #: a measured exponent rises, whatever its values
    BOUND = "bound"  #: an exponent is at most, or at least, a number
    COMPARISON = "comparison"  #: one measured number is below, or equal to, another one


@dataclass(frozen=True)
class Prediction:
    """A law ``quantity ~ variable**exponent`` inside ``regime``, with its derivation.

    ``exponent`` is an exact sympy number, signed as the power of ``variable`` (kernel change of a ReLU network with
    three hidden layers: -3/2), or None where no power is claimed; ``expected`` says in words what is. Where theory
    makes no claim, ``not_claimed_because`` says why, and ``expected`` becomes the sentence made of it.
    """

    claim: str
    quantity: str
    #: "root_h_alpha_over_output" is A/F, F the rms output at the stop
    variable: Literal["root_h_alpha", "width", "time", "root_h_alpha_over_output"]
    exponent: sympy.Rational | None
    expected: str
    regime: Regime
    derivation: tuple[Step, ...]
    reference: str
    falsified_by: str
    #: relative corrections vanish as variable**correction_exponent inside the regime (None: not known)
    correction_exponent: sympy.Rational | None = None
    #: which summary over seeds the law is about
    statistic: Literal["mean", "rms", "median"] = "mean"
    #: how far a measured exponent may be from this one and still be called the same; None where no power is judged
    margin: float | None = None
    #: what kind of statement it is; where theory makes no claim, the kind that it would have been
    form: Form = Form.POWER
    #: why theory makes no claim for the model at hand, a clause; None where it makes one
    not_claimed_because: str | None = None
    #: the power that logarithms go with, where a measured slope need not reach it and ``exponent`` is None
    leading_exponent: sympy.Rational | None = None
    #: a definition or an identity makes it hold, so that a measurement can't refute the theory
    by_construction: bool = False
    #: whether it is about F = alpha (f - f_0); False for a law of networks whose F = alpha f keeps f_0
    subtracts_initial: bool = True
    #: whether the exponent counts the layers that signals pass one after another: branches beside them change it
    counts_layers: bool = False
    #: the training dynamics that it is derived for, as campaigns name them
    dynamics: tuple[str, ...] = GRADIENT_FLOW
    #: LaTeX of the law alone; empty where there is none
    formula: str = ""
    #: a few words for tables and headings
    title: str = ""

    def __post_init__(self) -> None:
        if self.not_claimed_because is not None:
            if self.exponent is not None:
                raise ValueError(f"{self.claim}: it is not claimed, and yet has the exponent {self.exponent}")
            object.__setattr__(self, "expected", f"no verdict: {self.not_claimed_because}")

    def __repr__(self) -> str:
        expected = textwrap.shorten(self.expected, 200, placeholder=" …")
        return f"<Prediction {self.claim} ({self.regime.in_words}): {expected}>"

    def _repr_html_(self) -> str:
        rows = [
            ("law", mathml(self.formula) if self.formula and self.claimed else self.expected),
            ("where", Markup("{}, {}").format(self.regime.in_words, mathml(self.regime.condition))),
            ("source", self.reference),
            ("refuted by", self.falsified_by),
        ]
        return html.table(rows, caption=self.title or self.claim)

    @property
    def full_title(self) -> str:
        """The title with the regime: laws of both regimes may have one title."""
        return with_regime(self.title or self.claim, self.regime.label)

    @property
    def claimed(self) -> bool:
        """False where theory makes no claim for the model at hand; ``not_claimed_because`` says why."""
        return self.not_claimed_because is None

    @property
    def refusal(self) -> str | None:
        """`not_claimed_because` under its older name, which the JSON of ``python -m theory`` has too."""
        return self.not_claimed_because

    @property
    def logarithms(self) -> bool:
        """Whether powers of ln(1/A) come with the law, so that a measured slope need not be that of a power."""
        return self.form in (Form.POWER_WITH_LOGARITHMS, Form.LOGARITHM)


class Predictions(tuple[Prediction, ...]):
    """The laws of one model, in the order of a report; shows itself as a table, a law a line."""

    __slots__ = ()

    def __repr__(self) -> str:
        rows = [(p.claim, p.regime.label, textwrap.shorten(p.expected, 80, placeholder=" …")) for p in self]
        claim, regime = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
        return "\n".join(f"{row[0]:{claim}}  {row[1]:{regime}}  {row[2]}" for row in rows) or "no predictions"

    def _repr_html_(self) -> str:
        rows = [
            (p.claim, p.regime.in_words, mathml(p.formula) if p.formula and p.claimed else p.expected) for p in self
        ]
        return html.table(rows, heading=("claim", "where", "law"))
