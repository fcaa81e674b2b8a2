"""Which words of a transcript are worth a second look.

Marks are only of use while they are few and mostly right, so a word needs both a low probability
and a place among the least sure of its transcript; `tests/bench/doubt` holds how well that does.
"""

from collections.abc import Sequence

from app.core.transcript import Segment

DOUBTFUL_BELOW = 0.35


def doubtful_words(segment: Segment) -> tuple[int, ...]:
    """Return the places of the words in `segment.words` a person should look at."""
    return tuple(
        place
        for place, word in enumerate(segment.words)
        if word.probability < DOUBTFUL_BELOW and any(map(str.isalnum, word.text))
    )


def is_doubtful(probability: float) -> bool:
    """Whether a word with this probability is worth a second look."""
    return probability < DOUBTFUL_BELOW


def count_doubtful(segments: Sequence[Segment]) -> int:
    """Return how many words of `segments` are worth a second look."""
    return sum(len(doubtful_words(segment)) for segment in segments)
