"""How much the tangent kernel differs from seed to seed before training: a number, without a free parameter."""

from __future__ import annotations

from theory.claim import claim
from theory.dynamics import IN_WORDS
from theory.model import Model
from theory.notation import power_plain
from theory.prediction import ANY_REGIME, Form, Prediction, Regime, Step
from theory.scaling import H, fluctuations, power
from theory.steps import DERIVED


@claim(
    "Variance of initial kernels",
    order=84,
    margin=0.25,
    because="the next order in L/h is 10 to 20 % at the narrowest widths; activations differ by factors of 2 to 7",
)
def initial_kernel_variance(model: Model) -> Prediction:
    """Derive Var Theta(x, x) as a sum over layers, each of which averages over h independent neurons."""
    exponent = 2 * power(fluctuations(H), H)
    return Prediction(
        claim="initial_kernel_variance",
        quantity="h·Var Theta_0(x, x)/E²: measured over predicted",
        variable="width",
        exponent=None,
        form=Form.COMPARISON,
        expected=f"Var Θ₀(x, x)/E² is C·{power_plain('h', exponent)}, C computed from the activation and the depth",
        regime=Regime(ANY_REGIME, r"h \gg L"),
        derivation=(
            Step(
                "Going forward and backward through a layer multiplies by means over its h neurons,",
                r"S_{l+1} = \langle \sigma(z_i)^2 \rangle, \quad M_l = \langle \sigma'(z_i)^2 \chi_i^2 \rangle, \quad "
                r"\Theta(x,x) = \sum_{l=0}^{L} S_{l+1}\,M_{l+1} \cdots M_L.",
            ),
            Step(
                "Their deviations are independent in each layer, and travel up with the preactivations' variance:",
                r"\delta S_{l+1} = \frac{d\,E\sigma^2}{dS}\,\delta S_l + \xi_l, \qquad "
                r"\delta M_l = \frac{d\,E\sigma'^2}{dS}\,\delta S_l + \eta_l,",
            ),
            Step(
                "with the covariances of a mean over h neurons, z and χ Gaussian:",
                r"h\,\mathrm{Var}\,\xi = E\sigma^4 - (E\sigma^2)^2, \quad "
                r"h\,\mathrm{Var}\,\eta = 3\,E\sigma'^4 - (E\sigma'^2)^2, \quad "
                r"h\,\mathrm{Cov} = E\sigma^2\sigma'^2 - E\sigma^2\,E\sigma'^2.",
            ),
            Step(
                "Linear in the deviations, the variance is a sum over layers. (Of a degree-one activation, with "
                "c = Eσ⁴ − 1 and m = Eσ′⁴ − 1 for normalised σ and σ′, it is in closed form:)",
                r"h\,\frac{\mathrm{Var}\,\Theta}{E^2} = C, \qquad "
                r"C = \frac{L\,[c\,(2L+1) + m\,(L+2)]}{3\,(L+1)}.",
            ),
        ),
        dynamics=tuple(IN_WORDS),  # before training
        reference=f"{DERIVED}; an exponential bound is in arXiv:1909.05989",
        falsified_by="another C, or another power of h, where L/h is small",
        formula=r"\mathrm{Var}\,\Theta_0(x,x) = \frac{C}{h}\,E^2",
    )
