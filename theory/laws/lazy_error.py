"""The test error of lazily trained networks, by width and by how many are averaged, without a free parameter."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.prediction import Form, Prediction, Step
from theory.regimes import lazy_regime
from theory.steps import DERIVED, delay_steps


@claim(
    "Test error of any width and ensemble",
    order=162,
    margin=0.25,
    because="a quarter of the excess itself: if width costs nothing the ratio is 0, and a fluctuation of twice the "
    "size makes it 2 to 4; second order in N/h is smaller for h ≥ N",
)
def lazy_error(model: Model) -> Prediction:
    """Derive the error of m averaged networks of width h from the first-order fluctuation of their frozen kernel."""
    return Prediction(
        claim="lazy_error",
        quantity="excess test error over that of infinite width: measured over predicted",
        variable="width",
        exponent=None,
        form=Form.COMPARISON,
        expected="m averaged networks of width h err as theory computes from the data alone, without a free parameter",
        regime=lazy_regime(model, wide=True),
        derivation=(
            *delay_steps(model),
            Step(
                "In the lazy regime a network follows the gradient flow of its own frozen kernel, which differs from "
                "the one of infinite width by a mean over h neurons:",
                r"\Theta = \bar\Theta + \delta\Theta, \qquad \delta\Theta \sim h^{-1/2}.",
            ),
            Step(
                "The linear response of the whole flow, the moment of the stop included, to such a change is linear in "
                "it: outputs are Gaussian around those of infinite width, and averages over m networks are m times "
                "less variable:",
                r"F_m(x) \sim N\!\left(f_\infty(x), \frac{C(x)}{m\,h}\right).",
            ),
            Step(
                "For the square loss trained to the end, with a = K⁻¹ k(x) and b = K⁻¹ y,",
                r"\delta F(x) = \sum_j \left[\delta\Theta(x, x_j) - \sum_i a_i\,\delta\Theta(x_i, x_j)\right] b_j;",
            ),
            Step(
                "for others it is followed through implicit steps s_k of the flow with forces q and curvatures J,",
                r"(1 + s_k K J_{k+1})\,\delta F_{k+1} = \delta F_k + s_k\,\delta K\,q_{k+1}.",
            ),
            Step(
                "A point is wrong where the sign is. With the normal distribution function Φ,",
                r"\epsilon_m(h) = \left\langle \Phi\!\left(\frac{-y\,f_\infty(x)}{\sqrt{C(x)/(m\,h)}}\right)"
                r"\right\rangle_x.",
            ),
        ),
        reference=f"{DERIVED}; arXiv:1906.08034, abstract: averaging gives the same improvement as width",
        falsified_by="an excess over the error of infinite width that is not the computed one at the same m·h",
        formula=r"\epsilon_m(h) = \left\langle \Phi\!\left(-y f_\infty \sqrt{m h / C}\right)\right\rangle_x",
    )
