"""How the exponent a depends on depth."""

from __future__ import annotations

import dataclasses
import itertools

from theory.claim import claim
from theory.laws.kernel_change_feature import kernel_regime
from theory.model import Model
from theory.notation import rational
from theory.prediction import Form, Prediction
from theory.scaling import A, Feature, power
from theory.steps import ARTICLE, feature_steps, no_kernel_law


@claim("Exponent a against depth", order=60)
def depth_trend(model: Model) -> Prediction:
    """Derive a at several depths, and whether it rises."""
    depths = (1, 2, 3, 5, 9)
    values = [-power(Feature(dataclasses.replace(model, depth=d)).kernel_change, A) for d in depths]
    listed = ", ".join(f"{rational(a)} (L={d})" for a, d in zip(values, depths, strict=True))
    rising = all(a < b for a, b in itertools.pairwise(values))
    reasons = [reason for d in depths if (reason := no_kernel_law(dataclasses.replace(model, depth=d)))]
    if not reasons and not rising:
        reasons = ["a does not depend on depth as a power law"]
    return Prediction(
        claim="depth_trend",
        quantity="a = -d ln kernel_change / d ln A",
        variable="root_h_alpha",
        exponent=None,
        expected=f"a rises with depth: {listed}, and tends to 2",
        not_claimed_because=reasons[0] if reasons else None,
        form=Form.TREND,
        formula=r"a(L) = 2 - \frac{2}{D(L)}",
        regime=kernel_regime(model),
        derivation=feature_steps(model),
        reference=f"{ARTICLE}, abstract: a < 2 and a → 2 when depth grows",
        falsified_by="a falling with depth",
        counts_layers=True,
    )
