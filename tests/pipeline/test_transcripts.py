"""Transcripts made elsewhere come in with their sound."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from app.audio.decode import MediaHeader
from app.core.errors import ImportFailed
from app.core.model import imported_from
from app.core.recording import RecordingStatus
from app.library.search import ListQuery
from app.pipeline.importing import Checked
from app.pipeline.transcripts import import_transcript, is_transcript, sound_of
from tests.library.builders import Library

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.\n"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "home" / "library.sqlite")
    yield opened
    opened.close()


def check(file: Path) -> Checked:
    return Checked(file, MediaHeader(9.0, None, "wav", False, 16_000, 1), f"print {file.name}")


def test_a_subtitle_file_becomes_the_transcript_of_its_sound(
    library: Library, tmp_path: Path
) -> None:
    sound, file = tmp_path / "talk.mp3", tmp_path / "talk.en.srt"
    sound.touch()
    file.write_text(SRT)
    assert is_transcript(file)
    assert not is_transcript(sound)
    made = import_transcript(file, sound_of(file), check, library.writer)
    kept = library.reader.recording(made.recording_id)
    assert kept is not None
    assert (kept.title, kept.status, kept.audio_path) == ("talk", RecordingStatus.DONE, sound)
    assert imported_from(kept.model_id) == "talk.en.srt"
    assert library.reader.transcript(made.recording_id).text == "Hello there.\nBye."
    assert library.reader.ids(ListQuery("hello")) == [made.recording_id]
    assert library.reader.find_fingerprint("print talk.mp3") == kept


def test_without_a_sound_nothing_is_added(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "alone.srt"
    file.write_text(SRT)
    with pytest.raises(ImportFailed, match="no sound beside"):
        sound_of(file)
    assert sound_of(file, [tmp_path / "elsewhere" / "alone.wav"]).name == "alone.wav"
    file.write_text("not a transcript")
    with pytest.raises(ImportFailed):
        import_transcript(file, tmp_path / "alone.wav", check, library.writer)
    assert library.reader.ids() == []


def test_of_sounds_with_one_name_it_is_the_one_beside_it(tmp_path: Path) -> None:
    given = [tmp_path / at for at in ("A/talk.mp4", "A/talk.srt", "B/talk.mp4", "B/talk.srt")]
    assert sound_of(given[1], given) == given[0]
    assert sound_of(given[3], given) == given[2]
    (tmp_path / "B").mkdir()
    given[2].touch()
    assert sound_of(given[3], given[:2]) == given[2]  # it was not handed over, but lies there


def test_the_full_name_goes_before_the_one_without_its_language(tmp_path: Path) -> None:
    given = [tmp_path / name for name in ("talk.mp4", "talk.en.mp4", "talk.en.srt", "talk.de.srt")]
    assert sound_of(given[2], given) == given[1]
    assert sound_of(given[3], given) == given[0]


@pytest.mark.parametrize(("text", "sound"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_two_ways_to_write_an_umlaut_are_one_name(
    tmp_path: Path, text: Literal["NFC", "NFD"], sound: Literal["NFC", "NFD"]
) -> None:
    file = tmp_path / unicodedata.normalize(text, "Gespräch.de.srt")
    there = tmp_path / unicodedata.normalize(sound, "Gespräch.mp4")
    there.touch()
    assert sound_of(file) == there
    assert sound_of(file, [there]) == there


def test_what_is_in_the_bin_does_not_keep_its_sound_from_coming_again(
    library: Library, tmp_path: Path
) -> None:
    sound, file = tmp_path / "talk.mp3", tmp_path / "talk.srt"
    file.write_text(SRT)
    made = import_transcript(file, sound, check, library.writer)
    library.writer.move_to_bin([made.recording_id]).result(30)
    assert library.reader.find_fingerprint("print talk.mp3") is None
