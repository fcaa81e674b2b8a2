"""Facts that come up from the engine, the pipeline and the library.

Every event is frozen, picklable and a whole snapshot: whoever missed the one before loses nothing.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.core.backup import BackupChanged
from app.core.dictation import StageChanged
from app.core.download import Download
from app.core.errors import AppError
from app.core.job import Job
from app.core.packing import Region
from app.core.transcript import Segment


class ModelState(StrEnum):
    """Where a model stands between disk and memory."""

    LOADING = "loading"
    READY = "ready"
    UNLOADED = "unloaded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SegmentsFinal:
    """Segments the engine will not touch again, and how far the recording is now final.

    `done_s` may pass the last segment's end: what lies between held no speech, or it is in
    `missing`: stretches where somebody speaks and even a second try gave no text.
    """

    job_id: str
    segments: tuple[Segment, ...]
    done_s: float
    language: str | None = None
    missing: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class PartialChanged:
    """The live hypothesis: `committed` words will stay, `tail` may still change."""

    take_id: str
    committed: str
    tail: str
    start_s: float


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job as it now stands."""

    job: Job


@dataclass(frozen=True, slots=True)
class ModelChanged:
    """A model as it now stands; `fraction` is how much of it is loaded or fetched, 0…1."""

    model_id: str
    state: ModelState
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class DownloadChanged:
    """A model on its way here, as it now stands."""

    download: Download


@dataclass(frozen=True, slots=True)
class ModelsChanged:
    """Which models are installed has changed."""


@dataclass(frozen=True, slots=True)
class LibraryChanged:
    """What kinds of rows changed, whose, and who did it.

    The kinds are `recordings`, `segments`, `jobs`, `folders`, `tags` and `revisions`.
    """

    kinds: frozenset[str]
    ids: frozenset[str] = field(default_factory=frozenset)
    origin: str = ""


@dataclass(frozen=True, slots=True)
class JobEnded:
    """The engine has left a job: `error` is `None` when it ran to its end or was cancelled."""

    job_id: str
    error: AppError | None = None
    was_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class FilesChecked:
    """What became of files a person handed over: jobs that were added, files that were refused."""

    added: tuple[Job, ...]
    rejected: tuple[tuple[Path, AppError], ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """Files that were written."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class TakesRecovered:
    """Takes that a crash had left behind are in the library; their text is still to be made."""

    recording_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong outside any one job."""

    error: AppError


Event = (
    SegmentsFinal
    | StageChanged
    | PartialChanged
    | JobChanged
    | ModelChanged
    | DownloadChanged
    | ModelsChanged
    | LibraryChanged
    | JobEnded
    | FilesChecked
    | Exported
    | TakesRecovered
    | BackupChanged
    | Failed
)
