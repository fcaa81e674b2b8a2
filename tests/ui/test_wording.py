"""How lengths, days and states are said."""

from datetime import date

import pytest

from app.core.job import JobStage, JobStatus
from app.core.recording import RecordingStatus
from app.ui import wording
from tests.helpers.ui_fakes import job, recording, running

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (TODAY, "Today"),
        (date(2026, 11, 19), "Yesterday"),
        (date(2026, 11, 18), "Wednesday"),
        (date(2026, 11, 13), "13 November 2026"),
        (date(2026, 11, 21), "21 November 2026"),
    ],
)
def test_days(day: date, said: str) -> None:
    assert wording.day_label(day, TODAY) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "a few seconds left"),
        (31, "about 30 s left"),
        (61, "about 1 min left"),
        (1500, "about 25 min left"),
        (7500, "about 2:05 h left"),
    ],
)
def test_time_left(seconds: float, said: str) -> None:
    assert wording.time_left(seconds) == said


def test_a_running_job_says_how_far_it_is() -> None:
    assert wording.job_progress(running(1, done_s=120.0), 61) == (
        "Transcribing · 20 % · about 1 min left"
    )


def test_a_loading_job_says_so() -> None:
    loading = job(1, status=JobStatus.RUNNING, stage=JobStage.LOADING_MODEL)
    assert wording.job_progress(loading) == "Loading the model"


@pytest.mark.parametrize("status", list(RecordingStatus))
def test_every_state_of_a_recording_has_words(status: RecordingStatus) -> None:
    said = wording.recording_state(recording(1, status=status))
    assert bool(said) is (status is not RecordingStatus.DONE)


@pytest.mark.parametrize("status", list(JobStatus))
def test_every_state_of_a_job_has_words(status: JobStatus) -> None:
    assert wording.job_state(job(1, status=status))


def test_a_failed_row_is_read_out_with_its_reason() -> None:
    failed = recording(1, status=RecordingStatus.FAILED, error="It broke.")
    assert wording.spoken_row(failed, None).endswith("Failed, It broke.")
