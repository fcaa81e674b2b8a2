import pickle
import time

import pytest

from app.core import errors
from app.core.errors import AppError, DecodeFailed, Phrase
from app.core.ids import new_id
from app.core.job import Job, JobStatus
from app.core.language import CODES, language_name
from app.core.packing import SAMPLE_RATE, Window
from app.core.transcript import Segment, Transcript, Word


def test_an_error_is_one_sentence_with_a_way_out_and_survives_pickling() -> None:
    error = DecodeFailed("“{name}” is empty.", "Choose another file than {name}.", name="a.wav")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is DecodeFailed
    assert str(copy) == "“a.wav” is empty."
    assert str(copy.hint) == "Choose another file than a.wav."
    assert copy.message == Phrase("“{name}” is empty.", {"name": "a.wav"})


def test_braces_in_an_argument_are_not_placeholders() -> None:
    assert str(AppError("“{name}” failed.", name="{0} {evil}")) == "“{0} {evil}” failed."


def test_every_error_is_drawn_in_the_tree_at_the_top_of_its_module() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, AppError)]

    assert len(kinds) > 15
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")


def test_ids_are_unique_and_ordered_by_time() -> None:
    first = new_id()
    deadline = time.time_ns() // 1_000_000 + 1
    while time.time_ns() // 1_000_000 <= deadline:
        pass
    ids = [first, *(new_id() for _ in range(1000))]

    assert len(set(ids)) == 1001
    assert all(first < later for later in ids[1:])
    assert first[14] == "7"
    assert first[19] in "89ab"


@pytest.mark.parametrize(
    ("status", "is_over"),
    [(JobStatus.QUEUED, False), (JobStatus.PAUSED, False), (JobStatus.FAILED, True)],
)
def test_a_job_knows_whether_it_is_over(status: JobStatus, is_over: bool) -> None:
    assert status.is_over is is_over


def test_a_jobs_fraction_needs_a_length_and_never_passes_one() -> None:
    job = Job("j", "r", "title", "nano", "auto")

    assert job.fraction is None
    assert Job("j", "r", "t", "nano", "auto", done_s=5, total_s=10).fraction == 0.5
    assert Job("j", "r", "t", "nano", "auto", done_s=12, total_s=10).fraction == 1.0
    assert Job("j", "r", "t", "nano", "auto", status=JobStatus.DONE).fraction == 1.0


def test_a_shifted_segment_takes_its_words_along() -> None:
    segment = Segment(1.0, 2.0, "one", (Word("one", 1.1, 1.9, 0.9),))

    moved = segment.shifted(10.0)

    assert (moved.start_s, moved.end_s) == (11.0, 12.0)
    assert (moved.words[0].start_s, moved.words[0].end_s) == (11.1, 11.9)
    assert segment.start_s == 1.0


def test_a_transcript_joins_its_segments() -> None:
    transcript = Transcript((Segment(0, 1, "one"), Segment(1, 3, "two")))

    assert transcript.text == "one\ntwo"
    assert transcript.duration_s == 3
    assert Transcript().duration_s == 0.0


def test_languages_have_codes_and_names() -> None:
    assert CODES[:4] == ("en", "zh", "de", "es")
    assert len(CODES) == 100
    assert language_name("de") == "German"
    assert language_name("xx") == "xx"


def test_a_window_ends_where_its_sound_ends() -> None:
    import numpy as np

    assert Window(0, 3.0, np.zeros(SAMPLE_RATE * 2, np.float32), ()).end_s == 5.0
