"""Finding and replacing in one transcript.

What is typed is searched as it stands, never as a pattern, so no text can make it fail or hang.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.edit import Edit, between
from app.core.spans import retold, shared, tidy
from app.core.transcript import Segment, Word


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
    told = text.replace("\\", r"\\")  # as it stands, not as a template
    found: dict[int, Segment | str] = {}
    is_in_words = not any(map(str.isspace, wanted.text + text)) and bool(text)
    for at, segment in enumerate(segments):
        if is_in_words and (said := _said(segment)) is not None:
            into, count = pattern.subn(told, "\n".join(said))
            if count and into.isascii():
                found[at] = _respoken(segment, said, into.split("\n"))
                continue
            if not count:
                continue
        old = tidy(segment.text)
        new, count = pattern.subn(told, old)
        if count:
            found[at] = _word_by_word(segment, old, tidy(new), pattern, told) or new
    return _replaced(segments, found)


def _word_by_word(
    segment: Segment, old: str, new: str, pattern: re.Pattern[str], told: str
) -> Segment | None:
    """Return the segment with each word replaced by itself; `None` where a hit is no part of one.

    Gives what `retold` gives where it can tell, without looking for what stayed: a person who
    replaces something in a whole day's transcript does not wait.
    """
    said = [word.text.strip() for word in segment.words]
    into = pattern.sub(told, "\n".join(said)).split("\n")  # no hit reaches over a line's end
    is_each = new.isascii() and len(into) == len(said) and " ".join(said) == old
    if not is_each or tidy(" ".join(into)) != new:
        return None
    words: list[Word] = []
    for word, before, after in zip(segment.words, said, into, strict=True):
        if before == after:
            words.append(word)
        elif after and " " not in after:
            words.append(Word(after, word.start_s, word.end_s, 1.0))
        else:
            words.extend(shared(after.split(), word.start_s, word.end_s))
    return Segment(
        segment.start_s,
        segment.end_s,
        new,
        tuple(words),
        segment.confidence,
        segment.speaker,
        segment.raw,
    )


def _said(segment: Segment) -> list[str] | None:
    """Return the words' texts where together they are the segment's text."""
    said = [word.text for word in segment.words]
    return said if said and " ".join(said) == tidy(segment.text) else None


def _respoken(segment: Segment, said: Sequence[str], into: Sequence[str]) -> Segment:
    """Return the segment with each word in place of the one it was made of."""
    words = tuple(
        word if before == after else Word(after, word.start_s, word.end_s, 1.0)
        for word, before, after in zip(segment.words, said, into, strict=True)
    )
    return Segment(
        segment.start_s,
        segment.end_s,
        " ".join(into),
        words,
        segment.confidence,
        segment.speaker,
        segment.raw,
    )


def _replaced(segments: Sequence[Segment], found: Mapping[int, Segment | str]) -> Edit | None:
    """Return the edit that gives segments other texts; one that becomes empty goes."""
    new = []
    for at, segment in enumerate(segments):
        into = found.get(at, segment)
        if isinstance(into, str):
            into = retold(segment, into)
        if into.text or at not in found:
            new.append(into)
    return between(segments, new, "replace")


def _pattern(wanted: Wanted) -> re.Pattern[str] | None:
    text = tidy(wanted.text)
    if not text:
        return None
    escaped = re.escape(text)
    if wanted.is_whole_word:
        escaped = rf"(?<!\w){escaped}(?!\w)"
    return re.compile(escaped, 0 if wanted.is_case_kept else re.IGNORECASE)
