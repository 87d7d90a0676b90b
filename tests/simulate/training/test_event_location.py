"""Where on a step an event function passes zero: known exactly where F is a straight line in time."""

import pytest
from exact_steps import Level
from test_accepted_step import step_of

from simulate.training.event_location import Passing, locate


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_an_event_is_placed_where_the_output_has_its_level(level):
    event, step = Level(level), step_of("line")
    low, high = (event.value_from_output(output) for output in step.outputs)
    shares, moment = locate([Passing(event, slice(0, 2))], step, low, high)
    assert shares.tolist() == pytest.approx([level, level / 2], abs=1e-9)
    assert ((event.value(moment) >= 0.0) & (event.value(moment) <= event.tolerance)).all()


def test_a_step_without_dense_output_has_its_events_at_its_end():
    event, step = Level(0.1), step_of("jump")
    low, high = (event.value_from_output(output) for output in step.outputs)
    shares, moment = locate([Passing(event, slice(0, 2))], step, low, high)
    assert shares.tolist() == [1.0, 1.0]
    assert moment.time.tolist() == [11.0, 14.0]


class Cube(Level):
    """The same level of F³, which no prediction from outputs in a straight line knows."""

    value_from_output = None

    def value(self, moment):
        return moment.output[..., 0] ** 3 - self.level


def test_an_event_function_of_more_than_outputs_is_located_too():
    event, step = Cube(0.5), step_of("line")
    start, end = step.outputs
    shares, _ = locate([Passing(event, slice(0, 2))], step, start[:, 0] ** 3 - 0.5, end[:, 0] ** 3 - 0.5)
    assert shares.tolist() == pytest.approx([0.5 ** (1 / 3), 0.5 ** (1 / 3) / 2], abs=1e-8)
