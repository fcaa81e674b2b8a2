"""The queue of files: what waits, what runs, what a person may do with it, and how it survives.

Every job is a row of the library before anything works on it. One runs at a time. Its owner is this
process, held by a locked file; a job whose owner is gone is taken up again at the next start, from
its last final segment. Calls come from the main thread, engine events from the engine thread; one
lock guards the table of jobs and is never held while anything waits.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.errors import AppError, EngineFailed, ImportFailed, mark
from app.core.events import Event, Failed, FilesChecked, JobChanged, JobEnded, SegmentsFinal
from app.core.job import Job, JobStage, JobStatus, Priority
from app.core.language import AUTO
from app.core.model import Model
from app.core.recording import Recording, RecordingStatus
from app.engine.base import Options
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.word_times import choose_aligner
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.models.store import ModelStore
from app.pipeline.file import FileFeed, OpenWindows, Plan, WindowReader, transcribe_file
from app.pipeline.importing import Checked, check_file
from app.pipeline.intake import Intake, Request
from app.pipeline.removing import remove_recordings
from app.pipeline.retake import Part, PartFeed, part_of_job, recording_is_gone, retake_of
from app.pipeline.waveform import forget_waveform

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the queue works with; all of it outlives the queue."""

    loop: EngineLoop
    residency: Residency
    writer: LibraryWriter
    reader: LibraryReader
    store: ModelStore
    owner: Owner
    paths: Paths
    pool: ThreadPoolExecutor
    open_windows: OpenWindows = FileFeed
    check_file: Callable[[Path], Checked] = check_file


