"""Where the words of a segment stand in its text, and how they follow an edit of it.

Words that were not touched keep their times and probabilities; what a person typed is certain and
shares the time of what it replaced, or of its segment. Times never run backwards.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache

from app.core.transcript import Segment, Word

_BLANKS = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Return `text` on one line, as an editor shows it."""
    return " ".join(text.split())


def tidied(text: str, place: int) -> int:
    """Return where the character `place` of `text` is once that is on one line."""
    return len(tidy(f"{text[:place]}.")) - 1


def spans(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Return where each word stands in `text`, in order; empty when they do not all stand in it."""
    found = []
    place = 0
    for word in words:
        said = tidy(word.text)
        start = text.find(said, place) if said else place
        if start < 0:
            return []
        found.append((start, start + len(said)))
        place = start + len(said)
    return found


def retold(segment: Segment, text: str) -> Segment:
    """Return the segment with `text` in place of its text, its words following the change."""
    text = tidy(text)
    old = tidy(segment.text)
    if text == old:
        return segment
    places = spans(old, segment.words)
    if not places and old:
        return replace(segment, text=text, words=())
    head = _common(old, text)
    tail = min(_common(old[::-1], text[::-1]), min(len(old), len(text)) - head)
    first = sum(end <= head for _start, end in places)
    while first and not _is_cut(old, text, places[first - 1][1]):
        first -= 1  # something was typed onto the end of this word
    last = len(places)
    while last > first and places[last - 1][0] >= len(old) - tail:
        last -= 1
    while last < len(places) and not _is_cut(old[::-1], text[::-1], len(old) - places[last][0]):
        last += 1  # … or onto its beginning
    begin = places[first - 1][1] if first else 0
    end = len(text) - (len(old) - places[last][0]) if last < len(places) else len(text)
    middle = _fitted(segment, first, last, tokens(text[begin:end]))
    words = (*segment.words[:first], *middle, *segment.words[last:])
    if len(spans(text, words)) != len(words):
        # The change cut through a word of a script without blanks: all words are found anew.
        words = tuple(_fitted(segment, 0, len(places), tokens(text)))
    return replace(segment, text=text, words=words)


def joined(first: str, second: str) -> str:
    """Return two texts as one, with a blank between where the script has blanks."""
    first, second = tidy(first), tidy(second)
    if not first or not second:
        return first or second
    is_glued = is_dense(first[-1]) and is_dense(second[0])
    return f"{first}{second}" if is_glued else f"{first} {second}"


def _common(first: str, second: str) -> int:
    """Return how many characters two texts share from the beginning."""
    limit = min(len(first), len(second))
    low, high = 0, limit
    while low < high:  # slices compare at C speed
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_cut(old: str, new: str, place: int) -> bool:
    """Whether a word that ends at `place` in both still ends there in the new text."""
    after = new[place : place + 1]
    return after == old[place : place + 1] or not after or after.isspace() or is_dense(after)


def tokens(text: str) -> list[str]:
    """Return the words of a text; of scripts without blanks each character."""
    if text.isascii():
        return text.split()
    found: list[str] = []
    for part in _BLANKS.split(text):
        run, begun = "", len(found)
        for character in part:
            if is_dense(character):
                if run:
                    found.append(run)
                    run = ""
                found.append(character)
                continue
            follows = not run and len(found) > begun and is_dense(found[-1][0])
            if follows and not character.isalnum():
                found[-1] += character  # a full stop belongs to what it ends
            else:
                run += character
        if run:
            found.append(run)
    return found


@lru_cache(maxsize=4096)
def is_dense(character: str) -> bool:
    """Whether a character belongs to a script that is written without blanks."""
    return unicodedata.east_asian_width(character) in "WF" or "\u0e00" <= character <= "\u0eff"


def _fitted(segment: Segment, first: int, last: int, said: list[str]) -> list[Word]:
    """Return words for `said`, which stand where the words `first` … `last` stood."""
    words = segment.words
    start_s = words[first - 1].end_s if first else segment.start_s
    end_s = words[last].start_s if last < len(words) else segment.end_s
    if first < last:
        start_s, end_s = words[first].start_s, words[last - 1].end_s
    old = [tidy(word.text) for word in words[first:last]]
    if len(old) == len(said):  # each corrected in its place
        return [
            word if before == now else Word(now, word.start_s, word.end_s, 1.0)
            for word, before, now in zip(words[first:last], old, said, strict=True)
        ]
    found: list[Word] = []
    matcher = SequenceMatcher(None, old, said, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.extend(words[first + a : first + b])
        elif c < d:
            before = found[-1].end_s if found else start_s
            left = words[first + a].start_s if a < b else before
            right = words[first + b - 1].end_s if a < b else before
            if a == b:
                right = words[first + b].start_s if first + b < last else end_s
            left = max(left, before)
            found.extend(shared(said[c:d], left, max(left, right)))
    return found


def shared(said: Sequence[str], start_s: float, end_s: float) -> list[Word]:
    """Return words that share a stretch of time by their lengths."""
    if len(said) == 1:
        return [Word(said[0], start_s, end_s, 1.0)]
    total = sum(map(len, said)) or 1
    found, done, at_s = [], 0, start_s
    for token in said:
        done += len(token)
        until_s = end_s if done == total else start_s + (end_s - start_s) * done / total
        until_s = min(max(until_s, at_s), end_s)
        found.append(Word(token, at_s, until_s, 1.0))
        at_s = until_s
    return found
