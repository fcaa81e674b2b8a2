"""Takes that were left behind come back; what is there is never harmed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.journal import JournalWriter, SectionFormat
from app.audio.take_folder import SegmentLog, TakeFolder, make_take_folder
from app.config.paths import Paths
from app.core.dictation import Outcome
from app.core.events import Event, Failed, TakesRecovered
from app.core.ids import new_id
from app.core.job import Job, JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from app.pipeline.rebuild import rebuild
from app.pipeline.recover import rebuild_library, recover_takes
from app.pipeline.removing import remove_recordings
from tests.helpers.dictation import RATE, Desk, Loads, says, speech

CREATED = 1_795_000_000.0
SAID = Segment(0.2, 0.9, "said before the crash", confidence=0.9)


@dataclass
class Home:
    """A library and its folders, opened by a process that lives."""

    paths: Paths
    writer: LibraryWriter
    reader: LibraryReader
    owner: Owner

    def recover(self) -> tuple[tuple[str, ...], list[Event]]:
        told: list[Event] = []
        found = recover_takes(self.paths, self.writer, self.reader, self.owner, told.append)
        return found, told

    def take(
        self,
        *,
        seconds: float = 1.0,
        owner: str = "0" * 32,
        has_row: bool = True,
        status: RecordingStatus = RecordingStatus.PENDING,
        segments: tuple[Segment, ...] = (),
        is_closed: bool = False,
    ) -> TakeFolder:
        """Make what a killed process leaves behind."""
        take_id = new_id()
        details = {"kind": "dictation", "created_at": CREATED, "owner": owner, "status": status}
        folder = make_take_folder(self.paths.recordings, take_id, details)
        journal = JournalWriter(folder.journal, take_id, wall_s=CREATED)
        if seconds:
            journal.begin_section(SectionFormat(RATE))
            for start in range(0, int(seconds * RATE), RATE // 10):
                journal.audio(np.arange(start, start + RATE // 10).astype(np.int16)[:, None])
        if is_closed:
            journal.end("stopped")
        journal.close()
        if segments:
            log = SegmentLog(folder.segments)
            for seq, segment in enumerate(segments):
                log.append(seq, segment)
            log.close()
        if has_row:
            job = Job(take_id, take_id, "Take", "auto", "auto", status=JobStatus.CANCELLED)
            recording = Recording(take_id, RecordingKind.DICTATION, "Take", CREATED, status)
            self.writer.add_recording(recording, job).result(10)
        return folder

    def row(self, folder: TakeFolder) -> Recording:
        found = self.reader.recording(folder.take_id)
        assert found is not None
        return found

    def texts(self, folder: TakeFolder) -> list[str]:
        return [s.text for s in self.reader.transcript(folder.take_id).segments]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    paths = Paths(tmp_path / "home")
    writer = LibraryWriter(paths.library, lambda _: None, watch_s=None)
    reader = LibraryReader(paths.library)
    with Owner.take(paths) as owner:
        yield Home(paths, writer, reader, owner)
    reader.close()
    writer.close()


def samples_of(folder: TakeFolder) -> int:
    return len(soundfile.read(folder.flac, dtype="int16")[0])


@pytest.mark.parametrize("has_row", [True, False])
def test_a_take_of_a_dead_process_comes_back_whole_and_is_offered(
    home: Home, has_row: bool
) -> None:
    folder = home.take(has_row=has_row, segments=(SAID,))
    found, told = home.recover()
    row = home.row(folder)
    assert found == (folder.take_id,)
    assert told == [TakesRecovered(found)]
    assert (row.status, row.kind, row.created_at) == (
        RecordingStatus.FAILED,
        RecordingKind.DICTATION,
        CREATED,
    )
    assert row.error is not None
    assert "Retry" in (row.hint or "")
    assert (row.audio_path, row.is_copy) == (folder.flac, True)
    assert row.duration_s == 1.0
    assert samples_of(folder) == RATE
    assert not folder.journal.exists()
    assert home.texts(folder) == [SAID.text]
    job = home.reader.job(folder.take_id)
    assert job is not None
    assert job.status.is_over  # nothing is begun by itself


def test_a_second_recovery_finds_nothing(home: Home) -> None:
    folder = home.take()
    home.recover()
    before = home.row(folder)
    assert home.recover() == ((), [])
    assert home.row(folder) == before


@pytest.mark.parametrize(
    "status", [RecordingStatus.DONE, RecordingStatus.EMPTY, RecordingStatus.CANCELLED]
)
def test_a_take_that_was_over_is_only_packed(home: Home, status: RecordingStatus) -> None:
    folder = home.take(status=status, is_closed=True)
    assert home.recover() == ((), [])
    row = home.row(folder)
    assert (row.status, row.audio_path, row.error) == (status, folder.flac, None)
    assert not folder.journal.exists()


def test_a_take_under_way_is_left_alone(home: Home) -> None:
    mine = home.take(owner=home.owner.token)
    with Owner.take(home.paths) as other:
        theirs = home.take(owner=other.token, has_row=False)
        before = theirs.journal.read_bytes()
        assert home.recover() == ((), [])
        assert theirs.journal.read_bytes() == before
        assert home.reader.recording(theirs.take_id) is None
    assert home.recover()[0] == (theirs.take_id,)
    assert mine.journal.exists()


def test_a_take_without_a_single_sample_leaves_no_trace(home: Home) -> None:
    folder = home.take(seconds=0)
    assert home.recover() == ((), [])
    assert home.reader.recording(folder.take_id) is None
    assert not folder.folder.exists()


def test_a_torn_end_costs_only_the_end(home: Home) -> None:
    folder = home.take(seconds=3)
    whole = folder.journal.read_bytes()
    folder.journal.write_bytes(whole[:-1000])
    with folder.journal.open("ab") as torn:
        torn.write(bytes(4096))
    assert home.recover()[0] == (folder.take_id,)
    assert samples_of(folder) == 3 * RATE - RATE // 10
    assert home.row(folder).duration_s == pytest.approx(2.9)


def test_a_journal_that_cannot_be_read_is_kept_and_stops_nobody(home: Home) -> None:
    bad = home.take()
    bad.journal.write_bytes(bytes(100_000))
    good = home.take()
    found, told = home.recover()
    assert good.take_id in found
    assert bad.journal.stat().st_size == 100_000
    assert home.row(bad).status is RecordingStatus.FAILED
    assert any(isinstance(event, Failed) for event in told)


def test_a_take_packed_but_not_cleared_away_is_packed_again_equal(home: Home) -> None:
    folder = home.take()
    journal = folder.journal.read_bytes()
    home.recover()
    packed = folder.flac.read_bytes()
    folder.journal.write_bytes(journal)
    home.recover()
    assert folder.flac.read_bytes() == packed
    assert not folder.journal.exists()


ONE, TWO, THREE = (Segment(i, i + 0.9, f"final {i}") for i in range(3))


def test_what_a_person_corrected_is_not_brought_back(home: Home) -> None:
    folder = home.take(status=RecordingStatus.FAILED, segments=(ONE, TWO, THREE), is_closed=True)
    home.writer.append_segments(folder.take_id, folder.take_id, (ONE, TWO, THREE), 3.0).result(10)
    corrected = [Segment(0.0, 2.9, "All of it, corrected by hand.")]
    home.writer.splice_segments(folder.take_id, 0, None, corrected).result(10)
    home.recover()
    assert home.texts(folder) == ["All of it, corrected by hand."]


def test_what_a_later_retry_wrote_stays(home: Home) -> None:
    folder = home.take(status=RecordingStatus.FAILED, segments=(ONE, TWO, THREE), is_closed=True)
    again = [Segment(0.0, 2.9, "by another model")]
    home.writer.append_segments(folder.take_id, folder.take_id, again, 3.0).result(10)
    home.recover()
    assert home.texts(folder) == ["by another model"]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_only_what_the_library_lacks_is_added(home: Home, kept: int) -> None:
    finals = (ONE, TWO, THREE)
    folder = home.take(segments=finals)
    for final in finals[:kept]:
        done_s = final.end_s + 0.1
        home.writer.append_segments(folder.take_id, folder.take_id, [final], done_s).result(10)
    home.recover()
    assert home.texts(folder) == ["final 0", "final 1", "final 2"]
    assert home.reader.ids(ListQuery("final")) == [folder.take_id]
    job = home.reader.job(folder.take_id)
    assert job is not None
    assert job.done_s >= THREE.end_s  # so a retry goes on behind it


# The library made again.


def test_a_deleted_library_is_made_again_from_the_folders(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home", speech(), Loads({"big": says("Hello there.", "Again.")}))
    try:
        for _ in range(2):
            desk.microphone.given = 0
            desk.machine.start(RecordingKind.DICTATION)
            desk.play_to_end()
            desk.machine.stop()
            desk.until(lambda: desk.now.outcome is Outcome.INSERTED)
        folder = TakeFolder(desk.paths.recordings / desk.now.take_id)
        desk.until(lambda: not folder.journal.exists())
        before = desk.reader.recordings()
        texts = [desk.reader.transcript(r.recording_id).text for r in before]
    finally:
        desk.close()
    for file in desk.paths.home.glob("library.sqlite*"):
        file.unlink()

    rebuilt = rebuild(desk.paths)

    assert (rebuilt.set_aside, rebuilt.problems) == (None, ())
    assert list(rebuilt.titles) == [r.title for r in reversed(before)]
    with LibraryReader(desk.paths.library) as reader:
        assert reader.recordings() == before
        assert [reader.transcript(r.recording_id).text for r in before] == texts
    assert rebuild(desk.paths).titles == ()


def test_a_damaged_library_is_set_aside_and_made_again(home: Home) -> None:
    folder = home.take()
    home.recover()
    home.writer.close()
    home.reader.close()
    home.paths.library.write_bytes(b"no library" * 1000)
    rebuilt = rebuild(home.paths)
    assert rebuilt.set_aside is not None
    assert rebuilt.set_aside.read_bytes().startswith(b"no library")
    with LibraryReader(home.paths.library) as reader:
        assert [r.recording_id for r in reader.recordings()] == [folder.take_id]


def test_what_was_removed_does_not_come_back(home: Home) -> None:
    kept, gone, unpacked = home.take(), home.take(), home.take()
    home.recover()
    unpacked.journal.write_bytes(b"left")
    remove_recordings(home.writer, home.paths, [gone.take_id, unpacked.take_id])
    assert not gone.folder.exists()
    assert not unpacked.folder.exists()
    assert rebuild_library(home.paths, home.writer, home.reader, home.owner) == ()
    assert home.recover() == ((), [])
    assert kept.flac.exists()


def test_copies_of_imported_files_come_back_too(home: Home) -> None:
    copy = home.paths.recordings / new_id() / "audio.mp3"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"sound")
    (added,) = rebuild_library(home.paths, home.writer, home.reader, home.owner)
    row = home.reader.recording(added)
    assert row is not None
    assert (row.audio_path, row.kind, row.is_copy) == (copy, RecordingKind.FILE, True)
