"""When backups are made by themselves, and what is told of them."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.backup import (
    Archived,
    BackupChanged,
    BackupLine,
    BackupStage,
    Keeping,
    Merged,
)
from app.core.dictation import Stage, StageChanged
from app.core.errors import BackupDamaged, BackupFailed, BackupMissing, LibraryReadOnly
from app.core.events import Event
from app.library.backup_state import load_state
from app.library.backups import VERSION, Backup, existing_backups, write_manifest
from app.library.reader import LibraryReader
from app.library.restore import finish_restore
from app.library.writer import LibraryWriter
from app.pipeline.backups import BackupParts, Backups, backups_in, find_backup
from tests.library.full_library import DAY, NOON, back_up, make_library


class Desk:
    """Backups of a real library, a clock that a test moves, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths(folder / "home")
        make_library(self.paths, folder / "elsewhere.mp3")
        self.disk = folder / "disk"
        self.disk.mkdir()
        self.settings = Settings(backup_folder=str(self.disk))
        self.wall_s = NOON
        self.is_working = False
        self.events: list[BackupChanged] = []
        self.on_event: Callable[[BackupChanged], None] = lambda _event: None
        self._changed = threading.Condition()
        self.pool = ThreadPoolExecutor(1)
        self.writer = LibraryWriter(self.paths.library, lambda _: None, watch_s=None)
        parts = BackupParts(
            self.paths,
            self.writer,
            self.pool,
            lambda: self.is_working,
            wall_s=lambda: self.wall_s,
            clock_s=lambda: self.wall_s,
        )
        self.backups = Backups(parts, self._heard, lambda: self.settings)

    def _heard(self, event: Event) -> None:
        assert isinstance(event, BackupChanged)
        self.on_event(event)
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def until(self, is_so: Callable[[BackupChanged], bool]) -> BackupChanged:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(is_so, self.events)), timeout=30)
            return next(event for event in self.events if is_so(event))

    def settled(self) -> BackupChanged:
        """Wait until nothing runs and return what was told last."""
        self.pool.submit(lambda: None).result(timeout=30)
        return self.backups.now

    def count(self) -> int:
        try:
            return len(existing_backups(self.disk).backups())
        except BackupMissing:
            return 0

    def close(self) -> None:
        self.backups.close()
        self.pool.shutdown(wait=True)
        self.writer.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_it_runs_once_a_day(desk: Desk) -> None:
    desk.backups.look()
    now = desk.settled()
    assert (now.last_at, now.recordings, now.stage) == (NOON, 4, BackupStage.IDLE)
    assert desk.count() == 1
    desk.wall_s += 3600
    desk.backups.look()
    desk.settled()
    assert desk.count() == 1
    desk.wall_s += DAY
    desk.backups.look()
    assert desk.settled().last_at == NOON + DAY + 3600
    assert desk.count() == 2


@pytest.mark.parametrize("changes", [{"backup_folder": ""}, {"backs_up_daily": False}])
def test_it_does_not_run_unasked(desk: Desk, changes: dict[str, object]) -> None:
    desk.settings = desk.settings.changed(**changes)
    desk.backups.look()
    desk.settled()
    assert desk.count() == 0
    assert desk.events == []


def test_it_waits_while_somebody_records_or_a_file_is_transcribed(desk: Desk) -> None:
    desk.backups.on_stage(StageChanged(stage=Stage.RECORDING))
    desk.backups.look()
    desk.settled()
    assert desk.count() == 0
    desk.backups.on_stage(StageChanged())
    desk.backups.look()
    desk.settled()
    assert desk.count() == 1
    desk.is_working = True
    desk.wall_s += DAY
    desk.backups.look()
    desk.settled()
    assert desk.count() == 1
    desk.wall_s += 7 * 3600  # files never end here
    desk.backups.look()
    desk.settled()
    assert desk.count() == 2


