"""What a person should read while a take runs: one sentence and a way out for each trouble.

Nothing here ends a take.
"""

from app.audio.capture_events import (
    GapFound,
    MicrophoneLost,
    SoundSilent,
    SpaceLow,
    TakeEvent,
)
from app.audio.measure import Hint
from app.core.errors import (
    AppError,
    AudioError,
    DeviceLost,
    DiskFull,
    EngineFailed,
    EngineHung,
    InsertFailed,
    PermissionMissing,
    mark,
)
from app.core.model import Model


def problem_of(event: TakeEvent) -> AppError | None:
    """Return what a person should read about `event`, if anything."""
    match event:
        case MicrophoneLost():
            return DeviceLost(
                mark("The microphone “{name}” went away. Undertone is looking for another one."),
                mark("What was said so far is kept."),
                name=event.device.name,
            )
        case SoundSilent(is_long=True):
            return AudioError(
                mark("Undertone can't hear the microphone “{name}”. It has been silent for 10 s."),
                mark("Unmute it, or choose another microphone."),
                name=event.device.name,
            )
        case SoundSilent():
            return AudioError(
                mark("The microphone “{name}” gives no sound."),
                mark("It may be muted, or in use by another device."),
                name=event.device.name,
            )
        case GapFound():
            return AudioError(
                mark("The microphone left out {seconds} seconds of sound."),
                mark("The recording goes on; the gap is silence in it."),
                seconds=f"{event.missing_s:.1f}",
            )
        case SpaceLow():
            return DiskFull(
                mark("Only {free} MB are free on the disk that holds your recordings."),
                mark("Free some space: the recording ends when the disk is full."),
                free=event.free_bytes // 1_000_000,
            )
    return None


def problem_of_hints(hints: frozenset[Hint]) -> AppError | None:
    """Return what could be better about the sound, the worst first."""
    if Hint.CLIPPING in hints:
        return AudioError(
            mark("The sound is too loud and clips."),
            mark("Move away from the microphone, or lower its level."),
        )
    if Hint.TOO_QUIET in hints:
        return AudioError(
            mark("You are hard to hear."),
            mark("Come closer to the microphone, or raise its level."),
        )
    if Hint.NOISY in hints:
        return AudioError(
            mark("There is much noise around you."),
            mark("Come closer to the microphone, or find a quieter place."),
        )
    return None


def other_microphone(name: str) -> AudioError:
    return AudioError(
        mark("The recording goes on with the microphone “{name}”."),
        mark("What was missed in between is silence in it."),
        name=name,
    )


def microphone_forbidden() -> PermissionMissing:
    return PermissionMissing(
        mark("Undertone may not use the microphone."),
        mark("Allow it under System Settings → Privacy & Security → Microphone."),
    )


def model_set_aside(model: Model, following: Model) -> EngineFailed:
    return EngineFailed(
        mark("“{model}” failed twice, so “{following}” is used until Undertone starts again."),
        mark("Choose another model in the settings if this happens often."),
        model=model.title,
        following=following.title,
    )


def model_failed(model: Model) -> EngineFailed:
    return EngineFailed(
        mark("The model “{model}” could not make text of this recording. The sound is kept."),
        mark("Choose “Retry”, or transcribe it later from the library."),
        model=model.title,
    )


def model_hangs(model_title: str) -> EngineHung:
    return EngineHung(
        mark("The model “{model}” does not answer any more. The sound is kept."),
        mark("Start Undertone again; it then offers to transcribe the recording."),
        model=model_title,
    )


def words_come_late() -> EngineFailed:
    return EngineFailed(
        mark("The model is slower than you speak, so the words come late. All is being recorded."),
        mark("The rest is written after you stop. A smaller model is faster."),
    )


def switched_away(name: str) -> InsertFailed:
    return InsertFailed(
        mark("You have left “{name}”, so the text was copied instead of inserted."),
        mark("Click where it belongs and paste it."),
        name=name,
    )


def not_delivered() -> InsertFailed:
    return InsertFailed(
        mark("Something unexpected went wrong, so the text may not have been inserted."),
        mark("It is in your library. Click where it belongs and choose “Paste last”."),
    )


def ended_without_text() -> EngineFailed:
    return EngineFailed(
        mark("Undertone ended before this recording was transcribed. Its sound is kept."),
        mark("Choose “Retry” to transcribe it."),
    )
