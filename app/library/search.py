"""What a person typed, as a query that can never fail, and what is found.

Words must all occur, the last one may be the beginning of a longer one, and "words in quotes" must
follow each other. Nothing else has a meaning, so any string is a safe query.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.library.fold import Token, tokens

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_MAX_TERMS = 24
_MAX_TERM_TOKENS = 64
_MAX_PLACES = 2_000  # looked at in one recording to choose the best line
_SNIPPET_BEFORE = 40
_SNIPPET_LENGTH = 160


class Sort(StrEnum):
    """The order of the list; of a search only by age, or by rank."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LONGEST = "longest"
    EDITED = "edited"  # the latest edited first


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which recordings the list shows; what is `None` asks nothing.

    Attributes:
        text: what was typed into the search field; without any letter or digit it asks nothing.
        ranked: the best of the newest hits first, instead of the newest; only with `text`.
        folder_id: of the folder they lie in; "" for those in none.
        is_doubtful: whether a word of theirs is worth a second look.
        since, before: made at or after, and before, this wall clock.
        is_binned: those in the bin, which nothing else shows.
    """

    text: str = ""
    kind: RecordingKind | None = None
    status: RecordingStatus | None = None
    language: str | None = None
    model_id: str | None = None
    ranked: bool = False
    is_favourite: bool | None = None
    folder_id: str | None = None
    tag: str | None = None
    app_name: str | None = None
    is_doubtful: bool | None = None
    since: float | None = None
    before: float | None = None
    is_binned: bool = False
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a snippet; `is_match` parts are highlighted."""

    text: str
    is_match: bool = False


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A recording that was found and the segment that shows why.

    `segment_seq` and `start_s` are `None` when only the title matched; the snippet is then the
    beginning of the transcript.
    """

    recording: Recording
    segment_seq: int | None = None
    start_s: float | None = None
    snippet: tuple[Piece, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Term:
    """Folded tokens that must follow each other; of a prefix the last may go on."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


@lru_cache(maxsize=64)
def parse(text: str) -> tuple[Term, ...]:
    """Return the terms of what was typed; empty when it asks nothing."""
    terms: list[Term] = []
    parts = text.translate(_QUOTES).split('"')
    for index, part in enumerate(parts):
        is_quoted = index % 2 == 1
        is_last = index == len(parts) - 1  # a quoted last part is not closed yet
        pieces = [part] if is_quoted else part.split()
        for place, piece in enumerate(pieces):
            found = tokens(piece)[:_MAX_TERM_TOKENS]
            if found:
                is_open = is_last and place == len(pieces) - 1 and not found[-1].is_split
                terms.append(Term(tuple(token.text for token in found), is_open))
    return tuple(terms[:_MAX_TERMS])


def match_expression(terms: tuple[Term, ...]) -> str:
    """Return the terms in FTS5's language; they hold only letters, digits, marks and symbols."""
    return " AND ".join(
        '"' + " ".join(term.tokens) + '"' + (" *" if term.is_prefix else "") for term in terms
    )


def matches(text: str, query: str) -> list[tuple[int, int]]:
    """Return where `text` holds terms of `query`, as `(start, end)`, in order, none overlapping."""
    terms = parse(query)
    if not terms:
        return []
    found = tokens(text)
    ranges = sorted(
        (found[index].start, found[index + len(term.tokens) - 1].end)
        for term in terms
        for index in _places(found, term)
    )
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _places(found: list[Token], term: Term) -> list[int]:
    length = len(term.tokens)
    first = term.tokens[0]
    places = []
    for index in range(len(found) - length + 1):
        if length > 1 and found[index].text != first:
            continue
        if all(found[index + step].text == term.tokens[step] for step in range(length - 1)):
            last, wanted = found[index + length - 1].text, term.tokens[-1]
            if last == wanted or (term.is_prefix and last.startswith(wanted)):
                places.append(index)
    return places


def best_line(body: str, terms: tuple[Term, ...]) -> int | None:
    """Return the number of the line of a folded `body` that holds most terms, the first of equals.

    Returns:
        `None` when no term occurs.
    """
    held: dict[int, int] = {}
    for term in terms:
        lines: set[int] = set()
        place = line = 0
        for count, found in enumerate(_pattern(term).finditer(body)):
            if count == _MAX_PLACES:
                break
            line += body.count("\n", place, found.start())
            place = found.start()
            lines.add(line)
        for number in lines:
            held[number] = held.get(number, 0) + 1
    if not held:
        return None
    return min(held, key=lambda number: (-held[number], number))


@lru_cache(maxsize=256)
def _pattern(term: Term) -> re.Pattern[str]:
    words = "[ \n]+".join(re.escape(token) for token in term.tokens)
    return re.compile(rf"(?<![^ \n]){words}" + ("" if term.is_prefix else r"(?![^ \n])"))


def snippet(text: str, query: str) -> tuple[Piece, ...]:
    """Return the part of `text` around its first match, cut at words, matches marked."""
    text = " ".join(text.split())
    ranges = matches(text, query)
    start, end = _cut(text, ranges[0][0] if ranges else 0)
    pieces: list[Piece] = [Piece("…")] if start > 0 else []
    place = start
    for match_start, match_end in ranges:
        if match_start >= end or match_start < start:
            continue
        if match_start > place:
            pieces.append(Piece(text[place:match_start]))
        place = min(match_end, end)
        pieces.append(Piece(text[match_start:place], is_match=True))
    if place < end:
        pieces.append(Piece(text[place:end]))
    if end < len(text):
        pieces.append(Piece("…"))
    return tuple(pieces)


def _cut(text: str, match_start: int) -> tuple[int, int]:
    if len(text) <= _SNIPPET_LENGTH:
        return 0, len(text)
    start = max(0, min(match_start - _SNIPPET_BEFORE, len(text) - _SNIPPET_LENGTH))
    if start > 0:
        blank = text.find(" ", start, match_start)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + _SNIPPET_LENGTH)
    if end < len(text):
        blank = text.rfind(" ", match_start, end)
        end = blank if blank > match_start + _SNIPPET_BEFORE else end
    return start, end
