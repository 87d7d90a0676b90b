"""Observers: each declares variables of the store, and fills their columns while a batch of networks is trained.

To add a variable: a line in ``variables`` of the observer that knows its value, and the line that puts it. To add an
observer: a file in `simulate.measure.observers`; it is found by lying there.

Readers of stores import observers for what they declare, and readers do not wait for torch: an observer uses the
methods of the tensors that it is given, and imports what needs torch (`simulate.measure.tangent`,
`simulate.measure.arms`) where it is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.campaign.experiment import Experiment
    from simulate.measure.columns import Columns
    from simulate.measure.network_batch import NetworkBatch
    from simulate.networks.linearisation import Weights
    from simulate.training.driver import Result
    from simulate.training.moment import Moment

OBSERVERS: list[type[Observer]] = []  #: all that declare variables


@dataclass
class Ending:
    """Members at the moment at which their training ended, however it did.

    ``members`` (m,) are positions in the batch; ``output`` (m, n_train) is F on the training set, ``test_output``
    (m, n_test) on the test points.
    """

    members: Tensor
    weights: Weights
    output: Tensor
    test_output: Tensor


class Observer:
    """Looks at a batch of networks and fills columns of the store."""

    variables: ClassVar[Mapping[str, Variable]] = {}
    #: whether only some experiments have these variables: those that `serves` says
    optional: ClassVar[bool] = False
    #: whether `finish` looks at all networks at once, so that no more are trained than memory holds
    looks_at_all: ClassVar[bool] = False

    def __init__(self, batch: NetworkBatch, columns: Columns) -> None:
        self.batch = batch
        self.columns = columns

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.variables:
            OBSERVERS.append(cls)

    @classmethod
    def serves(cls, experiment: Experiment) -> bool:
        """Whether the experiment asks for these variables."""
        return True

    def start(self) -> None:
        """Look at the networks before they are trained."""

    def end(self, ending: Ending) -> None:
        """Look at members at the moment at which they finished, whatever their status."""

    def finish(self, result: Result) -> None:
        """Look at all members once none is in flight."""


class EventObserver(Observer, ABC):
    """An observer of something that happens once on a member's way (`simulate.training.events.Event`).

    ``tolerance`` is how far above zero ``value`` may be where the event is placed.
    """

    tolerance: float
    terminal: bool = False

    @classmethod
    def happens(cls, experiment: Experiment) -> bool:
        """Whether the event has a meaning for the experiment's dynamics."""
        return True

    @property
    def value_from_output(self) -> Callable[[Tensor], Tensor] | None:
        """What ``value`` makes of F on the training set (..., m, n_train), where it looks at nothing else."""
        return None

    @abstractmethod
    def value(self, moment: Moment) -> Tensor:
        """Return the event function of these members, shape (m,): it reaches zero from below."""

    @abstractmethod
    def record(self, moment: Moment) -> None:
        """Take note of members at their event."""
