from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.core.packing import Region, Window
from app.engine.base import IDLE, Hypothesis, ListSource, Options, StreamResult, WindowResult
from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer
from tests.engine.voxtral.conftest import load_realtime
from tests.helpers.voxtral_checkpoints import speech_like


def results(
    recognizer: VoxtralRealtimeRecognizer, windows: list[Window], options: Options | None = None
) -> list[WindowResult]:
    facts = recognizer.transcribe(ListSource(windows), options or Options())
    return [fact for fact in facts if isinstance(fact, WindowResult)]


def test_partials_only_grow_and_lead_to_the_final(narrow: VoxtralRealtimeRecognizer) -> None:
    sound = speech_like(10, 4)
    stream = narrow.open_stream(Options(), 20.0)
    seen: list[Hypothesis] = []
    for first in range(0, len(sound), 1_000):
        stream.feed(sound[first : first + 1_000])
        seen += [fact for fact in stream.step() if isinstance(fact, Hypothesis)]
    *_, result = stream.finish()
    assert isinstance(result, StreamResult)
    assert len(seen) > 5
    for before, after in pairwise(seen):
        assert after.committed[: len(before.committed)] == before.committed
    words = [word for segment in result.segments for word in segment.words]
    assert tuple(words[: len(seen[-1].committed)]) == seen[-1].committed
    assert len(words) > 3


def test_words_have_times_in_order_within_the_take(narrow: VoxtralRealtimeRecognizer) -> None:
    sound = speech_like(10, 4)
    stream = narrow.open_stream(Options(), 20.0)
    stream.feed(sound)
    list(stream.step())
    *_, result = stream.finish()
    assert isinstance(result, StreamResult)
    last_s = 20.0
    for segment in result.segments:
        assert segment.start_s == segment.words[0].start_s
        assert segment.end_s == segment.words[-1].end_s
        for word in segment.words:
            assert last_s <= word.start_s <= word.end_s <= 30.0
            assert 0 < word.probability <= 1
            last_s = word.end_s


def test_a_file_and_a_stream_say_the_same(narrow: VoxtralRealtimeRecognizer) -> None:
    sound = speech_like(6, 2)
    stream = narrow.open_stream(Options(), 5.0)
    for first in range(0, len(sound), 777):
        stream.feed(sound[first : first + 777])
        list(stream.step())
    *_, live = stream.finish()
    (filed,) = results(narrow, [Window(0, 5.0, sound, (Region(5.0, 11.0),))])
    assert isinstance(live, StreamResult)
    assert [s.text for s in filed.segments] == [s.text for s in live.segments]
    assert [[w.text for w in s.words] for s in filed.segments] == [
        [w.text for w in s.words] for s in live.segments
    ]
    assert filed.tokens > 0
    assert filed.average_log_probability < 0


def test_words_are_left_out_on_request(narrow: VoxtralRealtimeRecognizer) -> None:
    window = Window(0, 0.0, speech_like(4, 1), (Region(0.0, 4.0),))
    (result,) = results(narrow, [window], Options(wants_words=False, language="fr"))
    assert result.language == "fr"
    assert result.segments
    assert all(segment.words == () for segment in result.segments)


def test_silence_is_not_asked(narrow: VoxtralRealtimeRecognizer) -> None:
    silent = Window(4, 0.0, np.zeros(16_000, np.float32), ())
    assert results(narrow, [silent]) == [WindowResult(4, (), "")]


def test_it_hands_the_turn_on_when_there_is_no_window(narrow: VoxtralRealtimeRecognizer) -> None:
    class Empty:
        is_finished = False

        def take(self) -> Window | None:
            return None

    assert next(narrow.transcribe(Empty(), Options())) is IDLE


@pytest.mark.parametrize(
    ("asked_ms", "got_ms"),
    [
        (None, 480),
        (0, 480),
        (100, 240),
        (500, 480),
        (1300, 1200),
        (1900, 2400),
        (2400, 2400),
        (9999, 2400),
    ],
)
def test_the_delay_is_kept_to_what_is_offered(
    narrow: VoxtralRealtimeRecognizer, asked_ms: int | None, got_ms: int
) -> None:
    narrow.set_delay(asked_ms or None)
    assert narrow.delay_ms == got_ms
    narrow.set_delay(None)


def test_a_longer_delay_writes_something_else(
    narrow: VoxtralRealtimeRecognizer,
) -> None:
    window = Window(0, 0.0, speech_like(4, 1), (Region(0.0, 4.0),))
    texts = set()
    for delay_ms in (240, 960, 2400):
        narrow.set_delay(delay_ms)
        (result,) = results(narrow, [window])
        texts.add(" ".join(segment.text for segment in result.segments))
    narrow.set_delay(None)
    assert len(texts) == 3


def test_a_closed_recognizer_is_not_used(narrow_folder: Path) -> None:
    recognizer = load_realtime(narrow_folder, 960)
    assert recognizer.delay_ms == 960
    recognizer.close()
    with pytest.raises(RuntimeError):
        recognizer.open_stream(Options(), 0.0)