class TranscriptionQueue:
    """The queue of files.

    Args:
        parts: what it works with.
        emit: told of every change (`JobChanged`, `FilesChecked`, `Failed`); called on any thread.
        settings: asked whenever a choice of the person matters.
    """

    def __init__(
        self, parts: Parts, emit: Callable[[Event], None], settings: Callable[[], Settings]
    ) -> None:
        self._parts = parts
        self._emit = emit
        self._settings = settings
        self._intake = Intake(
            parts.writer,
            parts.reader,
            parts.owner,
            parts.paths,
            parts.check_file,
            settings,
            self._queue,
        )
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._again_of: dict[str, str] = {}  # jobs that transcribe a recording once more: which
        self._running: str | None = None
        self._last_write: Future[bool] | None = None  # of the running job
        self._told_s = 0.0  # how far the running job has come, by its own word
        self._is_closing = False
        self._is_hot = False

    # What a person may do. None of these waits.

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Every job of this session, in order, as it now stands."""
        with self._lock:
            return tuple(self._jobs.values())

    def add_files(
        self,
        paths: Sequence[Path],
        model_id: str = AUTO,
        language: str = AUTO,
        *,
        wants_words: bool = True,
        again: bool = False,
    ) -> "Future[FilesChecked]":
        """Check files and folders on the io pool and queue what can be transcribed.

        The result is also told as an event, as is an error that let none of them in. `again` takes
        files the library already has.
        """
        request = Request(tuple(paths), model_id, language, wants_words, again)
        return self._parts.pool.submit(self._take_in, request)

    def retake(
        self, recording_id: str, model_id: str, language: str, part: Part | None = None
    ) -> Job:
        """Transcribe a recording, or a part of it, anew as something to choose from.

        Raises:
            AppError: it cannot be; says why.

        Thread: io.
        """
        found = self._parts.reader.recording(recording_id)
        if found is None:
            raise recording_is_gone()
        self._parts.store.find(model_id)  # says at once when there is no such model
        again, job = retake_of(found, model_id, language, part)
        self._parts.writer.add_recording(again, job=job, owner=self._parts.owner).result()
        self._queue(job)
        return job

    def retry(self, recording_id: str) -> bool:
        """Let a failed, cancelled or interrupted recording go on after its last final segment.

        Returns whether it does; not when it is under way already, here or in another process.
        """
        jobs = [j for j in self._parts.reader.jobs() if j.recording_id == recording_id]
        if not jobs:
            return False
        job_id = jobs[-1].job_id
        with self._lock:
            mine = self._jobs.get(job_id)
        if mine is not None and not mine.status.is_over:
            return False
        claim = self._parts.writer.claim_job(job_id, self._parts.owner, may_be_over=True)
        job = claim.result()
        if job is not None:
            self._queue(replace(job, status=JobStatus.QUEUED))
        return job is not None

    def cool(self, *, is_hot: bool) -> None:
        """Take no further step while the machine is hot; live words are not held up."""
        self._is_hot = is_hot
        self._parts.loop.wake()

    def pause(self, job_id: str) -> None:
        """Hold a job; it stays held over a restart and goes on after its last final segment."""
        if self._set_status(job_id, JobStatus.PAUSED):
            self._parts.loop.cancel(job_id)

    def resume(self, job_id: str) -> None:
        """Let a paused job go on."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is not None and job.status is JobStatus.PAUSED:
            self._queue(replace(job, status=JobStatus.QUEUED))

    def cancel(self, job_id: str) -> None:
        """Stop a job; what is final of it stays, unless it is only something to choose from."""
        job = self._set_status(job_id, JobStatus.CANCELLED)
        if job:
            self._set_recording(job, RecordingStatus.CANCELLED)
            self._parts.loop.cancel(job_id)
            if job_id in self._again_of:
                self.remove([job.recording_id])

    def remove(self, recording_ids: Sequence[str]) -> "Future[None]":
        """Remove recordings from the library, with our own copies of their sound."""
        with self._lock:
            jobs = [
                j.job_id
                for j in self._jobs.values()
                if j.recording_id in recording_ids or self._again_of.get(j.job_id) in recording_ids
            ]
        for job_id in jobs:
            self.cancel(job_id)
            with self._lock:
                self._jobs.pop(job_id, None)
        return self._parts.pool.submit(self._remove, tuple(recording_ids))

    def resume_interrupted(self) -> "Future[int]":
        """Take up every job whose owner is gone; returns how many. Runs on the io pool."""
        return self._parts.pool.submit(self._resume_interrupted)

    def close(self) -> None:
        """Stop working; what is not finished goes on at the next start."""
        with self._lock:
            self._is_closing = True
            running = self._running
        if running is not None:
            self._parts.loop.cancel(running)

    # What the engine says. Thread: engine.

    def on_event(self, event: Event) -> None:
        """Take in what the engine loop emits; live takes are not of this queue."""
        if isinstance(event, SegmentsFinal | JobEnded):
            with self._lock:
                if event.job_id not in self._jobs and event.job_id != self._running:
                    return
        if isinstance(event, SegmentsFinal):
            self._commit(event)
        elif isinstance(event, JobEnded):
            self._on_ended(event)

    def _commit(self, event: SegmentsFinal) -> None:
        with self._lock:
            job = self._jobs.get(event.job_id)
        if job is None:
            return
        with self._lock:
            after_s, self._told_s = self._told_s, event.done_s
        written = self._parts.writer.append_segments(
            job.job_id, job.recording_id, event.segments, event.done_s, event.language, after_s
        )
        with self._lock:
            self._last_write = written
        written.add_done_callback(lambda done: self._on_written(event, done))

    def _on_written(self, event: SegmentsFinal, written: "Future[bool]") -> None:
        """Count as done what is on disk, or stop the job. Thread: writer."""
        error = written.exception()
        if error is None:
            if written.result():
                self._change(event.job_id, done_s=event.done_s)
        else:
            self._parts.loop.cancel(event.job_id)
            self._fail(event.job_id, error)

    def _on_ended(self, event: JobEnded) -> None:
        with self._lock:
            if self._running == event.job_id:
                self._running = None
            last_write, self._last_write = self._last_write, None
        if event.error is not None:
            self._fail(event.job_id, event.error)
        elif not event.was_cancelled:
            if last_write is None:
                self._succeed(event.job_id)
            else:
                last_write.add_done_callback(
                    lambda written: self._succeed_if_written(event.job_id, written)
                )
        self._start_next()

    # Work on the io pool.

    def _take_in(self, request: Request) -> FilesChecked:
        try:
            checked = self._intake.take_in(request)
        except Exception as error:
            _log.exception("files could not be taken in")
            self._emit(Failed(error if isinstance(error, AppError) else _not_taken_in(error)))
            raise
        self._emit(checked)
        return checked

    def _remove(self, recording_ids: tuple[str, ...]) -> None:
        try:
            remove_recordings(self._parts.writer, self._parts.paths, recording_ids)
        except AppError as error:
            self._emit(Failed(error))
            raise
        for recording_id in recording_ids:
            forget_waveform(recording_id, self._parts.paths)

    def _resume_interrupted(self) -> int:
        count = 0
        for job in self._parts.reader.unfinished_jobs():
            claimed = self._parts.writer.claim_job(job.job_id, self._parts.owner).result()
            if claimed is None:
                continue
            count += 1
            if claimed.status is JobStatus.PAUSED:
                self._put(claimed)
            else:
                self._queue(replace(claimed, status=JobStatus.QUEUED))
        return count

    # The table of jobs.

    def _queue(self, job: Job) -> None:
        self._put(replace(job, stage=JobStage.WAITING))
        self._save(job)
        self._start_next()

    def _put(self, job: Job) -> None:
        found = self._parts.reader.recording(job.recording_id)
        with self._lock:
            self._jobs[job.job_id] = job
            if found is not None and found.rerun_of is not None:
                self._again_of[job.job_id] = found.rerun_of
        self._emit(JobChanged(job))

    def _change(self, job_id: str, **changes: object) -> Job | None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return None
            job = replace(job, **changes)  # type: ignore[arg-type]  # field names by our own hand
            self._jobs[job_id] = job
        self._emit(JobChanged(job))
        return job

    def _set_status(self, job_id: str, status: JobStatus) -> Job | None:
        """Move a job that is not over to `status`; `None` when it is over or unknown."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.status.is_over:
            return None
        job = self._change(job_id, status=status, stage=JobStage.WAITING)
        if job is not None:
            self._save(job)
        return job

    def _save(self, job: Job) -> None:
        saved = self._parts.writer.save_job(job, owner=self._parts.owner)
        saved.add_done_callback(self._report)

    def _set_recording(
        self, job: Job, status: RecordingStatus, **changes: object
    ) -> "Future[Recording | None]":
        written = self._parts.writer.update_recording(job.recording_id, status=status, **changes)
        written.add_done_callback(self._report)
        return written

    def _report(self, written: "Future[Any]") -> None:
        error = written.exception()
        if isinstance(error, AppError):
            self._emit(Failed(error))

    # The run of a job.

    def _start_next(self) -> None:
        while (job := self._take_next()) is not None:
            try:
                if self._start(job):
                    return
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this job's alone
                self._fail(job.job_id, error)
            with self._lock:
                self._running = None

    def _take_next(self) -> Job | None:
        """Make the next waiting job the running one; `None` when there is none, or one runs."""
        with self._lock:
            waiting = [j for j in self._jobs.values() if j.status is JobStatus.QUEUED]
            if self._is_closing or self._running is not None or not waiting:
                return None
            # A part of a text is waited for in front of it.
            job = min(waiting, key=lambda each: each.until_s is None)
            self._running = job.job_id
            return job

    def _start(self, job: Job) -> bool:
        """Hand a job to the engine; `False` when it was stopped or removed meanwhile."""
        parts = self._parts
        model = parts.store.find(job.model_id)
        recording = parts.reader.recording(job.recording_id)
        if recording is None or recording.audio_path is None:
            raise _sound_is_gone(job.title)
        with self._lock:
            now = self._jobs.get(job.job_id)
        if now is None or now.status is not JobStatus.QUEUED:
            return False
        running = self._change(
            job.job_id, status=JobStatus.RUNNING, stage=JobStage.READING, model_id=model.model_id
        )
        if running is None:
            return False
        with self._lock:
            self._told_s = job.done_s
        self._save(running)
        self._set_recording(
            running, RecordingStatus.WORKING, model_id=model.model_id, error=None, hint=None
        )
        reader = WindowReader(
            recording.audio_path,
            model.max_speech_s,
            job.done_s,
            on_ready=parts.loop.wake,
            open_windows=_opening(parts.open_windows, model, part_of_job(job)),
        )
        plan = self._plan(running, model)
        options = self._options(running, plan)
        parts.loop.submit(
            job.job_id,
            Priority.FILE,
            lambda: transcribe_file(
                job.job_id,
                reader,
                plan,
                options,
                parts.residency,
                lambda stage: self._on_stage(job.job_id, stage, reader),
            ),
        )
        return True

    def _plan(self, job: Job, model: Model) -> Plan:
        wants = job.wants_words and self._settings().aligns_words
        return Plan(
            model,
            choose_aligner(self._parts.store.installed(), model) if wants else None,
            self._parts.residency.smaller,
            lambda before, after: self._on_fallback(job.job_id, before, after),
            lambda: self._is_hot,
        )

    def _options(self, job: Job, plan: Plan) -> Options:
        has_words = plan.model.has_word_times or plan.aligner is not None
        return Options(
            language=None if job.language == AUTO else job.language,
            languages=self._settings().languages or plan.model.languages,
            wants_words=job.wants_words and has_words,
        )

    def _on_fallback(self, job_id: str, before: Model, after: Model) -> None:
        """Say that a smaller model goes on, and remember it. Thread: engine."""
        running = self._change(job_id, model_id=after.model_id)
        if running is not None:
            self._save(running)
            self._set_recording(running, RecordingStatus.WORKING, model_id=after.model_id)
        self._emit(Failed(_smaller_goes_on(before, after)))

    def _on_stage(self, job_id: str, stage: JobStage, reader: WindowReader) -> None:
        total_s = reader.progress.total_s
        with self._lock:
            job = self._jobs.get(job_id)
        is_part = job is not None and job.until_s is not None
        if total_s is None or is_part:  # not read so far; what the check found still holds
            self._change(job_id, stage=stage)
        else:
            self._change(job_id, stage=stage, total_s=total_s)

    def _succeed_if_written(self, job_id: str, last_write: "Future[bool]") -> None:
        if last_write.exception() is None:  # else `_on_written` has stopped the job
            self._succeed(job_id)

    def _succeed(self, job_id: str) -> None:
        """Mark the recording, then the job: who hears that a job is done finds its transcript."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.status.is_over:
            return
        recording = self._parts.reader.recording(job.recording_id)
        has_text = recording is not None and bool(recording.first_line)
        status = RecordingStatus.DONE if has_text else RecordingStatus.EMPTY
        lasts = {} if job.until_s is not None else {"duration_s": job.done_s}
        self._set_recording(job, status, **lasts).add_done_callback(
            lambda _written: self._set_status(job_id, JobStatus.DONE)
        )

    def _fail(self, job_id: str, error: BaseException) -> None:
        if not isinstance(error, AppError):
            _log.error("job %s failed", job_id, exc_info=error)
            error = _unexpected(error)
        message, hint = str(error.message), str(error.hint)
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.status.is_over:
            return
        job = self._change(job_id, status=JobStatus.FAILED, error=message, hint=hint)
        if job is not None:
            self._save(job)
            self._set_recording(job, RecordingStatus.FAILED, error=message, hint=hint)


def _smaller_goes_on(before: Model, after: Model) -> EngineFailed:
    return EngineFailed(
        mark("“{before}” ran out of memory. “{after}” goes on; nothing of the sound is lost."),
        mark("Close other apps, then choose Transcribe Again for the larger model's text."),
        before=before.title,
        after=after.title,
    )


def _unexpected(error: BaseException) -> ImportFailed:
    return ImportFailed(
        mark("Something unexpected went wrong ({kind}). The recording is kept."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )


def _not_taken_in(error: Exception) -> ImportFailed:
    return ImportFailed(
        mark("Something unexpected went wrong while files were added ({kind})."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )


def _sound_is_gone(title: str) -> ImportFailed:
    return ImportFailed(
        mark("The sound of “{title}” is not in the library any more."),
        mark("Import the file again."),
        title=title,
    )


def _opening(open_windows: OpenWindows, model: Model, part: Part | None) -> OpenWindows:
    """Return what opens a file's windows for `model`, which may want them short."""
    target_s = model.joins_up_to_s or None
    if open_windows is FileFeed and part is not None:
        return partial(PartFeed, part=part, target_s=target_s)
    if open_windows is FileFeed and target_s:
        return partial(FileFeed, target_s=target_s)
    return open_windows
