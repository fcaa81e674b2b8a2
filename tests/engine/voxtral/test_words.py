from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.transcript import Word
from app.engine.voxtral.prompt import marks_of
from app.engine.voxtral.session import Written
from app.engine.voxtral.tekken import Tekken
from app.engine.voxtral.words import WordStream
from tests.helpers.voxtral_checkpoints import write_tekken

PAD, WORD = 32, 33


@pytest.fixture(scope="module")
def tekken(tmp_path_factory: pytest.TempPathFactory) -> Tekken:
    folder: Path = tmp_path_factory.mktemp("words")
    write_tekken(folder, is_realtime=True)
    return Tekken(folder)


def stream(tekken: Tekken, start_s: float = 0.0) -> WordStream:
    return WordStream(tekken, marks_of(tekken), 6, start_s)


def script(tekken: Tekken, *parts: str | int, slot: int = 6) -> list[Written]:
    """Return one slot for each mark and each byte pair of a text."""
    out: list[Written] = []
    for part in parts:
        for token in [part] if isinstance(part, int) else tekken.encode(part):
            out.append(Written(slot + len(out), token, -0.1))
    return out


def texts(words: tuple[Word, ...]) -> list[str]:
    return [word.text for word in words]


def test_words_begin_with_a_space_or_a_mark(tekken: Tekken) -> None:
    words = stream(tekken)
    assert words.add(script(tekken, PAD, WORD, " Hel", "lo", PAD, WORD, " wor", "ld", "."))
    assert texts(words.hypothesis.committed) == ["Hello"]
    assert texts(words.hypothesis.tail) == ["world."]
    (segment,) = words.finish(100.0)
    assert segment.text == "Hello world."
    assert texts(segment.words) == ["Hello", "world."]
    assert segment.confidence == pytest.approx(0.9048, abs=1e-3)


def test_a_word_ends_the_delay_before_it_was_written(tekken: Tekken) -> None:
    words = stream(tekken, 10.0)
    words.add([Written(16, WORD, 0.0), *script(tekken, " go", slot=17)])
    (segment,) = words.finish(100.0)
    assert segment.words[0].end_s == pytest.approx(10.0 + (16 + 1 - 6) * 0.08)
    assert segment.words[0].start_s == pytest.approx(segment.words[0].end_s - 0.16)


def test_pads_alone_are_no_words(tekken: Tekken) -> None:
    words = stream(tekken)
    assert not words.add(script(tekken, *[PAD] * 20, WORD, PAD, WORD))
    assert words.hypothesis.committed == ()
    assert words.hypothesis.tail == ()
    assert words.finish(1.0) == ()


def test_a_character_is_shown_when_it_is_whole(tekken: Tekken) -> None:
    words = stream(tekken)
    first, second, third = tekken.encode("語")
    words.add([Written(8, first, 0.0), Written(9, second, 0.0)])
    assert words.hypothesis.tail == ()
    words.add([Written(10, third, 0.0)])
    assert texts(words.hypothesis.tail) == ["語"]


def test_scripts_without_spaces_are_not_one_word(tekken: Tekken) -> None:
    words = stream(tekken)
    words.add(script(tekken, "日本語。"))
    segments = words.finish(100.0)
    assert [segment.text for segment in segments] == ["日本語。"]


def test_sentences_and_pauses_end_segments(tekken: Tekken) -> None:
    words = stream(tekken)
    words.add(script(tekken, " One", ".", " Two", " and"))
    words.add(script(tekken, " three", slot=200))
    assert [segment.text for segment in words.finish(100.0)] == ["One.", "Two and", "three"]


def test_times_end_with_the_sound(tekken: Tekken) -> None:
    words = stream(tekken)
    words.add(script(tekken, " late", slot=60))
    (segment,) = words.finish(3.0, wants_words=False)
    assert segment.end_s == 3.0
    assert segment.words == ()


@example([234, WORD, 168], 1)  # a mark inside a character
@given(
    st.lists(
        st.one_of(st.just(PAD), st.just(WORD), st.integers(40, 511), st.text(min_size=1)),
        max_size=60,
    ),
    st.integers(1, 9),
)
def test_hypotheses_only_grow_and_no_text_is_lost(
    tekken: Tekken, parts: list[str | int], size: int
) -> None:
    written = script(tekken, *parts)
    words = stream(tekken)
    seen: tuple[Word, ...] = ()
    for first in range(0, len(written), size):
        words.add(written[first : first + size])
        now = words.hypothesis.committed
        assert now[: len(seen)] == seen
        seen = now
    segments = words.finish(1_000.0)
    final = tuple(word for segment in segments for word in segment.words)
    assert final[: len(seen)] == seen
    for before, after in pairwise(final):
        assert before.end_s <= after.start_s <= after.end_s
    wanted = b"".join(tekken.piece(one.token) for one in written).decode("utf-8", "ignore")
    got = "".join(segment.text for segment in segments)
    strip = str.maketrans("", "", "\ufffd")
    assert "".join(got.translate(strip).split()) == "".join(wanted.translate(strip).split())
