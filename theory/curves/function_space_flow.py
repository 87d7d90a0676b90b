r"""Gradient flow followed in function space, for anything that has an output and a tangent kernel between two instants.

Article convention (arXiv:1906.08034): F = alpha (f(w) - f(w_0)), loss alpha^-2 · mean_i l(F_i y_i), hence

    dF/dt = Theta q,    q_i = -l'(F_i y_i) y_i / n,    dw/dt = J^T q / alpha,    Theta = J J^T.

The flow is stiff. A step is ROS2 (Verwer, Spee, Blom, Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456), of order 2 and
L-stable, with the Gauss-Newton Jacobian -J^T D J / n, D = l''. Its linear systems live in function space:

    R v = (s/n) S C^-1 S v,    C = 1 + (s/n) S Theta S,    S = D^(1/2),    s = (1 - 1/sqrt 2) dt,
    q1 = q - R Theta q,    stage = w + dt J^T q1 / alpha,    q2 = R (Theta_{w,stage} q_stage - 2 Theta q1),
    w_new = w + (dt/2) [J^T (q1 - q2) + J_stage^T q_stage] / alpha,

so a trajectory is a sum of pulled-back forces J(s)^T q(s) with coefficients fixed before. A theory of infinite width,
which has no weights but knows Theta between any two instants, can therefore take the very steps of a finite network.
The difference of stage and result, both seen through the full nonlinear output, is the error estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import scipy.interpolate
import scipy.linalg
import scipy.optimize

from lazyrich.errors import InputError
from theory.curves.margin_loss import MarginLoss

GAMMA = 1.0 - 1.0 / math.sqrt(2.0)
Instant = TypeVar("Instant")


class System(Protocol[Instant]):
    """Something that trains: its instants carry what is needed to leave from them."""

    #: F at which the flow stops being linear, min(1, A) up to a factor; errors are relative to |F| plus this
    output_scale: float

    def start(self) -> Instant:
        """Return the initial instant, with F = 0."""
        ...

    def output(self, instant: Instant) -> np.ndarray:
        """Return F on the training set, shape (n,)."""
        ...

    def kernel(self, instant: Instant, other: Instant) -> np.ndarray:
        """Return J(instant) J(other)^T on the training set, shape (n, n); article convention, without alpha²."""
        ...

    def move(self, base: Instant, forces: Sequence[tuple[Instant, np.ndarray]]) -> Instant:
        """Return the instant at weights w(base) + sum J(s)^T q / alpha over the pairs (s, q) of ``forces``."""
        ...


@dataclass(frozen=True)
class Trained(Generic[Instant]):
    """Where the flow stopped, when (article time), when the mean loss fell below 1/2, and the steps it took."""

    end: Instant
    time_end: float
    time_half: float
    steps: int


def train(
    system: System[Instant], labels: np.ndarray, loss: MarginLoss, tolerance: float = 0.02, max_steps: int = 20_000
) -> Trained[Instant]:
    """Follow the gradient flow to the stopping criterion, which is located to 1e-9 of the last step.

    Parameters
    ----------
    system : System
    labels : ndarray, float64, shape (n,)
    loss : MarginLoss
    tolerance : float
        Accepted difference in F between the first- and the second-order result of a step, relative to the largest |F|
        plus ``system.output_scale``. The error of the second-order result is much smaller.
    max_steps : int

    Raises
    ------
    InputError
        If the criterion is not met within ``max_steps`` steps, or the output overflows.
    """
    if not 0.0 < tolerance < 1.0:
        raise InputError(
            "tolerance", tolerance, "it is a relative error", "Give a number between 0 and 1, such as 0.02"
        )
    now, time = system.start(), 0.0
    output = system.output(now)
    times, outputs, rates = [], [], []
    dt = 0.0
    for steps in range(max_steps + 1):
        step = _Step(system, labels, loss, now, output)
        times.append(time)
        outputs.append(output)
        rates.append(step.theta @ step.force)
        if loss.progress(output * labels) >= 0.0:
            return Trained(now, time, _time_half(times, outputs, rates, labels, loss), steps)
        if steps == 0:
            if not np.any(rates[0]):
                problem = "no output moves at the start: equal points have opposite labels"
                raise InputError("y", labels.tolist(), problem, "Remove contradicting points")
            dt = tolerance * system.output_scale / np.max(np.abs(rates[0]))
        while True:
            new, error = step(dt)
            ratio = error / (tolerance * (np.max(np.abs(step.arrived)) + system.output_scale))
            growth = min(max(0.85 / math.sqrt(max(ratio, 1e-10)), 0.2), 4.0) if math.isfinite(ratio) else 0.1
            if ratio <= 1.0:
                break
            dt *= growth
            if dt < 1e-14 * (time + 1e-300):
                raise InputError(
                    "root_h_alpha", system.output_scale, "the step size vanished",
                    "Use a larger tolerance, or check the data for repeated points",
                )  # fmt: skip
        if loss.progress(step.arrived * labels) >= 0.0:
            dt = _locate(lambda size: loss.progress(step.output_after(size) * labels), dt)  # noqa: B023
            new, _ = step(dt)
            times.append(time + dt)
            outputs.append(step.arrived)
            rates.append(system.kernel(new, new) @ _force(step.arrived, labels, loss))
            return Trained(new, time + dt, _time_half(times, outputs, rates, labels, loss), steps + 1)
        now, output, time = new, step.arrived, time + dt
        dt *= growth
    margin = float(np.min(output * labels))
    raise InputError(
        "max_steps", max_steps, f"the stop ({loss.stop}) was not met; the smallest margin is {margin:.3g}",
        "Remove contradicting points, or raise max_steps",
    )  # fmt: skip


def _force(output: np.ndarray, labels: np.ndarray, loss: MarginLoss) -> np.ndarray:
    return -loss.slope(output * labels) * labels / len(labels)


class _Step(Generic[Instant]):
    """All steps that leave from one instant: they share its kernel."""

    def __init__(
        self, system: System[Instant], labels: np.ndarray, loss: MarginLoss, now: Instant, output: np.ndarray
    ) -> None:
        self.system, self.labels, self.loss, self.now = system, labels, loss, now
        self.theta = system.kernel(now, now)
        self.force = _force(output, labels, loss)
        self.root = np.sqrt(loss.curvature(output * labels))
        self.arrived = output

    def __call__(self, dt: float) -> tuple[Instant, float]:
        """Return the instant after ``dt`` and the estimated error of F; ``arrived`` is F there."""
        ratio = GAMMA * dt / len(self.labels)
        matrix = ratio * self.root[:, None] * self.theta * self.root
        matrix[np.diag_indices_from(matrix)] += 1.0
        factor = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True)

        def filtered(v: np.ndarray) -> np.ndarray:
            return ratio * self.root * scipy.linalg.cho_solve(factor, self.root * v)

        q1 = self.force - filtered(self.theta @ self.force)
        stage = self.system.move(self.now, [(self.now, dt * q1)])
        stage_output = self.system.output(stage)
        force = _force(stage_output, self.labels, self.loss)
        q2 = filtered(self.system.kernel(self.now, stage) @ force - 2.0 * self.theta @ q1)
        new = self.system.move(self.now, [(self.now, 0.5 * dt * (q1 - q2)), (stage, 0.5 * dt * force)])
        self.arrived = self.system.output(new)
        return new, float(np.max(np.abs(self.arrived - stage_output)))

    def output_after(self, dt: float) -> np.ndarray:
        self(dt)
        return self.arrived


def _locate(progress, dt: float) -> float:
    """Return the step size in (0, dt] at which ``progress`` changes sign, from the side where the stop is met."""
    size = (
        scipy.optimize.brentq(progress, 1e-6 * dt, dt, xtol=1e-10 * dt, rtol=1e-10) if progress(1e-6 * dt) < 0 else dt
    )
    return float(size)


def _time_half(
    times: list[float], outputs: list[np.ndarray], rates: list[np.ndarray], labels: np.ndarray, loss: MarginLoss
) -> float:
    """Return the first time with mean loss below 1/2, F interpolated by cubics through values and rates."""
    mean = [float(np.mean(loss.value(output * labels))) for output in outputs]
    first = next((i for i, value in enumerate(mean) if value < 0.5), None)
    if first is None:
        return math.nan
    if first == 0:
        return times[0]
    ends = slice(first - 1, first + 1)
    cubic = scipy.interpolate.CubicHermiteSpline(times[ends], np.array(outputs[ends]), np.array(rates[ends]))
    return float(
        scipy.optimize.brentq(
            lambda t: float(np.mean(loss.value(cubic(t) * labels))) - 0.5, *times[ends], xtol=1e-12 * times[first]
        )
    )
