from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio import finalise as module
from app.audio.finalise import finalise
from app.audio.journal import JournalWriter, SectionFormat
from app.audio.journal_cursor import JournalCursor
from app.audio.ring import Samples
from app.core.errors import AudioError


def noise(samples: int, channels: int = 1) -> Samples:
    made: Samples = np.random.default_rng(7).integers(
        -32768, 32768, (samples, channels), dtype=np.int16
    )
    return made


def new_journal(folder: Path) -> JournalWriter:
    return JournalWriter(folder / "audio.journal", "take-1", wall_s=0.0)


def read(flac: Path) -> Samples:
    samples, _ = soundfile.read(flac, dtype="int16", always_2d=True)
    assert isinstance(samples, np.ndarray)
    return samples


@pytest.mark.parametrize("channels", [1, 2])
def test_the_flac_holds_every_sample_and_gaps_as_silence(tmp_path: Path, channels: int) -> None:
    journal = new_journal(tmp_path)
    journal.begin_section(SectionFormat(44_100, channels))
    sound = noise(30_000, channels)
    journal.audio(sound[:10_000])
    journal.gap(5000, "stall")
    journal.audio(sound[10_000:])
    journal.close()  # never ended: the process died
    made = finalise(journal.file, tmp_path / "audio.flac")
    expected = np.concatenate([sound[:10_000], np.zeros((5000, channels)), sound[10_000:]])
    np.testing.assert_array_equal(read(made.file), expected)
    assert (made.rate_hz, made.channels, made.samples) == (44_100, channels, 35_000)
    assert (made.damaged, made.tail_bytes) == (0, 0)
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio.flac", "audio.journal"]


def test_sections_of_other_rates_fit_the_time_line_of_the_live_cursor(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    for rate_hz, channels in ((16_000, 1), (48_000, 2), (44_100, 1)):
        journal.begin_section(SectionFormat(rate_hz, channels))
        t = np.arange(rate_hz) / rate_hz
        wave = (8000 * np.sin(2 * np.pi * 300 * t)).astype(np.int16)
        journal.audio(np.repeat(wave[:, None], channels, axis=1))
    journal.end("stopped")
    journal.close()
    made = finalise(journal.file, tmp_path / "audio.flac")
    assert (made.rate_hz, made.channels) == (48_000, 1)
    assert made.samples == pytest.approx(3 * 48_000, abs=3)
    cursor = JournalCursor(journal.file)
    assert len(cursor.read()) == 3 * 16_000
    cursor.close()
    middle = read(made.file)[24_000:120_000, 0].astype(float)
    assert np.abs(middle).max() == pytest.approx(8000, rel=0.02)


def test_float_sound_is_clipped_not_wrapped(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.begin_section(SectionFormat(16_000, sample_format="float32"))
    journal.audio(np.array([[1.5], [-1.5], [0.5]], np.float32))
    journal.close()
    made = finalise(journal.file, tmp_path / "audio.flac")
    assert read(made.file)[:, 0].tolist() == [32767, -32768, 16384]


def test_a_take_without_sound_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.begin_section(SectionFormat(16_000))
    journal.end("stopped")
    journal.close()
    with pytest.raises(AudioError, match="no sound"):
        finalise(journal.file, tmp_path / "audio.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["audio.journal"]


def test_a_file_that_reads_differently_never_gets_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = new_journal(tmp_path)
    journal.begin_section(SectionFormat(16_000))
    journal.audio(noise(20_000))
    journal.close()

    def damage(part: Path) -> None:
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 0xFF
        part.write_bytes(content)

    monkeypatch.setattr(module, "_sync_file", damage)
    with pytest.raises(AudioError, match="could not be packed"):
        finalise(journal.file, tmp_path / "audio.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["audio.journal"]


def test_a_leftover_part_and_an_older_flac_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "audio.flac.part").write_bytes(b"half")
    (tmp_path / "audio.flac").write_bytes(b"old")
    journal = new_journal(tmp_path)
    journal.begin_section(SectionFormat(16_000))
    journal.audio(noise(20_000))
    journal.close()
    made = finalise(journal.file, tmp_path / "audio.flac")
    np.testing.assert_array_equal(read(made.file), noise(20_000))
