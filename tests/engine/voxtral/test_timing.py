from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.packing import Region
from app.engine.voxtral.timing import sentences, spread


@st.composite
def regions(draw: st.DrawFn) -> list[Region]:
    lengths = draw(st.lists(st.floats(0.05, 9), min_size=2, max_size=12))
    out, at_s = [], draw(st.floats(0, 5_000))
    for place, length_s in enumerate(lengths):
        if place % 2 == 0:
            out.append(Region(at_s, at_s + length_s))
        at_s += length_s
    return out


@given(st.text(alphabet='ab .!?…。\n"”', max_size=80), regions())
def test_segments_are_the_text_in_order_within_the_speech(text: str, speech: list[Region]) -> None:
    segments = spread(text, speech, 0.5)
    assert "".join("".join(s.text.split()) for s in segments) == "".join(text.split())
    assert all(segment.confidence == 0.5 and segment.text for segment in segments)
    for segment in segments:
        assert speech[0].start_s <= segment.start_s <= segment.end_s
        assert segment.end_s <= speech[-1].end_s + 1e-6
    for before, after in pairwise(segments):
        assert before.end_s <= after.start_s + 1e-6


def test_a_sentence_ends_at_a_pause_near_by() -> None:
    speech = [Region(0, 2), Region(4, 7)]
    first, second = spread("Hello there. And this is more.", speech)
    assert (first.start_s, first.end_s) == (0, 2)
    assert (second.start_s, second.end_s) == (4, 7)


def test_far_from_a_pause_it_is_shared_by_length() -> None:
    first, second = spread("aaaa. bbbb.", [Region(10, 20)])
    assert first.end_s == second.start_s == pytest.approx(15)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" \n ", []),
        ("One", ["One"]),
        ("3.5 apples. Two!", ["3.5 apples.", "Two!"]),
        ("“Really?” she said.", ["“Really?”", "she said."]),
        ("テスト。はい", ["テスト。", "はい"]),
        ("Wait… what", ["Wait…", "what"]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_nothing_without_speech() -> None:
    assert spread("text", []) == ()
