"""Every planted fault is found and mended, a second run finds nothing, and no word is lost."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.audio.take_folder import SegmentLog, make_take_folder
from app.config.paths import Paths
from app.core.errors import LibraryTooNew
from app.core.ids import new_id
from app.core.recording import RecordingKind, RecordingStatus
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from app.pipeline.library_check import CheckReport, LibraryCheck
from app.pipeline.salvage import finish_salvage, salvage_library, set_aside_files
from app.pipeline.sound_bin import SoundBin
from tests.library.builders import make_job, make_recording, make_segment

SAID = tuple(make_segment(f"take words number {at}", at * 5.0) for at in range(6))


@dataclass
class Home:
    paths: Paths
    writer: LibraryWriter
    reader: LibraryReader
    owner: Owner
    take_id: str

    def check(self) -> CheckReport:
        return LibraryCheck(self.paths, self.writer, self.reader, self.owner).run()

    def meddle(self, *statements: str) -> None:
        connection = sqlite3.connect(self.paths.library, isolation_level=None)
        try:
            for statement in statements:
                connection.execute(statement)
        finally:
            connection.close()

    def texts(self, recording_id: str) -> list[str]:
        return [segment.text for segment in self.reader.transcript(recording_id).segments]

    def close(self) -> None:
        self.owner.release()
        self.reader.close()
        self.writer.close()


def take_folder(paths: Paths, take_id: str) -> Path:
    details = {"kind": "dictation", "created_at": 1.7e9, "status": "done", "title": "A take"}
    folder = make_take_folder(paths.recordings, take_id, details)
    log = SegmentLog(folder.segments)
    for seq, segment in enumerate(SAID):
        log.append(seq, segment)
    log.close()
    folder.flac.write_bytes(b"sound")
    folder.flac.chmod(0o600)
    return folder.flac


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    paths = Paths(tmp_path / "home")
    writer = LibraryWriter(paths.library, lambda _: None, watch_s=None)
    take_id = new_id()
    flac = take_folder(paths, take_id)
    take = make_recording(
        take_id,
        "A take",
        kind=RecordingKind.DICTATION,
        status=RecordingStatus.DONE,
        audio_path=flac,
        is_copy=True,
    )
    writer.add_finished(take, SAID).result(30)
    imported = make_recording("r1", "Imported", status=RecordingStatus.DONE)
    writer.add_finished(imported, [make_segment("hello world"), make_segment("again", 9.0)])
    writer.add_finished(make_recording("r2", "Third", status=RecordingStatus.DONE), []).result(30)
    found = Home(paths, writer, LibraryReader(paths.library), Owner.take(paths), take_id)
    yield found
    found.close()


def test_a_whole_library_is_clean(home: Home) -> None:
    assert home.check().is_clean


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("text_restored", "DELETE FROM segments WHERE recording = 1 AND seq = 2"),
        ("text_restored", "UPDATE words SET numbers = zeroblob(8) WHERE recording = 1"),
        ("text_unsure", "UPDATE segments SET text = 'torn' WHERE recording = 2 AND seq = 1"),
        ("text_lost", "DELETE FROM segments WHERE recording = 2 AND seq = 0"),
        ("recordings_lost", "DELETE FROM recordings WHERE number = 1"),
        ("orphans", "DELETE FROM recordings WHERE number = 3"),
        ("wrong_counts", "UPDATE recordings SET doubt = 77 WHERE number = 1"),
        ("stuck", "UPDATE recordings SET status = 'working' WHERE number = 2"),
        ("future_date", "UPDATE recordings SET created_at = 4e9 WHERE number = 1"),
        ("search_drift", "UPDATE documents SET body = 'other' WHERE number = 2"),
        ("audio_found", "UPDATE recordings SET audio_path = '/moved/away.flac' WHERE number = 1"),
        ("audio_found", "UPDATE recordings SET audio_path = NULL WHERE number = 1"),
    ],
)
def test_planted_faults_are_mended(home: Home, kind: str, statement: str) -> None:
    home.meddle("PRAGMA foreign_keys = OFF", statement)
    report = home.check()
    assert kind in [finding.kind for finding in report.mended]
    assert all(str(finding.message) for finding in report.mended)
    assert not report.open
    assert home.check().is_clean
    take = home.reader.recording(home.take_id)
    assert take is not None
    assert take.audio_path == home.paths.recordings / home.take_id / "audio.flac"
    assert home.texts(home.take_id) == [segment.text for segment in SAID]
    assert home.reader.ids(ListQuery('"words number"')) == [home.take_id]


def test_torn_text_is_kept_as_a_version(home: Home) -> None:
    home.meddle("UPDATE segments SET text = 'what is left' WHERE recording = 2 AND seq = 1")
    home.check()
    (kept,) = home.reader.revisions("r1")
    texts = [segment.text for segment in home.reader.revision_segments(kept.revision_id)]
    assert texts == home.texts("r1") == ["hello world", "what is left"]


def test_what_cannot_be_mended_says_what_to_do(home: Home, tmp_path: Path) -> None:
    home.writer.update_recording("r1", audio_path=tmp_path / "gone.wav").result(10)
    for _run in range(2):
        report = home.check()
        (finding,) = report.open
        assert (finding.kind, str(finding.hint) != "") == ("audio_missing", True)
        assert not report.mended


def test_what_only_its_folder_knows_comes_back(home: Home) -> None:
    take_id = new_id()
    take_folder(home.paths, take_id)
    (home.paths.recordings / "empty").mkdir(mode=0o700)
    left = home.paths.recordings / home.take_id / "audio.flac.part"
    left.write_bytes(b"half")
    left.chmod(0o600)
    long_ago = time.time() - 1e5
    for path in (left, left.parent, home.paths.recordings / "empty"):
        os.utime(path, (long_ago, long_ago))
    report = home.check()
    assert {finding.kind for finding in report.mended} == {"folders_without_rows", "leftovers"}
    assert home.texts(take_id) == [segment.text for segment in SAID]
    assert home.check().is_clean
    assert not left.exists()


def test_sound_in_the_bin_waits_until_lost_rows_are_back(home: Home) -> None:
    sounds = SoundBin(home.paths, home.writer, home.reader)
    assert sounds.put([home.take_id], 1.7e9) == (home.take_id,)
    home.writer.remove([home.take_id]).result(10)  # as an older library that was restored
    assert "folders_without_rows" in [finding.kind for finding in home.check().mended]
    assert sounds.restore([home.take_id]) == (home.take_id,)
    assert (home.paths.recordings / home.take_id / "audio.flac").read_bytes() == b"sound"
    assert home.check().is_clean


def test_sound_is_not_looked_for_before_lost_rows_are_back(home: Home) -> None:
    sounds = SoundBin(home.paths, home.writer, home.reader)
    sounds.put([home.take_id], 1.7e9)
    (entry,) = sounds.entries()
    entry.sound.rename(entry.source)  # killed before it had moved …
    home.writer.remove([home.take_id]).result(10)  # … and then the row was lost
    home.check()
    take = home.reader.recording(home.take_id)
    assert take is not None
    assert take.audio_path == entry.source
    assert entry.source.read_bytes() == b"sound"
    assert sounds.entries() == ()  # nothing is left to be taken for a sound in the bin
    assert home.check().is_clean


def test_files_are_closed_to_others(home: Home) -> None:
    flac = home.paths.recordings / home.take_id / "audio.flac"
    flac.chmod(0o644)
    home.paths.recordings.chmod(0o755)
    report = home.check()
    assert [finding.kind for finding in report.mended] == ["too_open"]
    assert flac.stat().st_mode & 0o777 == 0o600
    assert home.paths.recordings.stat().st_mode & 0o777 == 0o700
    assert home.check().is_clean


def test_only_what_is_ours_is_closed_and_what_goes_meanwhile_is_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, gone, refused = (
        home.paths.home / "a picture of mine.png",
        home.paths.logs / "download.part",
        home.paths.logs / "undertone.log",
    )
    home.paths.logs.mkdir(mode=0o700)
    for file in (picture, gone, refused):
        file.touch()
        file.chmod(0o644)
    real = Path.chmod

    def chmod(self: Path, mode: int) -> None:
        if self == gone:
            self.unlink()
        if self == refused:
            raise PermissionError(1, "Operation not permitted")
        real(self, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    report = home.check()
    assert report.mended == ()
    (finding,) = report.open
    assert (finding.kind, str(refused) in str(finding.message)) == ("too_open", True)
    assert picture.stat().st_mode & 0o777 == 0o644


def test_what_is_in_work_is_left_alone(home: Home) -> None:
    home.writer.add_recording(
        make_recording("busy", "Busy", status=RecordingStatus.WORKING), make_job("j", "busy")
    ).result(10)
    take_id = new_id()
    folder = make_take_folder(home.paths.recordings, take_id, {"owner": home.owner.token})
    folder.journal.write_bytes(b"being written")
    folder.journal.chmod(0o600)
    assert home.check().is_clean
    assert home.reader.recording(take_id) is None


def test_it_can_be_stopped_and_says_how_far_it_is(home: Home) -> None:
    told: list[float] = []
    parts = (home.paths, home.writer, home.reader, home.owner)
    assert LibraryCheck(*parts, told.append).run().is_clean
    assert told == sorted(told)
    assert told[-1] == 1.0
    report = LibraryCheck(*parts, is_stopped=lambda: True).run()
    assert report.was_stopped
    assert not report.is_clean


def corrupt(paths: Paths) -> None:
    """Ruin every page but the first and what holds the list."""
    content = bytearray(paths.library.read_bytes())
    connection = sqlite3.connect(paths.library)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'segments'"
    ).fetchone()
    connection.close()
    content[(root - 1) * 4096 : root * 4096] = os.urandom(4096)
    paths.library.write_bytes(content)


def test_a_damaged_file_is_salvaged_and_kept_aside(home: Home) -> None:
    home.writer.checkpoint().result(10)
    home.close()
    corrupt(home.paths)
    damaged = home.paths.library.read_bytes()
    writer = LibraryWriter(home.paths.library, lambda _: None, watch_s=None)
    again = Home(
        home.paths, writer, LibraryReader(home.paths.library), Owner.take(home.paths), home.take_id
    )
    try:
        report = again.check()
    finally:
        again.close()
    assert report.needs_salvage
    outcome = salvage_library(home.paths)
    assert outcome.count == 3
    assert outcome.set_aside.read_bytes() == damaged
    assert set_aside_files(home.paths)[0] == outcome.set_aside
    with LibraryReader(home.paths.library) as reader:
        texts = [segment.text for segment in reader.transcript(home.take_id).segments]
        assert texts == [segment.text for segment in SAID]  # from its folder
        lost = reader.recording("r1")
        assert lost is not None
        assert lost.status is RecordingStatus.FAILED
        assert str(lost.error).startswith("Some of this text was lost")


def test_a_library_that_is_no_file_at_all_is_made_from_the_folders(home: Home) -> None:
    home.close()
    home.paths.library.write_bytes(b"\x00garbage" * 3000)
    outcome = salvage_library(home.paths)
    assert outcome.salvaged is None
    assert outcome.rebuilt.titles == ("A take",)
    assert outcome.set_aside.read_bytes().startswith(b"\x00garbage")


def test_a_kill_between_the_names_is_made_good(home: Home) -> None:
    home.writer.checkpoint().result(10)
    home.close()
    made = home.paths.home / "library.salvaged.sqlite"
    shutil.copyfile(home.paths.library, made)
    home.paths.library.write_bytes(b"damaged")
    Path(f"{home.paths.library}-wal").write_bytes(b"an old log")
    finish_salvage(home.paths)
    finish_salvage(home.paths)
    assert not made.exists()
    with LibraryReader(home.paths.library) as reader:
        assert reader.count() == 3
    (aside, log) = set_aside_files(home.paths)
    assert (aside.read_bytes(), log.read_bytes()) == (b"damaged", b"an old log")


def test_what_a_newer_undertone_wrote_is_not_salvaged(home: Home) -> None:
    home.meddle("PRAGMA user_version = 999")
    home.close()
    before = home.paths.library.read_bytes()
    with pytest.raises(LibraryTooNew):
        salvage_library(home.paths)
    assert home.paths.library.read_bytes() == before
    assert set_aside_files(home.paths) == []
