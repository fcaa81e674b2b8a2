"""Doubtful words are few, whatever the transcript is like."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.doubt import DOUBTFUL_BELOW, count_doubtful, doubtful_words, limit_of
from app.core.transcript import Segment, Word


def told(*sure: float) -> Segment:
    words = tuple(Word("word", at, at + 1.0, each) for at, each in enumerate(sure))
    return Segment(0.0, len(sure), "word " * len(sure), words)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), max_size=30), max_size=8))
def test_at_most_one_word_in_twenty_is_marked(held: list[list[float]]) -> None:
    segments = [told(*sure) for sure in held]
    total = sum(map(len, held))
    marked = count_doubtful(segments, limit_of(segments))
    assert marked <= max(1, total // 20)
    assert marked <= sum(each < DOUBTFUL_BELOW for sure in held for each in sure)


def test_the_least_sure_are_marked() -> None:
    segments = [told(*([0.9] * 38), 0.1, 0.2, 0.3)]
    assert doubtful_words(segments[0], limit_of(segments)) == (38, 39)
    assert doubtful_words(told(0.1), limit_of([told(0.1)])) == (0,)


def test_punctuation_is_never_doubtful() -> None:
    segment = Segment(0.0, 1.0, "…", (Word("…", 0.0, 1.0, 0.0),))
    assert doubtful_words(segment) == ()
    assert limit_of([segment]) == DOUBTFUL_BELOW
