"""The realtime model's tokens to words with times, which are only ever added to.

The model writes a word when it is over, a fixed delay later: the slot a word begins to be written
at says when it ended. When it began is not said; it is taken to be as long as its letters need, but
not before the word before it was over. A word is committed when the next one begins.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.transcript import Segment, Word
from app.engine.base import Hypothesis
from app.engine.voxtral.prompt import SLOT_MS, Marks
from app.engine.voxtral.session import Written
from app.engine.voxtral.tekken import Tekken

_SLOT_S = SLOT_MS / 1000
_LETTER_S = 0.07
_SHORTEST_S = 0.16
_LONGEST_S = 0.8
_PAUSE_S = 1.0  # a pause this long ends a segment
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")


@dataclass(slots=True)
class _Growing:
    """The word that is being written."""

    slot: int
    data: bytes = b""
    log_probabilities: list[float] = field(default_factory=list)


class WordStream:
    """Puts tokens together to words.

    Args:
        tekken: the model's vocabulary.
        marks: its marks.
        delay: how many slots the text follows behind the sound.
        start_s: when the sound of slot 0 begins.
    """

    def __init__(self, tekken: Tekken, marks: Marks, delay: int, start_s: float) -> None:
        self._tekken, self._marks = tekken, marks
        self._delay, self._start_s = delay, start_s
        self._words: list[Word] = []
        self._texts: list[bytes] = []  # of each word, with the space before it
        self._growing: _Growing | None = None

    @property
    def hypothesis(self) -> Hypothesis:
        """What is written so far: whole words, and the one that is growing."""
        tail = self._word(self._growing) if self._growing else None
        return Hypothesis(tuple(self._words), (tail,) if tail else ())

    def add(self, written: Sequence[Written]) -> bool:
        """Take in tokens; return whether any of them was text."""
        is_text = False
        for one in written:
            piece = self._tekken.piece(one.token)
            if one.token == self._marks.word:
                if self._growing is None or not _is_cut(self._growing.data):
                    self._close()
                    self._growing = _Growing(one.slot)
            elif piece:
                is_text = True
                if self._growing is not None and self._growing.data and self._begins(piece):
                    self._close()
                if self._growing is None:
                    self._growing = _Growing(one.slot)
                self._growing.data += piece
                self._growing.log_probabilities.append(one.log_probability)
        return is_text

    def finish(self, end_s: float, wants_words: bool = True) -> tuple[Segment, ...]:
        """Commit the last word; return everything as segments that end by `end_s`."""
        self._close()
        segments, first = [], 0
        for place in range(1, len(self._words) + 1):
            if place == len(self._words) or self._is_break(place):
                segments.append(self._segment(first, place, end_s, wants_words))
                first = place
        return tuple(segments)

    def _begins(self, piece: bytes) -> bool:
        """Whether `piece` begins a new word: after a space, or in a script without spaces."""
        assert self._growing is not None
        if piece[:1].isspace():
            return True
        try:
            self._growing.data.decode("utf-8")
            character = piece.decode("utf-8")[0]
        except UnicodeDecodeError:  # in the middle of a character
            return False
        is_spaceless = character >= "\u2e80" and not "\uac00" <= character <= "\ud7af"
        return is_spaceless and unicodedata.category(character)[0] == "L"

    def _close(self) -> None:
        word = self._word(self._growing) if self._growing else None
        if word is not None and self._growing is not None:
            self._words.append(word)
            self._texts.append(self._growing.data)
        self._growing = None

    def _word(self, growing: _Growing) -> Word | None:
        # A character that has not come to its end yet is left out.
        text = growing.data.decode("utf-8", errors="ignore").strip()
        if not text:
            return None
        before_s = self._words[-1].end_s if self._words else self._start_s
        end_s = self._start_s + max(0.0, (growing.slot + 1 - self._delay) * _SLOT_S)
        end_s = max(end_s, before_s)
        length_s = min(_LONGEST_S, max(_SHORTEST_S, _LETTER_S * len(text)))
        mean = sum(growing.log_probabilities) / len(growing.log_probabilities)
        return Word(text, max(before_s, end_s - length_s), end_s, math.exp(mean))

    def _is_break(self, place: int) -> bool:
        before, after = self._words[place - 1], self._words[place]
        is_end = before.text.rstrip("\"'”’»)]").endswith(_SENTENCE_ENDS)
        return is_end or after.start_s - before.end_s >= _PAUSE_S

    def _segment(self, first: int, last: int, end_s: float, wants_words: bool) -> Segment:
        words = tuple(
            Word(w.text, min(w.start_s, end_s), min(w.end_s, end_s), w.probability)
            for w in self._words[first:last]
        )
        text = b"".join(self._texts[first:last]).decode("utf-8", errors="replace").strip()
        mean = sum(word.probability for word in words) / len(words)
        kept = words if wants_words else ()
        return Segment(words[0].start_s, words[-1].end_s, text, kept, confidence=mean)


def _is_cut(data: bytes) -> bool:
    """Whether `data` ends inside a character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(data) and error.reason == "unexpected end of data"
    return False
