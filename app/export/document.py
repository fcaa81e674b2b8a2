"""What every writer is given, and the text rules they share."""

import unicodedata
from dataclasses import dataclass

from app.core.transcript import Transcript


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """One transcript and what is known about its recording.

    `created_at` is in seconds since 1970 UTC; `source` is the name of the imported file.
    """

    title: str
    created_at: float
    duration_s: float | None
    transcript: Transcript
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What a person can choose; each format uses what makes sense in it.

    Attributes:
        has_speakers: whether speakers are named.
        has_times: whether texts to read show times; `None` leaves it to the format.
        line_length: columns of a subtitle's line.
        cue_lines: lines of a cue at most.
        reading_speed: characters a second a cue is shown at most, where there is time until the
            next one; `None` shows each exactly while it is spoken.
    """

    has_speakers: bool = True
    has_times: bool | None = None
    line_length: int = 42
    cue_lines: int = 2
    reading_speed: float | None = None


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters and what UTF-8 cannot hold.

    Direction marks stay: right-to-left text needs them.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in text.encode("utf-8", "replace").decode("utf-8")
    )
    return " ".join(kept.split())
