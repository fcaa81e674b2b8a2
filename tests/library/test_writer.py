import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.core.errors import DiskFull, LibraryError
from app.core.events import LibraryChanged
from app.core.job import JobStage, JobStatus
from app.core.recording import RecordingStatus
from app.core.transcript import Segment, Transcript, Word
from app.library.connection import open_readonly, open_writable
from app.library.lock import LibraryLock, Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from app.library.writer_thread import ELSEWHERE
from tests.library.builders import Library, make_job, make_recording, make_segment

WAIT = 30


def start_job(library: Library) -> None:
    library.writer.add_recording(make_recording(), make_job(), "print").result(WAIT)


def test_a_recording_comes_back_as_it_went_in(library: Library) -> None:
    recording = make_recording(
        title="Ünïcode 🎉 \x00",
        status=RecordingStatus.FAILED,
        duration_s=3.25,
        audio_path=Path("/a/b c/ü.wav"),
        is_copy=True,
        language="de",
        model_id="m",
        error="e",
        hint="h",
        first_line="f",
    )
    library.writer.add_recording(recording, fingerprint="print").result(WAIT)
    assert library.reader.recording("r1") == recording
    assert library.reader.find_fingerprint("print") == recording
    assert library.reader.find_fingerprint("other") is None
    assert library.reader.recording("r2") is None


def test_odd_names_are_kept_or_scrubbed(library: Library) -> None:
    path = Path("/odd/na\udcffme.wav")  # a file name that is no UTF-8
    library.writer.add_recording(make_recording(title="a\ud800b", audio_path=path)).result(WAIT)
    found = library.reader.recording("r1")
    assert found is not None
    assert found.audio_path == path
    assert found.title == "a?b"


def test_segments_and_words_come_back_exactly(library: Library) -> None:
    start_job(library)
    segments = (
        Segment(0.1, 1 / 3, "Hello “world”", (Word("Hello", 0.1, 0.2, 1 / 7),), 0.123456789, "Ann"),
        Segment(1.0, 2.0, "no words"),
        Segment(2.0, 2.5, ""),
    )
    assert library.writer.append_segments("j1", "r1", segments, 2.5, "en").result(WAIT)
    assert library.reader.transcript("r1") == Transcript(segments, "en", None)
    assert library.reader.segments("r1", 1, 1) == segments[1:2]
    assert library.reader.segment_count("r1") == 3
    job = library.reader.job("j1")
    assert job is not None
    assert job.done_s == 2.5
    found = library.reader.recording("r1")
    assert found is not None
    assert found.first_line == "Hello “world”"
    assert found.language == "en"


def test_appending_again_changes_nothing(library: Library) -> None:
    start_job(library)
    first, second = make_segment("one"), make_segment("two", 5.0)
    append = library.writer.append_segments
    assert append("j1", "r1", [first], 5.0).result(WAIT)
    assert not append("j1", "r1", [first], 5.0).result(WAIT)
    assert not append("j1", "r1", [second], 4.0).result(WAIT)
    assert append("j1", "r1", [second], 10.0).result(WAIT)
    assert append("j1", "r1", [], 12.0).result(WAIT)  # silence
    assert not append("j1", "r1", [first], 20.0, None, 15.0).result(WAIT)  # 12 to 15 is not kept
    assert not append("gone", "r1", [first], 20.0).result(WAIT)
    assert not append("j1", "gone", [first], 20.0).result(WAIT)
    assert library.reader.transcript("r1").segments == (first, second)
    with pytest.raises(ValueError, match="time"):
        append("j1", "r1", [], float("nan")).result(WAIT)


def test_saving_a_job_never_moves_what_is_done(library: Library) -> None:
    start_job(library)
    library.writer.append_segments("j1", "r1", [make_segment("one")], 5.0).result(WAIT)
    stale = make_job(status=JobStatus.RUNNING, stage=JobStage.TRANSCRIBING, total_s=60.0, done_s=0)
    library.writer.save_job(stale).result(WAIT)
    (job,) = library.reader.jobs()
    assert (job.done_s, job.status, job.stage, job.total_s) == (
        5.0, JobStatus.RUNNING, JobStage.TRANSCRIBING, 60.0,
    )  # fmt: skip


def test_a_retry_begins_anew(library: Library) -> None:
    start_job(library)
    library.writer.append_segments("j1", "r1", [make_segment("old")], 5.0, "en").result(WAIT)
    assert library.writer.replace_transcript("r1").result(WAIT)
    assert library.reader.transcript("r1") == Transcript()
    assert library.writer.append_segments("j1", "r1", [make_segment("new")], 4.0).result(WAIT)
    assert library.reader.transcript("r1").text == "new"
    assert not library.writer.replace_transcript("gone").result(WAIT)


