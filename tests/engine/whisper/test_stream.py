"""Live streams of the built-in model: partials on the way, the files' text at the end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.core.agreement import Hypothesis, normal_form
from app.core.packing import SAMPLE_RATE, Audio
from app.core.transcript import Segment, Word
from app.engine.base import IDLE, ListSource, Options, StreamResult, WindowResult
from app.engine.whisper.follow import Follower, Heard, repetition
from app.engine.whisper.stream import Pace, WhisperStream, cut_after
from tests.engine.whisper.speech import Clip, clips, drive, nano

_OPTIONS = Options(wants_words=False)
_START_S = 100.0
_SELDOM = Pace(first_s=1.0, early_hop_s=1.0, hop_s=1.0)


def _stream(
    options: Options = _OPTIONS,
    pace: Pace | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> WhisperStream:
    return WhisperStream(
        nano().loaded,
        nano().transcribe,
        options,
        _START_S,
        9.0,
        short_context=True,
        pace=pace,
        clock=clock,
    )


@cache
def _clips() -> tuple[Clip, ...]:
    return tuple(clips(every=13))


@cache
def _offline(number: int) -> list[tuple[float, float, str]]:
    window = replace(_clips()[number].window, start_s=_START_S)
    facts = nano().transcribe(ListSource([window]), _OPTIONS)
    (result,) = [fact for fact in facts if isinstance(fact, WindowResult)]
    return _lines(result.segments)


def _lines(segments: tuple[Segment, ...]) -> list[tuple[float, float, str]]:
    return [(segment.start_s, segment.end_s, segment.text) for segment in segments]


def _steps(stream: WhisperStream) -> list[Hypothesis]:
    return [fact for fact in stream.step() if isinstance(fact, Hypothesis)]


def _finish(stream: WhisperStream) -> StreamResult:
    *_, last = stream.finish()
    assert isinstance(last, StreamResult)
    return last


def _live(stream: WhisperStream, audio: Audio) -> Iterator[Hypothesis]:
    for start in range(0, len(audio), SAMPLE_RATE // 10):
        stream.feed(audio[start : start + SAMPLE_RATE // 10])
        yield from _steps(stream)


def _said(words: tuple[Word, ...]) -> str:
    return " ".join(normal_form(word.text) for word in words)


def _check(before: tuple[Word, ...], seen: Hypothesis, heard_s: float) -> None:
    assert seen.committed[: len(before)] == before
    reached = _START_S
    for word in seen.committed:
        assert reached <= word.start_s <= word.end_s <= heard_s
        assert word.text == word.text.strip() != ""
        assert 0.0 < word.probability <= 1.0
        reached = word.end_s


@settings(max_examples=4, deadline=None, phases=(Phase.generate,))  # shrinking takes minutes
@given(st.integers(0, 2), st.lists(st.integers(1, 30_000), max_size=6), st.booleans())
def test_the_final_text_is_the_files_for_any_blocks(
    number: int, sizes: list[int], leaves_passes: bool
) -> None:
    audio = _clips()[number].window.audio
    stream = _stream(pace=_SELDOM)
    committed: tuple[Word, ...] = ()
    edges = np.cumsum(sizes).tolist()
    for block in np.split(audio, [edge for edge in edges if edge < len(audio)]):
        stream.feed(block)
        if leaves_passes:
            next(stream.step())  # a pass that is never gone on with
            continue
        for seen in _steps(stream):
            _check(committed, seen, _START_S + len(audio) / SAMPLE_RATE)
            committed = seen.committed

    assert _lines(_finish(stream).segments) == _offline(number)


def test_says_words_while_they_are_spoken() -> None:
    clip = clips(["en"], every=4)[0]
    seen = list(_live(_stream(), clip.window.audio))

    assert len(seen) >= 4
    assert _said(seen[-1].committed) == "please send the budget report before monday"
    first = seen[0]
    assert not first.committed
    assert _said(first.tail) in ("please", "please send")


def test_finds_the_language_among_those_allowed() -> None:
    (clip, *_) = clips(["de"])
    stream = _stream(replace(_OPTIONS, languages=("en", "de", "fr")))
    seen = list(_live(stream, clip.window.audio))

    said = _said(seen[-1].committed).split()
    assert said == [normal_form(word) for word in clip.text.split()][: len(said)]
    assert len(said) >= 2
    assert _finish(stream).language == "de"


@pytest.mark.parametrize("kind", ["zeros", "noise", "hum", "clicks"])
def test_hears_nothing_where_nobody_speaks(kind: str) -> None:
    n_samples = 3 * SAMPLE_RATE
    sound = {
        "zeros": np.zeros(n_samples),
        "noise": np.random.default_rng(1).standard_normal(n_samples) * 10 ** (-40 / 20),
        "clicks": (np.arange(n_samples) % 24_000 < 100) * 0.5,
        "hum": 0.05 * np.sin(np.arange(n_samples) * 2 * np.pi * 50 / SAMPLE_RATE),
    }[kind].astype(np.float32)
    stream = _stream()

    assert list(_live(stream, sound)) == []
    assert _finish(stream).segments == ()


def test_a_long_utterance_goes_on_behind_the_window() -> None:
    """14 s, where the model hears 9 s at most."""
    parts = [clip.window.audio for clip in clips(["en"], every=4)[:4]]
    audio = np.concatenate([np.pad(part, (0, 4000)) for part in parts])
    stream = _stream(pace=_SELDOM)
    committed: tuple[Word, ...] = ()
    longest = 0.0
    for seen in _live(stream, audio):
        _check(committed, seen, _START_S + len(audio) / SAMPLE_RATE)
        committed = seen.committed
        longest = max(longest, stream.window_s)

    assert longest <= 9.0
    assert len(audio) > 13 * SAMPLE_RATE
    assert committed[-1].start_s > _START_S + 11.0
    # What is too long for one window has its final text before the end.
    steps = list(stream.finish())
    final = steps[-1]
    assert final is not None
    heard = " ".join(segment.text for segment in final.segments).split()
    common = {normal_form(word) for word in heard} & set(_said(committed).split())
    assert len(common) >= 0.6 * len({normal_form(word) for word in heard})


def test_one_pass_hears_all_that_has_come() -> None:
    audio = _clips()[0].window.audio
    stream = _stream()
    stream.feed(audio[: 3 * SAMPLE_RATE])

    assert len(_steps(stream)) == 1
    assert list(stream.step()) == [IDLE]
    stream.feed(audio[: SAMPLE_RATE // 4])
    assert list(stream.step()) == [IDLE]


def test_slow_passes_are_fewer() -> None:
    looks = iter(range(1000))
    stream = _stream(clock=lambda: 1.0 * next(looks))  # each pass takes a second
    seen = list(_live(stream, _clips()[0].window.audio))

    assert next(looks) // 2 == 3
    assert seen


def test_steps_are_many_and_short() -> None:
    stream = _stream()
    stream.feed(_clips()[0].window.audio)
    assert sum(fact is None for fact in stream.step()) >= 4


def _follow(audio: Audio, kept: tuple[str, ...] = ()) -> Heard:
    follower = Follower(nano().loaded, _OPTIONS, short_context=True)
    heard = drive(follower.follow(audio, (), "en"))
    known = heard.pieces[: len(kept)]
    assert tuple(normal_form(piece.word.text) for piece in known) == kept
    return drive(follower.follow(audio, known, "en")) if kept else heard


def test_a_pass_stops_before_the_end_of_the_sound() -> None:
    audio = clips(["en"], every=4)[0].window.audio[: int(2.5 * SAMPLE_RATE)]
    heard = _follow(audio)

    assert [normal_form(p.word.text) for p in heard.pieces] == [
        "please",
        "send",
        "the",
        "budget",
        "report",
    ]
    assert heard.no_speech_probability < 0.1
    starts = [piece.word.start_s for piece in heard.pieces]
    assert starts == sorted(starts)
    assert starts[-1] < 2.1


def test_a_pass_goes_on_behind_the_words_that_stay() -> None:
    audio = clips(["en"], every=4)[0].window.audio[: int(2.5 * SAMPLE_RATE)]
    heard = _follow(audio, kept=("please", "send"))

    assert [normal_form(p.word.text) for p in heard.pieces] == ["the", "budget", "report"]


def test_notices_that_it_repeats_itself() -> None:
    assert repetition([7, 1, 2, 3, 1, 2, 3, 1, 2, 3]) == 4
    assert repetition([7, 1, 2, 3, 1, 2, 3, 9]) is None
    assert repetition([5] * 8) is None
    assert repetition([5] * 9) == 3


def _words(text: str) -> list[Word]:
    return [Word(word, at, at + 0.9, 0.9) for at, word in enumerate(text.split())]


def test_the_window_moves_on_at_a_sentence_or_else_at_a_pause() -> None:
    assert cut_after(_words("one. two three. four five"), 0.0, 6.0) == 3
    assert cut_after(_words("one. two three four"), 0.0, 6.0) == 3
    paused = [*_words("one two three"), Word("four", 3.5, 3.9, 0.9), Word("five", 4.0, 4.9, 0.9)]
    assert cut_after(paused, 0.0, 6.0) == 3
    assert cut_after(_words("one"), 0.0, 6.0) == 1
    assert cut_after([], 0.0, 6.0) == 0
