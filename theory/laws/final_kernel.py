"""Whether the frozen final kernel performs as the network does: observed, not derived."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.prediction import Form, Prediction, Step
from theory.regimes import feature_regime
from theory.steps import ARTICLE


@claim("Performance of the final kernel", order=190)
def final_kernel(model: Model) -> Prediction:
    """State the article's observation."""
    return Prediction(
        claim="final_kernel",
        quantity="(error of the final kernel - the network's)/(error of the initial kernel - the network's)",
        variable="root_h_alpha",
        exponent=None,
        form=Form.COMPARISON,
        expected="gradient flow with the frozen final kernel errs as the network, where the initial kernel does not",
        regime=feature_regime(),
        derivation=(
            Step(
                "What training has learnt is in the final kernel. Observed, not derived: of what separates the network "
                "from its initial kernel, the final one misses little,",
                r"\frac{\epsilon_{\Theta_\mathrm{end}} - \epsilon}{\epsilon_{\Theta_0} - \epsilon} \approx 0.",
            ),
        ),
        reference=f"{ARTICLE}, figure of the frozen kernels (an observation)",
        falsified_by="a final kernel that misses more than a quarter of what separates network and initial kernel",
    )
