"""Which words of a transcript are worth a second look.

Marks are only of use while they are few and mostly right. So a word needs to be more probably wrong
than right, and a place among the least sure twentieth of its transcript; `tests/bench/doubt`
measures how much more often than others such words are wrong.
"""

from collections.abc import Iterable, Sequence

from app.core.transcript import Segment, Word

DOUBTFUL_BELOW = 0.5
_MOST = 20  # one word of so many, and one where there are fewer


def limit_of(segments: Iterable[Segment]) -> float:
    """Return below which probability the words of this transcript are doubtful."""
    sure = sorted(word.probability for each in segments for word in each.words if _counts(word))
    allowed = max(1, len(sure) // _MOST)
    return min(DOUBTFUL_BELOW, sure[allowed]) if allowed < len(sure) else DOUBTFUL_BELOW


def doubtful_words(segment: Segment, limit: float = DOUBTFUL_BELOW) -> tuple[int, ...]:
    """Return the places of the words in `segment.words` that are less sure than `limit`."""
    return tuple(
        place
        for place, word in enumerate(segment.words)
        if word.probability < limit and _counts(word)
    )


def count_doubtful(segments: Sequence[Segment], limit: float = DOUBTFUL_BELOW) -> int:
    """Return how many words of `segments` are less sure than `limit`."""
    return sum(len(doubtful_words(segment, limit)) for segment in segments)


def _counts(word: Word) -> bool:
    return any(map(str.isalnum, word.text))
