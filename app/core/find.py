"""Finding and replacing in one transcript.

What is typed is searched as it stands, never as a pattern, so no text can make it fail or hang.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.edit import Edit, between
from app.core.spans import retold, tidy
from app.core.transcript import Segment


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    text: str
    is_case_kept: bool = False  # whether capitals count
    is_whole_word: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters `start` … `end` of the text of segment `at`."""

    at: int
    start: int
    end: int


def find(segments: Sequence[Segment], wanted: Wanted) -> list[Hit]:
    """Return every place, in order, none overlapping."""
    pattern = _pattern(wanted)
    if pattern is None:
        return []
    return [
        Hit(at, found.start(), found.end())
        for at, segment in enumerate(segments)
        for found in pattern.finditer(tidy(segment.text))
    ]


def replace_hit(segments: Sequence[Segment], hit: Hit, text: str) -> Edit | None:
    """Replace one place."""
    old = tidy(segments[hit.at].text)
    return _replaced(segments, {hit.at: f"{old[: hit.start]}{text}{old[hit.end :]}"})


def replace_all(segments: Sequence[Segment], wanted: Wanted, text: str) -> Edit | None:
    """Replace every place, as one step."""
    pattern = _pattern(wanted)
    if pattern is None:
        return None
    return _replaced(
        segments,
        {
            at: pattern.sub(lambda _found: text, old)
            for at, segment in enumerate(segments)
            if pattern.search(old := tidy(segment.text))
        },
    )


def _replaced(segments: Sequence[Segment], texts: dict[int, str]) -> Edit | None:
    """Return the edit that gives segments other texts; one that becomes empty goes."""
    new = []
    for at, segment in enumerate(segments):
        if at not in texts:
            new.append(segment)
        elif tidy(texts[at]):
            new.append(retold(segment, texts[at]))
    return between(segments, new, "replace")


def _pattern(wanted: Wanted) -> re.Pattern[str] | None:
    text = tidy(wanted.text)
    if not text:
        return None
    escaped = re.escape(text)
    if wanted.is_whole_word:
        escaped = rf"(?<!\w){escaped}(?!\w)"
    return re.compile(escaped, 0 if wanted.is_case_kept else re.IGNORECASE)
