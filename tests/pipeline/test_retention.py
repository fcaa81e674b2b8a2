"""Rules run once a day, move what they said they would, and can be taken back for good."""

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from app.config.paths import Paths, write_private
from app.config.settings import Settings
from app.core.errors import LibraryError
from app.core.ids import new_id
from app.core.job import JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.retention import DAY_S, Due, Rule, Takes, lines_of
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.removing import remove_recordings
from app.pipeline.retention import Retention
from app.pipeline.sound_bin import SoundBin
from tests.library.builders import make_job, make_recording, make_segment

NOW = 1_795_000_000.0
FILES = Rule(RecordingKind.FILE, Takes.ALL, 30)
SOUNDS = Rule(RecordingKind.QUICK, Takes.SOUND, 30)


@dataclass
class Home:
    paths: Paths
    writer: LibraryWriter
    reader: LibraryReader
    now_s: float = NOW
    settings: Settings = field(
        default_factory=lambda: Settings(retention=lines_of([FILES, SOUNDS]), bin_keeps_days=30)
    )

    def __post_init__(self) -> None:
        self.retention = Retention(
            self.paths, self.writer, self.reader, lambda: self.settings, lambda: self.now_s
        )
        self.sounds = SoundBin(self.paths, self.writer, self.reader)

    def add(self, name: str, days: float, **fields: object) -> str:
        at = self.now_s - days * DAY_S
        made = replace(make_recording(name, created_at=at, status=RecordingStatus.DONE), **fields)  # type: ignore[arg-type]
        self.writer.add_finished(made, [make_segment(f"text of {name}")]).result(10)
        return name

    def add_with_sound(self, days: float) -> tuple[str, Path]:
        name = new_id()
        sound = self.paths.recordings / name / "audio.flac"
        write_private(sound, b"sound of it")
        kind = RecordingKind.QUICK
        return self.add(name, days, kind=kind, audio_path=sound, is_copy=True), sound

    def begin(self) -> None:
        """Let the rules have run yesterday."""
        self.now_s -= DAY_S
        assert self.retention.run().is_nothing
        self.now_s += DAY_S


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    paths = Paths(tmp_path / "home")
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        found = Home(paths, writer, LibraryReader(paths.library))
        yield found
        found.reader.close()


def test_it_moves_what_it_said_and_says_what_it_moved(home: Home) -> None:
    home.add("old", 31)
    home.add("new", 29)
    home.add("loved", 99, is_favourite=True)
    home.add("failed", 99, status=RecordingStatus.FAILED)
    home.add("working", 99)
    home.writer.save_job(make_job("j", "working", status=JobStatus.RUNNING)).result(10)
    home.add("unpacked", 99)
    write_private(home.paths.recordings / "unpacked" / "audio.journal", b"x")
    quiet, sound = home.add_with_sound(40)
    home.begin()
    expected = Due(("old",), (quiet,))
    assert home.retention.preview([FILES, SOUNDS]) == expected
    assert home.retention.preview([FILES]) == Due(("old",), ())
    ran = home.retention.run()
    assert (ran.moved, ran.erased) == (expected, 0)
    assert home.reader.recording("old").deleted_at == NOW  # type: ignore[union-attr]
    row = home.reader.recording(quiet)
    assert row is not None
    assert (row.deleted_at, row.audio_path) == (None, None)
    assert not sound.exists()
    assert home.reader.transcript(quiet).segments[0].text == f"text of {quiet}"
    assert not home.retention.is_due()
    assert home.retention.run().is_nothing


def test_what_was_taken_back_is_never_moved_again(home: Home) -> None:
    home.add("old", 31)
    home.add("other", 31)
    quiet, sound = home.add_with_sound(40)
    home.begin()
    ran = home.retention.run()
    home.retention.undo(Due(("old",), ran.moved.sounds))
    home.writer.restore(["other"]).result(10)  # out of the bin by hand
    assert sound.read_bytes() == b"sound of it"
    row = home.reader.recording(quiet)
    assert row is not None
    assert (row.audio_path, row.is_copy) == (sound, True)
    home.now_s += 2 * DAY_S
    assert home.retention.run().moved == Due()
    home.now_s += 10 * DAY_S
    assert home.retention.run().is_nothing


