"""Speech without text is noticed, read again, and said when it stays without."""

from collections.abc import Mapping

import numpy as np

from app.core.packing import SAMPLE_RATE, Region, Window
from app.core.transcript import Segment
from app.engine.base import ListSource, Options, WindowResult
from app.engine.scripted import ScriptedRecognizer, ScriptedWindow
from app.pipeline.gaps import Reread, fill_gaps

SPOKEN = {0: "one two three", 1: "four five six", 2: "seven eight nine"}


def window(index: int) -> Window:
    start_s = index * 5.0
    sound = np.zeros(5 * SAMPLE_RATE, np.float32)
    return Window(index, start_s, sound, (Region(start_s, start_s + 4.5),))


def filled(
    recognizer: ScriptedRecognizer, heard: WindowResult, options: Options | None = None
) -> Reread:
    steps = fill_gaps(recognizer, window(heard.index), heard, options or Options(language="en"))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            whole: Reread = stop.value
            return whole


def results(script: Mapping[int, ScriptedWindow]) -> list[WindowResult]:
    source = ListSource([window(index) for index in SPOKEN])
    facts = ScriptedRecognizer(script).transcribe(source, Options(language="en"))
    return [fact for fact in facts if isinstance(fact, WindowResult)]


def test_a_window_whose_text_was_deleted_is_noticed() -> None:
    script = {index: ScriptedWindow(text) for index, text in SPOKEN.items()}
    del script[1]
    deaf = ScriptedRecognizer({})
    for heard in results(script):
        whole = filled(deaf, heard)
        expected = (Region(5.0, 9.5),) if heard.index == 1 else ()
        assert whole.missing == expected
    assert [w.index // 64 for w in deaf.heard] == [1], "only the window without text is read again"


def test_what_a_second_reading_hears_takes_its_place() -> None:
    heard = WindowResult(1, (Segment(5.0, 6.5, "four"),), "en")
    recognizer = ScriptedRecognizer({64: ScriptedWindow("five six")})
    whole = filled(recognizer, heard)
    assert [segment.text for segment in whole.segments] == ["four", "five six"]
    assert whole.missing == ()
    again = recognizer.heard[0]
    assert again.start_s == 6.4, "a little before the gap"
    assert again.end_s == 9.5


def test_a_gap_before_the_first_words_is_read_again() -> None:
    heard = WindowResult(0, (Segment(2.5, 4.5, "three"),), "en")
    whole = filled(ScriptedRecognizer({0: ScriptedWindow("one two")}), heard)
    assert [segment.text for segment in whole.segments] == ["one two", "three"]


def test_words_that_stand_there_already_are_not_written_twice() -> None:
    heard = WindowResult(0, (Segment(0.0, 2.0, "One, two three."),), "en")
    whole = filled(ScriptedRecognizer({0: ScriptedWindow("two three")}), heard)
    assert [segment.text for segment in whole.segments] == ["One, two three."]
    assert whole.missing == (Region(2.0, 4.5),)


def test_a_window_the_model_calls_silent_is_believed() -> None:
    heard = WindowResult(0, (), "en", no_speech_probability=0.9)
    recognizer = ScriptedRecognizer({0: ScriptedWindow("thank you for watching")})
    assert filled(recognizer, heard) == Reread(())
    assert recognizer.heard == []


def test_a_whole_text_is_left_alone() -> None:
    heard = WindowResult(0, (Segment(0.0, 4.2, "one two three"),), "en")
    recognizer = ScriptedRecognizer({})
    assert filled(recognizer, heard) == Reread(heard.segments)
    assert recognizer.heard == []


def test_the_second_reading_keeps_the_language_of_the_first() -> None:
    heard = WindowResult(0, (Segment(0.0, 2.0, "eins"),), "de")
    recognizer = ScriptedRecognizer({0: ScriptedWindow("zwei")})
    filled(recognizer, heard, Options(language=None))
    assert recognizer.options is not None
    assert recognizer.options.language == "de"
