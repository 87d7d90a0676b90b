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

_AT = ("checkpoint",)


class Checkpoints(Observer):
    """Members at their checkpoints: NaN where a member did not get so far."""

    variables = {
        "time": Variable("time of the checkpoint; NaN, as all that is stored there, after training stopped", _AT),
        "loss": Variable("mean of l(F·y) over training points (without 1/alpha^2)", _AT),
        "output_rms": Variable("rms over test points of F", _AT),
        "kernel_change_t": Variable("||Theta_t - Theta_0||_F / ||Theta_0||_F on n_kernel held-out points", _AT),
        "preactivation_velocity": Variable(
            "rms over training points and neurons of dz/dt, z what W_l puts out", (*_AT, "layer")
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
        where = (members, rows)
        self.columns.put("time", where, moment.time)
        self.columns.put("loss", where, flow.mean_loss(moment.output))
        self.columns.put("output_rms", where, held_out.output_rms(members, moment.weights))
        self.columns.put("kernel_change_t", where, held_out.kernel_change(members, moment.weights)[0])
        self.columns.put("preactivation_velocity", where, velocity)