def test_jobs_are_claimed_by_the_living(library: Library, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    start_job(library)
    with Owner.take(paths) as other, Owner.take(paths) as mine:
        claim = library.writer.claim_job
        assert claim("j1", other).result(WAIT) == make_job()
        assert claim("j1", mine).result(WAIT) is None
        assert claim("j1", other).result(WAIT) == make_job()
        library.writer.release_owned(other).result(WAIT)
        assert claim("j1", mine).result(WAIT) == make_job()
        library.writer.save_job(make_job(), owner=other).result(WAIT)
        assert claim("j1", mine).result(WAIT) is None
        other.release()  # it died
        assert claim("j1", mine).result(WAIT) == make_job()
        library.writer.save_job(make_job(status=JobStatus.DONE)).result(WAIT)
        assert claim("j1", mine).result(WAIT) is None
        assert claim("gone", mine).result(WAIT) is None
    assert library.reader.unfinished_jobs() == []


def test_a_job_that_is_over_is_taken_up_by_one_only(library: Library, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    start_job(library)
    failed = make_job(status=JobStatus.FAILED, error="It failed.", hint="Try again.")
    library.writer.save_job(failed).result(WAIT)
    with Owner.take(paths) as other, Owner.take(paths) as mine:
        claim = library.writer.claim_job
        assert claim("j1", other, may_be_over=True).result(WAIT) == make_job()
        assert claim("j1", mine, may_be_over=True).result(WAIT) is None
    assert library.reader.unfinished_jobs() == [make_job()]


def test_removing_a_recording_takes_everything_and_names_the_copy(library: Library) -> None:
    copy = Path("/copies/r1.wav")
    library.add("r1", "x", "hello", audio_path=copy, is_copy=True)
    library.add("r2", "x", "hello", audio_path=Path("/mine.wav"))
    library.writer.save_job(make_job()).result(WAIT)
    assert library.writer.remove(["r1", "r2", "gone"]).result(WAIT) == [copy]
    assert library.reader.recordings() == []
    assert library.reader.jobs() == []
    assert library.reader.segment_count("r1") == 0
    library.writer.save_job(make_job()).result(WAIT)  # late news of a job whose recording went
    assert library.reader.jobs() == []


def test_removed_words_are_nowhere_in_the_folder(library: Library) -> None:
    for number in range(20):
        library.add(f"r{number}", "neutral", f"neutral filler {number}")
    library.add("secret", "canarytitle", "canarybody said once", audio_path=Path("/canarypath"))
    library.add("redone", "neutral", "canaryretry")
    folder = library.file.parent

    def holds_canary() -> bool:
        return any(b"canary" in file.read_bytes() for file in folder.iterdir())

    assert holds_canary()
    library.writer.remove(["secret"]).result(WAIT)
    library.writer.replace_transcript("redone", [make_segment("neutral")]).result(WAIT)
    assert not holds_canary()


def test_traces_a_reader_kept_are_wiped_when_it_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "library.sqlite"
    with LibraryWriter(file, lambda _: None, watch_s=0.02) as writer:
        writer.add_recording(make_recording(title="canary")).result(WAIT)
        reading = open_readonly(file).connection
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM recordings").fetchall()
        writer.remove(["r1"]).result(WAIT)
        assert not writer.checkpoint().result(WAIT)
        reading.close()
    assert b"canary" not in b"".join(path.read_bytes() for path in file.parent.iterdir())


def test_changes_are_told_before_the_future_is_done(library: Library) -> None:
    start_job(library)
    kinds = frozenset({"recordings", "jobs"})
    assert library.events == [LibraryChanged(kinds, frozenset({"r1", "j1"}), "test")]
    library.events.clear()
    library.writer.append_segments("gone", "r1", [], 1.0).result(WAIT)
    assert library.events == []


def test_a_broken_listener_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def explode(_: LibraryChanged) -> None:
        raise RuntimeError("listener")

    with LibraryWriter(tmp_path / "library.sqlite", explode) as writer:
        writer.add_recording(make_recording("r1")).result(WAIT)
        writer.add_recording(make_recording("r2")).result(WAIT)
    assert "a listener of the library failed" in caplog.text


def test_a_commit_elsewhere_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "home" / "library.sqlite"
    noticed = threading.Event()

    def listen(event: LibraryChanged) -> None:
        if event.origin == ELSEWHERE:
            noticed.set()

    with (
        LibraryWriter(file, listen, watch_s=0.02) as mine,
        LibraryWriter(file, lambda _: None, watch_s=None) as other,
    ):
        mine.add_recording(make_recording("mine")).result(WAIT)
        assert not noticed.wait(0.1)  # our own commits are not news
        other.add_recording(make_recording("other")).result(WAIT)
        assert noticed.wait(WAIT)


def test_bugs_stay_on_their_future(library: Library) -> None:
    start_job(library)
    with pytest.raises(TypeError, match="changeable"):
        library.writer.update_recording("r1", fingerprint="x").result(WAIT)
    with pytest.raises(TypeError, match="cannot hold"):
        library.writer.update_recording("r1", title=["x"]).result(WAIT)
    with pytest.raises(sqlite3.IntegrityError):
        library.writer.add_recording(make_recording("r1")).result(WAIT)
    updated = library.writer.update_recording("r1", title="New").result(WAIT)
    assert updated is not None
    assert updated.title == "New"
    assert library.writer.update_recording("gone", title="New").result(WAIT) is None


def test_after_closing_nothing_is_taken_in(library: Library) -> None:
    library.writer.close()
    library.writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        library.writer.checkpoint().result(WAIT)


def test_work_handed_in_before_closing_is_done(library: Library) -> None:
    futures = [library.writer.add_recording(make_recording(f"r{n}")) for n in range(50)]
    library.writer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert library.reader.count() == 50


def test_the_file_taken_away_is_said(library: Library, tmp_path: Path) -> None:
    start_job(library)
    away = tmp_path / "away.sqlite"
    library.file.rename(away)
    with pytest.raises(LibraryError, match="moved or deleted"):
        library.writer.update_recording("r1", title="x").result(WAIT)
    away.rename(library.file)
    assert library.writer.update_recording("r1", title="back").result(WAIT) is not None
    library.file.unlink()
    library.file.touch()
    with pytest.raises(LibraryError, match="moved or deleted"):
        library.writer.update_recording("r1", title="x").result(WAIT)


def test_a_full_disk_is_a_sentence_and_then_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit on pages stands for the disk, on every machine; test_faults has a real one."""

    def open_small(file: Path, lock: LibraryLock | None):  # type: ignore[no-untyped-def]
        connection = open_writable(file, lock)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall()
        return connection

    monkeypatch.setattr("app.library.writer_thread.open_writable", open_small)
    file = tmp_path / "home" / "library.sqlite"
    with LibraryWriter(file, lambda _: None) as writer, LibraryReader(file) as reader:
        writer.add_recording(make_recording(), make_job()).result(WAIT)
        big = make_segment("palaver " * 40_000)
        with pytest.raises(DiskFull):
            writer.append_segments("j1", "r1", [big], 5.0).result(WAIT)
        assert reader.transcript("r1") == Transcript()
        assert reader.jobs()[0].done_s == 0.0
        assert writer.append_segments("j1", "r1", [make_segment("small")], 5.0).result(WAIT)
        assert reader.search(ListQuery("small"))
        assert reader.search(ListQuery("palaver")) == []


def test_long_recordings_are_indexed_in_steps_and_wholly_at_the_end(library: Library) -> None:
    start_job(library)
    text = "lorem ipsum dolor " * 800  # 14 400 characters
    done_s = 0.0
    for _ in range(6):
        done_s += 30.0
        library.writer.append_segments("j1", "r1", [make_segment(text, done_s)], done_s).result(
            WAIT
        )
    last = make_segment("needle", done_s)
    library.writer.append_segments("j1", "r1", [last], done_s + 30.0).result(WAIT)
    assert library.reader.search(ListQuery("needle")) == []
    library.writer.save_job(make_job(status=JobStatus.DONE)).result(WAIT)
    (hit,) = library.reader.search(ListQuery("needle"))
    assert hit.segment_seq == 6
    assert library.writer.index_everything().result(WAIT) == 0


def test_only_this_user_can_read_the_files(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        library = Library(tmp_path / "home" / "library.sqlite")
        library.add("r1", "x", "hello")
        for file in (library.file.parent, *library.file.parent.iterdir()):
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        library.close()
    finally:
        os.umask(old)


def test_queue_rows_can_go_without_their_recordings(library: Library) -> None:
    start_job(library)
    assert library.writer.remove_jobs(["j1", "gone"]).result(WAIT) == 1
    assert library.reader.jobs() == []
    assert library.reader.count() == 1
