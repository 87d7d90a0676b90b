"""What to simulate: a campaign of experiments, each a grid of width × amplitude × seed, cut into tasks.

A campaign is read from TOML, validated once, and frozen. Everything that decides a result is in it, so that results
never depend on scheduling: tasks are cut by a fixed rule from the campaign alone.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from simulate.cost import operations, task_operations
from simulate.data.sources import shape_of
from simulate.data.synthetic import DIMENSION, RULES
from simulate.dynamics import NAMES, SGD, STOCHASTIC, Adam, Dynamics, Flow
from simulate.losses import LOSSES
from simulate.networks.architecture import Size, find, names
from simulate.networks.own_activation import loaded
from simulate.parts import part_size
from simulate.schema import ARMS
from theory import Activation, InputError
from theory.numerical import is_function_name, not_loaded

_NETWORKS_PER_TASK = 100  # one chunk of the store; fewer would make large stores slow to read
_BYTES_PER_TASK = 2**30
# what the linearisations of a batch take. Measured with the kernel flow at N = 80 to 500 on a core with 1 MiB of cache
# of its own: half of it 2 to 5 % more time, eight times as much 5 to 35 % (h = 128 to 512)
_CACHE_BYTES = 1e7
# up to here float32 stays below the integration error, and up to there far below it: python -m benchmarks.precision
_SINGLE_PRECISION_ALPHA, _MIXED_PRECISION_ALPHA = 1000, 100
_LIMIT = 10_000_000  # networks an experiment may have: beyond, it is a slip of the keyboard
_SHAPE_OF_A_FILE = (28, 28, 1)  # assumed until it is read: MNIST's

Positive = Annotated[int, Field(ge=1)]
Amplitude = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Experiment(_Frozen):
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
        if value not in names():
            raise InputError("", value, "no such architecture", f"Use one of {', '.join(names())}")
        return value

    @field_validator("loss")
    @classmethod
    def _known_loss(cls, value: str) -> str:
        if value not in LOSSES:
            raise InputError("", value, "no such loss", f"Use one of {', '.join(LOSSES)}")
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
        architecture = find(self.architecture)
        if self.bias and not architecture.biased:
            raise InputError("bias", self.bias, f"architecture {self.architecture} has none", "Remove it")
        if architecture.images and self.pca is not None:
            problem = f"architecture {self.architecture} sees images, and principal components are not"
            raise InputError("pca", self.pca, problem, "Remove it, or use architecture fc")
        if self.input_shape is not None:
            architecture.check(self.input_shape, self.depth)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of a point, (height, width, channels) or (d,); None for a file, which has to be read for it."""
        if self.dataset in RULES:
            return (self.dimension or DIMENSION,)
        return (self.pca,) if self.pca is not None else shape_of(self.dataset)

    @property
    def layers(self) -> int:
        """How many weight matrices a network has."""
        return find(self.architecture).layers(self.depth)

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

    @property
    def seeds_per_task(self) -> int:
        """How many seeds a task takes (all amplitudes at one width): about a hundred networks that fit in memory.

        One number for the whole experiment, since it is also the store's chunk.
        """
        by_count = math.ceil(_NETWORKS_PER_TASK / len(self.amplitudes))
        by_memory = int(_BYTES_PER_TASK // (len(self.amplitudes) * self.bytes_per_network(max(self.widths))))
        return part_size(self.seeds, max(1, min(by_count, by_memory)))

    def bytes_per_network(self, width: int) -> int:
        """Estimate the memory that training one network takes, within a factor of two (measured in the tests).

        Counted are copies of the weights (of the first matrix in the span of the training points where that is
        smaller), of what linearisations keep, of training kernels (not for Chebyshev's method), of the arms' and the
        held-out kernels.
        """
        from simulate.integrators import integrator_of

        shape, size = self.assumed_shape, self.network_size(width)
        weights = size.weights
        if self.architecture == "fc" and self.n_train < 2 * math.prod(shape):
            weights += (self.n_train - math.prod(shape)) * width
        numbers = 6 * weights + 4 * self.n_train * size.kept + self.n_test * size.kept
        if integrator_of(self) in ("kernel_flow", "rosenbrock"):
            numbers += 4 * self.n_train**2
        if len(self.arms) > 1:
            numbers += 4 * self.n_train**2 + 2 * self.n_train * self.n_test
        return self._bytes_of_a_number * (numbers + 3 * min(self.n_kernel, 512) ** 2)

    def networks_at_once(self, width: int, device: str = "cpu") -> int | None:
        """About how many networks of a task are trained at once; None for all (`simulate.parts.part_size`).

        On a CPU as many fully connected ones as its cache holds, which follows from shapes alone.
        """
        if self.architecture != "fc" or not device.startswith("cpu"):
            return None
        numbers = self.network_size(width).kept * self.n_train
        return max(1, int(_CACHE_BYTES // (self._bytes_of_a_number * numbers)))

    @property
    def _bytes_of_a_number(self) -> int:
        return 4 if self.dtype == "float32" else 8

    def cost(self, width: int) -> float:
        """Floating point operations that one network takes, by the fixed model of `simulate.cost`."""
        return operations(self, width)

    @property
    def assumed_shape(self) -> tuple[int, ...]:
        """The shape of a point; of a file that has not been read, an assumed one."""
        return self.input_shape or _SHAPE_OF_A_FILE

    def network_size(self, width: int) -> Size:
        """How many weights a network has, and how many numbers its linearisation keeps for each point."""
        return _network_size(self.architecture, self.assumed_shape, width, self.depth)

    def tasks(self, seeds_per_task: int | None = None) -> tuple[Task, ...]:
        """Cut the grid into tasks, the most expensive first; a store remembers how many seeds its tasks take."""
        block = seeds_per_task or self.seeds_per_task
        return tuple(
            Task(self.name, index, self.widths[index], start, min(start + block, self.seeds))
            for index in reversed(range(len(self.widths)))
            for start in range(0, self.seeds, block)
        )


@functools.lru_cache(maxsize=1024)
def _network_size(architecture: str, shape: tuple[int, ...], width: int, depth: int) -> Size:
    cls = find(architecture)
    return cls(shape if cls.images else math.prod(shape), width, depth, Activation("relu")).size


@dataclass(frozen=True)
class Task:
    """All amplitudes × the seeds from ``seed_start`` to below ``seed_stop`` at ``width``, the ``index``-th width."""

    experiment: str
    index: int
    width: int
    seed_start: int
    seed_stop: int


class Campaign(_Frozen):
    """A named set of experiments.

    Examples
    --------
    >>> campaign = Campaign.from_preset("smoke")
    >>> [experiment.name for experiment in campaign.experiment]
    ['softplus-L1', 'relu-L2']
    """

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    experiment: Annotated[tuple[Experiment, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, fields: Any) -> Any:
        """A table ``defaults`` holds what experiments share; a field of an experiment's own wins."""
        if not isinstance(fields, Mapping) or "defaults" not in fields:
            return fields
        shared, experiments = fields["defaults"], fields.get("experiment")
        if not isinstance(shared, Mapping) or "name" in shared:
            raise InputError("defaults", shared, "it is a table of fields that experiments share", "Write [defaults]")
        if not isinstance(experiments, list | tuple) or not all(isinstance(e, Mapping) for e in experiments):
            return {k: v for k, v in fields.items() if k != "defaults"}  # refused for what is wrong with it
        others = {"root_h_alpha": "alpha", "alpha": "root_h_alpha"}  # an amplitude axis of one's own replaces the other
        spread = [{**{k: v for k, v in shared.items() if others.get(k) not in e}, **e} for e in experiments]
        return {**{k: v for k, v in fields.items() if k != "defaults"}, "experiment": spread}

    @model_validator(mode="after")
    def _unique_names(self) -> Campaign:
        twice = [name for name, count in Counter(e.name for e in self.experiment).items() if count > 1]
        if twice:
            raise InputError("experiment.name", twice[0], "two experiments have this name", "Rename one of them")
        return self

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Campaign:
        """Validate ``fields`` (the structure of the TOML file).

        Raises
        ------
        InputError
            For the first thing that is wrong, naming it as in ``experiment[1].widths``.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise _first_problem(error) from None

    @classmethod
    def from_toml(cls, path: str | Path) -> Campaign:
        """Read a campaign file."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError("campaign", str(path), f"can't be read ({error.strerror})", "Give a TOML file") from None
        except UnicodeDecodeError:
            raise InputError("campaign", str(path), "is not a text file", "Give a TOML file in UTF-8") from None
        return cls._from_text(text, str(path))

    @classmethod
    def from_preset(cls, name: str) -> Campaign:
        """Read one of the campaigns that come with the package."""
        presets = list_presets()
        if name not in presets:
            raise InputError("preset", name, "no such preset", f"Use one of {', '.join(presets)}")
        return cls._from_text(_preset_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)

    @classmethod
    def _from_text(cls, text: str, origin: str) -> Campaign:
        try:
            fields = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError("campaign", origin, f"is not TOML: {error}", "Mend the file") from None
        _refuse_functions(fields)
        return cls.from_dict(fields)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, from which `from_dict` makes an equal campaign."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the campaign."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many networks the campaign has."""
        return sum(e.size for e in self.experiment)

    def find(self, name: str) -> Experiment:
        """Return the experiment of this name."""
        return next(e for e in self.experiment if e.name == name)

    def tasks(self, seeds_per_task: Mapping[str, int] | None = None) -> tuple[Task, ...]:
        """All tasks, the most expensive first, so that none is left for the end to wait on.

        ``seeds_per_task`` by experiment is what a store was made with; by default it follows from the campaign.
        """
        cut = seeds_per_task or {}

        every = (t for e in self.experiment for t in e.tasks(cut.get(e.name)))
        return tuple(sorted(every, key=self.cost, reverse=True))

    def networks(self, task: Task) -> int:
        """How many networks a task has."""
        return len(self.find(task.experiment).amplitudes) * (task.seed_stop - task.seed_start)

    def cost(self, task: Task, device: str = "cpu") -> float:
        """Operations of a task, and what its calls take as long as, by the fixed model of `simulate.cost`."""
        return task_operations(self.find(task.experiment), task.width, self.networks(task), device)

    def changed(self, **fields: Any) -> Campaign:
        """Return the campaign with these fields of every experiment replaced, validated anew."""
        old = self.to_dict()
        return Campaign.from_dict({**old, "experiment": [{**e, **fields} for e in old["experiment"]]})


def list_presets() -> tuple[str, ...]:
    """Return the names of the campaigns that come with the package."""
    return tuple(sorted(p.name[: -len(".toml")] for p in _preset_folder().iterdir() if p.name.endswith(".toml")))


def _preset_folder():
    return resources.files("simulate").joinpath("presets")


def _refuse_functions(fields: Mapping[str, Any]) -> None:
    """A file must not make anyone import a module: functions are named on the command line and in Python only."""
    listed = fields.get("experiment")
    tables = {"defaults": fields.get("defaults")}
    tables |= {f"experiment[{i}]": e for i, e in enumerate(listed if isinstance(listed, list) else [])}
    for where, table in tables.items():
        if isinstance(table, Mapping) and is_function_name(table.get("activation")):
            problem = "a campaign file can't name a function of a module"
            remedy = "Write a formula, or give the function to python -m fit.report as --activation"
            raise InputError(f"{where}.activation", table["activation"], problem, remedy)


def _first_problem(error: ValidationError) -> InputError:
    first = error.errors()[0]
    path = _dotted(tuple(part for part in first["loc"] if part not in NAMES))
    value = first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        inner = cause.field if cause.field not in ("", "activation") else ""
        shown = cause.value if inner or cause.field else value
        return InputError(".".join(p for p in (path, inner) if p) or "campaign", shown, cause.problem, cause.remedy)
    match first["type"]:
        case "extra_forbidden":
            return InputError(path, value, "no such field", "Remove it, or look up its spelling in docs/campaign.md")
        case "missing":
            return InputError(path, None, "it is missing", "Add it")
        case "literal_error":
            return InputError(path, value, "is not supported", f"Use {first['ctx']['expected']}")
    problem = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return InputError(path, value, problem[0].lower() + problem[1:], "Change it")


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
