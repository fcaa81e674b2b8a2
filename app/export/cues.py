"""Segments to subtitle cues of a chosen size, where the times of the words are known.

No text is lost or reordered: the cues of a segment, joined, are its text. Without word times a long
segment stays one cue of more lines, because any time inside it would be invented.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.core.transcript import Segment, Transcript
from app.export.document import ExportOptions, one_line

COLUMNS, LINES = ExportOptions().line_length, ExportOptions().cue_lines
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


def cues(
    transcript: Transcript,
    options: ExportOptions = ExportOptions(),  # noqa: B008  # frozen
) -> Iterator[Cue]:
    """Yield the cues in order; starts never go back and every cue lasts."""
    earliest_s = 0.0
    waiting: Cue | None = None
    for segment in transcript.segments:
        for cue in _cues_of(segment, options):
            start_s = max(earliest_s, cue.start_s)
            end_s = max(start_s + _SHORTEST_S, cue.end_s)
            if waiting is not None:
                yield _readable(waiting, start_s, options)
            waiting = Cue(start_s, end_s, cue.lines, cue.speaker)
            earliest_s = start_s
    if waiting is not None:
        yield _readable(waiting, None, options)


def _readable(cue: Cue, next_s: float | None, options: ExportOptions) -> Cue:
    """Show a cue long enough to be read, as far as the next one lets it."""
    if not options.reading_speed:
        return cue
    wanted_s = cue.start_s + sum(map(width, cue.lines)) / options.reading_speed
    end_s = wanted_s if next_s is None else min(wanted_s, next_s)
    return replace(cue, end_s=max(cue.end_s, end_s))


def _cues_of(segment: Segment, options: ExportOptions) -> Iterator[Cue]:
    text = one_line(segment.text)
    if not text:
        return
    speaker = one_line(segment.speaker) if segment.speaker else None
    columns = options.line_length
    whole = tuple(wrap(text, columns))
    units = _units(segment, text) if len(whole) > options.cue_lines else []
    if not units:
        yield Cue(segment.start_s, segment.end_s, whole, speaker)
        return
    first = 0
    while first < len(units):
        after = _fitting(units, first, options)
        part = units[first:after]
        lines = wrap("".join(unit.text for unit in part).strip(), columns)
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


def _fitting(units: list[_Unit], first: int, options: ExportOptions) -> int:
    """Return after which unit the cue that begins with `first` ends, if possible at a pause."""
    text = ""
    pause_after = 0
    for index in range(first, len(units)):
        longer = text + units[index].text
        lines = wrap(longer.strip(), options.line_length)
        if index > first and len(lines) > options.cue_lines:
            taken = sum(width(unit.text) for unit in units[first:pause_after])
            is_worth_it = taken > options.line_length // 2
            return pause_after if pause_after > first and is_worth_it else index
        text = longer
        if text.rstrip()[-1:] in _PAUSES:
            pause_after = index + 1
    return len(units)


def width(text: str) -> int:
    """Return how many columns `text` takes; a wide character takes two, a mark none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, columns: int = COLUMNS) -> list[str]:
    """Return `text` in lines of at most `columns`, two of about the same length where two do."""
    left = width(text)
    if left <= columns:
        return [text]
    halves = [
        (abs(shown - (left - taken)), place)
        for place, taken, shown in _ends(text, 0, columns)
        if max(shown, left - taken) <= columns
    ]
    if halves:
        _difference, place = min(halves)
        return [text[:place].rstrip(), text[place:].lstrip()]
    lines = []
    start = 0
    while left > columns:
        end = _line_end(text, start, columns)
        lines.append(text[start:end].rstrip())
        while end < len(text) and text[end].isspace():
            end += 1
        left -= width(text[start:end])
        start = end
    return [*lines, text[start:]] if start < len(text) else lines


def _ends(text: str, start: int, columns: int) -> Iterator[tuple[int, int, int]]:
    """Yield where the line from `start` may end: after a blank, and between wide characters.

    With each place come the columns up to it, and those without blanks at the end.
    """
    taken = shown = 0
    most = start + 4 * columns + 2  # further on matters only to the next line
    for place in range(start + 1, min(most, len(text))):
        before, after = text[place - 1], text[place]
        taken += _columns_of(before)
        if not before.isspace():
            shown = taken
        ends_word = before == " " and after != " "
        if ends_word or (_is_wide(before) and _is_wide(after) and after not in _PAUSES):
            yield place, taken, shown


def _is_wide(character: str) -> bool:
    return character > "\u1100" and unicodedata.east_asian_width(character) in "WF"


def _line_end(text: str, start: int, columns: int) -> int:
    """Return where the line from `start` ends; a word that is wider than a line is cut."""
    found = 0
    for place, _taken, shown in _ends(text, start, columns):
        if shown > columns:
            break
        found = place
    if found:
        return found
    taken = 0
    for place in range(start, len(text)):
        taken += _columns_of(text[place])
        if taken > columns:
            return max(start + 1, place)
    return len(text)
