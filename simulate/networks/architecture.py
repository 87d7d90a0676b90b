r"""An architecture: the shapes of its weights and its forward function, from which all else follows.

It maps stacked weights and inputs to one output per network and point. Weights are one matrix per layer, stacked over
``members`` networks: shape (members, rows, columns). Everything else the flow needs are products with the Jacobian
J = df/dw (`simulate.networks.linearisation`).

To add an architecture, derive from `Architecture` and give the shapes of its weights and its forward function: a file
beside this one is found by being there, one elsewhere is registered (`simulate.register_architecture`). Automatic
differentiation does the rest (`simulate.networks.differentiated`; docs/architectures.md). One whose derivatives are
worth writing by hand (`fully_connected`, `convolutional` beside this file) overrides `Architecture.linearise`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from lazyrich.errors import InputError
from simulate.networks.costs import NetworkSize, OperationCounts, numbers_kept_per_point
from simulate.networks.differentiated import Differentiated
from simulate.networks.initial_weights import draw_weights
from simulate.networks.linearisation import Inputs, Linearisation, Points, Weights
from simulate.networks.torch_activation import TorchActivation, compile_activation
from theory.activation import Activation

_MOST_COLOURS = 4  # of images: where the first side is no longer, it is taken for channels

#: what a class may write by hand for its own forward function, and what it says of these forms
_WRITTEN_FOR_FORWARD = (
    "linearise", "output", "coordinates", "preactivation_velocity", "size", "operation_counts",
    "first_layer_in_span", "stacked_products", "stiff", "known_to_theory", "better_regime_on_images",
    "better_regime_of_few_directions",
)  # fmt: skip


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
    #: whether `theory.infinite_width_kernels` are its kernels at infinite width, and theory's curves tell its training
    known_to_theory: ClassVar[bool] = False
    #: whether signals pass its layers one after another only: laws that count layers are not about branches beside them
    layers_in_sequence: ClassVar[bool] = True
    #: on image sets with all their directions, the regime that was observed to generalise better (arXiv:1906.08034);
    #: None where nothing was observed
    better_regime_on_images: ClassVar[Literal["lazy", "feature"] | None] = None
    #: on points without structure whose label a few directions decide, the regime that was derived to generalise better
    #: (arXiv:2007.11471); None where nothing was derived
    better_regime_of_few_directions: ClassVar[Literal["lazy", "feature"] | None] = None
    #: whether `coordinates` holds the first layer in the span of the training points where that takes fewer operations
    first_layer_in_span: ClassVar[bool] = False
    #: whether all members of a batch go through a layer in one stacked product: a batch should then fit into a
    #: processor's cache. Others take members one by one, or in groups of a size that they choose
    stacked_products: ClassVar[bool] = False
    #: whether integrators take the steps on it that they take on convolutional networks, several times those on fully
    #: connected ones (`simulate.planning.integrator_choice` has the counts): assumed of what was not measured
    stiff: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Forms written by hand hold for the forward function beside them: a class with another one has the general."""
        super().__init_subclass__(**options)
        order = {base: place for place, base in enumerate(cls.__mro__)}
        forward = min(order[_owner(cls, name)] for name in ("forward", "sigma"))
        for name in _WRITTEN_FOR_FORWARD:
            if forward < order[_owner(cls, name)] < order[Architecture]:
                setattr(cls, name, Architecture.__dict__[name])

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
    def activations(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """How many numbers one point's forward pass writes; if you don't say, as many as there are hidden neurons.

        Of images, those that go into filters: an entry for each multiplication with a channel's weights.
        """
        return cls.multiplications(input_shape, width, depth) / width if cls.images else float(depth * width)

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
        if cls.images and input_shape[0] <= _MOST_COLOURS < input_shape[2]:
            height, width, channels = input_shape
            raise InputError(
                "architecture",
                cls.name,
                f"it sees images with their channels last, and {input_shape} would be {height}x{width} pixels of "
                f"{channels} channels",
                "Put the channels last: x = np.moveaxis(x, 1, -1)",
            )

    # -- what follows --------------------------------------------------------------------------------------------------

    @property
    def size(self) -> NetworkSize:
        """How many weights one network has, and how many numbers automatic differentiation keeps for a point."""
        return NetworkSize(self._weight_count(), numbers_kept_per_point(self.evaluate, self.shapes, self.input_dim))

    def _weight_count(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes)

    def operation_counts(self, n: int) -> OperationCounts:
        """Count what one network on n points takes: a backward pass is two forward passes.

        The kernel is counted as the products of all pairs of gradients of single points.
        """
        multiplications = self.multiplications(self.input_shape, self.width, self.depth)
        activations = self.activations(self.input_shape, self.width, self.depth)
        weights = self._weight_count()
        kernel = float(n) ** 2 * weights + 2.0 * n * multiplications
        return OperationCounts(6.0 * n * multiplications, kernel, n * activations, float(weights))

    def sigma(self, z: Tensor) -> Tensor:
        """Return sigma(z), differentiable: with the slope that the layerwise forms use, at kinks too."""
        # z - z.detach() is 0, and its derivative 1
        return self.activation.value(z.detach()) + self.activation.slope(z.detach()) * (z - z.detach())

    def preactivation_velocity(self, weights: Weights, rates: Weights, inputs: Inputs) -> Tensor:
        """Return the rms over points and neurons of dz^l/dt where the weights move at ``rates``, (members, layers).

        z^l is what the l-th `sigma` is applied to in `forward`, and f the last. NaN where a network does not apply it
        once between any two of its sets of weights.
        """
        speeds = weights[0].new_full((len(weights[0]), len(weights)), torch.nan)
        for m in range(len(speeds)):
            tangents: list[Tensor] = []
            with torch.no_grad(), forward_ad.dual_level(), self._recording_tangents(tangents):
                moving = [forward_ad.make_dual(w[m : m + 1], v[m : m + 1]) for w, v in zip(weights, rates, strict=True)]
                tangents.append(forward_ad.unpack_dual(self.evaluate(moving, inputs.a)).tangent)
            if len(tangents) == len(weights):
                speeds[m] = torch.stack([v.square().mean().sqrt() for v in tangents])
        return speeds

    @contextmanager
    def _recording_tangents(self, tangents: list[Tensor]) -> Iterator[None]:
        """Append the forward-mode derivative of every argument of `sigma` to ``tangents``."""

        def sigma(z: Tensor) -> Tensor:
            plain, tangent = forward_ad.unpack_dual(z)
            tangents.append(tangent)
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
        key = f"{base_seed}/{self.name}/{self.depth}/{self.width}/{self.input_dim}"
        networks = [draw_weights(f"{key}/{seed}", self.shapes, zero_last_column=self.bias > 0) for seed in seeds]
        return [torch.stack(layer) for layer in zip(*networks, strict=True)]

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


def _owner(cls: type, name: str) -> type:
    """Return the class among ``cls`` and its bases that defines an attribute."""
    return next(base for base in cls.__mro__ if name in base.__dict__)