def test_the_bin_is_emptied_for_good(home: Home) -> None:
    home.add("old", 31)
    quiet, _sound = home.add_with_sound(40)
    home.add("loved", 50, is_favourite=True)
    home.begin()
    home.writer.move_to_bin(["loved"], home.now_s - 60 * DAY_S).result(10)
    home.retention.run()
    home.now_s += 29 * DAY_S
    assert home.retention.run().erased == 0
    assert home.retention.preview_bin(20) == 2
    home.now_s += 2 * DAY_S
    assert home.retention.run().erased == 2
    assert home.reader.recording("old") is None
    assert home.reader.recording(quiet) is not None
    assert home.reader.recording("loved") is not None
    assert home.sounds.entries() == ()
    home.settings = home.settings.changed(bin_keeps_days=0)
    assert home.retention.preview_bin(0) == 0


@pytest.mark.parametrize("leap_days", [3650, 32, -400])
def test_a_leaping_clock_moves_nothing_unasked(home: Home, leap_days: float) -> None:
    home.add("a", -leap_days / 2 if leap_days > 0 else 31)
    home.add("binned", 1)
    home.writer.move_to_bin(["binned"], home.now_s).result(10)
    home.begin()
    home.now_s += leap_days * DAY_S
    for _again in range(2):
        ran = home.retention.run()
        assert ran.moved == Due()
        assert ran.erased == 0
    assert home.reader.recording("a").deleted_at is None  # type: ignore[union-attr]
    if leap_days > 0:
        assert ran.waiting_bin == 1
        assert home.retention.run(is_confirmed=True).erased == 1
        assert home.retention.run().is_nothing


def test_the_first_run_only_looks(home: Home) -> None:
    home.add("old", 400)
    assert home.retention.is_due()
    assert home.retention.run().is_nothing
    home.now_s += DAY_S
    assert home.retention.run().moved.recordings == ("old",)


def test_a_kill_before_the_move_does_not_spare_anything(home: Home) -> None:
    home.add("old", 31)
    home.begin()
    memory = home.paths.retention.read_text().replace('"planned": []', '"planned": ["old"]')
    write_private(home.paths.retention, memory.encode())
    assert home.retention.run().moved.recordings == ("old",)


@pytest.mark.parametrize("has_moved", [False, True])
def test_a_kill_while_sound_is_moved_is_made_good(home: Home, has_moved: bool) -> None:
    quiet, sound = home.add_with_sound(40)
    home.sounds.put([quiet], NOW)
    (entry,) = home.sounds.entries()
    if not has_moved:  # the row had changed, the file had not moved yet
        entry.sound.rename(sound)
    home.sounds.tidy()
    assert entry.sound.read_bytes() == b"sound of it"
    assert not sound.exists()
    home.writer.update_recording(quiet, audio_path=sound, is_copy=True).result(10)
    home.sounds.tidy()  # the row has it again: so it shall be
    assert sound.read_bytes() == b"sound of it"
    assert home.sounds.entries() == ()


@pytest.mark.parametrize("change", ["put back", "favourite", "deleted anew", "in work"])
def test_what_is_wanted_again_while_the_rules_run_is_not_erased(home: Home, change: str) -> None:
    home.add("old", 31)  # what the run is moving meanwhile
    home.add("mine", 90)
    home.begin()
    home.writer.move_to_bin(["mine"], home.now_s - 40 * DAY_S).result(10)
    real = home.writer.move_to_bin

    def move(ids: Sequence[str], at: float | None = None) -> "Future[tuple[str, ...]]":
        if change in {"put back", "deleted anew"}:
            home.writer.restore(["mine"]).result(10)
        if change == "deleted anew":
            real(["mine"], home.now_s).result(10)
        if change == "favourite":
            home.writer.set_favourite(["mine"], True).result(10)
        if change == "in work":
            home.writer.save_job(make_job("j", "mine")).result(10)
        return real(ids, at)

    home.writer.move_to_bin = move  # type: ignore[method-assign,assignment]
    ran = home.retention.run()
    assert (ran.moved.recordings, ran.erased) == (("old",), 0)
    row = home.reader.recording("mine")
    assert row is not None
    assert home.reader.transcript("mine").segments[0].text == "text of mine"


