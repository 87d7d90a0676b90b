"""One grid of networks on one data set: width × amplitude × seed.

Everything that decides a result is in it, and it is validated once and frozen. Only the checks against the architecture
(and against an activation that is a function of torch) import torch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lazyrich.errors import InputError
from simulate.campaign.arms import ARMS
from simulate.campaign.dynamics import NAMES, SGD, STOCHASTIC, Adam, Dynamics, Flow
from simulate.campaign.losses import LOSS_NAMES
from simulate.data.sources import shape_of
from simulate.data.synthetic import DIMENSION, RULES
from theory.activation import Activation
from theory.black_box import is_function_name, not_loaded

if TYPE_CHECKING:
    from simulate.networks.architecture import Architecture

# up to here float32 stays below the integration error, and up to there far below it: python -m benchmarks.precision
_SINGLE_PRECISION_ALPHA, _MIXED_PRECISION_ALPHA = 1000, 100
_LIMIT = 10_000_000  # networks an experiment may have: beyond, it is a slip of the keyboard
_SHAPE_OF_A_FILE = (28, 28, 1)  # assumed until it is read: MNIST's

Positive = Annotated[int, Field(ge=1)]
Amplitude = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Frozen(BaseModel):
    """A part of a campaign: immutable, and without fields that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Experiment(Frozen):
    """One grid of networks on one data set.

    Amplitudes are given as ``root_h_alpha`` (A = sqrt(h)·alpha) or as ``alpha`` (article convention): a list, or
    ``{start, stop, per_decade}`` for the points 10**(i/per_decade) from start to stop. All quantities are
    dimensionless, times are in the article convention (arXiv:1906.08034).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    dataset: str = "digits"
    n_train: Annotated[int, Field(ge=2)]
    n_test: Positive
    data_seed: Annotated[int, Field(ge=0)] = 0
    dimension: Annotated[int, Field(ge=2)] | None = None  # of synthetic points
    pca: Positive | None = None
    pca_whiten: bool = True
    architecture: str = "fc"
    depth: Annotated[int, Field(ge=1, le=100)]
    activation: str
    activation_source: str | None = None  # SHA-256 of the module of an activation module:function
    normalise: bool = True
    bias: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    loss: str = "softhinge"
    subtract_initial: bool = True
    widths: Annotated[tuple[Positive, ...], Field(min_length=1)]
    root_h_alpha: Annotated[tuple[Amplitude, ...], Field(min_length=1)] | None = None
    alpha: Annotated[tuple[Amplitude, ...], Field(min_length=1)] | None = None
    seeds: Positive
    base_seed: Annotated[int, Field(ge=0)] = 0
    n_kernel: Positive = 500  # at most n_test
    dtype: Literal["float64", "float32", "mixed"] = "float64"
    dynamics: Dynamics = Flow()
    arms: Annotated[tuple[str, ...], Field(min_length=1)] = ("network",)
    tolerance: Annotated[float, Field(gt=0, le=0.1)] = 5e-3
    max_steps: Positive = 5000
    checkpoints: Annotated[int, Field(ge=1, le=20)] | Annotated[tuple[Amplitude, ...], Field(min_length=1)] | None = (
        None
    )
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @field_validator("root_h_alpha", "alpha", mode="before")
    @classmethod
    def _expand_range(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if set(value) != {"start", "stop", "per_decade"}:
            raise InputError("", value, "a range has start, stop and per_decade", "Write {start, stop, per_decade}")
        start, stop, per_decade = (value[k] for k in ("start", "stop", "per_decade"))
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (start, stop, per_decade))
        if not (numbers and 0 < start <= stop < math.inf and 1 <= per_decade <= 100 and per_decade == int(per_decade)):
            raise InputError(
                "",
                dict(value),
                "a range needs 0 < start <= stop and a whole number 1 <= per_decade <= 100",
                "Write {start = 1e-4, stop = 1e4, per_decade = 2}, say",
            )
        first = math.ceil(per_decade * math.log10(start) - 1e-9)
        last = math.floor(per_decade * math.log10(stop) + 1e-9)
        return tuple(10.0 ** (i / per_decade) for i in range(first, last + 1))

    @field_validator("widths", "root_h_alpha", "alpha", "checkpoints")
    @classmethod
    def _ascending(cls, value: Any) -> Any:
        if isinstance(value, tuple) and any(b <= a for a, b in itertools.pairwise(value)):
            raise InputError("", value, "values must be ascending and different", "Sort them and give each once")
        return value

    @field_validator("dynamics", mode="before")
    @classmethod
    def _name_dynamics(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            named = {"name": "gradient_flow", **value}
            if named["name"] not in NAMES:
                raise InputError("name", named["name"], "no such dynamics", f"Use one of {', '.join(NAMES)}")
            return named
        return value

    @field_validator("arms")
    @classmethod
    def _known_arms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in ARMS:
                raise InputError("", name, "no such arm", f"Use some of {', '.join(ARMS)}")
        if value[0] != "network" or len(set(value)) < len(value):
            raise InputError("", list(value), "arms are the network, first, and others, each once", "Put network first")
        return value

    @field_validator("checkpoints", mode="before")
    @classmethod
    def _known_checkpoints(cls, value: Any) -> Any:
        numbers = value if isinstance(value, list | tuple) else (value,)
        plain = all(isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < math.inf for v in numbers)
        listed = isinstance(value, list | tuple) and len(value) > 0
        if isinstance(value, Mapping):
            return cls._expand_range(value)
        if value is not None and not (plain and (listed or (isinstance(value, int) and value <= 20))):
            problem = "checkpoints are a number from 1 to 20 per decade, or a list of times t/min(1, A)"
            raise InputError("", value, problem, "Write 4, say, or [0.1, 1, 10]")
        return value

    @field_validator("activation")
    @classmethod
    def _known_activation(cls, value: str) -> str:
        # a function is needed where networks are trained, and not to look at a store
        return value.strip() if is_function_name(value) else Activation(value).formula

    @field_validator("architecture")
    @classmethod
    def _known_architecture(cls, value: str) -> str:
        from simulate.networks.registry import architecture_names

        if value not in architecture_names():
            raise InputError("", value, "no such architecture", f"Use one of {', '.join(architecture_names())}")
        return value

    @field_validator("loss")
    @classmethod
    def _known_loss(cls, value: str) -> str:
        if value not in LOSS_NAMES:
            raise InputError("", value, "no such loss", f"Use one of {', '.join(LOSS_NAMES)}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _default_kernel_points(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and "n_kernel" not in fields and isinstance(fields.get("n_test"), int):
            return {**fields, "n_kernel": max(1, min(fields["n_test"], 500))}
        return fields

    @model_validator(mode="before")
    @classmethod
    def _source_of_function(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and is_function_name(fields.get("activation")):
            from simulate.networks.torch_functions import loaded

            known = loaded(fields["activation"].strip())
            if known is not None and fields.get("activation_source") is None:
                return {**fields, "activation_source": known.sha256}
        return fields

    @model_validator(mode="after")
    def _fits_together(self) -> Experiment:
        if (self.root_h_alpha is None) == (self.alpha is None):
            raise InputError(
                "root_h_alpha",
                self.root_h_alpha,
                "amplitudes must be given once, as root_h_alpha or as alpha",
                "Give one of the two",
            )
        if is_function_name(self.activation) and self.activation_source is None:
            raise not_loaded(self.activation)
        if self.activation_source is not None and not is_function_name(self.activation):
            problem = "only an activation module:function has a source"
            raise InputError("activation_source", self.activation_source, problem, "Remove it")
        if self.n_kernel > self.n_test:
            raise InputError(
                "n_kernel",
                self.n_kernel,
                f"kernels are compared on test points, and n_test = {self.n_test}",
                "Lower n_kernel or raise n_test",
            )
        self._suits_data()
        self._suits_architecture()
        alpha = max(float(self.alphas(width).max()) for width in self.widths)
        if self.dtype == "float32" and alpha > _SINGLE_PRECISION_ALPHA:
            raise InputError(
                "dtype",
                self.dtype,
                f"F = alpha (f - f_0) would lose its digits at alpha = {alpha:.3g} (docs/precision.md)",
                f"Use float64 or mixed, or amplitudes with alpha <= {_SINGLE_PRECISION_ALPHA}",
            )
        if self.loss == "hinge" and self.dynamics.name not in STOCHASTIC:
            problem = "gradient flow of the hinge loss chatters: it has no curvature"
            raise InputError("loss", self.loss, problem, f"Use softhinge, or dynamics {' or '.join(STOCHASTIC)}")
        if self.loss == "hinge" and len(self.arms) > 1:
            problem = "arms are gradient flows, and that of the hinge loss chatters"
            raise InputError("arms", list(self.arms), problem, "Leave them out, or use softhinge")
        if isinstance(self.dynamics, SGD | Adam) and self.dynamics.batch_size > self.n_train:
            problem = f"there are n_train = {self.n_train} points"
            raise InputError("dynamics.batch_size", self.dynamics.batch_size, problem, "Lower it")
        if self.size > _LIMIT:
            raise InputError("seeds", self.seeds, f"the grid has {self.size} networks", f"Stay below {_LIMIT}")
        return self

    def _suits_data(self) -> None:
        synthetic = self.dataset in RULES
        if self.dimension is not None and not synthetic:
            remedy = f"Remove it, or use one of {', '.join(RULES)}"
            raise InputError("dimension", self.dimension, f"points of {self.dataset} have one of their own", remedy)
        if self.pca is not None and synthetic:
            problem = f"points of {self.dataset} are uniform, so that no component is larger than another"
            raise InputError("pca", self.pca, problem, "Remove it")

    def _suits_architecture(self) -> None:
        architecture = self.network_class
        if self.bias and not architecture.biased:
            raise InputError("bias", self.bias, f"architecture {self.architecture} has none", "Remove it")
        if architecture.images and self.pca is not None:
            problem = f"architecture {self.architecture} sees images, and principal components are not"
            raise InputError("pca", self.pca, problem, "Remove it, or use architecture fc")
        if self.input_shape is not None:
            self.check_points(self.input_shape)

    def check_points(self, shape: tuple[int, ...]) -> None:
        """Raise an `InputError` if the architecture can't take points of this shape."""
        self.network_class.check(shape, self.depth)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of a point, (height, width, channels) or (d,); None for a file, which has to be read for it."""
        if self.dataset in RULES:
            return (self.dimension or DIMENSION,)
        return (self.pca,) if self.pca is not None else shape_of(self.dataset)

    @property
    def assumed_shape(self) -> tuple[int, ...]:
        """The shape of a point; of a file that has not been read, an assumed one."""
        return self.input_shape or _SHAPE_OF_A_FILE

    @property
    def network_class(self) -> type[Architecture]:
        """The class of its networks."""
        return _architecture(self.architecture)

    @property
    def layers(self) -> int:
        """How many weight matrices a network has."""
        return self.network_class.layers(self.depth)

    @property
    def amplitude(self) -> Literal["root_h_alpha", "alpha"]:
        """Which of the two names the amplitude axis of the grid."""
        return "root_h_alpha" if self.root_h_alpha is not None else "alpha"

    @property
    def amplitudes(self) -> np.ndarray:
        """The coordinate of the amplitude axis."""
        return np.array(getattr(self, self.amplitude))

    def root_h_alphas(self, width: int) -> np.ndarray:
        """A = sqrt(h)·alpha of each point of the amplitude axis, at this width."""
        return self.amplitudes * (1.0 if self.amplitude == "root_h_alpha" else math.sqrt(width))

    def alphas(self, width: int) -> np.ndarray:
        """alpha (article convention) of each point of the amplitude axis, at this width."""
        return self.root_h_alphas(width) / math.sqrt(width)

    def dtypes(self, width: int) -> list[Literal["float64", "float32"]]:
        """Return the precision of each point of the amplitude axis: of ``mixed``, float32 up to alpha = 100."""
        if self.dtype != "mixed":
            return [self.dtype] * len(self.amplitudes)
        return ["float32" if alpha <= _MIXED_PRECISION_ALPHA else "float64" for alpha in self.alphas(width)]

    @property
    def size(self) -> int:
        """How many networks the grid has."""
        return len(self.widths) * len(self.amplitudes) * self.seeds


def _architecture(name: str) -> type[Architecture]:
    # torch is imported by whoever asks for networks, not by whoever reads what a campaign is
    from simulate.networks.registry import architecture_class

    return architecture_class(name)
