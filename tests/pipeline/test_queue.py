"""The queue with a scripted recognizer: every rule of it, no model, no media file."""

import inspect
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio.decode import MediaHeader
from app.config.paths import Paths
from app.config.settings import Settings
from app.core.errors import AlreadyInLibrary, AppError, DecodeFailed, DiskFull
from app.core.events import Event, Failed, JobChanged
from app.core.job import JobStage, JobStatus
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.core.recording import RecordingStatus
from app.engine.base import Recognizer
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.scripted import ScriptedRecognizer, ScriptedWindow
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from app.models.catalog import CatalogEntry
from app.models.store import ModelStore
from app.pipeline.file import WindowFeed
from app.pipeline.importing import Checked, fingerprint
from app.pipeline.queue import Parts, TranscriptionQueue

MODEL = Model("scripted", "Scripted", Family.SCRIPTED, Path("/"), max_speech_s=2.0)


@dataclass
class Feed:
    """`n` windows of two seconds."""

    n: int
    error_after: int | None = None
    heard_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return self.n * 2.0

    def __iter__(self) -> Iterator[Window]:
        for i in range(self.n):
            if i == self.error_after:
                raise DecodeFailed("It broke.", "Mend it.")
            self.heard_s = (i + 1) * 2.0
            audio = np.zeros(2 * SAMPLE_RATE, np.float32)
            yield Window(i, i * 2.0, audio, (Region(i * 2.0, i * 2.0 + 1.5),))

    def close(self) -> None:
        pass


@dataclass
class Shelf:
    """What a store has and what goes wrong; `asked` is called whenever somebody looks."""

    models: tuple[Model, ...] = (MODEL,)
    asked: Callable[[], object] = lambda: None
    broken_check: Exception | None = None


@dataclass(frozen=True)
class Store(ModelStore):
    """A store with the scripted model only."""

    shelf: Shelf = field(default_factory=Shelf)

    def installed(self) -> tuple[Model, ...]:
        self.shelf.asked()
        return self.shelf.models


@dataclass
class Bench:
    """A queue on a table: the test takes the engine's steps itself, one by one."""

    home: Path
    n_windows: int = 4
    error_after: int | None = None
    events: list[Event] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        paths = Paths(self.home)
        self.paths = paths
        self.writer = LibraryWriter(paths.library, self.events.append, watch_s=None)
        self.reader = LibraryReader(paths.library)
        self.pool = ThreadPoolExecutor(2)
        self.owner = Owner.take(paths)
        self.shelf = Shelf()
        self.loop = EngineLoop(self._on_engine_event)
        self.queue = TranscriptionQueue(
            Parts(
                loop=self.loop,
                residency=Residency(self._load, 1 << 30, self.events.append),
                writer=self.writer,
                reader=self.reader,
                store=Store(paths.models, paths.models, tuple[CatalogEntry, ...](), self.shelf),
                owner=self.owner,
                paths=paths,
                pool=self.pool,
                open_windows=self._open,
                check_file=self._check,
            ),
            self.events.append,
            lambda: self.settings,
        )

    def _on_engine_event(self, event: Event) -> None:
        self.queue.on_event(event)

    def _load(self, model: Model) -> Generator[None, None, Recognizer]:
        yield None
        script = {i: ScriptedWindow(f"window {i}", language="en") for i in range(self.n_windows)}
        return ScriptedRecognizer(script, model=model)

    def _open(self, file: Path, max_speech_s: float) -> WindowFeed:
        return Feed(self.n_windows, self.error_after)

    def _check(self, file: Path) -> Checked:
        if self.shelf.broken_check is not None:
            raise self.shelf.broken_check
        if not file.exists():
            raise DecodeFailed("“{name}” is not there.", "Look again.", name=file.name)
        info = MediaHeader(self.n_windows * 2.0, None, "wav", False, 16_000, 1)
        return Checked(file, info, fingerprint(file))

    def add(self, *files: Path, **how: object) -> list[str]:
        """Add files and return their job ids."""
        checked = self.queue.add_files(files, **how).result(10)  # type: ignore[arg-type]
        return [job.job_id for job in checked.added]

    def step_until(self, reached: Callable[[], bool]) -> None:
        """Take engine steps until `reached`."""
        for _ in range(20_000):
            if reached():
                return
            if not self.loop.step():
                threading.Event().wait(0.0005)
            self.writer.remove_jobs([]).result(10)  # all that was handed in before is written
        raise AssertionError(f"never reached; jobs: {self.queue.jobs}")

    def status(self, job_id: str) -> JobStatus:
        return next(j.status for j in self.queue.jobs if j.job_id == job_id)

    def run_to_end(self) -> None:
        self.step_until(lambda: all(j.status.is_over for j in self.queue.jobs))
        self.writer.checkpoint().result(10)

    def texts(self, recording_id: str) -> list[str]:
        return [s.text for s in self.reader.transcript(recording_id).segments]

    def recording_id(self, job_id: str) -> str:
        return next(j.recording_id for j in self.queue.jobs if j.job_id == job_id)

    def close(self) -> None:
        self.queue.close()
        while self.loop.step():
            pass
        self.loop.stop()
        self.loop.step()
        self.pool.shutdown()
        self.writer.close()
        self.reader.close()
        self.owner.release()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "home")
    yield bench
    bench.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "talk.wav"
    file.write_bytes(b"talk")
    return file


