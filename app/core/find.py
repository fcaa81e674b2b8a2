"""Finding and replacing in one transcript.

What is typed is searched as it stands, never as a pattern, so no text can make it fail or hang.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.core.edit import Edit, between, emptied
from app.core.spans import retold, shared, tidied, tidy, tokens
from app.core.transcript import Segment, Word

_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    text: str
    is_case_kept: bool = False  # whether capitals count
    is_whole_word: bool = False


class Hit(NamedTuple):
    """Characters `start` … `end` of the text of segment `at`; in order as places are.

    A tuple, for it is made quickly: of a frequent word there are thousands, anew with each letter.
    """

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


def place_behind(segments: Sequence[Segment], hit: Hit, text: str) -> tuple[int, int]:
    """Return the (segment, character) behind `text` once it has replaced `hit`."""
    new = tidy(segments[hit.at].text)[: hit.start] + text
    return hit.at, tidied(new, len(new))


def replace_all(segments: Sequence[Segment], wanted: Wanted, text: str) -> Edit | None:
    """Replace every place, as one step."""
    pattern = _pattern(wanted)
    if pattern is None:
        return None
    text = _BLANK.sub(" ", text)
    told = text.replace("\\", r"\\")  # as it stands, not as a template
    is_in_words = " " not in tidy(wanted.text)
    found: dict[int, Segment | str] = {}
    for at, segment in enumerate(segments):
        said = _said(segment) if is_in_words else None
        old = tidy(segment.text) if said is None else "\n".join(said)
        new, count = pattern.subn(told, old)
        if count:
            found[at] = new if said is None else _respoken(segment, said, new.split("\n"))
    return _replaced(segments, found)


def _said(segment: Segment) -> list[str] | None:
    """Return the words' texts where together they are the segment's, and blanks part them."""
    said = [word.text.strip() for word in segment.words]
    return said if said and " ".join(said) == tidy(segment.text) else None


def _respoken(segment: Segment, said: Sequence[str], into: Sequence[str]) -> Segment:
    """Return the segment with each word replaced by itself.

    Gives what `retold` gives without looking for what stayed: a person who replaces something in a
    whole day's transcript does not wait.
    """
    words: list[Word] = []
    for word, before, after in zip(segment.words, said, into, strict=True):
        if before == after:
            words.append(word)
        else:
            words.extend(shared(tokens(after), word.start_s, word.end_s))
    return Segment(
        segment.start_s,
        segment.end_s,
        tidy(" ".join(into)),
        tuple(words),
        segment.confidence,
        segment.speaker,
        segment.raw,
    )


def _replaced(segments: Sequence[Segment], found: Mapping[int, Segment | str]) -> Edit | None:
    """Return the edit that gives segments other texts; empty ones go, not the last."""
    new = []
    for at, segment in enumerate(segments):
        into = found.get(at, segment)
        if isinstance(into, str):
            into = retold(segment, into)
        if into.text or at not in found:
            new.append(into)
    if segments and not new:
        new.append(emptied(segments))
    return between(segments, new, "replace")


def _pattern(wanted: Wanted) -> re.Pattern[str] | None:
    text = tidy(wanted.text)
    if not text:
        return None
    escaped = re.escape(text)
    if wanted.is_whole_word:
        escaped = rf"(?<!\w){escaped}(?!\w)"
    return re.compile(escaped, 0 if wanted.is_case_kept else re.IGNORECASE)
