from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audio.peaks import PeakBuilder, Peaks, columns_of, load_peaks
from app.audio.ring import Samples
from app.core.errors import AudioError

RATE = 16_000


def sound(samples: int, channels: int = 1) -> Samples:
    made: Samples = np.random.default_rng(3).integers(
        -32768, 32768, (samples, channels), dtype=np.int16
    )
    return made


def built(samples: Samples) -> Peaks:
    builder = PeakBuilder(RATE)
    builder.feed(samples)
    return builder.finish()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    samples=st.integers(0, 200_000),
    channels=st.integers(1, 2),
    cuts=st.lists(st.integers(0, 60_000), max_size=10),
)
def test_streaming_equals_batch_and_every_level_is_exact(
    samples: int, channels: int, cuts: list[int]
) -> None:
    whole = sound(samples, channels)
    builder = PeakBuilder(RATE)
    at = 0
    for cut in cuts:
        builder.feed(whole[at : at + cut])
        at += cut
    builder.feed(whole[at:])
    peaks = builder.finish()
    assert peaks.samples == samples
    size = 160
    for level in peaks.levels:
        assert len(level) == -(-samples // size)
        for number in {0, len(level) // 2, len(level) - 1} if len(level) else set():
            part = whole[number * size : (number + 1) * size]
            assert level[number].tolist() == [part.min(), part.max()]
        size *= 4
    assert len(peaks.levels[-1]) <= 256


def test_any_zoom_shows_the_true_extremes() -> None:
    whole = np.zeros((60 * RATE, 1), np.int16)
    whole[30 * RATE] = 12_000
    whole[45 * RATE] = -9000
    peaks = built(whole)
    for count in (1, 7, 300, 1500):
        columns = peaks.columns(0, 60, count)
        assert columns.shape == (count, 2)
        assert (columns[:, 1].max(), columns[:, 0].min()) == (12_000, -9000)
        assert columns[count // 2, 1] == 12_000
    close = peaks.columns(29.9, 30.1, 200)
    assert (close[:, 1] > 0).sum() == 10  # a column of 10 ms is ten pixels of 1 ms
    assert peaks.columns(46, 60, 100).any() == np.False_


def test_outside_the_recording_there_is_silence() -> None:
    peaks = built(sound(RATE))
    columns = peaks.columns(-1.0, 2.0, 300)
    assert not columns[:99].any()
    assert columns[101:199].all()
    assert not columns[201:].any()
    assert peaks.columns(5, 4, 10).any() == np.False_
    assert built(sound(0)).columns(0, 1, 5).tolist() == [[0, 0]] * 5


def test_the_file_holds_it_all_and_damage_is_noticed(tmp_path: Path) -> None:
    peaks = built(sound(50 * RATE))
    file = tmp_path / "audio.peaks"
    peaks.save(file)
    found = load_peaks(file)
    assert found is not None
    assert (found.rate_hz, found.samples, found.duration_s) == (RATE, 50 * RATE, 50.0)
    assert len(found.levels) == len(peaks.levels) > 1
    for ours, theirs in zip(peaks.levels, found.levels, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert file.stat().st_size < 50 * 100 * 4 * 1.4
    assert file.stat().st_mode & 0o777 == 0o600
    content = bytearray(file.read_bytes())
    for broken in (content[:-1], content[:10], content[:-1] + b"x", b"RIFF" + content[4:]):
        file.write_bytes(broken)
        assert load_peaks(file) is None
    assert load_peaks(tmp_path / "none") is None
    with pytest.raises(AudioError, match="waveform"):
        peaks.save(tmp_path / "none" / "audio.peaks")


def test_a_short_stretch_is_drawn_from_its_samples() -> None:
    ramp = np.arange(100, dtype=np.int16)
    assert columns_of(ramp, 4).tolist() == [[0, 24], [25, 49], [50, 74], [75, 99]]
    assert columns_of(ramp, 500).shape == (100, 2)
    assert columns_of(ramp[:0], 5).shape == (0, 2)
    loud = np.array([0.5, -1.0, 1.0], np.float32)
    assert columns_of(loud, 1).tolist() == [[-32768, 32767]]
