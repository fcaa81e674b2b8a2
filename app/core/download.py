"""A model on its way to this machine, as a person sees it: a whole snapshot, like a job."""

from dataclasses import dataclass
from enum import StrEnum


class DownloadState(StrEnum):
    """Where a download stands."""

    QUEUED = "queued"
    ASKING = "asking"  # what there is to fetch
    RUNNING = "running"
    WAITING = "waiting"  # before the next try
    VERIFYING = "verifying"
    CONVERTING = "converting"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def is_active(self) -> bool:
        """Whether something is being done, or will be without the person."""
        return self not in (
            DownloadState.PAUSED,
            DownloadState.FAILED,
            DownloadState.DONE,
            DownloadState.CANCELLED,
        )


@dataclass(frozen=True, slots=True)
class Download:
    """One model's download.

    Attributes:
        model_id: what the model will be called.
        done_bytes: what is here, verified or not yet.
        total_bytes: 0 until it is known.
        rate_bytes: a second, over the last few; 0 while nothing comes.
        error: what went wrong, as a source string already filled in; `hint` likewise.
    """

    model_id: str
    title: str
    state: DownloadState = DownloadState.QUEUED
    done_bytes: int = 0
    total_bytes: int = 0
    rate_bytes: float = 0.0
    error: str = ""
    hint: str = ""

    @property
    def fraction(self) -> float | None:
        """How much is done, 0…1; `None` while the size is unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None

    @property
    def left_s(self) -> float | None:
        """About how long it still takes; `None` while that cannot be told."""
        if self.state is not DownloadState.RUNNING or self.rate_bytes <= 0 or not self.total_bytes:
            return None
        return max(0.0, (self.total_bytes - self.done_bytes) / self.rate_bytes)
