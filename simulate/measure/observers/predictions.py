"""F on the test points at the end, and how often its sign is wrong."""

from __future__ import annotations

from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable


class Predictions(Observer):
    """A point counts as wrong where F·y <= 0: an output of zero decides nothing."""

    variables = {
        "test_error": Variable("fraction of test points with F·y <= 0"),
        "test_output": Variable("predictor F on the test points at the end", ("test_point",), "float32"),
    }

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        output = ending.test_output
        finite = output.isfinite().all(-1) & ending.output.isfinite().all(-1)
        wrong = (output * self.batch.y_test <= 0).to(output.dtype).mean(-1)
        # where there are arms, the network is the first of them
        first = (ending.members, 0) if self.columns["test_error"].ndim == 2 else ending.members
        self.columns.put("test_error", first, wrong.where(finite, float("nan")))
        self.columns.put("test_output", ending.members, output)
