"""The sound of an utterance and where its final windows are cut, without a model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.packing import SAMPLE_RATE, Audio
from app.engine.base import Options, StreamResult
from app.engine.scripted import ScriptedRecognizer, ScriptedWindow
from app.engine.whisper.utterance import Finals, Sound, quiet_cut
from tests.engine.whisper.speech import clips

_SCRIPT = [ScriptedWindow(text) for text in ("one", "two", "", "four")]


def _speech(seconds: float, pauses_s: tuple[float, ...] = ()) -> Audio:
    audio = np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE))
    for at in pauses_s:
        audio[int(at * SAMPLE_RATE) : int((at + 0.3) * SAMPLE_RATE)] *= 0.001
    return audio.astype(np.float32)


def _finals(sound: Sound, recognizer: ScriptedRecognizer) -> Finals:
    return Finals(sound, recognizer.transcribe, Options(), 5.0, 4.0)


def _result(finals: Finals) -> StreamResult:
    *steps, last = finals.finish()
    assert last is not None
    assert not any(steps)
    return last


@given(st.lists(st.integers(0, 900), max_size=30), st.integers(0, 900))
def test_sound_keeps_what_was_not_forgotten(sizes: list[int], behind: int) -> None:
    sound, whole = Sound(), np.zeros(0, np.float32)
    for size in sizes:
        block = np.arange(len(whole), len(whole) + size, dtype=np.float32)
        whole = np.concatenate((whole, block))
        sound.append(block)
        first = max(0, sound.end - behind)
        sound.forget(first)
        assert np.array_equal(sound.between(first, sound.end), whole[first:])
    assert sound.end == len(whole)


def test_cuts_in_the_pause() -> None:
    cut = quiet_cut(_speech(4.0, (0.5, 2.8)))
    assert 2.8 <= cut / SAMPLE_RATE <= 3.1


def test_cuts_late_where_all_is_equally_quiet() -> None:
    assert quiet_cut(np.zeros(4 * SAMPLE_RATE, np.float32)) / SAMPLE_RATE > 3.8


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=12), st.booleans())
def test_windows_do_not_depend_on_the_blocks(sizes: list[int], is_eager: bool) -> None:
    audio = _speech(sum(sizes) / SAMPLE_RATE, (3.0, 6.1, 9.7))[: sum(sizes)]
    audio *= np.where(np.arange(len(audio)) // 1600 % 2, np.float32(1.0), np.float32(0.1))
    whole, pieces = ScriptedRecognizer(_SCRIPT), ScriptedRecognizer(_SCRIPT)
    sound = Sound()
    sound.append(audio)
    expected = _result(_finals(sound, whole))

    sound = Sound()
    finals = _finals(sound, pieces)
    at = 0
    for size in sizes:
        sound.append(audio[at : at + size])
        at += size
        finals.cut()
        while is_eager and finals.has_work:
            finals.step()
        sound.forget(finals.begin)
    assert _result(finals) == expected

    assert [w.start_s for w in pieces.heard] == [w.start_s for w in whole.heard]
    if not pieces.heard:  # too short to be speech
        assert len(audio) < SAMPLE_RATE
        return
    heard = np.concatenate([window.audio for window in pieces.heard])
    assert np.array_equal(heard, audio)
    assert all(len(window.audio) <= 4.0 * SAMPLE_RATE for window in pieces.heard)
    assert pieces.heard[0].start_s == 5.0


@pytest.mark.parametrize("level", [0.0, 0.001, 0.1])
def test_steady_noise_is_not_even_given_to_the_model(level: float) -> None:
    sound, recognizer = Sound(), ScriptedRecognizer(_SCRIPT)
    sound.append(_speech(3.0) * np.float32(level))

    assert sound.is_steady(0, sound.end)
    assert _result(_finals(sound, recognizer)) == StreamResult(())
    assert not recognizer.heard


def test_speech_in_noise_is_not_steady() -> None:
    """Speech 5 dB above white noise."""
    rng = np.random.default_rng(2)
    for clip in clips(every=5):
        speech = clip.window.audio
        power = float(np.square(speech).mean()) * 10 ** (-5 / 10)
        noise = rng.standard_normal(len(speech)) * power**0.5
        sound = Sound()
        sound.append((speech + noise).astype(np.float32))
        assert not sound.is_steady(0, sound.end)


def test_no_sound_is_no_text() -> None:
    assert _result(_finals(Sound(), ScriptedRecognizer(_SCRIPT))) == StreamResult(())


def test_silence_behind_the_end_is_not_decoded() -> None:
    sound, recognizer = Sound(), ScriptedRecognizer([ScriptedWindow("what was said")])
    finals = _finals(sound, recognizer)
    sound.append(_speech(3.0, (0.3, 1.0, 1.6)))
    *_, last = finals.finish(5.0 + 2.25)
    assert last is not None
    assert [segment.text for segment in last.segments] == ["what was said"]
    assert [len(window.audio) for window in recognizer.heard] == [int(2.25 * SAMPLE_RATE)]
