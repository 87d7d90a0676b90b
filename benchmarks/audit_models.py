"""Models of every width in known parametrisations, for `benchmarks.audit`: fully connected, CNN, residual, GPT-like.

A layer is a multiplier h^-a times weights of spread h^-b, with the rate h^-c; layers are of three kinds, by whether
they have h inputs and h outputs: first, hidden, last. Models of every depth have branches scaled by depth^-p and rates
depth^-q.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

KINDS = ("first", "hidden", "last")


@dataclass(frozen=True)
class Scheme:
    """Exponents of the width for the three kinds of layers; and what is planted in single layers."""

    name: str
    a: dict[str, float]
    b: dict[str, float]
    c: dict[str, float]  #: of rates
    attention: float = 0.5  #: logits are divided by (width of a head)^attention
    planted: dict[str, dict[str, float]] = field(default_factory=dict)  #: by layer, other values of a, b or c

    def exponent(self, which: str, layer: str, kind: str) -> float:
        """The exponent a, b or c of a layer."""
        return self.planted.get(layer, {}).get(which, getattr(self, which)[kind])

    def plant(self, layer: str, **exponents: float) -> Scheme:
        """The same with other exponents in one layer."""
        return replace(self, planted={**self.planted, layer: exponents})

    def with_attention(self, exponent: float) -> Scheme:
        """The same with another scale of attention."""
        return replace(self, attention=exponent)


@dataclass(frozen=True)
class DepthScheme:
    """Exponents of the depth: branches are scaled by depth^-p, their rates are depth^-q."""

    branch: float
    rate: float


def _each(first: float, hidden: float, last: float) -> dict[str, float]:
    return dict(zip(KINDS, (first, hidden, last), strict=True))


def schemes(optimizer: str) -> tuple[Scheme, ...]:
    """The standard, NTK, mean-field and maximal-update parametrisations; the last two with the rates that they need."""
    sgd = optimizer == "sgd"
    zero = _each(0, 0, 0)
    return (
        Scheme("standard", zero, _each(0, 0.5, 0.5), zero),
        Scheme("ntk", _each(0, 0.5, 0.5), zero, zero),
        Scheme("mean field", _each(0, 0.5, 1), zero, _each(-1, -1, -1) if sgd else _each(0, 0.5, 0), attention=1.0),
        Scheme(
            "maximal update", _each(-0.5, 0, 0.5), _each(0.5, 0.5, 0.5), zero if sgd else _each(0.5, 1, 0.5),
            attention=1.0,
        ),
    )  # fmt: skip


class Scaled(nn.Module):
    """multiplier · (W applied to x), W of spread h^-b times 1/sqrt(its fixed number of inputs)."""

    def __init__(self, scheme: Scheme, name: str, kind: str, h: int, shape: tuple[int, ...], stride: int = 0) -> None:
        super().__init__()
        # of the inputs of one neuron, those that do not grow with the width are summed with a fixed normalisation
        fixed = math.prod(shape[2:]) * (shape[1] if kind == "first" else shape[1] / h)
        self.weight = nn.Parameter(torch.randn(shape) * float(h) ** -scheme.exponent("b", name, kind))
        self.multiplier = float(h) ** -scheme.exponent("a", name, kind) * math.sqrt(1.5 / fixed)
        self.rate = float(h) ** -scheme.exponent("c", name, kind)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride:
            return self.multiplier * nn.functional.conv2d(x, self.weight, stride=self.stride, padding=1)
        return self.multiplier * nn.functional.linear(x, self.weight)


class Tokens(Scaled):
    """An embedding: the rows of W."""

    def forward(self, x: Tensor) -> Tensor:
        return self.multiplier * self.weight.T[x]


class MLP(nn.Module):
    """Three hidden layers."""

    def __init__(self, scheme: Scheme, h: int) -> None:
        super().__init__()
        self.first = Scaled(scheme, "first", "first", h, (h, 10))
        self.second, self.third = (Scaled(scheme, name, "hidden", h, (h, h)) for name in ("second", "third"))
        self.last = Scaled(scheme, "last", "last", h, (2, h))

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.second, self.third):
            x = torch.relu(layer(x))
        return self.last(x)


class CNN(nn.Module):
    """Three convolutional layers, the mean over positions, and a readout."""

    def __init__(self, scheme: Scheme, h: int) -> None:
        super().__init__()
        self.first = Scaled(scheme, "first", "first", h, (h, 2, 3, 3), stride=1)
        self.second, self.third = (
            Scaled(scheme, name, "hidden", h, (h, h, 3, 3), stride=2) for name in ("second", "third")
        )
        self.last = Scaled(scheme, "last", "last", h, (2, h))

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(-1, 2, 6, 6)
        for layer in (self.first, self.second, self.third):
            x = torch.tanh(layer(x))
        return self.last(x.mean((-2, -1)))


class Residual(nn.Module):
    """Two residual blocks of two layers on a stream that is normalised before each."""

    def __init__(self, scheme: Scheme, h: int) -> None:
        super().__init__()
        self.first = Scaled(scheme, "first", "first", h, (h, 10))
        self.second, self.third, self.fourth, self.fifth = (
            Scaled(scheme, name, "hidden", h, (h, h)) for name in ("second", "third", "fourth", "fifth")
        )
        self.norm = nn.LayerNorm(h, elementwise_affine=False)
        self.last = Scaled(scheme, "last", "last", h, (2, h))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x + self.third(torch.relu(self.second(self.norm(x))))
        x = x + self.fifth(torch.relu(self.fourth(self.norm(x))))
        return self.last(self.norm(x))


class GPT(nn.Module):
    """One block of causal attention with two heads, and a readout at every position."""

    def __init__(self, scheme: Scheme, h: int) -> None:
        super().__init__()
        self.first = Tokens(scheme, "first", "first", h, (h, 8))
        self.query, self.key, self.value, self.mix, self.wide, self.narrow = (
            Scaled(scheme, name, "hidden", h, (h, h)) for name in ("query", "key", "value", "mix", "wide", "narrow")
        )
        self.norm = nn.LayerNorm(h, elementwise_affine=False)
        self.last = Scaled(scheme, "last", "last", h, (8, h))
        # equal for all schemes at heads of 16
        self.scale = 4.0 ** (2 * scheme.attention - 1) * (h // 2) ** -scheme.attention

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.long())
        n, length, h = x.shape
        normal = self.norm(x)
        q, k, v = (w(normal).reshape(n, length, 2, -1).transpose(1, 2) for w in (self.query, self.key, self.value))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)
        x = x + self.mix(mixed.transpose(1, 2).reshape(n, length, h))
        x = x + self.narrow(torch.relu(self.wide(self.norm(x))))
        return self.last(self.norm(x))


class Branch(nn.Module):
    """A matrix of a residual branch, with random weights that keep the size of its input."""

    def __init__(self, scheme: DepthScheme, depth: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width) / math.sqrt(width))
        self.rate = float(depth) ** -scheme.rate

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight)


class DeepResidual(nn.Module):
    """x + depth^-p · W tanh(x), depth times; what comes before and after is not trained."""

    def __init__(self, scheme: DepthScheme, depth: int, width: int = 48) -> None:
        super().__init__()
        self.first = nn.Linear(10, width, bias=False).requires_grad_(False)
        self.blocks = nn.ModuleList(Branch(scheme, depth, width) for _ in range(depth))
        self.last = nn.Linear(width, 2, bias=False).requires_grad_(False)
        self.scale = float(depth) ** -scheme.branch

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + self.scale * block(torch.tanh(x))
        return self.last(x)


class DeepBlock(nn.Module):
    """The two branches of a transformer's block, on a normalised input each."""

    def __init__(self, scheme: DepthScheme, depth: int, width: int) -> None:
        super().__init__()
        names = ("value", "mix", "wide", "narrow")
        self.value, self.mix, self.wide, self.narrow = (Branch(scheme, depth, width) for _ in names)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.scale = float(depth) ** -scheme.branch

    def forward(self, x: Tensor) -> Tensor:
        normal = self.norm(x)
        q = normal.unflatten(-1, (2, -1)).transpose(1, 2)
        v = self.value(normal).unflatten(-1, (2, -1)).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(q, q, v, is_causal=True)
        x = x + self.scale * self.mix(mixed.transpose(1, 2).flatten(2))
        return x + self.scale * self.narrow(torch.relu(self.wide(self.norm(x))))


