"""The scripted recognizer keeps the promises the real ones are held to."""

import numpy as np
import pytest

from app.core.packing import SAMPLE_RATE, Region, Window
from app.core.transcript import Segment, Word
from app.engine.base import (
    IDLE,
    Hypothesis,
    ListSource,
    Options,
    Recognizer,
    StreamResult,
    WindowResult,
    WindowSource,
)
from app.engine.scripted import ScriptedRecognizer, ScriptedStream, ScriptedWindow


def window(index: int, start_s: float, length_s: float = 4.0) -> Window:
    speech = (Region(start_s + 1, start_s + 3),)
    return Window(index, start_s, np.zeros(int(length_s * SAMPLE_RATE), np.float32), speech)


def results(recognizer: Recognizer, source: WindowSource) -> list[WindowResult]:
    found = recognizer.transcribe(source, Options())
    return [fact for fact in found if isinstance(fact, WindowResult)]


def test_text_lies_on_the_windows_speech() -> None:
    recognizer = ScriptedRecognizer([ScriptedWindow("good morning")])
    (first, second) = results(recognizer, ListSource([window(0, 10.0), window(1, 14.0)]))
    (segment,) = first.segments
    assert (segment.start_s, segment.end_s, segment.text) == (11.0, 13.0, "good morning")
    assert segment.words[1] == Word("morning", 12.0, 13.0, 0.9)
    assert second.segments == ()
    assert [heard.index for heard in recognizer.heard] == [0, 1]


def test_segments_are_moved_to_their_window() -> None:
    played = ScriptedWindow(segments=(Segment(0.5, 1.0, "late"),), language="de")
    (result,) = results(ScriptedRecognizer({3: played}), ListSource([window(3, 20.0)]))
    assert result.segments == (Segment(20.5, 21.0, "late"),)
    assert result.language == "de"


def test_steps_callbacks_and_failure() -> None:
    steps = []
    recognizer = ScriptedRecognizer(
        [ScriptedWindow("a", steps=3), ScriptedWindow(error=OSError("broken"))],
        on_step=lambda index, step: steps.append((index, step)),
    )
    facts = recognizer.transcribe(ListSource([window(0, 0), window(1, 4)]), Options())
    assert [next(facts) for _ in range(3)] == [None] * 3
    assert isinstance(next(facts), WindowResult)
    assert next(facts) is None
    with pytest.raises(OSError, match="broken"):
        next(facts)
    assert steps == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_it_is_idle_while_no_window_is_there() -> None:
    class Late:
        def __init__(self) -> None:
            self.windows: list[Window | None] = [None, None, window(0, 0.0)]

        def take(self) -> Window | None:
            return self.windows.pop(0) if self.windows else None

        @property
        def is_finished(self) -> bool:
            return not self.windows

    facts = list(ScriptedRecognizer([ScriptedWindow("a", steps=0)]).transcribe(Late(), Options()))
    assert facts[:2] == [IDLE, IDLE]
    assert len(facts) == 3


def test_a_stream_shows_one_hypothesis_a_feed_and_then_its_result() -> None:
    one, two = Hypothesis(), Hypothesis(tail=(Word("a", 0, 1, 0.5),))
    end = StreamResult((Segment(0, 1, "a"),), "en")
    recognizer = ScriptedRecognizer(streams=[ScriptedStream((one, two), end)])
    stream = recognizer.open_stream(Options(), 0.0)
    assert list(stream.step()) == []
    stream.feed(np.zeros(160, np.float32))
    assert list(stream.step()) == [one]
    stream.feed(np.zeros(160, np.float32))
    assert list(stream.step()) == [two]
    assert list(stream.finish())[-1] == end
    recognizer.close()
    assert recognizer.is_closed
