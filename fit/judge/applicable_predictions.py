"""Which predictions are tested in an experiment: theory's for its activation and depth, or those that were given."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from fit.measurements.measurements import Measurements
from fit.user_predictions import UserPrediction
from lazyrich.errors import InputError
from simulate.measure.schema import VARIABLES
from theory.activation import Activation
from theory.prediction import Prediction
from theory.predictions import predictions as theory_predictions

#: the same predictions for all experiments, or some for each by its name, or None: what theory predicts
PredictionSource = Sequence[Prediction] | Mapping[str, Sequence[Prediction]] | None


def applicable_predictions(
    experiment: Measurements, predictions: PredictionSource, additional: Sequence[Prediction]
) -> list[Prediction]:
    """Return the predictions to test in one experiment.

    Parameters
    ----------
    experiment : Measurements
    predictions : sequence of Prediction, or mapping from experiment name to one, or None
        None: what theory predicts.
    additional : sequence of Prediction
        Tested as well; an experiment of unknown activation or depth is tested on these alone.

    Raises
    ------
    InputError
        If the experiment is not named in ``predictions``, or does not say its activation and depth.
    """
    additional = [p for p in additional if _is_about(p, experiment)]
    if isinstance(predictions, Mapping):
        if experiment.name not in predictions:
            raise InputError(
                "predictions", sorted(predictions), f"there are none for the experiment {experiment.name!r}",
                "Name every experiment, or leave predictions out",
            )  # fmt: skip
        return [*predictions[experiment.name], *additional]
    if predictions is not None:
        return [*(p for p in predictions if _is_about(p, experiment)), *additional]
    if experiment.activation is None or experiment.depth is None:
        if additional:
            return additional
        raise InputError(
            "store", experiment.store or experiment.name,
            f"experiment {experiment.name!r} does not say its activation and depth",
            "Add the attributes (in a CSV file: the columns) activation and depth, or give the predictions",
        )  # fmt: skip
    activation = Activation(experiment.activation, normalise=bool(experiment.description.get("normalise", True)))
    return [*theory_predictions(activation, experiment.depth), *additional]


def check_names(experiments: Sequence[Measurements], predictions: Sequence[object]) -> None:
    """Refuse predictions about experiments that the source does not hold."""
    names = [experiment.name for experiment in experiments]
    for prediction in predictions:
        for name in prediction.experiments if isinstance(prediction, UserPrediction) else ():
            if name not in names:
                raise InputError(
                    "experiment", name, f"a prediction is about it, and the source holds {', '.join(names)}",
                    "Name one of these, or leave the experiment out",
                )  # fmt: skip


def check_quantities(
    experiments: Sequence[Measurements], predictions: Sequence[object], derived: Sequence[str]
) -> None:
    """Refuse predictions about a quantity that is neither held by a source, nor derived, nor a variable of stores."""
    for prediction in predictions:
        if not isinstance(prediction, UserPrediction):
            continue
        quantity = prediction.quantity
        held = sorted({str(name) for experiment in experiments for name in experiment.data.data_vars})
        if quantity in held or quantity in derived or quantity in VARIABLES:
            continue
        similar = difflib.get_close_matches(quantity, [*held, *derived, *VARIABLES], 1)
        raise InputError(
            "law", quantity, "there is no such quantity",
            f"Did you mean {similar[0]}" if similar else f"The source holds {', '.join(held[:12])}",
        )  # fmt: skip


def _is_about(prediction: Prediction, experiment: Measurements) -> bool:
    return not isinstance(prediction, UserPrediction) or prediction.about(experiment.name)
