"""Queued work of the engine, as a person sees it in the queue."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Who overtakes whom on the one model thread; lower goes first."""

    LIVE_FINAL = 0
    LIVE_PARTIAL = 1
    API = 2
    FILE = 3
    SUMMARY = 4


class JobKind(StrEnum):
    """What a job does."""

    TRANSCRIBE = "transcribe"


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen unless the person asks for it."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class JobStage(StrEnum):
    """What a running job is doing right now."""

    WAITING = "waiting"
    READING = "reading"
    LOADING_MODEL = "loading_model"
    TRANSCRIBING = "transcribing"
    COOLING = "cooling"  # waiting for a hot machine


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue, a whole snapshot.

    `done_s` is how much of the recording is final, counted from its start; a restart resumes there.
    `until_s` is where a job for a part of a recording ends, `None` for its end.
    `total_s` is how much there is to do, `None` until that is known. `model_id` and `language` are
    what was asked for (`"auto"` lets the app choose).
    """

    job_id: str
    recording_id: str
    title: str
    model_id: str
    language: str
    kind: JobKind = JobKind.TRANSCRIBE
    status: JobStatus = JobStatus.QUEUED
    stage: JobStage = JobStage.WAITING
    done_s: float = 0.0
    total_s: float | None = None
    wants_words: bool = True
    error: str | None = None
    hint: str | None = None
    until_s: float | None = None

    @property
    def from_s(self) -> float:
        """Where in the recording the job began: behind its start only for a part of it."""
        if self.until_s is None or self.total_s is None:
            return 0.0
        return max(0.0, self.until_s - self.total_s)

    @property
    def fraction(self) -> float | None:
        """How much is done, 0…1; `None` when the length is not known yet."""
        if self.status is JobStatus.DONE:
            return 1.0
        if not self.total_s:
            return None
        return min(1.0, max(0.0, self.done_s - self.from_s) / self.total_s)

    @property
    def rest_s(self) -> float:
        """How much is still to do; 0 while the length is not known."""
        return max(0.0, (self.total_s or 0.0) - (self.done_s - self.from_s))
