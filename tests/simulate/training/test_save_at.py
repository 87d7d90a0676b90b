"""What is recorded at times fixed beforehand: each once, at its time, and nothing after the stop."""

import torch
from exact_steps import Level, UnitSpeed, UnitSteps, unit_problem

from simulate.training.driver import integrate
from simulate.training.save_at import SaveAt


def recorded(times, speed=(1.0,), stop=5.25):
    """(member, row) -> (time, F) of what is recorded of F = speed · t, in steps of one, until F = stop."""
    flow, coefficients = unit_problem(len(speed))
    seen = {}

    def record(moment, rows):
        rows, members = rows.tolist(), moment.members.tolist()
        for member, row, time, output in zip(
            members, rows, moment.time.tolist(), moment.output[:, 0].tolist(), strict=True
        ):
            assert (member, row) not in seen
            seen[member, row] = time, output

    save_at = SaveAt(torch.as_tensor(times, dtype=torch.float64), record)
    integrate(
        flow, coefficients, [Level(stop, terminal=True)], lambda _: None,
        stepper=UnitSpeed(speed), controller=UnitSteps(), max_steps=20, save_at=save_at,
    )  # fmt: skip
    return seen


def test_several_checkpoints_of_one_step_are_recorded_at_their_own_times():
    seen = recorded([[0.25, 0.5, 0.75, 2.5]])
    assert {key: time for key, (time, _) in seen.items()} == {(0, 0): 0.25, (0, 1): 0.5, (0, 2): 0.75, (0, 3): 2.5}
    assert all(abs(output - time) < 1e-14 for time, output in seen.values())


def test_a_checkpoint_after_the_stop_is_not_recorded_even_if_the_step_goes_beyond_it():
    seen = recorded([[5.125, 5.5, 7.0]])  # the step that stops at 5.25 goes to 6
    assert set(seen) == {(0, 0)}


def test_members_pass_their_own_rows_of_times():
    seen = recorded([[1.5, 4.0], [2.5, 8.0]], speed=(1.0, 0.5))
    assert {key: time for key, (time, _) in seen.items()} == {(0, 0): 1.5, (0, 1): 4.0, (1, 0): 2.5, (1, 1): 8.0}
    assert seen[1, 1][1] == 4.0
