r"""What the flow asks of a network, and how it follows from a forward function alone.

An architecture maps stacked weights and inputs to one output per network and point. Weights are one matrix per layer,
stacked over ``members`` networks: shape (members, rows, columns). Everything else the flow needs are products with the
Jacobian J = df/dw, which is never formed whole:

    J^T q (`Linearisation.pullback`),    J v (`pushforward`),    Theta = J J^T = sum_l Theta^l (`kernel_parts`).

To add an architecture, derive from `Architecture` and give the shapes of its weights and its forward function: a file
beside this one is found by being there, one elsewhere is registered (`register`). Automatic differentiation does the
rest (`simulate.networks.differentiated`; docs/architectures.md). One whose kernels are worth writing by hand
(`fully_connected`, `convolutional` beside this file) overrides `Architecture.linearise`.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from lazyrich.errors import InputError
from simulate.networks.differentiated import Differentiated
from simulate.networks.linearisation import Inputs, Linearisation, Points, Weights
from simulate.networks.torch_activation import TorchActivation, compile_activation
from theory.activation import Activation


@dataclass(frozen=True)
class NetworkSize:
    """How large one network is: for estimates of memory.

    ``weights`` are numbers in all, ``kept_per_point`` those that a linearisation keeps for each point.
    """

    weights: int
    kept_per_point: int


class Architecture(ABC):
    """Networks of one shape.

    Parameters
    ----------
    input_shape : tuple of int or int
        Shape of a point: (d,), or (height, width, channels) for a class with ``images``.
    width, depth : int
        Neurons (channels) per hidden layer, and how many such layers.
    activation : Activation
        `sigma` applies it.
    bias : float
        B: preactivations get B·b with b zero at the start; 0 is none. Only for a class that is ``biased``: then b is
        the last column of every matrix.
    """

    name: ClassVar[str]  #: in a campaign, and in the key of the initial weights
    images: ClassVar[bool] = False  #: whether points must be images
    biased: ClassVar[bool] = False  #: whether it knows what to do with ``bias``
    #: whether all its layers are dense matrices on plain points, linearised layer by layer
    dense: ClassVar[bool] = False

    def __init__(
        self, input_shape: int | tuple[int, ...], width: int, depth: int, activation: Activation, bias: float = 0.0
    ) -> None:
        self.input_shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
        self.input_dim = math.prod(self.input_shape)
        self.width = width
        self.depth = depth
        self.bias = bias
        self.activation: TorchActivation = compile_activation(activation)
        self.shapes = self.weight_shapes()

    # -- what an architecture says of itself ---------------------------------------------------------------------------

    @abstractmethod
    def weight_shapes(self) -> Sequence[tuple[int, ...]]:
        """Return the shapes of one network's weights, (rows, ...) each: all start as N(0, 1), biases apart."""

    @abstractmethod
    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """Return f, shape (members, n).

        ``weights`` have the shapes of `weight_shapes` with the members in front, ``x`` has shape (n, *input_shape).
        Article convention: preactivations are divided by sqrt(fan-in) (so the last layer's by h^(1/2)). A point's
        output must not depend on the other points.
        """

    @classmethod
    def layers(cls, depth: int) -> int:
        """How many sets of weights there are: the size of the store's dimension ``layer``."""
        return depth + 1

    @classmethod
    def multiplications(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """How many multiplications one point's forward pass takes; if you don't say, as many as fully connected."""
        return float(math.prod(input_shape) * width + (depth - 1) * width**2 + width)

    @classmethod
    def check(cls, input_shape: tuple[int, ...], depth: int) -> None:
        """Raise an `InputError` if points of this shape can't be put in."""
        if cls.images and len(input_shape) != 3:
            raise InputError(
                "architecture",
                cls.name,
                "it sees images, and the points of this data set are not",
                "Use a data set of images, without pca, or architecture fc",
            )

    @property
    def size(self) -> NetworkSize:
        """Count; what is kept by following a forward pass of one and of two points, without doing it."""
        weights = sum(math.prod(shape) for shape in self.shapes)
        try:
            kept = self._kept(2) - self._kept(1)
        except (RuntimeError, NotImplementedError):  # it looks at numbers, which are not there
            kept = 4 * sum(shape[0] for shape in self.shapes)
        return NetworkSize(weights, kept)

    def _kept(self, points: int) -> int:
        """Numbers that automatic differentiation keeps of a forward pass."""
        shapes = [(1, shape[0], math.prod(shape[1:])) for shape in self.shapes]
        weights = [torch.empty(shape, device="meta", requires_grad=True) for shape in shapes]
        kept = 0

        def count(t: Tensor) -> Tensor:
            nonlocal kept
            kept += t.numel()
            return t

        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
            self.evaluate(weights, torch.empty(points, self.input_dim, device="meta"))
        return kept

    # -- what follows --------------------------------------------------------------------------------------------------

    def sigma(self, z: Tensor) -> Tensor:
        """Return sigma(z), differentiable: with the slope that the layerwise forms use, at kinks too."""
        # z - z.detach() is 0, and its derivative 1
        return self.activation.value(z.detach()) + self.activation.slope(z.detach()) * (z - z.detach())

    def preactivation_velocity(self, weights: Weights, rates: Weights, inputs: Inputs) -> Tensor:
        """Return the rms over points and neurons of dz^l/dt where the weights move at ``rates``, (members, layers).

        z^l is what the l-th `sigma` is applied to in `forward`, and f the last. NaN where a network does not apply it
        once between any two of its sets of weights.
        """
        found = torch.full((len(weights[0]), len(weights)), torch.nan, dtype=weights[0].dtype, device=weights[0].device)
        for m in range(len(found)):
            seen: list[Tensor] = []
            with torch.no_grad(), forward_ad.dual_level(), self._watched(seen):
                own = [forward_ad.make_dual(w[m : m + 1], v[m : m + 1]) for w, v in zip(weights, rates, strict=True)]
                seen.append(forward_ad.unpack_dual(self.evaluate(own, inputs.a)).tangent)
            if len(seen) == len(weights):
                found[m] = torch.stack([v.square().mean().sqrt() for v in seen])
        return found

    @contextmanager
    def _watched(self, seen: list[Tensor]) -> Iterator[None]:
        """Collect the derivative of every argument of `sigma`, in forward mode."""

        def sigma(z: Tensor) -> Tensor:
            plain, tangent = forward_ad.unpack_dual(z)
            seen.append(tangent)
            return forward_ad.make_dual(self.activation.value(plain), self.activation.slope(plain) * tangent)

        self.sigma = sigma  # type: ignore[method-assign]
        try:
            yield
        finally:
            del self.sigma

    def initial_weights(self, base_seed: int, seeds: Sequence[int]) -> Weights:
        """Draw N(0, 1) weights in float64 on the CPU, stacked over ``seeds``.

        A network's weights depend on (base_seed, architecture, depth, width, input dimension, seed) only, and so not
        on alpha, the activation, the bias or the loss: trajectories at different alpha are paired. (The published runs
        hashed alpha into the seed.)
        """
        drawn = [self._draw(base_seed, seed) for seed in seeds]
        return [torch.stack(layer) for layer in zip(*drawn, strict=True)]

    def _draw(self, base_seed: int, seed: int) -> Weights:
        key = f"{base_seed}/{self.name}/{self.depth}/{self.width}/{self.input_dim}/{seed}"
        generator = torch.Generator()
        generator.manual_seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little", signed=True))
        b = int(self.bias > 0)
        sizes = [(shape[0], math.prod(shape[1:]) - b) for shape in self.shapes]
        drawn = [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
        return [torch.nn.functional.pad(w, (0, b)) for w in drawn] if b else drawn

    def coordinates(
        self, weights: Weights, x_train: Tensor, x_test: Tensor, *, dense: bool = False
    ) -> tuple[Weights, Inputs, Inputs]:
        """Choose coordinates for networks that start from ``weights``; return the start in them and the two data sets.

        ``x_train`` and ``x_test`` have shape (n, input_dim). ``dense`` asks for the weights themselves.
        """
        return weights, Points(x_train), Points(x_test)

    def linearise(self, weights: Weights, inputs: Tensor | Inputs) -> Linearisation:
        """Evaluate and differentiate the networks on ``inputs``: x (n, input_dim), or what `coordinates` gave."""
        return Differentiated(self.evaluate, weights, inputs if isinstance(inputs, Tensor) else inputs.a)

    def output(self, weights: Weights, inputs: Tensor | Inputs) -> Tensor:
        """Return f on ``inputs``, shape (members, n), without keeping what derivatives need."""
        with torch.no_grad():
            return self.evaluate(weights, inputs if isinstance(inputs, Tensor) else inputs.a)

    def evaluate(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """Call `forward` with weights and points (n, input_dim) in their own shapes."""
        shaped = [w.reshape(-1, *shape) for w, shape in zip(weights, self.shapes, strict=True)]
        return self.forward(shaped, x.reshape(-1, *self.input_shape))
