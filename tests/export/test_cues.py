import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.transcript import Segment, Transcript, Word
from app.export.cues import COLUMNS, LINES, Cue, cues, width, wrap
from tests.export.documents import LONG, timed


def made(*segments: Segment) -> list[Cue]:
    return list(cues(Transcript(segments)))


def test_a_short_segment_is_one_cue() -> None:
    assert made(Segment(1.0, 2.0, " Hello ")) == [Cue(1.0, 2.0, ("Hello",))]


def test_a_long_segment_is_split_at_the_times_of_its_words() -> None:
    segment = timed(LONG, 10.0, 20.0)
    found = made(segment)
    assert len(found) == 3
    assert found[0].start_s == 10.0
    assert found[-1].end_s == 20.0
    assert " ".join(" ".join(cue.lines) for cue in found) == LONG
    assert found[0].lines[-1].endswith("stops them.")  # a pause, if it is not too early
    starts = [word.start_s for word in segment.words]
    assert all(cue.start_s in starts for cue in found)
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(found))


def test_without_word_times_no_time_is_invented() -> None:
    (cue,) = made(Segment(0.0, 9.0, LONG))
    assert len(cue.lines) > LINES
    assert " ".join(cue.lines) == LONG


def test_words_that_do_not_fit_the_text_are_not_trusted() -> None:
    words = tuple(Word("other", n, n + 1, 1.0) for n in range(9))
    assert len(made(Segment(0.0, 9.0, LONG, words))) == 1


def test_chinese_is_split_between_characters() -> None:
    text = "明日の会議は東京駅で行いますので、" * 6
    words = tuple(Word(said, n * 0.1, n * 0.1 + 0.1, 1.0) for n, said in enumerate(text))
    found = made(Segment(0.0, 12.0, text, words))
    assert "".join("".join(cue.lines) for cue in found) == text
    assert all(width(line) <= COLUMNS for cue in found for line in cue.lines)
    assert all(len(cue.lines) <= LINES for cue in found)


@pytest.mark.parametrize(("text", "wanted"), [("abc", 3), ("東京", 4), ("e\u0301", 1), ("ｱ", 1)])
def test_width(text: str, wanted: int) -> None:
    assert width(text) == wanted


def test_two_lines_are_of_about_the_same_length() -> None:
    assert wrap("The quick brown fox jumps over the lazy dog again") == [
        "The quick brown fox jumps",
        "over the lazy dog again",
    ]


@pytest.mark.parametrize("text", ["語" * 50_000, "é" * 50_000])
def test_a_long_text_is_wrapped_in_one_pass(text: str) -> None:
    lines = wrap(text)  # minutes, where each line looks to the end
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(0 < width(line) <= COLUMNS for line in lines)


@given(st.lists(st.text("abcdefgh東京é", min_size=1, max_size=20), min_size=1, max_size=60))
def test_cues_keep_the_text_and_their_size(said: list[str]) -> None:
    text = " ".join(said)
    found = made(timed(text, 0.0, 60.0))
    assert "".join("".join(cue.lines) for cue in found).replace(" ", "") == text.replace(" ", "")
    for cue in found:
        assert len(cue.lines) <= LINES
        assert all(0 < width(line) <= COLUMNS for line in cue.lines)


def test_cues_never_go_back_and_always_last() -> None:
    found = made(Segment(5.0, 5.0, "a"), Segment(3.0, 4.0, "b"), Segment(6.0, 7.0, "c"))
    assert [cue.start_s for cue in found] == [5.0, 5.0, 6.0]
    assert all(cue.end_s > cue.start_s for cue in found)
