"""A recording transcribed once more: as a job, in part, after a kill, and what stays of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.core.errors import ImportFailed, ModelMissing
from app.core.job import JobStatus
from app.core.recording import RecordingStatus
from app.core.transcript import Segment
from app.library.revise import RevisionKind
from app.library.search import ListQuery
from app.pipeline.retake import (
    Part,
    PartFeed,
    end_retake,
    part_around,
    part_of_job,
    whole_text,
)
from tests.pipeline.test_queue import ALL, Bench

RATE = 16_000
SPEECH = Path(__file__).parents[1] / "data" / "speech" / "en-02.flac"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "home")
    yield bench
    bench.close()


@pytest.fixture
def recording_id(bench: Bench, tmp_path: Path) -> str:
    """Return a recording that is transcribed and was edited."""
    file = tmp_path / "talk.wav"
    file.write_bytes(b"talk")
    (job_id,) = bench.add(file)
    bench.run_to_end()
    name = bench.recording_id(job_id)
    edited = [Segment(0.0, 1.5, "edited")]
    bench.writer.splice_segments(name, 0, 1, edited).result(10)
    return name


def test_the_new_text_grows_beside_the_old_one(bench: Bench, recording_id: str) -> None:
    before = bench.reader.transcript(recording_id)
    job = bench.queue.retake(recording_id, "scripted", "en")
    bench.run_to_end()
    assert bench.reader.transcript(recording_id) == before
    (again,) = bench.reader.reruns_of(recording_id)
    assert (again.status, again.model_id) == (RecordingStatus.DONE, "scripted")
    assert bench.texts(again.recording_id) == ALL
    assert bench.reader.ids(ListQuery()) == [recording_id]
    assert bench.reader.search(ListQuery("window"))[0].recording.recording_id == recording_id
    assert bench.status(job.job_id) is JobStatus.DONE
    assert bench.reader.job_of(again.recording_id) == bench.reader.job(job.job_id)

    new = whole_text(before.segments, bench.reader.transcript(again.recording_id).segments, None)
    kept = bench.writer.settle_rerun(again.recording_id, new).result(10)
    assert kept is not None
    assert (kept.kind, kept.model_id, kept.language) == (RevisionKind.RERUN, "scripted", "en")
    assert bench.reader.revision_segments(kept.revision_id) == new
    assert bench.reader.reruns_of(recording_id) == []
    assert bench.reader.job_of(again.recording_id) is None
    kinds = [each.kind for each in bench.reader.revisions(recording_id)]
    assert kinds == [RevisionKind.RERUN, RevisionKind.RAW]


def test_the_first_text_is_kept_even_when_a_new_one_came_first(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(b"talk")
    (job_id,) = bench.add(file)
    bench.run_to_end()
    name = bench.recording_id(job_id)
    raw = bench.reader.transcript(name).segments
    bench.queue.retake(name, "scripted", "auto")
    bench.run_to_end()
    (again,) = bench.reader.reruns_of(name)
    bench.writer.settle_rerun(again.recording_id, raw).result(10)
    bench.writer.splice_segments(name, 0, None).result(10)
    revisions = bench.reader.revisions(name)
    assert [each.kind for each in revisions] == [RevisionKind.RAW, RevisionKind.RERUN]
    assert bench.reader.revision_segments(revisions[0].revision_id) == raw


def test_a_part_goes_first_and_counts_its_own_length(
    bench: Bench, recording_id: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(b"other")
    waits = tmp_path / "waits.wav"
    waits.write_bytes(b"waits")
    first, second = bench.add(other, waits)
    bench.step_until(lambda: bench.status(first) is JobStatus.RUNNING)
    job = bench.queue.retake(recording_id, "scripted", "auto", Part(4.0, 6.0))
    assert (job.from_s, job.fraction, job.rest_s) == (4.0, 0.0, 2.0)
    bench.step_until(lambda: bench.status(job.job_id).is_over)
    assert bench.status(second) is not JobStatus.DONE
    kept = bench.reader.job(job.job_id)
    assert kept is not None
    assert part_of_job(kept) == Part(4.0, 6.0)
    (again,) = bench.reader.reruns_of(recording_id)
    assert again.duration_s == 2.0
    bench.run_to_end()


def test_a_cancelled_one_leaves_nothing(bench: Bench, recording_id: str) -> None:
    job = bench.queue.retake(recording_id, "scripted", "auto")
    bench.step_until(lambda: any(each.done_s >= 2.0 for each in bench.queue.jobs[-1:]))
    bench.queue.cancel(job.job_id)
    bench.step_until(lambda: not bench.reader.reruns_of(recording_id))
    assert bench.texts(recording_id)[0] == "edited"
    assert bench.reader.job(job.job_id) is None
    assert job.job_id not in {each.job_id for each in bench.queue.jobs}


def test_a_recording_that_is_gone_is_said_in_a_sentence(bench: Bench, recording_id: str) -> None:
    bench.queue.remove([recording_id]).result(10)
    with pytest.raises(ImportFailed, match="This recording is not in the library any more"):
        bench.queue.retake(recording_id, "scripted", "auto")


def test_it_goes_with_its_recording(bench: Bench, recording_id: str) -> None:
    job = bench.queue.retake(recording_id, "scripted", "auto")
    bench.step_until(lambda: any(each.done_s >= 2.0 for each in bench.queue.jobs[-1:]))
    bench.queue.remove([recording_id]).result(10)
    bench.step_until(lambda: bench.reader.job(job.job_id) is None)
    assert bench.reader.reruns_of(recording_id) == []


def test_a_killed_one_goes_on_at_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(b"talk")
    first = Bench(tmp_path / "home")
    (job_id,) = first.add(file)
    first.run_to_end()
    name = first.recording_id(job_id)
    job = first.queue.retake(name, "scripted", "auto")
    first.step_until(lambda: any(each.done_s >= 2.0 for each in first.queue.jobs[-1:]))
    first.close()  # leaves the job as a kill does: unfinished, its owner gone
    second = Bench(tmp_path / "home")
    try:
        assert second.queue.resume_interrupted().result(10) == 1
        second.run_to_end()
        (again,) = second.reader.reruns_of(name)
        assert second.texts(again.recording_id) == ALL
        second.queue.cancel(job.job_id)  # over: it takes no commands
        assert second.reader.reruns_of(name) == [again]
    finally:
        second.close()


def test_what_cannot_be_done_is_said_at_once(
    bench: Bench, recording_id: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelMissing):
        bench.queue.retake(recording_id, "not-here", "auto")
    (tmp_path / "talk.wav").unlink()
    with pytest.raises(ImportFailed, match="is no longer where it was"):
        bench.queue.retake(recording_id, "scripted", "auto")
    with pytest.raises(ImportFailed, match="not in the library"):
        bench.queue.retake("gone", "scripted", "auto")
    assert bench.reader.reruns_of(recording_id) == []


def test_a_part_of_a_file_is_heard_at_its_place(tmp_path: Path) -> None:
    speech, rate = soundfile.read(SPEECH, dtype="float32")
    assert rate == RATE
    quiet = np.zeros(RATE * 3, np.float32)
    sound = np.concatenate([speech, quiet, speech, quiet, speech])
    file = tmp_path / "three.wav"
    soundfile.write(file, sound, RATE)
    begin_s = (len(speech) + len(quiet)) / RATE
    part = Part(begin_s - 0.5, begin_s + len(speech) / RATE + 0.5)
    feed = PartFeed(file, 28.0, part)
    windows = list(feed)
    feed.close()
    assert windows
    assert feed.heard_s == pytest.approx(part.until_s, abs=0.01)
    for window in windows:
        assert part.from_s <= window.start_s < window.end_s <= part.until_s + 0.01
        assert all(
            part.from_s <= each.start_s < each.end_s <= part.until_s for each in window.speech
        )
        first = round(window.start_s * RATE)
        assert np.abs(window.audio - sound[first : first + len(window.audio)]).max() < 1e-3


def test_a_part_takes_what_room_its_neighbours_leave() -> None:
    segments = (Segment(0, 5, "a"), Segment(5.1, 8, "b"), Segment(9, 10, "c"))
    assert part_around(segments, 1, 1) == Part(5.0, 8.3)
    assert part_around(segments, 0, 3) == Part(0.0, 10.3)
    assert part_around(segments, 3, 1) is None
    assert part_around((Segment(1, 1, "x"),), 0, 1) == Part(0.7, 1.3)


@pytest.mark.parametrize("part", [None, Part(4.0, 6.0)], ids=["whole", "part"])
def test_what_was_corrected_meanwhile_is_kept_when_the_new_text_is_used(
    bench: Bench, tmp_path: Path, part: Part | None
) -> None:
    file = tmp_path / "other.wav"
    file.write_bytes(b"other")
    (job_id,) = bench.add(file)
    bench.run_to_end()
    name = bench.recording_id(job_id)
    job = bench.queue.retake(name, "scripted", "en", part)
    corrected = [Segment(0.0, 1.5, "an hour of corrections")]
    bench.writer.splice_segments(name, 0, 1, corrected).result(10)  # while the job runs
    bench.run_to_end()
    before = bench.reader.transcript(name).segments
    end_retake(bench.writer, bench.reader, bench.reader.job(job.job_id) or job, is_used=True)
    kept = [
        (each.kind, bench.reader.revision_segments(each.revision_id)[0].text)
        for each in bench.reader.revisions(name)
    ]
    first = "window 0" if part is None else "an hour of corrections"
    assert kept == [
        (RevisionKind.RERUN, first),
        (RevisionKind.EDITED, "an hour of corrections"),
        (RevisionKind.RAW, "window 0"),
    ]
    edited = bench.reader.revisions(name)[1]
    assert bench.reader.revision_segments(edited.revision_id) == before
    assert bench.texts(name)[0] == first
    assert bench.reader.reruns_of(name) == []


def test_of_a_recording_removed_meanwhile_nothing_is_said_to_be_kept(
    bench: Bench, recording_id: str
) -> None:
    job = bench.queue.retake(recording_id, "scripted", "en")
    bench.run_to_end()
    bench.writer.remove([recording_id]).result(10)
    for is_used in (True, False):
        with pytest.raises(ImportFailed, match="not in the library any more"):
            end_retake(bench.writer, bench.reader, job, is_used=is_used)
