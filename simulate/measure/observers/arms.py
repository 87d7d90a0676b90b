"""Arms beside each network: the same training with a kernel that does not change (`simulate.measure.arms`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.campaign.arms import ARMS
from simulate.measure.classification import TEST_ERROR, error_fraction
from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.measure.columns import Columns
    from simulate.measure.network_batch import NetworkBatch
    from simulate.training.driver import Result


class Arms(Observer):
    """The network is the first arm; the others start once all networks are trained."""

    variables = {
        "test_error": Variable(TEST_ERROR, ("arm",)),
        "arm_time_end": Variable("time at which the arm's training stopped", ("arm",)),
        "arm_distance": Variable(
            "rms over test points of the arm's F minus the network's, over the network's", ("arm",)
        ),
        "arm_status": Variable("how the arm's training ended", ("arm",), "int8"),
    }
    optional = True
    looks_at_all = True

    def __init__(self, batch: NetworkBatch, columns: Columns) -> None:
        super().__init__(batch, columns)
        unknown = float("nan")
        self.output = batch.y_test.new_full((len(batch), len(batch.y_test)), unknown)
        self.weights_end = []  # unused without an arm with a final kernel
        if any(ARMS[name].weights == "final" for name in batch.experiment.arms):
            self.weights_end = [w.new_full((len(batch), *w.shape[1:]), unknown) for w in batch.initial]

    @classmethod
    def serves(cls, experiment: Experiment) -> bool:
        """See `Observer`."""
        return len(experiment.arms) > 1

    def end(self, ending: Ending) -> None:
        """Keep what the networks are compared with, and what final kernels are made of."""
        self.output[ending.members] = ending.test_output
        if self.weights_end:
            for end, weights in zip(self.weights_end, ending.weights, strict=True):
                end[ending.members] = weights

    def finish(self, result: Result) -> None:
        """Train the arms."""
        from simulate.measure.arms import TrainedArm, distance, train_arm

        network = TrainedArm(self.output, result.time_end, result.status)
        for position, name in enumerate(self.batch.experiment.arms):
            arm = network if name == "network" else train_arm(self.batch, name, self.weights_end)
            index = (..., position)
            self.columns.put("arm_time_end", index, arm.time_end)
            self.columns.put("arm_distance", index, distance(arm.output, self.output))
            self.columns.put("arm_status", index, arm.status)
            if name != "network":
                self.columns.put("test_error", index, error_fraction(arm.output, self.batch.y_test))
