"""A window whose text meets the model's limit: no word is lost and none written twice."""

from itertools import pairwise

import numpy as np
import pytest

from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import ListSource, Options, WindowResult
from app.engine.whisper.segments import Cut
from app.engine.whisper.transcription import Transcription
from app.engine.whisper.truncated import what_to_keep
from tests.engine.whisper.speech import clips, nano, word_errors

STAMP = 100
START_S = 50.0


def window(length_s: float = 20.0, *speech: tuple[float, float]) -> Window:
    regions = tuple(Region(START_S + start, START_S + end) for start, end in speech)
    return Window(7, START_S, np.zeros(round(length_s * SAMPLE_RATE), np.float32), regions)


def cut(start_s: float, end_s: float, *, is_closed: bool = True) -> Cut:
    return Cut(start_s, end_s, (STAMP, 1, 2, *([STAMP] if is_closed else [])), 0)


def edges(parts: tuple[Window, ...]) -> list[tuple[float, float]]:
    return [(part.start_s - START_S, part.end_s - START_S) for part in parts]


def test_it_goes_on_at_the_last_closed_timestamp() -> None:
    whole, cut_off = cut(0.0, 6.0), cut(6.0, 20.0, is_closed=False)
    sound = window(20.0, (0.0, 9.0), (12.0, 19.0))
    kept, parts = what_to_keep(sound, [whole, cut_off], STAMP, may_halve=True)
    assert kept == [whole]
    assert edges(parts) == [(6.0, 20.0)]
    assert parts[0].speech == (Region(56.0, 59.0), Region(62.0, 69.0))
    assert parts[0].index == 7


def test_without_a_closed_timestamp_each_half_is_decoded() -> None:
    kept, parts = what_to_keep(window(), [cut(0.0, 20.0, is_closed=False)], STAMP, may_halve=True)
    assert kept == []
    ((start_s, middle_s), (other_s, end_s)) = edges(parts)
    assert (start_s, middle_s, end_s) == (0.0, other_s, 20.0)
    assert 5.0 < middle_s <= 15.0


def test_a_half_in_which_nobody_speaks_is_left_out() -> None:
    sound = window(20.0, (16.0, 20.0))
    _kept, parts = what_to_keep(sound, [], STAMP, may_halve=True)
    assert [end_s for _, end_s in edges(parts)] == [20.0]


@pytest.mark.parametrize(
    ("cuts", "may_halve", "length_s"),
    [
        ([cut(0.0, 19.5), cut(19.5, 20.0, is_closed=False)], True, 20.0),  # nothing is left
        ([cut(0.0, 1.0), cut(1.0, 20.0, is_closed=False)], False, 20.0),  # it goes in circles
        ([cut(0.0, 4.0, is_closed=False)], True, 4.0),  # so short a text is no text
    ],
    ids=["whole", "loop", "short"],
)
def test_what_is_said_stays_where_there_is_nothing_to_gain(
    cuts: list[Cut], may_halve: bool, length_s: float
) -> None:
    assert what_to_keep(window(length_s), cuts, STAMP, may_halve=may_halve) == (cuts, ())


def test_every_word_is_written_once() -> None:
    chosen = clips(["en"])[:2]
    sound = np.concatenate([clip.window.audio for clip in chosen])
    spoken = window(len(sound) / SAMPLE_RATE, (0.0, len(sound) / SAMPLE_RATE))
    long = Window(spoken.index, spoken.start_s, sound, spoken.speech)
    options = Options(language="en", temperatures=(0.0,), batch_size=1)
    job = Transcription(nano().loaded, ListSource([long]), options)
    job._rows._sample_limit = 16  # English never needs 224, some languages do
    (result,) = [fact for fact in job.run() if isinstance(fact, WindowResult)]
    heard = " ".join(segment.text for segment in result.segments)
    assert word_errors(" ".join(clip.text for clip in chosen), heard) <= 1
    assert not result.is_truncated
    assert result.index == 7
    for one, next_ in pairwise(result.segments):
        assert START_S <= one.start_s <= one.end_s <= next_.start_s
        assert one.words
