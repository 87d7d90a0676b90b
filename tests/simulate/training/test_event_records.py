"""Events of one step are recorded if they come before the end."""

import numpy as np
import pytest
import torch
from exact_steps import Level
from test_accepted_step import step_of

from simulate.training.event_records import record_events


def recorded(events, passed):
    step = step_of("line")
    low, high = (torch.stack([e.value_from_output(output) for e in events], dim=-1) for output in step.outputs)
    return record_events(events, step, low, high, np.array(passed))


def test_what_comes_before_the_end_is_recorded_and_what_comes_after_is_not():
    early, late, stop = Level(0.2), Level(0.9), Level(0.5, terminal=True)
    ended, moment = recorded([early, late, stop], [[True, True, True], [True, True, True]])
    assert ended.tolist() == [0, 1]
    assert moment.time.tolist() == pytest.approx([10.5, 11.0])
    assert early.times == pytest.approx({0: 10.2, 1: 10.4})
    assert late.times == {}


def test_without_a_terminal_event_nobody_ends():
    event, stop = Level(0.5), Level(5.0, terminal=True)
    ended, moment = recorded([event, stop], [[True, False], [False, False]])
    assert ended.tolist() == []
    assert moment is None
    assert event.times == pytest.approx({0: 10.5})
