import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.measure import SILENCE_DB, Hint, Level, Meter, SoundSummary, decibels, level
from app.audio.ring import Samples

RATE = 16_000


def scaled(sound: np.ndarray, peak: float) -> Samples:
    made = sound * peak * 32767
    return np.clip(np.rint(made), -32768, 32767).astype(np.int16)[:, None]


def sine(seconds: float, peak: float) -> Samples:
    t = np.arange(int(seconds * RATE)) / RATE
    return scaled(np.sin(2 * np.pi * 200 * t), peak)


def noise(seconds: float, rms_db: float, seed: int = 1) -> np.ndarray:
    made: np.ndarray = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return made * 10 ** (rms_db / 20)


def talk(seconds: float, speech_db: float, room_db: float) -> Samples:
    """Syllables of noise, 0.3 s on and 0.2 s off, over a steady room."""
    t = np.arange(int(seconds * RATE)) / RATE
    is_on = (t % 0.5) < 0.3
    return scaled(noise(seconds, speech_db) * is_on + noise(seconds, room_db, 2), 1.0)


def gated(seconds: float, speech_db: float) -> Samples:
    """Speech from a microphone that puts zeros into every pause: 6 frames of it, 4 of zeros."""
    is_on = np.arange(int(seconds * RATE)) % 8000 < 4800
    return scaled(noise(seconds, speech_db) * is_on, 1.0)


def measured(sound: Samples) -> Meter:
    meter = Meter(RATE)
    meter.feed(sound)
    return meter


def test_levels_are_in_dbfs() -> None:
    assert level(sine(1, 1.0)).rms_db == pytest.approx(-3.01, abs=0.01)
    assert level(sine(1, 1.0)).peak_db == pytest.approx(0.0, abs=0.01)
    assert level(sine(1, 0.1)).rms_db == pytest.approx(-23.01, abs=0.02)
    assert level(np.zeros((100, 1), np.int16)) == Level(SILENCE_DB, SILENCE_DB)
    assert level(np.zeros((0, 1), np.int16)) == Level()
    assert level(np.full((10, 1), 0.5, np.float32)).peak_db == pytest.approx(-6.02, abs=0.01)
    assert decibels(1e-9) == SILENCE_DB


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (talk(6, -22, -65), set()),
        (talk(6, -55, -75), {Hint.TOO_QUIET}),
        (talk(6, -26, -35), {Hint.NOISY}),
        (scaled(noise(6, -30), 1.0), {Hint.NOISY}),
        (scaled(noise(6, -60), 1.0), set()),  # a quiet room in which nobody speaks
        (gated(6, -26), set()),
        (np.zeros((6 * RATE, 1), np.int16), {Hint.SILENT}),
        (sine(6, 2.0), {Hint.CLIPPING}),
        (talk(6, -5, -60), {Hint.CLIPPING}),
    ],
)
def test_hints_live_and_for_the_whole(sound: Samples, expected: set[Hint]) -> None:
    meter = measured(sound)
    assert meter.hints() - {Hint.NOISY} == expected - {Hint.NOISY}
    if Hint.CLIPPING not in expected:
        assert meter.hints() == expected
        assert set(meter.summary().hints) == expected
    else:
        assert Hint.CLIPPING in meter.summary().hints


def test_a_few_full_scale_peaks_are_no_clipping() -> None:
    sound = talk(6, -22, -65)
    sound[::RATE] = 32767
    assert measured(sound).hints() == set()


def test_a_hint_goes_when_its_cause_is_five_seconds_gone() -> None:
    meter = measured(sine(2, 2.0))
    assert Hint.CLIPPING in meter.hints()
    meter.feed(talk(6, -22, -65))
    assert meter.hints() == set()
    assert Hint.CLIPPING in meter.summary().hints


def test_the_summary_tells_speech_from_room() -> None:
    summary = measured(talk(20, -22, -60)).summary()
    assert summary.duration_s == pytest.approx(20.0)
    assert summary.speech_db == pytest.approx(-22, abs=2)
    assert summary.noise_db == pytest.approx(-60, abs=2)
    assert summary.snr_db == pytest.approx(38, abs=3)
    assert (summary.clipped_share, summary.zero_share) == (0.0, 0.0)
    assert Meter(RATE).summary() == SoundSummary()


def test_zeros_are_counted_but_are_no_room() -> None:
    sound = np.concatenate([np.zeros((5 * RATE, 1), np.int16), talk(5, -22, -60)])
    meter = measured(sound)
    summary = meter.summary()
    assert summary.zero_share == 0.5
    assert summary.noise_db == pytest.approx(-60, abs=2)
    assert summary.hints == ()
    assert meter.zero_run_s == 0.0
    meter.feed(np.zeros((RATE, 1), np.int16))
    assert meter.zero_run_s == 1.0


def test_an_offset_is_not_loudness_and_a_dead_channel_says_nothing() -> None:
    offset = (talk(6, -22, -65).astype(int) + 3000).astype(np.int16)
    assert measured(offset).hints() == set()
    one_sided = np.concatenate([np.zeros((6 * RATE, 1), np.int16), talk(6, -22, -65)], axis=1)
    assert measured(one_sided).hints() == set()


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 20_000), max_size=12))
def test_blocks_of_any_size_give_the_same_result(cuts: list[int]) -> None:
    sound = talk(5, -30, -60)
    meter = Meter(RATE)
    at = 0
    for cut in cuts:
        meter.feed(sound[at : at + cut])
        at += cut
    meter.feed(sound[at:])
    assert meter.summary() == measured(sound).summary()
    assert meter.hints() == measured(sound).hints()
    assert meter.level == measured(sound).level