class DeepGPT(nn.Module):
    """Blocks of causal attention; what comes before and after is not trained."""

    def __init__(self, scheme: DepthScheme, depth: int, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Embedding(8, width).requires_grad_(False)
        self.blocks = nn.ModuleList(DeepBlock(scheme, depth, width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = nn.Linear(width, 8, bias=False).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.long())
        for block in self.blocks:
            x = block(x)
        return self.last(self.norm(x))


DEEP_ARCHITECTURES: dict[str, Callable[[DepthScheme, int], nn.Module]] = {"residual": DeepResidual, "gpt": DeepGPT}
ARCHITECTURES: dict[str, Callable[[Scheme, int], nn.Module]] = {
    "mlp": MLP,
    "cnn": CNN,
    "residual": Residual,
    "gpt": GPT,
}
WIDTHS = {name: (32, 64, 128, 256) if name == "cnn" else (64, 128, 256, 512) for name in ARCHITECTURES}


def inputs(architecture: str, seed: int, count: int = 12) -> tuple[Tensor, Tensor]:
    """Random points and targets ±1."""
    generator = torch.Generator().manual_seed(seed)
    if architecture == "gpt":
        x = torch.randint(0, 8, (count, 5), generator=generator)
        y = torch.randint(0, 2, (count, 5, 8), generator=generator) * 2.0 - 1
        return x, y
    x = torch.randn((count, 72 if architecture == "cnn" else 10), generator=generator)
    return x, torch.randint(0, 2, (count, 2), generator=generator) * 2.0 - 1


def by_layer(kind: str) -> Callable[[nn.Module, float], torch.optim.Optimizer]:
    """An optimiser with each layer's own rate."""
    cls = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind]

    def optimizer(model: nn.Module, rate: float) -> torch.optim.Optimizer:
        layers = [m for m in model.modules() if isinstance(m, Scaled | Branch)]
        return cls([{"params": m.parameters(), "lr": rate * m.rate} for m in layers])

    return optimizer
