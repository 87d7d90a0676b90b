"""One grid of networks on one data set: width × amplitude × seed.

Everything that decides a result is in it, and it is validated once (`simulate.campaign.fields` field by field,
`simulate.campaign.consistency` what must go together) and frozen. Only the checks against the architecture
(and against an activation that is a function of torch) import torch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lazyrich import html
from lazyrich.numbers import short
from lazyrich.wording import counted
from simulate.campaign import consistency, fields
from simulate.campaign.dynamics import Dynamics, Flow
from simulate.data.sources import shape_of
from simulate.data.synthetic import DIMENSION, RULES
from theory.black_box import is_function_name

if TYPE_CHECKING:
    from simulate.networks.architecture import Architecture

_MIXED_PRECISION_ALPHA = 100  # up to here float32 stays far below the integration error: python -m benchmarks.precision
_SHAPE_OF_A_FILE = (28, 28, 1)  # assumed until it is read: MNIST's

_MOST = 10**12  # of anything that is counted: descriptions of experiments are read up to there
Count = Annotated[int, Field(ge=1, le=_MOST)]
SeveralOf = Annotated[int, Field(ge=2, le=_MOST)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amplitudes = Annotated[
    Annotated[tuple[PositiveNumber, ...], Field(min_length=1)] | None,
    BeforeValidator(fields.expand_range),
    AfterValidator(fields.ascending),
]
Checkpoints = Annotated[
    Annotated[int, Field(ge=1, le=20)] | Annotated[tuple[PositiveNumber, ...], Field(min_length=1)] | None,
    BeforeValidator(fields.known_checkpoints),
    AfterValidator(fields.ascending),
]
#: Not asked for is nothing said: campaigns of versions that did not know the field are equal.
_ASKED = Literal[True] | None
Asked = Annotated[_ASKED, BeforeValidator(lambda value: None if value is False else value)]


class Frozen(BaseModel):
    """A part of a campaign: immutable, and without fields that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _switches_are_no_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """In Python true is 1: ``seeds = true`` is a slip of the pen."""
        kind = cls.model_fields[str(info.field_name)].annotation
        return value if kind in (bool, _ASKED) else fields.no_switch(value)


class Experiment(Frozen):
    """One grid of networks on one data set.

    Amplitudes are given as ``root_h_alpha`` (A = sqrt(h)·alpha) or as ``alpha`` (article convention): a list, or
    ``{start, stop, per_decade}`` for the points 10**(i/per_decade) from start to stop. All quantities are
    dimensionless, times are in the article convention (arXiv:1906.08034).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    dataset: str = "digits"
    n_train: SeveralOf
    n_test: Count
    data_seed: Seed = 0
    dimension: SeveralOf | None = None  # of synthetic points
    pca: Count | None = None
    pca_whiten: bool = True
    architecture: Annotated[str, AfterValidator(fields.known_architecture)] = "fc"
    depth: Annotated[int, Field(ge=1, le=100)]
    activation: Annotated[str, AfterValidator(fields.known_activation)]
    activation_source: str | None = None  # SHA-256 of the module of an activation module:function
    normalise: bool = True
    bias: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    loss: Annotated[str, AfterValidator(fields.known_loss)] = "softhinge"
    subtract_initial: bool = True
    widths: Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(fields.ascending)]
    root_h_alpha: Amplitudes = None
    alpha: Amplitudes = None
    seeds: Count
    base_seed: Seed = 0
    n_kernel: Count = 500  # at most n_test
    dtype: Literal["float64", "float32", "mixed"] = "float64"
    dynamics: Annotated[Dynamics, BeforeValidator(fields.named_dynamics)] = Flow()
    arms: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(fields.known_arms)] = ("network",)
    tolerance: Annotated[float, Field(gt=0, le=0.1)] = 5e-3
    max_steps: Count = 5000
    unfitted: Annotated[float, Field(gt=0, lt=1)] | None = None  # share of points short of their margin at max_steps
    checkpoints: Checkpoints = None
    largest_rate: Asked = None  # whether gradient descent is tried at rates up to the largest that trains
    time_limit: PositiveNumber | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_kernel_points(cls, fields: Any) -> Any:
        """Kernels are compared on all test points, or on 500 of them."""
        if isinstance(fields, dict) and "n_kernel" not in fields and isinstance(fields.get("n_test"), int):
            return {**fields, "n_kernel": max(1, min(fields["n_test"], 500))}
        return fields

    @model_validator(mode="before")
    @classmethod
    def _source_of_function(cls, fields: Any) -> Any:
        """An activation module:function that is loaded here says what it was made of."""
        if isinstance(fields, dict) and is_function_name(fields.get("activation")):
            from simulate.networks.torch_functions import loaded

            function = loaded(fields["activation"].strip())
            if function is not None and fields.get("activation_source") is None:
                return {**fields, "activation_source": function.sha256}
        return fields

    @model_validator(mode="after")
    def _fits_together(self) -> Experiment:
        consistency.check(self)
        return self

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
    def grid_in_words(self) -> tuple[str, ...]:
        """The name, the network, the data, the axes and the size, in words."""
        depth = f"{self.depth} hidden layer{'s' if self.depth > 1 else ''}"
        amplitude = "values of A" if self.amplitude == "root_h_alpha" else "values of α"
        axes = (("widths", self.widths), (amplitude, self.amplitudes))
        return (
            self.name,
            f"{self.architecture} of {self.activation}, {depth}",
            f"{counted(self.n_train, 'point')} of {self.dataset}",
            *(f"{len(values)} {name} from {short(min(values))} to {short(max(values))}" for name, values in axes),
            f"{self.seeds} seed{'s' if self.seeds > 1 else ''}",
            counted(self.size, "network"),
        )

    def __repr__(self) -> str:
        return f"<Experiment {self.name}: {'; '.join(self.grid_in_words[1:])}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        fields = self.model_dump(mode="json", exclude_none=True)
        shown = {
            **fields,
            "widths": self.grid_in_words[3],
            self.amplitude: self.grid_in_words[4],
            "size": self.grid_in_words[-1],
        }
        return html.table(shown.items(), caption=f"Experiment {self.name}")

    @property
    def size(self) -> int:
        """How many networks the grid has."""
        return len(self.widths) * len(self.amplitudes) * self.seeds


def _architecture(name: str) -> type[Architecture]:
    # torch is imported by whoever asks for networks, not by whoever reads what a campaign is
    from simulate.networks.registry import architecture_class

    return architecture_class(name)
