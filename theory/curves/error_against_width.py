r"""The test error of lazily trained networks against width and number of averaged networks, without a free parameter.

For A -> infinity a network follows the gradient flow of its own frozen kernel, Theta = E Theta + dTheta, with
dTheta ~ h^(-1/2). To first order its outputs are those of infinite width, f(x), plus a Gaussian of variance C(x)/h, and
the mean of m networks has C(x)/(m h). It errs where that has the wrong sign,

    eps_m(h) = < Phi(-y f(x)/sqrt(C(x)/(m h))) >_x,    Phi the normal distribution function.

C follows from the linear response of the flow. In implicit steps, F_{k+1} = F_k + s_k K q_{k+1} with
q_i = -l'(F_i y_i) y_i/n and J = diag(l'')/n,

    (1 + s_k K J_{k+1}) dF_{k+1} = dF_k + s_k dK q_{k+1},
    df(x) = dk(x)^T c - k(x)^T sum_k s_k J_{k+1} dF_{k+1},    c = sum_k s_k q_{k+1},

and a network stops when its own smallest margin, of the point i say, is 1: dT = -dF_i/F'_i, df(x) += k(x)^T q dT. With
one hidden layer the kernel is a mean over h independent neurons, so that C is the variance of what one neuron gives;
deeper kernels are sampled from networks at initialisation.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.special

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.curves.lazy_network import signals
from theory.curves.margin_loss import MarginLoss, margin_loss
from theory.curves.training_set import training_set
from theory.kernels import infinite_width_kernels

_RATIO = 1.12  #: of consecutive times of the implicit steps
_SMALLEST_STEP = 1e-3  #: of the time in which F would reach 1 at its initial pace
_LONGEST = 1e9  #: times the same; a flow that has not stopped by then does not
_SAMPLED_WIDTH = 128  #: of the networks that deeper kernels are sampled from
_SAMPLES = {"neurons": 20_000, "networks": 300}
_BATCH = 2**22  #: entries of the kernels that are held at once


@dataclass(frozen=True)
class LazyPrediction:
    """Outputs of infinite width on the evaluation points at the stop, and h·Var of those of width h.

    Attributes
    ----------
    output : float64 array of shape (m,)
        F for h -> infinity.
    variance : float64 array of shape (m,)
        C(x) = h·Var F(x) over initial weights, to first order in 1/h.
    variance_error : float64 array of shape (m,)
        Standard error of C(x) from the number of samples.
    """

    output: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray

    def error(self, labels: np.ndarray, widths: Sequence[float] | np.ndarray, members: int = 1) -> np.ndarray:
        """Return the share of evaluation points of the wrong sign, averaged over initial weights, for each width.

        Parameters
        ----------
        labels : array of shape (m,)
            +1 or -1.
        widths : sequence of float
            Widths h; infinity is allowed.
        members : int
            Networks whose outputs are averaged.
        """
        deviation = np.sqrt(self.variance / (members * np.asarray(widths, dtype=np.float64)[:, None]))
        margin = self.output * np.asarray(labels, dtype=np.float64)
        with np.errstate(divide="ignore"):
            return scipy.special.ndtr(-margin / deviation).mean(axis=1)


@dataclass(frozen=True)
class _Flow:
    """The frozen flow in implicit steps: lengths s_k, forces q_{k+1} and curvatures J_{k+1}, (steps, n) each."""

    lengths: np.ndarray
    forces: np.ndarray
    curvatures: np.ndarray
    last: int  #: the training point that reaches its margin last


def lazy_prediction(
    activation: Activation | str,
    depth: int,
    x: np.ndarray,
    y: np.ndarray,
    x_eval: np.ndarray,
    *,
    loss: str = "softhinge",
    samples: int | None = None,
    seed: int = 0,
) -> LazyPrediction:
    """Return what lazily trained networks of any width put out on ``x_eval``, to first order in 1/h.

    Parameters
    ----------
    activation : Activation or str
    depth : int
        Hidden layers.
    x, y : arrays of shape (n, d), (n,)
    x_eval : array of shape (m, d)
    loss : str
        "softhinge" (stopped at margin 1) or "square" (stopped at a mean loss of 1e-3).
    samples : int, optional
        Neurons (one hidden layer; default 20,000) or networks of width 128 (deeper; default 300) that kernels are
        sampled from.
    seed : int
        Of the samples.

    Raises
    ------
    InputError
        If an argument can't be used, or the frozen flow does not reach the stop.
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    data = training_set(x, y, x_eval)
    dimension = np.sqrt(data.inputs.shape[1])
    all_inputs = np.concatenate([data.inputs, data.evaluation]) * dimension
    _, ntk = infinite_width_kernels(activation, depth, all_inputs)
    n = len(data.inputs)
    kernel, cross = ntk[:n, :n], ntk[n:, :n]
    flow = _flow(kernel, data.labels, margin_loss(loss))
    width = 1 if depth == 1 else _SAMPLED_WIDTH
    count = samples or _SAMPLES["neurons" if depth == 1 else "networks"]
    rng = np.random.default_rng(seed)
    moments = np.zeros((4, len(cross)))
    batch = max(1, min(count, _BATCH // (len(all_inputs) * n)))
    done = 0
    while done < count:
        size = min(batch, count - done)
        sampled = np.stack([_kernel(activation, depth, width, all_inputs, n, rng) for _ in range(size)]) - ntk[:, :n]
        response = _response(flow, kernel, cross, sampled)
        moments += [np.sum(response**k, axis=0) for k in (1, 2, 3, 4)]
        done += size
    m1, m2, m3, m4 = moments / count
    variance = m2 - m1**2
    fourth = m4 - 4 * m3 * m1 + 6 * m2 * m1**2 - 3 * m1**4
    error = np.sqrt(np.maximum(fourth - variance**2, 0.0) / count)
    coefficients = flow.lengths @ flow.forces
    return LazyPrediction(cross @ coefficients, width * variance, width * error)


def _kernel(
    activation: Activation, depth: int, width: int, x: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """The tangent kernel of a random network between all points and the first n, shape (points, n)."""
    sizes = [x.shape[1], *[width] * depth, 1]
    weights = [rng.standard_normal((fan_out, fan_in)) for fan_in, fan_out in itertools.pairwise(sizes)]
    return signals(activation, weights, x).kernel(signals(activation, weights, x[:n]))


def _flow(kernel: np.ndarray, labels: np.ndarray, loss: MarginLoss) -> _Flow:
    n = len(labels)

    def force(output: np.ndarray) -> np.ndarray:
        return -loss.slope(output * labels) * labels / n

    output = np.zeros(n)
    pace = float(np.max(np.abs(kernel @ force(output))))
    if pace <= 1e-12 * float(np.max(np.abs(kernel))) / n:
        raise _no_stop(labels)
    length = _SMALLEST_STEP / pace
    lengths, forces, curvatures = [], [], []
    time = 0.0
    while time * pace < _LONGEST:
        new = _implicit(kernel, labels, loss, output, length)
        reached = loss.progress(new * labels) >= 0.0
        if reached:  # the length of the last step is where the stop is passed
            low, high = 0.0, length
            for _ in range(40):
                length = 0.5 * (low + high)
                new = _implicit(kernel, labels, loss, output, length)
                low, high = (low, length) if loss.progress(new * labels) >= 0.0 else (length, high)
        lengths.append(length)
        forces.append(force(new))
        curvatures.append(loss.curvature(new * labels) / n)
        output, time = new, time + length
        if reached:
            return _Flow(np.array(lengths), np.array(forces), np.array(curvatures), int(np.argmin(output * labels)))
        length = max(length, (_RATIO - 1.0) * time)
    raise _no_stop(labels)


def _no_stop(labels: np.ndarray) -> InputError:
    return InputError("y", labels.tolist(), "the frozen flow does not reach the stop", "Remove contradicting points")


def _implicit(
    kernel: np.ndarray, labels: np.ndarray, loss: MarginLoss, output: np.ndarray, length: float
) -> np.ndarray:
    """Solve F = F_k + s K q(F) by Newton's method with halved steps."""
    n = len(labels)

    def residual(new: np.ndarray) -> np.ndarray:
        return new - output + length * kernel @ (loss.slope(new * labels) * labels) / n

    new = output
    value = residual(new)
    for _ in range(100):
        size = float(np.max(np.abs(value)))
        if size <= 1e-11 * (1.0 + float(np.max(np.abs(new)))):
            break
        matrix = np.eye(n) + length * kernel * (loss.curvature(new * labels) / n)
        step = scipy.linalg.solve(matrix, value)
        for halving in range(30):
            trial = new - 0.5**halving * step
            trial_value = residual(trial)
            if np.max(np.abs(trial_value)) < size:
                break
        new, value = trial, trial_value
    return new


def _response(flow: _Flow, kernel: np.ndarray, cross: np.ndarray, sampled: np.ndarray) -> np.ndarray:
    """The change of the outputs on the evaluation points, (samples, m), for kernels changed by (samples, n + m, n)."""
    n = len(kernel)
    on_training, on_evaluation = sampled[:, :n], sampled[:, n:]
    change = np.zeros((len(sampled), n))
    pulled = np.zeros_like(change)  # sum_k s_k J dF
    for length, q, curvature in zip(flow.lengths, flow.forces, flow.curvatures, strict=True):
        matrix = np.eye(n) + length * kernel * curvature
        change = scipy.linalg.solve(matrix, (change + length * on_training @ q).T).T
        pulled += length * curvature * change
    response = on_evaluation @ (flow.lengths @ flow.forces) - pulled @ cross.T
    # the stop moves by dT, so that the margin of the last point is 1 again
    q = flow.forces[-1]
    response -= (change[:, flow.last] / (kernel[flow.last] @ q))[:, None] * (cross @ q)
    return response
