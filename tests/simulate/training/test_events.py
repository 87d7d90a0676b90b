"""Events on the way: where they are placed, in which order, and which of them have not happened."""

import pytest
import torch
from exact_steps import Level, UnitSpeed, UnitSteps, unit_problem

from simulate.training.driver import integrate
from simulate.training.events import EventWatch
from simulate.training.moment import Moment
from simulate.training.status import Status


def run(*events, speed=(1.0,), max_steps=10, **options):
    """F = speed · t in steps of one; times and members of the ends."""
    flow, coefficients = unit_problem(len(speed))
    ends = []
    result = integrate(
        flow, coefficients, events, ends.append,
        stepper=UnitSpeed(speed), controller=UnitSteps(), max_steps=max_steps, **options,
    )  # fmt: skip
    return result, ends


def test_events_are_placed_at_the_times_that_the_solution_gives():
    early, late = Level(0.25), Level(3.5)
    result, _ = run(early, late, Level(5.125, terminal=True))
    # within the tolerance of 1e-9 above the level, at unit speed
    assert early.times == {0: pytest.approx(0.25, abs=1e-9)}
    assert late.times == {0: pytest.approx(3.5, abs=1e-9)}
    assert result.time_end.tolist() == [pytest.approx(5.125, abs=1e-9)]
    assert result.steps.tolist() == [6]
    assert result.status.tolist() == [Status.CONVERGED]


def test_an_event_after_the_stop_within_the_same_step_has_not_happened():
    before, after = Level(2.25), Level(2.75)
    run(before, after, Level(2.5, terminal=True))
    assert set(before.times) == {0}
    assert after.times == {}


@pytest.mark.parametrize("first", [True, False])
def test_the_terminal_event_is_the_last_whatever_its_place_in_the_list(first):
    level, stop = Level(2.75), Level(2.5, terminal=True)
    result, (end,) = run(*((stop, level) if first else (level, stop)))
    assert level.times == {}
    assert end.time.tolist() == [pytest.approx(2.5, abs=1e-9)]
    assert result.time_end.tolist() == end.time.tolist()
    assert end.output.tolist() == [[pytest.approx(2.5, abs=1e-9)]]


def test_an_event_at_the_moment_of_the_stop_has_happened():
    level = Level(2.5)
    run(level, Level(2.5, terminal=True))
    assert set(level.times) == {0}


def test_each_member_has_its_own_events_at_its_own_times():
    level = Level(1.5)
    result, _ = run(level, Level(3.0, terminal=True), speed=(1.0, 0.5, 4.0))
    assert {m: pytest.approx(t, abs=1e-8) for m, t in level.times.items()} == {0: 1.5, 1: 3.0, 2: 0.375}
    assert result.time_end.tolist() == pytest.approx([3.0, 6.0, 0.75], abs=1e-8)


def test_a_member_whose_steps_end_is_no_event():
    level = Level(100.0)
    result, (end,) = run(level, max_steps=3)
    assert result.status.tolist() == [Status.MAX_STEPS]
    assert end.time.tolist() == [3.0]
    assert level.times == {}


def test_rejected_members_pass_nothing_and_keep_their_values():
    flow, coefficients = unit_problem(2)
    level = Level(0.5)
    start = Moment(flow, torch.arange(2), torch.zeros(2), coefficients)
    watch = EventWatch.start([level], start)
    arrival = Moment(flow, torch.arange(2), torch.ones(2), [coefficients[0] + 1.0])
    after, passed = watch.advance(arrival, torch.tensor([True, False]))
    assert passed.tolist() == [[True], [False]]
    assert after.values.tolist() == [[0.5], [-0.5]]
    assert after.pending.tolist() == [[False], [True]]
    assert watch.pending.tolist() == [[True], [True]]  # itself unchanged