def test_back_up_now_waits_for_the_end_of_a_recording(desk: Desk) -> None:
    desk.backups.on_stage(StageChanged(stage=Stage.RECORDING))
    desk.backups.back_up()
    desk.until(lambda event: event.stage is BackupStage.WAITING)
    assert desk.count() == 0
    desk.backups.on_stage(StageChanged())
    assert desk.settled().last_at == NOON


def test_a_recording_that_begins_meanwhile_holds_it(desk: Desk) -> None:
    def record(event: BackupChanged) -> None:
        if event.fraction is not None and event.stage is BackupStage.BACKING_UP:
            desk.on_event = lambda _event: None
            desk.backups.on_stage(StageChanged(stage=Stage.ARMING))

    desk.on_event = record
    desk.backups.back_up()
    desk.until(lambda event: event.fraction is not None)
    assert desk.count() == 0
    desk.backups.on_stage(StageChanged())
    assert desk.settled().last_at == NOON


def test_a_missing_disk_is_said_once_and_taken_up_when_it_comes(desk: Desk) -> None:
    desk.backups.look()
    desk.settled()
    away = desk.disk.with_name("away")
    desk.disk.rename(away)
    desk.wall_s += DAY
    before = len(desk.events)
    for _ in range(5):
        desk.backups.look()
        desk.settled()
    assert len(desk.events) == before + 1
    assert isinstance(desk.backups.now.problem, BackupMissing)
    assert desk.backups.now.last_at == NOON  # still said
    away.rename(desk.disk)
    desk.backups.look()
    assert desk.settled().problem is None
    assert desk.count() == 2


def test_a_disk_that_was_emptied_can_be_chosen_anew(desk: Desk) -> None:
    desk.backups.back_up()
    desk.settled()
    shutil.rmtree(existing_backups(desk.disk).root)
    desk.backups.back_up()
    assert isinstance(desk.settled().problem, BackupMissing)
    desk.backups.folder_chosen()
    desk.settled()
    desk.backups.back_up()
    assert desk.settled().problem is None
    assert desk.count() == 1


def test_a_fault_is_tried_again_after_an_hour(desk: Desk) -> None:
    inside = desk.paths.home / "inside"
    inside.mkdir()
    desk.settings = desk.settings.changed(backup_folder=str(inside))
    desk.backups.look()
    assert isinstance(desk.settled().problem, BackupFailed)
    told = len(desk.events)
    desk.backups.look()
    desk.settled()
    assert len(desk.events) == told
    desk.wall_s += 3601
    desk.backups.look()
    desk.settled()
    assert len(desk.events) > told
    desk.settings = desk.settings.changed(backup_folder=str(desk.disk))
    desk.backups.folder_chosen()  # a new folder is tried at once
    assert desk.settled().last_at is not None


def test_stop_leaves_nothing(desk: Desk) -> None:
    desk.on_event = lambda event: desk.backups.stop() if event.fraction else None
    desk.backups.back_up()
    now = desk.settled()
    assert (now.stage, now.problem, now.last_at) == (BackupStage.IDLE, None, None)
    assert desk.count() == 0


def test_restore_is_staged_and_put_in_place_at_the_next_start(desk: Desk) -> None:
    desk.backups.back_up()
    desk.settled()
    lines = desk.backups.list(desk.disk).result(timeout=30)
    desk.backups.restore(desk.disk, lines[0].name)
    assert desk.settled().stage is BackupStage.RESTORED
    desk.backups.write_archive(desk.disk / "all.zip")  # and it is not forgotten meanwhile
    now = desk.settled()
    assert (now.stage, now.done) == (BackupStage.RESTORED, Archived("all.zip", 4))
    desk.writer.close()
    assert finish_restore(desk.paths) is not None


