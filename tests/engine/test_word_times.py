"""Words of another model's text, found in the sound by the built-in Whisper model."""

import itertools
import json
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
import soundfile
import soxr

from app.config.paths import resources
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Segment
from app.engine.base import ListSource, Options, WindowResult
from app.engine.scripted import ScriptedRecognizer, ScriptedWindow
from app.engine.whisper.recognizer import WhisperRecognizer
from app.engine.word_times import WithWordTimes, choose_aligner
from app.models.store import open_store
from tests.helpers.words import SPEECH

T = TypeVar("T")
CLIP = "en-01.flac"


def drain(steps: Generator[None, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


@pytest.fixture(scope="module")
def nano() -> WhisperRecognizer:
    model = open_store(Path("/nowhere"), resources()).find("nano")
    return drain(WhisperRecognizer.load(model))


@pytest.fixture(scope="module")
def window() -> Window:
    audio, rate = soundfile.read(SPEECH / CLIP, dtype="float32")
    sound: Audio = soxr.resample(audio, rate, SAMPLE_RATE).astype("float32")
    end_s = 5.0 + len(sound) / SAMPLE_RATE
    return Window(0, 5.0, sound, (Region(5.45, end_s),))  # after a moment of silence


def spoken() -> str:
    clips = json.loads((SPEECH / "reference.json").read_text())
    return str(next(clip["text"] for clip in clips if clip["file"] == CLIP))


def own_words(nano: WhisperRecognizer, window: Window) -> WindowResult:
    facts = nano.transcribe(ListSource([window]), Options(language="en"))
    return next(fact for fact in facts if isinstance(fact, WindowResult))


def test_words_lie_where_whisper_itself_hears_them(nano: WhisperRecognizer, window: Window) -> None:
    own = own_words(nano, window)
    text = " ".join(segment.text for segment in own.segments)
    # As Voxtral would say it: one segment over all the speech, without words.
    plain = WindowResult(0, (Segment(5.45, window.end_s, text, confidence=0.9),), "en")

    *_steps, found = nano.align(window, plain)

    assert isinstance(found, WindowResult)
    (segment,) = found.segments
    assert segment.text == text
    assert segment.confidence == 0.9
    expected = [word for one in own.segments for word in one.words]
    assert [word.text for word in segment.words] == [word.text for word in expected]
    for word, other in zip(segment.words, expected, strict=True):
        assert abs(word.start_s - other.start_s) < 0.3
        assert abs(word.end_s - other.end_s) < 0.3
    assert segment.start_s == segment.words[0].start_s >= 5.0
    assert segment.end_s == segment.words[-1].end_s <= window.end_s


def test_an_unknown_language_is_heard(nano: WhisperRecognizer, window: Window) -> None:
    plain = WindowResult(0, (Segment(5.0, window.end_s, spoken()),), "")
    *_steps, found = nano.align(window, plain)
    assert isinstance(found, WindowResult)
    words = found.segments[0].words
    assert " ".join(word.text for word in words) == spoken()
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(words))


@pytest.mark.parametrize("text", ["", "word " * 500])
def test_what_cannot_be_aligned_stays_as_it_is(
    nano: WhisperRecognizer, window: Window, text: str
) -> None:
    plain = WindowResult(0, (Segment(5.0, 6.0, text),), "en")
    *_steps, found = nano.align(window, plain)
    assert found == plain


def test_results_get_words_and_keep_their_order(nano: WhisperRecognizer, window: Window) -> None:
    second = Window(1, window.end_s, window.audio, (Region(window.end_s, window.end_s + 2),))
    script = [ScriptedWindow(segments=(Segment(0.0, 3.0, spoken()),), language="en")] * 2
    both = WithWordTimes(ScriptedRecognizer(script), nano)

    facts = both.transcribe(ListSource([window, second]), Options())
    results = [fact for fact in facts if isinstance(fact, WindowResult)]

    assert [result.index for result in results] == [0, 1]
    assert all(result.segments[0].words for result in results)
    assert results[1].segments[0].words[0].start_s >= window.end_s


def test_the_smallest_fitting_whisper_model_aligns() -> None:
    def model(name: str, need: int, **more: object) -> Model:
        return Model(name, name, Family.WHISPER, Path("/"), memory_bytes=need, **more)  # type: ignore[arg-type]

    voxtral = Model("v", "v", Family.VOXTRAL, Path("/"), has_word_times=False)
    large, small = model("large", 3), model("small", 1)
    demo, short = model("demo", 0, is_demo=True), model("short", 0, max_speech_s=9.0)
    assert choose_aligner([large, small, demo, short, voxtral], voxtral) == small
    assert choose_aligner([demo, voxtral], voxtral) is None
    assert choose_aligner([small], large) is None  # it knows its words itself