ALL = ["window 0", "window 1", "window 2", "window 3"]


def test_a_file_becomes_a_searchable_transcript(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    bench.run_to_end()

    recording = bench.reader.recording(bench.recording_id(job_id))
    assert bench.status(job_id) is JobStatus.DONE
    assert recording is not None
    assert (recording.status, recording.language) == (RecordingStatus.DONE, "en")
    assert recording.model_id == "scripted"
    assert recording.title == "talk"
    assert bench.texts(recording.recording_id) == ALL
    hits = bench.reader.search(ListQuery("window 2"))
    assert [h.start_s for h in hits] == [4.0]


def test_the_length_stays_known_at_every_stage(bench: Bench, file: Path) -> None:
    bench.add(file)
    bench.run_to_end()
    jobs = [event.job for event in bench.events if isinstance(event, JobChanged)]
    assert {job.total_s for job in jobs} == {8.0}
    assert None not in {job.fraction for job in jobs}


def test_jobs_run_one_after_the_other_in_order(bench: Bench, tmp_path: Path) -> None:
    files = []
    for name in "abc":
        files.append(tmp_path / f"{name}.wav")
        files[-1].write_bytes(name.encode())
    ids = bench.add(*files)
    bench.run_to_end()

    ended = [
        e.job.job_id
        for e in bench.events
        if isinstance(e, JobChanged) and e.job.status is JobStatus.DONE
    ]
    assert list(dict.fromkeys(ended)) == ids


def test_a_file_that_cannot_be_read_is_refused_and_the_others_go_on(
    bench: Bench, file: Path, tmp_path: Path
) -> None:
    checked = bench.queue.add_files([tmp_path / "none.wav", file]).result(10)
    bench.run_to_end()

    assert [p.name for p, _ in checked.rejected] == ["none.wav"]
    assert str(checked.rejected[0][1]) == "“none.wav” is not there."
    assert len(checked.added) == 1
    assert bench.queue.jobs[0].status is JobStatus.DONE


def test_an_empty_folder_is_refused_with_a_sentence(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    checked = bench.queue.add_files([tmp_path / "empty"]).result(10)

    assert "no audio or video file" in str(checked.rejected[0][1])


def test_a_folder_gives_its_media_files_in_order(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    (folder / "more").mkdir(parents=True)
    for name in ("b.MP3", "a.wav", "notes.txt", ".hidden.wav", "more/c.m4a"):
        (folder / name).write_bytes(name.encode())
    bench.add(folder)

    assert [job.title for job in bench.queue.jobs] == ["a", "b", "c"]
    bench.run_to_end()


def test_the_same_sound_twice_is_refused_unless_asked_for(bench: Bench, file: Path) -> None:
    bench.add(file)
    checked = bench.queue.add_files([file]).result(10)

    assert isinstance(checked.rejected[0][1], AlreadyInLibrary)
    assert len(bench.add(file, again=True)) == 1
    bench.run_to_end()


def test_a_failed_file_says_why_keeps_its_text_and_can_be_retried(bench: Bench, file: Path) -> None:
    bench.error_after = 2
    (job_id,) = bench.add(file)
    bench.step_until(lambda: bench.status(job_id).is_over)
    recording_id = bench.recording_id(job_id)
    bench.writer.checkpoint().result(10)
    failed = bench.reader.recording(recording_id)

    assert bench.status(job_id) is JobStatus.FAILED
    assert failed is not None
    assert (failed.status, failed.error, failed.hint) == (
        RecordingStatus.FAILED,
        "It broke.",
        "Mend it.",
    )
    assert bench.texts(recording_id) == ALL[: len(bench.texts(recording_id))]

    bench.error_after = None
    assert bench.queue.retry(recording_id)
    bench.run_to_end()
    assert bench.texts(recording_id) == ALL
    assert bench.status(job_id) is JobStatus.DONE


def _until_something_is_final(bench: Bench, job_id: str) -> None:
    bench.step_until(lambda: any(j.done_s >= 2.0 for j in bench.queue.jobs if j.job_id == job_id))


def test_pause_keeps_what_is_final_and_resume_goes_on_behind_it(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    _until_something_is_final(bench, job_id)
    bench.queue.pause(job_id)
    for _ in range(50):
        bench.loop.step()
    paused_at = bench.texts(bench.recording_id(job_id))

    assert bench.status(job_id) is JobStatus.PAUSED
    bench.queue.resume(job_id)
    bench.run_to_end()
    assert bench.status(job_id) is JobStatus.DONE
    assert bench.texts(bench.recording_id(job_id)) == ALL
    assert len(paused_at) >= 1


def test_a_hot_machine_is_let_cool_down_and_it_is_said(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    _until_something_is_final(bench, job_id)
    bench.queue.cool(is_hot=True)
    bench.step_until(lambda: bench.queue.jobs[0].stage is JobStage.COOLING)
    written = bench.texts(bench.recording_id(job_id))
    assert not any(bench.loop.step() for _ in range(20))
    assert bench.texts(bench.recording_id(job_id)) == written

    bench.queue.cool(is_hot=False)
    bench.step_until(lambda: bench.queue.jobs[0].stage is JobStage.TRANSCRIBING)
    bench.run_to_end()
    assert bench.texts(bench.recording_id(job_id)) == ALL


def test_a_job_can_be_cancelled_while_the_machine_cools(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    bench.queue.cool(is_hot=True)
    bench.step_until(lambda: bench.queue.jobs[0].stage is JobStage.COOLING)
    bench.queue.cancel(job_id)
    bench.run_to_end()
    assert bench.status(job_id) is JobStatus.CANCELLED


def test_while_one_is_paused_the_next_one_runs(bench: Bench, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(b"other")
    first, second = bench.add(file, other)
    bench.queue.pause(first)
    bench.step_until(lambda: bench.status(second) is JobStatus.DONE)

    assert bench.status(first) is JobStatus.PAUSED


def test_cancel_stops_within_one_step_and_keeps_what_is_final(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    _until_something_is_final(bench, job_id)
    bench.queue.cancel(job_id)
    bench.loop.step()
    bench.writer.checkpoint().result(10)
    recording = bench.reader.recording(bench.recording_id(job_id))

    assert bench.status(job_id) is JobStatus.CANCELLED
    assert recording is not None
    assert recording.status is RecordingStatus.CANCELLED
    assert 1 <= len(bench.texts(recording.recording_id)) < 4
    assert not any(t.name == "file-reader" for t in threading.enumerate())


def test_a_job_that_is_over_takes_no_commands(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    bench.run_to_end()
    for command in (bench.queue.pause, bench.queue.resume, bench.queue.cancel):
        command(job_id)
        command("unknown")

    assert bench.status(job_id) is JobStatus.DONE


def test_after_a_kill_the_job_goes_on_and_the_text_is_the_same(tmp_path: Path, file: Path) -> None:
    first = Bench(tmp_path / "home")
    (job_id,) = first.add(file)
    _until_something_is_final(first, job_id)
    recording_id = first.recording_id(job_id)
    first.close()  # like a kill, but for the threads: nothing is written about the job
    kept = LibraryReader(first.paths.library)
    assert 1 <= len(kept.transcript(recording_id).segments) < 4
    kept.close()

    second = Bench(tmp_path / "home")
    try:
        assert second.queue.resume_interrupted().result(10) == 1
        second.run_to_end()
        assert second.texts(recording_id) == ALL
    finally:
        second.close()


def test_a_paused_job_stays_paused_over_a_restart(tmp_path: Path, file: Path) -> None:
    first = Bench(tmp_path / "home")
    (job_id,) = first.add(file)
    first.queue.pause(job_id)
    first.close()

    second = Bench(tmp_path / "home")
    try:
        second.queue.resume_interrupted().result(10)
        assert second.status(job_id) is JobStatus.PAUSED
        second.queue.resume(job_id)
        second.run_to_end()
        assert second.status(job_id) is JobStatus.DONE
    finally:
        second.close()


def test_another_process_that_is_alive_keeps_its_jobs(tmp_path: Path, file: Path) -> None:
    first = Bench(tmp_path / "home")
    second = Bench(tmp_path / "home")
    try:
        (job_id,) = first.add(file)
        assert second.queue.resume_interrupted().result(10) == 0
        assert not second.queue.retry(first.recording_id(job_id))
        first.run_to_end()
    finally:
        second.close()
        first.close()


def test_a_silent_file_is_done_and_empty(bench: Bench, file: Path) -> None:
    bench.n_windows = 0
    (job_id,) = bench.add(file)
    bench.run_to_end()
    recording = bench.reader.recording(bench.recording_id(job_id))

    assert recording is not None
    assert recording.status is RecordingStatus.EMPTY


def test_copies_are_made_when_the_person_wants_them_and_go_with_the_recording(
    bench: Bench, file: Path
) -> None:
    bench.settings = Settings(imported_files="copy")
    (job_id,) = bench.add(file)
    bench.run_to_end()
    recording = bench.reader.recording(bench.recording_id(job_id))

    assert recording is not None
    assert recording.audio_path is not None
    assert recording.audio_path.parent.parent == bench.paths.recordings
    assert recording.audio_path.read_bytes() == b"talk"

    bench.queue.remove([recording.recording_id]).result(10)
    assert not recording.audio_path.parent.exists()
    assert file.exists()
    assert bench.reader.count() == 0


def test_removing_a_running_recording_stops_its_job(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file)
    _until_something_is_final(bench, job_id)
    bench.queue.remove([bench.recording_id(job_id)]).result(10)
    for _ in range(20):
        bench.loop.step()

    assert bench.queue.jobs == ()
    assert bench.reader.count() == 0
    assert not [e for e in bench.events if isinstance(e, Failed)]


def test_a_model_that_is_not_here_fails_the_job_with_its_sentence(bench: Bench, file: Path) -> None:
    (job_id,) = bench.add(file, model_id="huge")
    bench.step_until(lambda: bench.status(job_id).is_over)

    (job,) = bench.queue.jobs
    assert job.status is JobStatus.FAILED
    assert "huge" in (job.error or "")


@pytest.fixture
def waiting(bench: Bench, tmp_path: Path) -> list[str]:
    """Return the ids of five jobs of which the first runs."""
    files = [tmp_path / f"{n}.wav" for n in range(5)]
    for file in files:
        file.write_bytes(file.name.encode())
    ids = bench.add(*files)
    bench.step_until(lambda: bench.status(ids[0]) is JobStatus.RUNNING)
    return ids


def test_a_model_that_goes_fails_those_waiting_one_after_the_other(
    bench: Bench, waiting: list[str]
) -> None:
    depths = []
    bench.shelf.models = ()
    bench.shelf.asked = lambda: depths.append(len(inspect.stack(0)))
    bench.run_to_end()
    assert [bench.status(each) for each in waiting] == [JobStatus.DONE] + [JobStatus.FAILED] * 4
    assert len(depths) == 4
    assert len(set(depths)) == 1  # however many wait, the stack does not grow


def test_what_nobody_foresaw_at_a_start_is_that_jobs_alone(
    bench: Bench, waiting: list[str]
) -> None:
    asked: list[int] = []

    def break_once() -> None:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError("can't start new thread")

    bench.shelf.asked = break_once
    bench.run_to_end()
    states = [bench.status(each) for each in waiting]
    assert states == [JobStatus.DONE, JobStatus.FAILED, *[JobStatus.DONE] * 3]


def test_a_job_removed_as_it_starts_holds_up_nobody(bench: Bench, waiting: list[str]) -> None:
    gone = bench.recording_id(waiting[1])
    bench.shelf.asked = lambda: bench.queue.remove([gone])
    bench.run_to_end()
    assert {job.job_id for job in bench.queue.jobs} == {*waiting} - {waiting[1]}
    assert {job.status for job in bench.queue.jobs} == {JobStatus.DONE}


def test_errors_of_checking_are_app_errors(bench: Bench, tmp_path: Path) -> None:
    checked = bench.queue.add_files([tmp_path / "missing.wav"]).result(10)

    assert all(isinstance(error, AppError) for _, error in checked.rejected)


@pytest.mark.parametrize("name", ["a" * 300 + ".wav", "a" * 300 + "/talk.srt"])
def test_a_name_no_disk_takes_is_refused_and_the_others_go_on(
    bench: Bench, file: Path, name: str
) -> None:
    checked = bench.queue.add_files([file.parent / name, file]).result(10)
    ((refused, error),) = checked.rejected
    assert refused == file.parent / name
    assert "could not be read: File name too long" in str(error)
    assert len(checked.added) == 1
    bench.run_to_end()


def test_what_nobody_foresaw_of_a_file_is_told(bench: Bench, file: Path) -> None:
    bench.shelf.broken_check = RuntimeError("a bug")
    checked = bench.queue.add_files([file])
    with pytest.raises(RuntimeError, match="a bug"):
        checked.result(10)
    (told,) = [event.error for event in bench.events if isinstance(event, Failed)]
    assert "Something unexpected went wrong while files were added (RuntimeError)" in str(told)


def test_a_full_disk_stops_the_job_with_a_sentence_and_retry_goes_on(
    bench: Bench, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = bench.writer.append_segments, []

    def full(*arguments: Any) -> Future[bool]:
        calls.append(arguments)
        if len(calls) != 2:
            return real(*arguments)
        failed: Future[bool] = Future()
        failed.set_exception(DiskFull("The disk is full.", "Free some space."))
        return failed

    monkeypatch.setattr(bench.writer, "append_segments", full)
    (job_id,) = bench.add(file)
    bench.step_until(lambda: bench.status(job_id).is_over)
    recording_id = bench.recording_id(job_id)

    (job,) = bench.queue.jobs
    assert (job.status, job.error, job.hint) == (
        JobStatus.FAILED,
        "The disk is full.",
        "Free some space.",
    )
    assert bench.texts(recording_id) == ALL[:1]  # nothing behind what could not be kept
    assert bench.queue.retry(recording_id)
    bench.run_to_end()
    assert bench.texts(recording_id) == ALL
