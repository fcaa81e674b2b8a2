"""Each word of a window carries the probability that it is right."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.core.confidence import RAW, USUAL, Calibration, log_odds
from app.core.packing import Audio
from app.core.transcript import Segment
from app.engine.base import ListSource, Options, WindowResult
from app.engine.whisper.align import Timing
from app.engine.whisper.confidence import judged
from app.engine.whisper.recognizer import WhisperRecognizer
from tests.engine.whisper.speech import NANO, clips, nano

OPTIONS = Options(language="en", temperatures=(0.0,))


def timing(text: str, *probabilities: float) -> Timing:
    tokens = tuple(range(len(probabilities)))
    mean = sum(probabilities) / len(probabilities)
    return Timing(text, tokens, 0.0, 1.0, mean, min(probabilities))


def test_the_weakest_token_of_either_hearing_decides() -> None:
    timings = [timing(" tran", 0.9, 0.3, 0.9), timing(" script", 0.8)]
    written = [math.log(each) for each in (0.9, 0.9, 0.9, 0.2)]
    found = [each.probability for each in judged(timings, written, RAW)]
    assert found == pytest.approx([0.3, 0.2])


def test_marks_are_neither_judged_nor_neighbours() -> None:
    words = [timing(" yes", 0.7), timing(" no", 0.4)]
    with_marks = [words[0], timing(",", 0.01), timing(" -", 0.02), words[1], timing(".", 0.5)]
    alone = judged(words, [math.log(0.7), math.log(0.4)], USUAL)
    among = judged(with_marks, [math.log(p) for p in (0.7, 0.01, 0.02, 0.4, 0.5)], USUAL)
    assert [among[0].probability, among[3].probability] == [w.probability for w in alone]
    assert among[1:3] == with_marks[1:3]
    assert judged([], [], USUAL) == []


def heard(calibration: Calibration, audio: Audio) -> Segment:
    clip = clips(["en"])[1]
    loaded = replace(nano().loaded, calibration=calibration)
    window = replace(clip.window, audio=audio)
    steps = WhisperRecognizer(NANO, loaded).transcribe(ListSource([window]), OPTIONS)
    (result,) = [result for result in steps if isinstance(result, WindowResult)]
    (segment,) = result.segments
    return segment


def test_calibrating_changes_probabilities_and_nothing_else() -> None:
    clean = clips(["en"])[1].window.audio
    noise = np.random.default_rng(20).standard_normal(len(clean)) * np.sqrt(np.mean(clean**2) / 30)
    audio = (clean + noise).astype(np.float32)
    mine = Calibration(own=0.5, around=0.25, offset=0.1)
    raw, calibrated = heard(RAW, audio), heard(mine, audio)
    odds = [log_odds(word.probability) for word in raw.words]
    assert len(odds) > 5
    assert [word.probability for word in calibrated.words] == pytest.approx(
        mine.probabilities(odds), abs=1e-6
    )
    same = zip(raw.words, calibrated.words, strict=True)
    assert calibrated == replace(
        raw, words=tuple(replace(a, probability=b.probability) for a, b in same)
    )
