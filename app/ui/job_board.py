"""The last snapshot of every job the window knows, and how fast they go.

Fed by `JobChanged`; tells of changes at most a dozen times a second, however many events come.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import JobChanged
from app.core.job import Job, JobStage, JobStatus

_TELL_MS = 80
_MIN_MEASURE_S = 1.5  # no guess about the time left from less


@dataclass(slots=True)
class _Pace:
    started_at: float
    started_done_s: float


class JobBoard(QObject):
    """Jobs that are not over or that failed, in the order they came."""

    changed = Signal(object)  # frozenset[str]: recordings whose job changed
    ended = Signal(object)  # Job

    def __init__(
        self,
        jobs: Sequence[Job] = (),
        parent: QObject | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._jobs: dict[str, Job] = {}
        self._by_recording: dict[str, str] = {}
        self._pace: dict[str, _Pace] = {}
        self._touched: set[str] = set()
        self._ended: list[Job] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TELL_MS)
        self._timer.timeout.connect(self._tell)
        for job in jobs:
            if not job.status.is_over or job.status is JobStatus.FAILED:
                self._keep(job)

    @property
    def jobs(self) -> list[Job]:
        """Every job there is something to say about."""
        return list(self._jobs.values())

    @property
    def open_jobs(self) -> list[Job]:
        """The jobs that run, wait or are paused."""
        return [job for job in self._jobs.values() if not job.status.is_over]

    @property
    def running(self) -> Job | None:
        """The job that runs now."""
        return next((job for job in self._jobs.values() if job.status is JobStatus.RUNNING), None)

    @property
    def is_settled(self) -> bool:
        """Whether every event that came has been told."""
        return not self._timer.isActive()

    def job_of(self, recording_id: str) -> Job | None:
        """Return the latest job of a recording."""
        return self._jobs.get(self._by_recording.get(recording_id, ""))

    def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def left_s(self, job: Job) -> float | None:
        """Return about how long a running job still takes; `None` while it cannot be told."""
        pace = self._pace.get(job.job_id)
        if pace is None or job.status is not JobStatus.RUNNING or not job.total_s:
            return None
        spent_s = self._now() - pace.started_at
        got_s = job.done_s - pace.started_done_s
        if spent_s < _MIN_MEASURE_S or got_s <= 0:
            return None
        return job.rest_s * spent_s / got_s

    def take(self, event: JobChanged) -> None:
        """Take in a new snapshot."""
        job = event.job
        before = self._jobs.get(job.job_id)
        self._touched.add(job.recording_id)
        if job.status.is_over and (before is None or not before.status.is_over):
            self._ended.append(job)
        if job.status.is_over and job.status is not JobStatus.FAILED:
            self._forget(job)
        else:
            self._keep(job)
        if not self._timer.isActive():
            self._timer.start()

    def add(self, job: Job) -> None:
        """Take in a job that was just queued."""
        self.take(JobChanged(job))

    def forget_recordings(self, recording_ids: Sequence[str]) -> None:
        """Drop the jobs of recordings that were removed."""
        for recording_id in self._by_recording.keys() & set(recording_ids):
            job = self.job_of(recording_id)
            if job is not None:
                self._forget(job)
                self._touched.add(recording_id)
        self._timer.start()

    def _keep(self, job: Job) -> None:
        older = self._by_recording.get(job.recording_id)
        if older is not None and older != job.job_id:
            self._jobs.pop(older, None)
        self._jobs[job.job_id] = job
        self._by_recording[job.recording_id] = job.job_id
        if job.status is JobStatus.RUNNING and job.stage is JobStage.TRANSCRIBING:
            self._pace.setdefault(job.job_id, _Pace(self._now(), job.done_s))
        else:
            self._pace.pop(job.job_id, None)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.job_id, None)
        self._pace.pop(job.job_id, None)
        if self._by_recording.get(job.recording_id) == job.job_id:
            del self._by_recording[job.recording_id]

    def _tell(self) -> None:
        touched, self._touched = frozenset(self._touched), set()
        ended, self._ended = self._ended, []
        self.changed.emit(touched)
        for job in ended:
            self.ended.emit(job)
