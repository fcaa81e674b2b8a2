"""When a live hypothesis becomes text that stays: LocalAgreement-2 with a settling time.

Committed words are only ever added to. A word is committed when two passes in a row wrote it, when
it ended long enough before the end of the sound that more sound will not change it, and when the
next word has begun.

Source: Macháček, Dabre, Bojar, "Turning Whisper into Real-Time Transcription System" (2307.14743),
LocalAgreement with n = 2; the settling time is ours.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.transcript import Word

SETTLE_S = 0.7  # a word this far before the end of the sound does not change any more
_TRAILING = ".,;:!?…。，、！？"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a stream believes right now: `committed` only ever grows, `tail` is replaced whole."""

    committed: tuple[Word, ...] = ()
    tail: tuple[Word, ...] = ()


def normal_form(text: str) -> str:
    """Return `text` without case, accents' spelling and punctuation: what two passes must share."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum()) or folded.strip()


class Agreement:
    """Turns the hypotheses of successive passes into committed words and a tail.

    Each pass decodes what follows the committed words, which it was forced to repeat.
    """

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._committed: list[Word] = []
        self._previous: tuple[Word, ...] = ()

    @property
    def hypothesis(self) -> Hypothesis:
        return Hypothesis(tuple(self._committed), self._previous)

    def offer(self, words: Sequence[Word], heard_s: float) -> Hypothesis:
        """Take in what a pass wrote after the committed words.

        Args:
            words: in order, times in seconds of the take.
            heard_s: where the sound this pass heard ends.
        """
        n = 0
        for word, before in zip(words[:-1], self._previous, strict=False):
            if normal_form(word.text) != normal_form(before.text):
                break
            if word.end_s > heard_s - self._settle_s:
                break
            n += 1
        self._committed.extend(words[:n])
        self._previous = tuple(words[n:])
        return self.hypothesis

    def finish(self, words: Sequence[Word]) -> Hypothesis:
        """Take in the last pass: all of it is committed, behind what already was."""
        self._committed.extend(words)
        self._previous = ()
        return self.hypothesis


def without_last_mark(word: Word) -> Word:
    """Return `word` without the punctuation at its end, the least stable part of a hypothesis."""
    return replace(word, text=word.text.rstrip(_TRAILING))