def test_sound_that_came_anew_is_not_erased(home: Home) -> None:
    quiet, _sound = home.add_with_sound(40)
    home.sounds.put([quiet], NOW)
    home.sounds.restore([quiet])
    home.sounds.put([quiet], NOW + DAY_S)
    assert home.sounds.erase([quiet], NOW) == ()
    assert home.sounds.erase([quiet], NOW + DAY_S) == (quiet,)
    assert home.sounds.entries() == ()


def lock(monkeypatch: pytest.MonkeyPatch, *locked: Path) -> None:
    """Let some files be as the Finder locks them."""
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if self in locked:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(self))
        real(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)


def test_one_locked_file_keeps_no_other_from_going(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = [home.add_with_sound(1) for _each in range(3)]
    copy = home.paths.home / "library.before-v2.sqlite"
    copy.touch()
    lock(monkeypatch, takes[0][1])
    with pytest.raises(LibraryError, match=f"gone except “{takes[0][1]}”, which"):
        remove_recordings(home.writer, home.paths, [name for name, _sound in takes])
    assert home.reader.count() == 0
    assert list(home.paths.recordings.rglob("*.flac")) == [takes[0][1]]
    assert [path.name for path in home.paths.recordings.iterdir()] == [takes[0][0]]
    assert not copy.exists()


@pytest.mark.parametrize("name", ["..", ".", "../x"])
def test_no_name_of_an_archive_leads_out_of_the_folders(home: Home, name: str) -> None:
    quiet, _sound = home.add_with_sound(40)
    home.sounds.put([quiet], NOW)
    home.add(name, 1)
    beside = home.paths.home / "audio.flac"
    write_private(beside, b"not of a recording")
    remove_recordings(home.writer, home.paths, [name])
    (entry,) = home.sounds.entries()
    assert entry.sound.exists()
    assert beside.exists()
    assert home.reader.ids() == [quiet]


def test_the_rest_of_a_take_that_cannot_be_deleted_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, sound = home.add_with_sound(1)
    said = sound.with_name("segments.jsonl")
    said.touch()
    lock(monkeypatch, said)
    with pytest.raises(LibraryError, match=r"segments\.jsonl"):
        remove_recordings(home.writer, home.paths, [name])
    assert not sound.exists()


def test_a_locked_sound_in_the_bin_stops_neither_rules_nor_the_rest(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, _sound = home.add_with_sound(1)
    other, _its_sound = home.add_with_sound(1)
    home.add("old", 31)
    home.begin()
    home.sounds.put([quiet, other], home.now_s - 40 * DAY_S)
    locked = {entry.recording_id: entry for entry in home.sounds.entries()}[quiet].sound
    lock(monkeypatch, locked)
    with pytest.raises(LibraryError, match="could not be deleted"):
        home.retention.run()
    assert [entry.recording_id for entry in home.sounds.entries()] == [quiet]
    assert locked.exists()
    assert home.reader.recording("old").deleted_at == NOW  # type: ignore[union-attr]
    assert not home.retention.is_due()  # it is told once a day


def test_sound_without_a_row_waits_for_the_row_to_come_back(home: Home) -> None:
    quiet, sound = home.add_with_sound(40)
    home.sounds.put([quiet], home.now_s)
    (entry,) = home.sounds.entries()
    home.writer.remove([quiet]).result(10)  # as a restored older library has no such row
    home.sounds.tidy()
    assert entry.sound.read_bytes() == b"sound of it"
    home.add(quiet, 40, kind=RecordingKind.QUICK)
    assert home.sounds.restore([quiet]) == (quiet,)
    assert sound.read_bytes() == b"sound of it"


def test_sound_whose_row_never_comes_back_is_gone_in_its_time(home: Home) -> None:
    quiet, _sound = home.add_with_sound(1)
    home.sounds.put([quiet], home.now_s)
    home.writer.remove([quiet]).result(10)
    home.begin()
    for days, left in ((29, 1), (2, 0)):
        home.now_s += days * DAY_S
        home.retention.run()
        assert len(home.sounds.entries()) == left


class Between:
    """A writer that lets another do something at the moment a sound changes hands."""

    def __init__(self, writer: LibraryWriter, act: Callable[[], object]) -> None:
        self._writer = writer
        self._other = threading.Thread(target=act)

    def update_recording(self, recording_id: str, **fields: object) -> "Future[Recording | None]":
        self._other.start()
        self._other.join(0.1)  # time enough to do harm, if it may
        return self._writer.update_recording(recording_id, **fields)

    def end(self) -> None:
        self._other.join(10)


@pytest.mark.parametrize("is_back", [False, True])
def test_who_tidies_meanwhile_does_not_take_what_is_on_its_way(home: Home, is_back: bool) -> None:
    quiet, sound = home.add_with_sound(40)
    if is_back:
        home.sounds.put([quiet], NOW)
    other = SoundBin(home.paths, home.writer, home.reader)
    between = Between(home.writer, other.tidy)
    mine = SoundBin(home.paths, between, home.reader)  # type: ignore[arg-type]
    assert (mine.restore([quiet]) if is_back else mine.put([quiet], NOW)) == (quiet,)
    between.end()
    row = home.reader.recording(quiet)
    assert row is not None
    if is_back:
        assert (row.audio_path, home.sounds.entries()) == (sound, ())
        assert sound.read_bytes() == b"sound of it"
    else:
        (entry,) = home.sounds.entries()
        assert (row.audio_path, entry.sound.read_bytes()) == (None, b"sound of it")


def refuse_to_move(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let no file change its folder, as between two disks or where it is locked."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.parent != target.parent:
            raise OSError(number, os.strerror(number))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def test_sound_comes_and_goes_between_two_disks(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, sound = home.add_with_sound(40)
    refuse_to_move(monkeypatch, errno.EXDEV)
    assert home.sounds.put([quiet], NOW) == (quiet,)
    (entry,) = home.sounds.entries()
    assert not sound.exists()
    assert entry.sound.stat().st_mode & 0o777 == 0o600
    sound.write_bytes(entry.sound.read_bytes())  # killed before the first was deleted
    home.sounds.tidy()
    assert not sound.exists()
    assert home.sounds.restore([quiet]) == (quiet,)
    assert sound.read_bytes() == b"sound of it"
    assert home.sounds.entries() == ()


def test_what_cannot_be_moved_stays_and_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, sound = home.add_with_sound(40)
    moved, _its_sound = home.add_with_sound(40)
    home.sounds.put([moved], NOW)
    refuse_to_move(monkeypatch, errno.EPERM)
    with pytest.raises(LibraryError, match="could not be moved: Operation not permitted"):
        home.sounds.put([quiet], NOW)
    row = home.reader.recording(quiet)
    assert row is not None
    assert (row.audio_path, row.is_copy, sound.exists()) == (sound, True, True)
    with pytest.raises(LibraryError, match="could not be moved"):
        home.sounds.restore([moved])
    home.sounds.tidy()
    (entry,) = home.sounds.entries()
    assert entry.sound.read_bytes() == b"sound of it"


def test_a_persons_own_file_is_never_touched(home: Home, tmp_path: Path) -> None:
    own = tmp_path / "interview.wav"
    own.write_bytes(b"mine")
    home.add("imported", 99, kind=RecordingKind.QUICK, audio_path=own)
    home.add("claimed", 99, kind=RecordingKind.QUICK, audio_path=own, is_copy=True)
    home.begin()
    assert home.retention.run().moved == Due()
    assert own.read_bytes() == b"mine"
