"""A model as the rest of the app knows it: weights and config on disk, and what it can do."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.confidence import USUAL, Calibration

_IMPORTED = "imported:"


def imported(file_name: str) -> str:
    """Return what stands in the place of a model for a text that was made elsewhere."""
    return _IMPORTED + file_name


def imported_from(model_id: str | None) -> str | None:
    """Return the name of the file a text was taken from; `None` when a model wrote it."""
    if model_id is None or not model_id.startswith(_IMPORTED):
        return None
    return model_id.removeprefix(_IMPORTED)


class Family(StrEnum):
    """Which recognizer runs the model."""

    WHISPER = "whisper"
    VOXTRAL = "voxtral"
    VOXTRAL_REALTIME = "voxtral_realtime"
    LANGUAGE = "language"  # writes summaries; no recognizer
    SCRIPTED = "scripted"


@dataclass(frozen=True, slots=True)
class Model:
    """An installed model.

    Attributes:
        model_id: its name in the catalog, for example `whisper-large-v3-turbo`.
        title: its name for people.
        folder: where its files lie.
        languages: codes it knows; empty means all that its family knows.
        max_speech_s: the longest speech one window may hold.
        joins_up_to_s: utterances share a window up to this length; 0 says up to `max_speech_s`.
        memory_bytes: what it needs in memory, weights and work together.
        is_demo: whether it is the small built-in model that only shows how the app works.
        has_word_times: whether it can say when each word was spoken.
        has_short_context: whether it reads less sound than it was made for as well, unpadded.
        calibration: what its probabilities of words are worth.
    """

    model_id: str
    title: str
    family: Family
    folder: Path
    languages: tuple[str, ...] = ()
    max_speech_s: float = 30.0
    joins_up_to_s: float = 0.0
    memory_bytes: int = 0
    is_demo: bool = False
    has_word_times: bool = True
    has_short_context: bool = False
    calibration: Calibration = USUAL
