"""Whether the kernel changes of all widths fall on one curve in A where weights have grown."""

from __future__ import annotations

from theory.claim import claim
from theory.laws.kernel_change_feature import growth_steps
from theory.model import Model
from theory.notation import power_plain, times
from theory.prediction import Form, Prediction
from theory.regimes import growth_regime
from theory.scaling import Feature, H, neuron_growth, power
from theory.steps import ARTICLE, RATIO, no_kernel_law


@claim(
    "Collapse of the kernel change in A",
    order=70,
    margin=0.05,
    because="a quarter of the smallest power of h, 1/5, that a failed collapse shows",
)
def collapse(model: Model) -> Prediction:
    """Derive the power of h at fixed A: none, where all neurons of a layer grow together.

    Where single ones grow, which of h random initial sizes is the largest brings logarithms of h.
    """
    feature = Feature(model, neuron_growth(model.degree))
    in_h = power(feature.kernel_change, H)
    reason = no_kernel_law(model)
    one_curve = "kernel changes of all widths fall on one curve in A"
    growing = f"no collapse in A: at fixed A the kernel change grows as {power_plain('h', in_h)}, up to logarithms"
    return Prediction(
        claim="collapse",
        quantity="kernel_change",
        variable="width",
        exponent=None if reason or in_h != 0 else in_h,
        leading_exponent=None if reason or in_h == 0 else in_h,
        expected=one_curve if in_h == 0 else growing,
        not_claimed_because=reason,
        regime=growth_regime(model),
        derivation=growth_steps(model),
        reference=f"{ARTICLE}, figures: collapse in √h·α",
        falsified_by="a power of h in the kernel change at fixed A",
        correction_exponent=None if model.degree == 0 else feature.kernel_correction,
        form=Form.POWER_WITH_LOGARITHMS if model.degree == 0 or in_h != 0 else Form.POWER,
        formula=rf"{RATIO} \sim {times(in_h * H)}g(A)",
    )
