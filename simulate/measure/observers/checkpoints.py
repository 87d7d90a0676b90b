"""What is looked at on the way, at times fixed beforehand (`simulate.training.save_at`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.campaign.checkpoints import scaled_times
from simulate.measure.observer import Observer
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.campaign.experiment import Experiment
    from simulate.training.moment import Moment

_DIMS = ("checkpoint",)


class Checkpoints(Observer):
    """Members at their checkpoints: NaN where a member did not get so far."""

    variables = {
        "time": Variable("time of the checkpoint; NaN, as all that is stored there, after training stopped", _DIMS),
        "loss": Variable("mean of l(F·y) over training points (without 1/alpha^2)", _DIMS),
        "output_rms": Variable("rms over test points of F", _DIMS),
        "kernel_change_t": Variable("||Theta_t - Theta_0||_F / ||Theta_0||_F on n_kernel held-out points", _DIMS),
        "preactivation_velocity": Variable(
            "rms over training points and neurons of dz/dt, z what W_l puts out", (*_DIMS, "layer")
        ),
    }
    optional = True

    @classmethod
    def serves(cls, experiment: Experiment) -> bool:
        """See `Observer`."""
        return experiment.checkpoints is not None

    @property
    def times(self) -> Tensor:
        """The checkpoints of every member in article time, (members, checkpoints), float64."""
        clock = self.batch.root_h_alpha.double().clamp(max=1.0).unsqueeze(-1)
        return clock * clock.new_tensor(scaled_times(self.batch.experiment.checkpoints))

    def record(self, moment: Moment, rows: Tensor) -> None:
        """Keep what members show at their checkpoints ``rows`` (m,)."""
        members, held_out = moment.members, self.batch.held_out
        flow = self.batch.flow.select(members)
        point = flow(moment.weights)
        rates = point.weight_velocity()
        velocity = flow.network.preactivation_velocity(moment.weights, rates, flow.inputs)
        index = (members, rows)
        self.columns.put("time", index, moment.time)
        self.columns.put("loss", index, flow.mean_loss(moment.output))
        self.columns.put("output_rms", index, held_out.output_rms(members, moment.weights))
        self.columns.put("kernel_change_t", index, held_out.kernel_change(members, moment.weights)[0])
        self.columns.put("preactivation_velocity", index, velocity)
