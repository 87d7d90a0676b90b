"""Checks of the fields of an experiment against one another: each raises an `InputError` that names one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lazyrich.errors import InputError
from simulate.campaign.dynamics import SGD, STOCHASTIC, Adam
from simulate.campaign.losses import MARGIN_LOSSES
from simulate.data.synthetic import RULES
from theory.black_box import is_function_name, not_loaded

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment

# up to here float32 stays below the integration error: python -m benchmarks.precision
_SINGLE_PRECISION_ALPHA = 1000
_MOST_NETWORKS = 10_000_000  # beyond, it is a slip of the keyboard


def check(experiment: Experiment) -> None:
    """Raise an `InputError` for the first fields that do not go together."""
    for check_theme in _CHECKS:
        check_theme(experiment)


def _amplitudes(experiment: Experiment) -> None:
    if (experiment.root_h_alpha is None) == (experiment.alpha is None):
        problem = "amplitudes must be given once, as root_h_alpha or as alpha"
        raise InputError("root_h_alpha", experiment.root_h_alpha, problem, "Give one of the two")


def _source_of_function(experiment: Experiment) -> None:
    if is_function_name(experiment.activation) and experiment.activation_source is None:
        raise not_loaded(experiment.activation)
    if experiment.activation_source is not None and not is_function_name(experiment.activation):
        problem = "only an activation module:function has a source"
        raise InputError("activation_source", experiment.activation_source, problem, "Remove it")


def _kernel_points(experiment: Experiment) -> None:
    if experiment.n_kernel > experiment.n_test:
        problem = f"kernels are compared on test points, and n_test = {experiment.n_test}"
        raise InputError("n_kernel", experiment.n_kernel, problem, "Lower n_kernel or raise n_test")


def _data(experiment: Experiment) -> None:
    synthetic = experiment.dataset in RULES
    if experiment.dimension is not None and not synthetic:
        problem = f"points of {experiment.dataset} have one of their own"
        raise InputError("dimension", experiment.dimension, problem, f"Remove it, or use one of {', '.join(RULES)}")
    if synthetic and experiment.assumed_shape[0] <= RULES[experiment.dataset].relevant:
        relevant = RULES[experiment.dataset].relevant
        problem = f"on the sphere the {relevant} directions that decide the label of {experiment.dataset} would be all"
        raise InputError("dimension", experiment.dimension, problem, f"Give {relevant + 1} or more")
    if experiment.pca is not None and synthetic:
        problem = f"points of {experiment.dataset} are uniform, so that no component is larger than another"
        raise InputError("pca", experiment.pca, problem, "Remove it")


def _architecture(experiment: Experiment) -> None:
    architecture = experiment.network_class
    if experiment.bias and not architecture.biased:
        problem = f"architecture {experiment.architecture} has none"
        raise InputError("bias", experiment.bias, problem, "Remove it")
    if architecture.images and experiment.pca is not None:
        problem = f"architecture {experiment.architecture} sees images, and principal components are not"
        raise InputError("pca", experiment.pca, problem, "Remove it, or use architecture fc")
    if experiment.input_shape is not None:
        experiment.check_points(experiment.input_shape)


def _precision(experiment: Experiment) -> None:
    alpha = max(float(experiment.alphas(width).max()) for width in experiment.widths)
    if experiment.dtype == "float32" and alpha > _SINGLE_PRECISION_ALPHA:
        problem = f"F = alpha (f - f_0) would lose its digits at alpha = {alpha:.3g} (docs/precision.md)"
        remedy = f"Use float64 or mixed, or amplitudes with alpha <= {_SINGLE_PRECISION_ALPHA}"
        raise InputError("dtype", experiment.dtype, problem, remedy)


def _loss(experiment: Experiment) -> None:
    if experiment.loss != "hinge":
        return
    if experiment.dynamics.name not in STOCHASTIC:
        problem = "gradient flow of the hinge loss chatters: it has no curvature"
        raise InputError("loss", experiment.loss, problem, f"Use softhinge, or dynamics {' or '.join(STOCHASTIC)}")
    if len(experiment.arms) > 1:
        problem = "arms are gradient flows, and that of the hinge loss chatters"
        raise InputError("arms", list(experiment.arms), problem, "Leave them out, or use softhinge")


def _minibatches(experiment: Experiment) -> None:
    dynamics = experiment.dynamics
    if isinstance(dynamics, SGD | Adam) and dynamics.batch_size > experiment.n_train:
        problem = f"there are n_train = {experiment.n_train} points"
        raise InputError("dynamics.batch_size", dynamics.batch_size, problem, "Lower it")


def _unfitted(experiment: Experiment) -> None:
    if experiment.unfitted is None:
        return
    if experiment.loss not in MARGIN_LOSSES:
        problem = f"training with the {experiment.loss} loss ends at a mean loss, not at a margin of each point"
        raise InputError("unfitted", experiment.unfitted, problem, f"Leave it out, or use {' or '.join(MARGIN_LOSSES)}")
    if len(experiment.arms) > 1:
        problem = "arms are trained until every point has its margin"
        raise InputError("unfitted", experiment.unfitted, problem, "Leave out one of the two")


def _largest_rate(experiment: Experiment) -> None:
    if not experiment.largest_rate:
        return
    if experiment.loss != "square":
        problem = f"the {experiment.loss} loss is flat where margins are large, so that no rate is too large for it"
        raise InputError("largest_rate", True, problem, 'Use loss = "square", or leave it out')
    if experiment.dynamics.name != "gradient_flow":
        problem = "rates are in time of the gradient flow"
        raise InputError("largest_rate", True, problem, "Use gradient flow, or leave it out")


def _grid(experiment: Experiment) -> None:
    if experiment.size > _MOST_NETWORKS:
        problem = f"the grid has {experiment.size} networks"
        raise InputError("seeds", experiment.seeds, problem, f"Stay below {_MOST_NETWORKS}")


_CHECKS: tuple[Callable[[Experiment], None], ...] = (
    _amplitudes, _source_of_function, _kernel_points, _data, _architecture, _precision, _loss, _minibatches,
    _unfitted, _largest_rate, _grid,
)  # fmt: skip
