"""The words of a take stay in order, and none vanishes before its final is there."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.events import PartialChanged, SegmentsFinal
from app.core.transcript import Segment
from app.ui.live.words import LiveWords


def words_of(take_id: str = "t") -> LiveWords:
    words = LiveWords()
    words.begin(take_id)
    return words


def test_a_partial_is_replaced_whole() -> None:
    words = words_of()
    words.take_partial(PartialChanged("t", "So the", "fist thing", 0.0))
    words.take_partial(PartialChanged("t", "So the first", "thing", 0.0))
    assert (words.committed, words.tail) == ("So the first", "thing")


def test_another_takes_words_are_not_taken_in() -> None:
    words = words_of()
    assert not words.take_partial(PartialChanged("other", "No", "", 0.0))
    assert not words.take_final(SegmentsFinal("other", (Segment(0, 1, "No"),), 1.0))
    assert words.committed == ""


def test_a_final_replaces_its_partial() -> None:
    words = words_of()
    words.take_partial(PartialChanged("t", "So the fist", "thing", 0.0))
    words.take_final(SegmentsFinal("t", (Segment(0.2, 1.8, "So the first thing."),), 2.0))
    assert (words.committed, words.tail) == ("So the first thing.", "")


def test_words_stay_while_the_next_utterance_begins() -> None:
    words = words_of()
    words.take_partial(PartialChanged("t", "One", "two", 0.0))
    words.take_partial(PartialChanged("t", "", "three", 4.0))
    assert (words.committed, words.tail) == ("One two", "three")
    words.take_final(SegmentsFinal("t", (Segment(0.0, 2.0, "One, two."),), 2.0))
    assert (words.committed, words.tail) == ("One, two.", "three")


def test_a_new_take_begins_empty() -> None:
    words = words_of()
    words.take_partial(PartialChanged("t", "One", "two", 0.0))
    words.begin("u")
    assert (words.committed, words.tail) == ("", "")


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=8))
def test_utterances_come_out_in_order_whether_final_or_not(said: list[str]) -> None:
    words = words_of()
    for at, text in enumerate(said):
        words.take_partial(PartialChanged("t", text, "", float(at)))
        if at % 2:
            done = tuple(Segment(n, n + 0.9, said[n]) for n in (at - 1, at))
            words.take_final(SegmentsFinal("t", done, at + 0.95))
    assert words.committed == " ".join(said)
