"""Each way to end has a sentence, and its number is that of the stores."""

from simulate.training.status import Status


def test_numbers_of_stores_written_so_far():
    assert {status.name: int(status) for status in Status} == {
        "PENDING": 0, "CONVERGED": 1, "MAX_STEPS": 2, "STALLED": 3, "DIVERGED": 4, "OUT_OF_MEMORY": 5, "TIME_LIMIT": 6,
    }  # fmt: skip


def test_every_status_can_be_said():
    sentences = {status.sentence for status in Status}
    assert len(sentences) == len(Status)
