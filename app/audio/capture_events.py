"""What happens during a take, told upwards; each event is frozen and whole."""

from dataclasses import dataclass

from app.audio.devices import Device
from app.audio.measure import Hint, SoundSummary
from app.core.errors import AppError


@dataclass(frozen=True, slots=True)
class MicrophoneReady:
    """The first real sound is there: what is said from now on is in the take.

    `generation` counts the streams of the take; above 1 the microphone was opened anew.
    """

    device: Device
    generation: int


@dataclass(frozen=True, slots=True)
class MicrophoneLost:
    """The microphone went away or stopped; another try is being made."""

    device: Device


@dataclass(frozen=True, slots=True)
class GapFound:
    """The device did not deliver `missing_s` seconds; they are silence in the take."""

    missing_s: float


@dataclass(frozen=True, slots=True)
class SoundSilent:
    """Nothing but zeros for `silent_s`: muted? `is_long`: time to offer another microphone."""

    device: Device
    silent_s: float
    is_long: bool


@dataclass(frozen=True, slots=True)
class SoundReturned:
    """The zeros are over."""

    device: Device


@dataclass(frozen=True, slots=True)
class HintsChanged:
    """What could be better about the sound right now."""

    hints: frozenset[Hint]


@dataclass(frozen=True, slots=True)
class SpaceLow:
    """The disk is nearly full; told every 10 s."""

    free_bytes: int


@dataclass(frozen=True, slots=True)
class TakeEnded:
    """The take is closed and on disk; the last event.

    Attributes:
        reason: an `EndReason`.
        duration_s: of what is on disk, gaps included.
        sound: how it sounded.
        error: what a person should read, if anything.
    """

    reason: str
    duration_s: float
    sound: SoundSummary
    error: AppError | None = None


TakeEvent = (
    MicrophoneReady
    | MicrophoneLost
    | GapFound
    | SoundSilent
    | SoundReturned
    | HintsChanged
    | SpaceLow
    | TakeEnded
)
