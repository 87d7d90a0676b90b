"""How far a measured exponent may be from the predicted one and still be called the same.

Fixed before any data. A margin is at most half the distance to the nearest rival law, so that no measurement is
consistent with both, and at least twice the bias that the window itself causes, so that a true law can be confirmed.
"""

from __future__ import annotations

from fit.own_predictions import OwnPrediction
from theory.prediction import Prediction

#: claim -> margin of the exponent, and why
MARGINS: dict[str, tuple[float, str]] = {
    "crossover": (0.1, "a fifth of the distance between alpha* ~ h^(-1/2) and alpha* ~ 1 or 1/h"),
    "linear_time": (0.05, "a time has no rival closer than 1/(L+1)"),
    "half_time": (0.05, "a time has no rival closer than 1/(L+1)"),
    "fluctuations": (0.1, "a fifth of the distance to no self-averaging and to 1/h"),
    "kernel_change_feature": (0.08, "half the distance between 3/2 and the guide 4/3 of arXiv:1906.08034, L = 3"),
    "kernel_change_lazy": (0.1, "a fifth of the distance between the smooth law 1/A and the kink law A^(-1/2)"),
    "weight_change_feature": (0.05, "a fifth of the distance between the powers 1/2 of L = 1 and 1/4 of L = 3"),
    "weight_change_lazy": (0.05, "twice the curvature of the law at the window's edge"),
    "output_growth": (0.1, "a fifth of the distance to no growth"),
    "preactivation_velocity": (0.1, "a fifth of the distance to a velocity independent of h"),
    "error_vs_width": (0.25, "half the distance between 1/h and h^(-1/2)"),
    "collapse_exponent": (0.1, "a fifth of the distance between sqrt(h)·alpha, h·alpha and h^(3/2)·alpha"),
    "collapse": (0.05, "a quarter of the smallest power of h, 1/5, that a failed collapse shows"),
}


def margin(prediction: Prediction, depth: int) -> float | None:
    """Return the margin of a prediction's exponent, None if its claim has no fixed one.

    A user's own prediction brings its own.
    """
    if isinstance(prediction, OwnPrediction):
        return prediction.margin
    if prediction.claim == "kernel_change_feature" and depth >= 5:
        return 0.06  # neighbouring depths are closer: 5/3 against 8/5 and 12/7
    row = MARGINS.get(prediction.claim)
    return None if row is None else row[0]
