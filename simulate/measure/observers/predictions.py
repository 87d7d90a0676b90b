"""F on the test points at the end, and how often its sign is wrong."""

from __future__ import annotations

from simulate.measure.classification import TEST_ERROR, error_fraction
from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable


class Predictions(Observer):
    """The predictor at the end, and its test error (`simulate.measure.classification`)."""

    variables = {
        "test_error": Variable(TEST_ERROR),
        "test_output": Variable("predictor F on the test points at the end", ("test_point",), "float32"),
    }

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        output, fits = ending.test_output, ending.output.isfinite().all(-1)
        error = error_fraction(output, self.batch.y_test).where(fits, float("nan"))
        # where there are arms, the network is the first of them
        first = (ending.members, 0) if self.columns["test_error"].ndim == 2 else ending.members
        self.columns.put("test_error", first, error)
        self.columns.put("test_output", ending.members, output)