def test_a_damaged_backup_names_the_next_older_one(desk: Desk) -> None:
    desk.backups.back_up()
    desk.settled()
    desk.wall_s += DAY
    desk.backups.back_up()
    desk.settled()
    newest, older = existing_backups(desk.disk).backups()
    database = newest.folder / "library.sqlite.gz"
    database.write_bytes(database.read_bytes()[:-20])
    desk.backups.restore(desk.disk, newest.name)
    now = desk.settled()
    assert isinstance(now.problem, BackupDamaged)
    assert now.older is not None
    assert now.older.name == older.name
    desk.backups.restore(desk.disk, "2001")
    assert isinstance(desk.settled().problem, BackupMissing)


def test_an_archive_goes_out_and_in(desk: Desk) -> None:
    file = desk.disk / "all.zip"
    desk.backups.write_archive(file)
    assert desk.settled().done == Archived("all.zip", 4)
    desk.backups.take_in_archive(file)
    assert desk.settled().done == Merged(unchanged=4)
    file.write_bytes(b"other")
    desk.backups.take_in_archive(file)
    assert isinstance(desk.settled().problem, BackupDamaged)


def test_a_library_that_cannot_be_used_can_still_be_restored(desk: Desk, tmp_path: Path) -> None:
    desk.backups.back_up()
    desk.settled()
    desk.backups.write_archive(tmp_path / "all.zip")
    desk.settled()
    desk.writer.close()
    desk.paths.library.write_bytes(b"no library" * 1000)
    parts = BackupParts(desk.paths, None, desk.pool, lambda: False)
    desk.backups = Backups(parts, desk._heard, lambda: desk.settings)
    desk.wall_s += DAY
    desk.backups.look()
    assert desk.settled().problem is None
    assert desk.count() == 1
    desk.backups.take_in_archive(tmp_path / "all.zip")
    assert isinstance(desk.settled().problem, LibraryReadOnly)
    desk.backups.restore(desk.disk, "")
    assert desk.settled().stage is BackupStage.RESTORED
    aside = finish_restore(desk.paths)
    assert aside is not None
    assert (aside / "library.sqlite").read_bytes().startswith(b"no library")
    with LibraryReader(desk.paths.library) as reader:
        assert reader.count() == 3


def two_libraries(disk: Path, folder: Path) -> tuple[Paths, Backup, Backup]:
    """Return a library, its backup, and a newer one of another library in the same folder."""
    made = []
    for number, name in enumerate(("mine", "other")):
        paths = Paths(folder / name)
        make_library(paths, folder / "x.mp3")
        made.append((paths, back_up(paths, disk, NOON + number * 60)))
    (mine, backup), (_other, newer) = made
    return mine, backup, newer


def test_the_newest_backup_is_this_librarys_own(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    paths, mine, newer = two_libraries(disk, tmp_path)
    folder = existing_backups(disk)
    own = load_state(paths).library_id
    assert find_backup(folder, "", own) == mine
    assert find_backup(folder, mine.name[:10], own) == mine
    assert find_backup(folder, newer.name, own) == newer  # named whole: that one and no other
    for name in ("", mine.name[:10]):
        with pytest.raises(BackupFailed, match="2 libraries"):
            find_backup(folder, name, "of nobody")
    shutil.rmtree(newer.folder)
    assert find_backup(folder, "", "of nobody") == mine


def test_a_backup_of_a_newer_undertone_is_not_called_damaged(tmp_path: Path) -> None:
    disk, paths = tmp_path / "disk", Paths(tmp_path / "home")
    disk.mkdir()
    make_library(paths, tmp_path / "x.mp3")
    backup = back_up(paths, disk)
    write_manifest(backup, backup.folder, version=VERSION + 1)
    folder = existing_backups(disk)
    assert folder.unreadable() == ()
    line = BackupLine(backup.name, 0.0, is_readable=False, is_newer=True)
    assert backups_in(disk) == (line,)
    with pytest.raises(BackupFailed, match="newer Undertone"):
        find_backup(folder, "")
    before = len(list(folder.sounds_folder.glob("??/*")))
    back_up(paths, disk, NOON + DAY, Keeping(1, 0, 0))
    assert len(list(folder.sounds_folder.glob("??/*"))) == before
