from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.decode import open_media
from app.audio.speech import SpeechWindows
from app.core.packing import SAMPLE_RATE, Window
from tests.helpers.media import SPEECH, jfk


def windows_of(file: Path, max_speech_s: float) -> tuple[list[Window], SpeechWindows]:
    with open_media(file) as stream:
        windows = SpeechWindows(stream, max_speech_s)
        return list(windows), windows


def test_a_recording_becomes_windows_at_its_pauses() -> None:
    windows, source = windows_of(SPEECH / "jfk.flac", 9)
    assert [len(window.speech) for window in windows] == [3, 1]
    assert source.is_complete
    assert source.heard_s == pytest.approx(11.0)
    assert [part for window in windows for part in window.speech] == source.speech
    audio = jfk()
    for window in windows:
        start = round(window.start_s * SAMPLE_RATE)
        same = audio[start : start + len(window.audio)]
        assert np.abs(window.audio - same).max() < 1e-3


def test_the_same_file_gives_the_same_windows() -> None:
    file = SPEECH.parent / "conversations" / "talk-5-1voices.flac"
    (one, _), (other, _) = windows_of(file, 9), windows_of(file, 9)
    assert [window.speech for window in one] == [window.speech for window in other]
    assert all(np.array_equal(a.audio, b.audio) for a, b in zip(one, other, strict=True))
    assert max(len(window.audio) for window in one) <= 9 * SAMPLE_RATE


def test_a_silent_file_has_no_windows(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.flac", np.zeros(20 * SAMPLE_RATE), SAMPLE_RATE)
    windows, source = windows_of(tmp_path / "silent.flac", 30)
    assert windows == []
    assert source.is_complete
    assert source.heard_s == 20


def test_closing_the_stream_ends_the_windows_without_a_half_one() -> None:
    with open_media(SPEECH / "jfk.flac") as stream:
        source = SpeechWindows(stream, 9)
        stream.close()
        assert list(source) == []
    assert not source.is_complete
