"""When a live hypothesis becomes text that stays: LocalAgreement-2 with a settling time.

Committed words are only ever added to. A word is committed when two passes in a row wrote it, when
it ended long enough before the end of the sound that more sound will not change it (longer where
the model was not sure), and when the next word has begun.

Source: Macháček, Dabre, Bojar, "Turning Whisper into Real-Time Transcription System" (2307.14743),
LocalAgreement with n = 2; the settling time is ours.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.transcript import Word

SETTLE_S = 0.7  # a word this far before the end of the sound does not change any more
UNSURE_SETTLE_S = 2.0  # what the model thinks less of needs more sound behind it
SURE_PROBABILITY = 0.9
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

    Args:
        settle_s: how long before the end of the sound a word must have ended.
        unsure_settle_s: the same for a word whose probability is less than `sure_probability`.
        sure_probability: from here on the model is sure.
    """

    def __init__(
        self,
        settle_s: float = SETTLE_S,
        unsure_settle_s: float = UNSURE_SETTLE_S,
        sure_probability: float = SURE_PROBABILITY,
    ) -> None:
        self._settle_s = settle_s
        self._unsure_settle_s = max(settle_s, unsure_settle_s)
        self._sure_probability = sure_probability
        self._committed: list[Word] = []
        self._tail: tuple[Word, ...] = ()

    @property
    def hypothesis(self) -> Hypothesis:
        return Hypothesis(tuple(self._committed), self._tail)

    def offer(self, words: Sequence[Word], heard_s: float, *, may_commit: bool = True) -> int:
        """Take in what a pass wrote after the committed words.

        Args:
            words: in order, times in seconds of the take.
            heard_s: where the sound this pass heard ends.
            may_commit: `False` while something is open that may change every word.

        Returns:
            how many of `words` are committed now.
        """
        n = 0
        if may_commit:
            n = self._settled(words, heard_s)
        self._take(words, n)
        return n

    def settle(self, count: int) -> None:
        """Commit the first `count` words of the tail: no pass will hear them again."""
        self._take(self._tail, count)

    def _settled(self, words: Sequence[Word], heard_s: float) -> int:
        n = 0
        for word, before in zip(words[:-1], self._tail, strict=False):
            if normal_form(word.text) != normal_form(before.text):
                break
            is_sure = word.probability >= self._sure_probability
            wait_s = self._settle_s if is_sure else self._unsure_settle_s
            if word.end_s > heard_s - wait_s:
                break
            n += 1
        return n

    def _take(self, words: Sequence[Word], count: int) -> None:
        """Commit the first `count` of `words`, in order and never over one another."""
        for word in words[:count]:
            after_s = self._committed[-1].end_s if self._committed else word.start_s
            start_s = max(word.start_s, after_s)
            self._committed.append(replace(word, start_s=start_s, end_s=max(word.end_s, start_s)))
        self._tail = tuple(words[count:])
