"""Segments to subtitle cues: at most two lines of 42 columns where the words' times are known.

No text is lost or reordered: the cues of a segment, joined, are its text. Without word times a long
segment stays one cue of more lines, because any time inside it would be invented.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from app.core.transcript import Segment, Transcript
from app.export.document import one_line

COLUMNS = 42
LINES = 2
_SHORTEST_S = 0.001  # readers drop cues that end when they start
_PAUSES = ".,;:!?…。、！？，؟،"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class _Unit:
    """One timed word with the text up to the next one."""

    text: str
    start_s: float
    end_s: float


def cues(transcript: Transcript) -> Iterator[Cue]:
    """Yield the cues in order; starts never go back and every cue lasts."""
    earliest_s = 0.0
    for segment in transcript.segments:
        for cue in _cues_of(segment):
            start_s = max(earliest_s, cue.start_s)
            end_s = max(start_s + _SHORTEST_S, cue.end_s)
            yield Cue(start_s, end_s, cue.lines, cue.speaker)
            earliest_s = start_s


def _cues_of(segment: Segment) -> Iterator[Cue]:
    text = one_line(segment.text)
    if not text:
        return
    speaker = one_line(segment.speaker) if segment.speaker else None
    units = _units(segment, text) if len(wrap(text)) > LINES else []
    if not units:
        yield Cue(segment.start_s, segment.end_s, tuple(wrap(text)), speaker)
        return
    first = 0
    while first < len(units):
        after = _fitting(units, first)
        part = units[first:after]
        lines = wrap("".join(unit.text for unit in part).strip())
        is_last = after == len(units)
        start_s = segment.start_s if first == 0 else part[0].start_s
        end_s = segment.end_s if is_last else part[-1].end_s
        yield Cue(start_s, end_s, tuple(lines), speaker)
        first = after


def _units(segment: Segment, text: str) -> list[_Unit]:
    """Return the words with where they stand in `text`; empty when they do not stand in it."""
    places = []
    place = 0
    for word in segment.words:
        said = one_line(word.text)
        found = text.find(said, place) if said else place
        if found < 0:
            return []
        places.append(found)
        place = found + len(said)
    if not places:
        return []
    places[0] = 0
    ends = [*places[1:], len(text)]
    return [
        _Unit(text[start:end], word.start_s, word.end_s)
        for word, start, end in zip(segment.words, places, ends, strict=True)
    ]


def _fitting(units: list[_Unit], first: int) -> int:
    """Return after which unit the cue that begins with `first` ends, if possible at a pause."""
    text = ""
    pause_after = 0
    for index in range(first, len(units)):
        longer = text + units[index].text
        if index > first and len(wrap(longer.strip())) > LINES:
            is_worth_it = sum(width(unit.text) for unit in units[first:pause_after]) > COLUMNS // 2
            return pause_after if pause_after > first and is_worth_it else index
        text = longer
        if text.rstrip()[-1:] in _PAUSES:
            pause_after = index + 1
    return len(units)


def width(text: str) -> int:
    """Return how many columns `text` takes; a wide character takes two, a mark none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def wrap(text: str) -> list[str]:
    """Return `text` in lines of at most `COLUMNS`, two of about the same length where two do."""
    if width(text) <= COLUMNS:
        return [text]
    halves = [
        (text[:place].rstrip(), text[place:].lstrip())
        for place in _breaks(text)
        if width(text[:place].rstrip()) <= COLUMNS and width(text[place:].lstrip()) <= COLUMNS
    ]
    if halves:
        first, second = min(halves, key=lambda pair: abs(width(pair[0]) - width(pair[1])))
        return [first, second]
    lines = []
    while width(text) > COLUMNS:
        fitting = [place for place in _breaks(text) if width(text[:place].rstrip()) <= COLUMNS]
        place = fitting[-1] if fitting else _hard_break(text)
        lines.append(text[:place].rstrip())
        text = text[place:].lstrip()
    return [*lines, text] if text else lines


def _breaks(text: str) -> list[int]:
    """Return where a line may end: after a blank, and between wide characters."""
    places = []
    for place in range(1, len(text)):
        before, after = text[place - 1], text[place]
        ends_word = before == " " and after != " "
        if ends_word or (_is_wide(before) and _is_wide(after) and after not in _PAUSES):
            places.append(place)
        if place > 2 * LINES * COLUMNS:
            break  # further on matters only to the next line
    return places


def _is_wide(character: str) -> bool:
    return character > "\u1100" and unicodedata.east_asian_width(character) in "WF"


def _hard_break(text: str) -> int:
    """Return where a word that is wider than a line must be cut."""
    taken = 0
    for place, character in enumerate(text):
        taken += width(character)
        if taken > COLUMNS:
            return max(1, place)
    return len(text)
