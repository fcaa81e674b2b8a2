"""Where a live recording stands, and everything that can be asked of it.

Every command is defined in every stage: what makes no sense in one is ignored there, never an
error. The stage machine itself lives in `pipeline/dictation`; this module is what front ends see.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.core.errors import AppError
from app.core.recording import RecordingKind


class Stage(StrEnum):
    """Where the stage machine stands."""

    IDLE = "idle"
    ARMING = "arming"  # the microphone is being opened; no real sample has come yet
    RECORDING = "recording"
    FINISHING = "finishing"  # the sound is safe on disk; the last words are being recognised


class Outcome(StrEnum):
    """How a take ended, as the overlay says it."""

    INSERTED = "inserted"
    COPIED = "copied"  # on the clipboard instead; `problem` says why
    SAVED = "saved"
    NOTHING_HEARD = "nothing_heard"
    CANCELLED = "cancelled"  # kept; `undo_cancel` brings it back
    UNTRANSCRIBED = "untranscribed"  # the sound is kept, the model could not; Retry is offered
    FAILED = "failed"  # no sound could be recorded; `problem` says why


@dataclass(frozen=True, slots=True)
class StageChanged:
    """Everything a front end draws of a take, whole.

    Attributes:
        take_id: of the running take, else of the last one; empty before the first.
        kind: `DICTATION` inserts into the front app, `QUICK` goes to the library only.
        is_paused: whether the microphone rests while the take stays open.
        elapsed_s: seconds of sound when this was told; poll `Dictation.elapsed_s` between.
        device: the microphone's name, as a person knows it.
        outcome: how the last take ended; only in `IDLE`.
        problem: what a person should read now, in any stage (too quiet, silent, disk low …).
        text: the final text of a take that ended.
        can_undo: whether `undo_cancel` would bring the take back now.
        can_retry: whether `retry` would transcribe the last take now.
        recording_id: the take's row in the library, once it has one.
        needs_relaunch: whether the model never came back, so that only a new start of the app makes
            text again; the take is offered there.
    """

    stage: Stage = Stage.IDLE
    take_id: str = ""
    kind: RecordingKind = RecordingKind.DICTATION
    is_paused: bool = False
    elapsed_s: float = 0.0
    device: str = ""
    outcome: Outcome | None = None
    problem: AppError | None = None
    text: str = ""
    can_undo: bool = False
    can_retry: bool = False
    recording_id: str = ""
    needs_relaunch: bool = False


class Dictation(Protocol):
    """What front ends ask for. Every call returns at once; `StageChanged` tells what came of it.

    Thread: main.
    """

    @property
    def now(self) -> StageChanged:
        """The last snapshot."""

    def elapsed_s(self) -> float:
        """Seconds of sound so far, pauses left out; cheap enough for a meter's timer."""

    def level_db(self) -> float:
        """The level now in dBFS, -100 for silence; cheap enough for a meter's timer."""

    def start(self, kind: RecordingKind) -> None:
        """Start a take."""

    def stop(self) -> None:
        """End the take and make its text."""

    def toggle(self, kind: RecordingKind) -> None:
        """Start, or stop what runs."""

    def cancel(self) -> None:
        """End the take without inserting; it is kept in the library's bin and can be undone."""

    def undo_cancel(self) -> None:
        """Take the last cancel back: transcribe, keep and insert."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def retry(self) -> None:
        """Transcribe the last take again, with the next model when the last one failed."""

    def hotkey_down(self, name: str, at_s: float) -> None:
        """A global hotkey went down (`dictate`, `quick`, `cancel` …); `at_s` is monotonic."""

    def hotkey_up(self, name: str, at_s: float) -> None: ...

    def hotkey_interrupted(self, name: str, at_s: float) -> None:
        """What looked like the hotkey was part of another program's shortcut: leave no trace."""

    def copy_last(self) -> None:
        """Put the last text on the clipboard."""

    def paste_last(self) -> None:
        """Insert the last text into the front app again."""

    def undo_insertion(self) -> None:
        """Take the last insertion back."""
