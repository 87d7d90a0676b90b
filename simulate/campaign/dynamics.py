"""How weights move, as a campaign says it: gradient flow, flow with momentum, stochastic gradient descent, Adam."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
BatchSize = Annotated[int, Field(ge=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Flow(_Frozen):
    """dw/dt = -grad L, integrated with error control (`simulate.integrators`)."""

    name: Literal["gradient_flow"] = "gradient_flow"
    integrator: Literal["auto", "kernel_flow", "rosenbrock", "chebyshev", "euler"] = "auto"


class Momentum(_Frozen):
    """dw/dt = v, tau dv/dt = -(v + grad L), with tau = min(tau·A, tau_max) in article time, from v = 0.

    With ``growth``, tau = growth·t instead, from v = -grad L: the article's runs on EMNIST have growth = 1e-3.

    The defaults are those of the runs before the published ones: there tau = 1e-3 h min(1, 1e3/A) in the code's time,
    which is sqrt(h)/alpha times the article's.
    """

    name: Literal["momentum"]
    tau: Positive = 1e-3
    tau_max: Positive = 1.0
    growth: Positive | None = None


class SGD(_Frozen):
    """w <- w - dt grad L on minibatches of ``batch_size``; dt = temperature · batch_size · min(1, A), article time."""

    name: Literal["sgd"]
    temperature: Positive
    batch_size: BatchSize


class Adam(_Frozen):
    """Adam (arXiv:1412.6980) on minibatches; time counts updates times the learning rate.

    The gradient is that of the code's loss, (1/n) sum l(F y)/(sqrt(h)·alpha), for which ``epsilon`` is meant.
    """

    name: Literal["adam"]
    learning_rate: Positive = 1e-3
    batch_size: BatchSize = 32
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Positive = 1e-8


Dynamics = Annotated[Flow | Momentum | SGD | Adam, Field(discriminator="name")]
NAMES = ("gradient_flow", "momentum", "sgd", "adam")
STOCHASTIC = ("sgd", "adam")
