"""Restoring: everything back on an empty machine, nothing of the present lost, damage said."""

import errno
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest

from app.config.paths import Paths, make_private_folder
from app.core.backup import Keeping
from app.core.errors import BackupDamaged, BackupFailed, BackupMissing, DiskFull
from app.library.backing_up import make_backup
from app.library.backup_state import load_state
from app.library.backups import Backup, BackupFolder, existing_backups, read_files
from app.library.connection import open_writable
from app.library.lock import LibraryLock
from app.library.reader import LibraryReader
from app.library.restore import (
    check_backup,
    finish_restore,
    is_restore_staged,
    libraries_before,
    newest_whole,
    stage_restore,
)
from app.library.search import ListQuery
from app.library.work import Stopped, Work, copy_packed
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording
from tests.library.full_library import (
    DAY,
    FILE,
    NOON,
    TAKE,
    all_private,
    back_up,
    noise,
    put_sound,
    rows_of,
    sounds_of,
)


def restore(paths: Paths, disk: Path, backup: Backup) -> Path | None:
    stage_restore(paths, existing_backups(disk), backup, Work())
    return finish_restore(paths)


def flip_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def stored(disk: Path, backup: Backup, ending: str) -> Path:
    files = read_files(backup)
    assert files is not None
    return existing_backups(disk).sound(next(f for f in files if f.path.endswith(ending)))


def test_the_drill_everything_comes_back_on_an_empty_machine(
    paths: Paths, disk: Path, tmp_path: Path
) -> None:
    rows, sounds = rows_of(paths.library, paths.home), sounds_of(paths)
    back_up(paths, disk)
    shutil.rmtree(paths.home)
    fresh = Paths(tmp_path / "new machine" / "home")
    aside = restore(fresh, disk, existing_backups(disk).backups()[0])
    assert aside is None
    assert rows_of(fresh.library, fresh.home) == rows
    assert sounds_of(fresh) == sounds
    assert json.loads(fresh.settings.read_text())["vocabulary"] == ["Ada"]
    assert all_private(fresh.home)
    assert not (fresh.home / "restoring").exists()
    open_writable(fresh.library).close()  # as the app does: whole, and on our schema
    with LibraryReader(fresh.library) as reader:
        assert [hit.recording.recording_id for hit in reader.search(ListQuery("naive"))] == []
        assert [hit.recording.recording_id for hit in reader.search(ListQuery("edit"))] == [TAKE]
        found = reader.recording(TAKE)
        assert found is not None
        assert found.audio_path == fresh.recordings / TAKE / "audio.flac"
        binned = reader.recordings(ListQuery(is_binned=True))
        assert [(each.recording_id, each.audio_path) for each in binned] == [
            (FILE, tmp_path / "elsewhere.mp3")
        ]


def test_the_series_of_backups_goes_on_after_a_restore(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    restore(paths, disk, backup)
    assert load_state(paths).library_id == backup.library_id
    assert load_state(paths).last_at == NOON
    assert back_up(paths, disk, NOON + DAY).library_id == backup.library_id


def test_a_library_restored_elsewhere_begins_a_series_of_its_own(
    paths: Paths, disk: Path, tmp_path: Path
) -> None:
    keeping = Keeping(1, 0, 0)
    backup = back_up(paths, disk)
    fresh = Paths(tmp_path / "another Mac")
    restore(fresh, disk, backup)
    mine = back_up(paths, disk, NOON + 60, keeping)
    done: list[tuple[int, int]] = []
    make_backup(
        fresh, disk, keeping, Work(lambda *so_far: done.append(so_far)), now=lambda: NOON + 120
    )
    theirs, *others = existing_backups(disk).backups()
    assert others == [mine]
    assert theirs.library_id != mine.library_id
    assert read_files(theirs) == read_files(mine)  # and no sound of it was read again
    assert done[-1][1] == theirs.database.size_bytes


def test_the_library_put_aside_keeps_its_bin_of_sounds(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    binned = {"sound-bin/x/audio.flac": b"sound", "retention.json": b"{}"}
    for name, content in binned.items():
        make_private_folder((paths.home / name).parent)
        (paths.home / name).write_bytes(content)
    aside = restore(paths, disk, backup)
    assert aside is not None
    assert {name: (aside / name).read_bytes() for name in binned} == binned
    assert not paths.sound_bin.exists()
    assert not paths.retention.exists()


def test_the_present_library_is_kept_aside(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    put_sound(paths, TAKE, "later.flac", noise("later", 100))
    paths.settings.write_text('{"version": 1, "microphone": "new one"}')
    connection = open_writable(paths.library)  # a log that is not folded in yet
    connection.execute("UPDATE recordings SET title = 'later' WHERE recording_id = ?", (TAKE,))
    now = rows_of(paths.library, paths.home)
    connection.close()
    aside = restore(paths, disk, backup)
    assert aside is not None
    assert (aside / "recordings" / TAKE / "later.flac").read_bytes() == noise("later", 100)
    assert rows_of(aside / "library.sqlite", paths.home) == now
    assert not (paths.recordings / TAKE / "later.flac").exists()
    with LibraryReader(paths.library) as reader:
        found = reader.recording(TAKE)
        assert found is not None
        assert found.title == "A take"
    settings = json.loads(paths.settings.read_text())
    assert settings["microphone"] == "new one"  # this machine's own
    assert settings["vocabulary"] == ["Ada"]


def test_nothing_is_touched_before_all_is_checked(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    rows = rows_of(paths.library, paths.home)
    stage_restore(paths, existing_backups(disk), backup, Work())
    assert is_restore_staged(paths)
    assert rows_of(paths.library, paths.home) == rows
    stage_restore(paths, existing_backups(disk), backup, Work())  # another choice replaces it
    assert finish_restore(paths) is not None
    assert finish_restore(paths) is None


@pytest.mark.parametrize("part", ["library.sqlite.gz", "files.jsonl.gz", "settings.json"])
def test_a_flipped_byte_is_said_and_the_older_backup_found(
    paths: Paths, disk: Path, part: str
) -> None:
    older = back_up(paths, disk)
    backup = back_up(paths, disk, NOON + DAY)
    rows = rows_of(paths.library, paths.home)
    flip_byte(backup.folder / part)
    with pytest.raises(BackupDamaged, match="damaged"):
        restore(paths, disk, backup)
    assert rows_of(paths.library, paths.home) == rows
    assert not (paths.home / "restoring").exists()
    folder = existing_backups(disk)
    assert check_backup(folder, backup, Work()).part == part
    assert newest_whole(folder, backup.made_at, Work()) == older


def test_damaged_sound_is_named_and_the_rest_can_be_had(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    flip_byte(stored(disk, backup, "audio.flac"))
    stored(disk, backup, "audio.wav").write_bytes(b"no longer gzip")
    with pytest.raises(BackupDamaged, match="2 of its sound files") as caught:
        restore(paths, disk, backup)
    assert TAKE in str(caught.value) or "0002" in str(caught.value)
    stage_restore(paths, existing_backups(disk), backup, Work(), without_damaged=True)
    sounds = sounds_of(paths)
    finish_restore(paths)
    lost = sounds.keys() - sounds_of(paths).keys()
    assert {name.split("/")[-1] for name in lost} == {"audio.flac", "audio.wav"}


def unreadable(file: Path, number: int = errno.EIO) -> Callable[..., IO[bytes]]:
    """Return an `open` for which `file` lies on a bad sector."""
    opened = Path.open

    def opening(self: Path, mode: str = "r") -> IO[bytes]:
        if self == file and "r" in mode:
            raise OSError(number, "said by the disk", str(self))
        return cast(IO[bytes], opened(self, mode))

    return opening


def test_sound_that_cannot_be_read_is_damaged_sound(
    paths: Paths, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, folder = back_up(paths, disk), existing_backups(disk)
    bad = stored(disk, backup, "audio.flac")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", unreadable(bad))
        with pytest.raises(BackupDamaged, match="1 of its sound files"):
            restore(paths, disk, backup)
        assert stage_restore(paths, folder, backup, Work(), without_damaged=True) == 1
        assert check_backup(folder, backup, Work()).sounds == (f"recordings/{TAKE}/audio.flac",)
    finish_restore(paths)
    assert not (paths.recordings / TAKE / "audio.flac").exists()


def test_a_check_that_cannot_open_any_more_files_calls_none_damaged(
    paths: Paths, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, folder = back_up(paths, disk), existing_backups(disk)
    file = stored(disk, backup, "audio.flac")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", unreadable(file, errno.EMFILE))
        with pytest.raises(BackupFailed):
            check_backup(folder, backup, Work())
    assert file.exists()


@pytest.mark.parametrize("is_check", [True, False])
def test_a_disk_unplugged_midway_is_no_damage(paths: Paths, disk: Path, is_check: bool) -> None:
    backup, folder = back_up(paths, disk), existing_backups(disk)

    def unplug(done: int, _total: int) -> None:
        if done > 100_000 and disk.exists():
            disk.rename(disk.with_name("unplugged"))

    def read() -> None:
        if is_check:
            check_backup(folder, backup, Work(unplug))
        else:
            stage_restore(paths, folder, backup, Work(unplug), without_damaged=True)

    with pytest.raises(BackupMissing, match="not there"):
        read()
    assert not is_restore_staged(paths)
    assert not list(disk.with_name("unplugged").rglob("*.damaged"))


def test_a_backup_mends_what_a_check_found_damaged(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    file = stored(disk, backup, "audio.flac")
    flip_byte(file)
    folder = existing_backups(disk)
    assert check_backup(folder, backup, Work()).sounds == (f"recordings/{TAKE}/audio.flac",)
    assert not file.exists()
    back_up(paths, disk, NOON + DAY)
    assert not check_backup(folder, backup, Work())


def test_imported_sound_comes_back_where_its_file_is_gone(
    paths: Paths, disk: Path, tmp_path: Path
) -> None:
    original = tmp_path / "elsewhere.mp3"
    original.write_bytes(noise("mp3", 9_000))
    rows = rows_of(paths.library, paths.home)
    backup = make_backup(paths, disk, Keeping(), Work(), with_imported=True, now=lambda: NOON)
    restore(paths, disk, backup)
    assert rows_of(paths.library, paths.home) == rows  # it still stands where it was
    original.unlink()
    again = make_backup(
        paths, disk, Keeping(), Work(), with_imported=True, now=lambda: NOON + DAY
    )  # and is kept from before
    fresh = Paths(tmp_path / "fresh")
    restore(fresh, disk, again)
    with LibraryReader(fresh.library) as reader:
        found = reader.recording(FILE)
        assert found is not None
        assert found.is_copy
        assert found.audio_path == fresh.recordings / FILE / "audio.mp3"
        assert found.audio_path.read_bytes() == noise("mp3", 9_000)
    assert all_private(fresh.home)


def test_a_killed_import_is_finished_before_its_library_goes_aside(
    paths: Paths, disk: Path
) -> None:
    backup = back_up(paths, disk)
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        writer.add_recording(make_recording("taken-in")).result()
    staged = Paths(paths.home / "taking-in")
    put_sound(staged, "taken-in", "audio.flac", b"sound")
    (staged.home / "plan.json").write_text(json.dumps({"added": ["taken-in"]}))
    aside = restore(paths, disk, backup)
    assert aside is not None
    assert (aside / "recordings" / "taken-in" / "audio.flac").read_bytes() == b"sound"
    assert not staged.home.exists()


def killed_after(steps: int) -> Callable[..., None]:
    """Return a rename that works `steps` times and then ends the process, as it were."""
    left = [steps]
    rename = Path.rename

    def renamed(self: Path, target: Path) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        rename(self, target)

    return renamed


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 6])
def test_a_kill_while_it_is_put_in_place_is_taken_up(
    paths: Paths, disk: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows_of(paths.library, paths.home), sounds_of(paths)
    backup = back_up(paths, disk)
    put_sound(paths, TAKE, "later.flac", noise("later", 100))
    stage_restore(paths, existing_backups(disk), backup, Work())
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed_after(steps))
        with pytest.raises(KeyboardInterrupt):
            finish_restore(paths)
    aside = finish_restore(paths)
    assert (rows_of(paths.library, paths.home), sounds_of(paths)) == wanted
    assert aside is not None
    assert (aside / "recordings" / TAKE / "later.flac").exists()
    assert rows_of(aside / "library.sqlite", paths.home) == wanted[0]


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_another_restore_after_a_kill_tears_no_library(
    paths: Paths, disk: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows_of(paths.library, paths.home), sounds_of(paths)
    backup, folder = back_up(paths, disk), existing_backups(disk)
    put_sound(paths, TAKE, "later.flac", noise("later", 100))
    stage_restore(paths, folder, backup, Work())
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed_after(steps))
        with pytest.raises(KeyboardInterrupt):
            finish_restore(paths)
    with pytest.raises(DiskFull):
        stage_restore(paths, folder, backup, Work(), free=lambda _: 1000)
    finish_restore(paths)
    assert (rows_of(paths.library, paths.home), sounds_of(paths)) == wanted
    asides = libraries_before(paths.home)
    assert [sounds_of(Paths(aside)).keys() - wanted[1].keys() for aside in asides] == [
        {f"recordings/{TAKE}/later.flac"}
    ]
    assert rows_of(asides[0] / "library.sqlite", paths.home) == wanted[0]


def test_a_half_placed_library_in_use_is_let_alone(
    paths: Paths, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, folder = back_up(paths, disk), existing_backups(disk)
    stage_restore(paths, folder, backup, Work())
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed_after(3))
        with pytest.raises(KeyboardInterrupt):
            finish_restore(paths)
    lock = LibraryLock.take(paths.library_lock)
    assert lock is not None
    with lock, pytest.raises(BackupFailed, match="Another Undertone"):
        stage_restore(paths, folder, backup, Work())
    assert is_restore_staged(paths)


def test_a_backup_of_the_first_schema_comes_back(
    paths: Paths, disk: Path, old_schema: Callable[[Path], None]
) -> None:
    old_schema(paths.library)
    backup = back_up(paths, disk)
    restore(paths, disk, backup)
    with LibraryReader(paths.library) as reader:
        assert reader.recording("old") is not None


@pytest.fixture
def old_schema() -> Callable[[Path], None]:
    from app.library.schema import MIGRATIONS

    def make(file: Path) -> None:
        for ending in ("", "-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        connection = sqlite3.connect(file, isolation_level=None)
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO recordings (recording_id, kind, title, created_at, status) "
            "VALUES ('old', 'file', 'old one', 1, 'done')"
        )
        connection.close()

    return make


def test_a_newer_undertones_backup_is_refused(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    newer = sqlite3.connect(paths.library, isolation_level=None)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    copied = paths.home / "copy.sqlite"
    shutil.copy(paths.library, copied)
    target = backup.folder / "library.sqlite.gz"
    target.unlink()
    content = copy_packed(copied, target, Work(), is_packed=True)
    parts = {**backup.parts}
    changed = Backup(
        **{
            **{name: getattr(backup, name) for name in Backup.__slots__},
            "database": content,
            "parts": parts,
        }
    )
    with pytest.raises(BackupFailed, match="newer Undertone"):
        stage_restore(paths, BackupFolder(existing_backups(disk).root), changed, Work())


def test_a_row_that_points_elsewhere_is_no_copy_of_ours(paths: Paths, disk: Path) -> None:
    precious = paths.home.parent / "precious.wav"
    connection = sqlite3.connect(paths.library, isolation_level=None)
    connection.execute(
        "UPDATE recordings SET audio_path = ? WHERE recording_id = ?", (str(precious), TAKE)
    )
    connection.close()
    restore(paths, disk, back_up(paths, disk))
    with LibraryReader(paths.library) as reader:
        found = reader.recording(TAKE)
        assert found is not None
        assert not found.is_copy  # so that removing the row will not delete the file


def test_no_room_and_stop_leave_the_library_as_it_is(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    folder = existing_backups(disk)
    with pytest.raises(DiskFull):
        stage_restore(paths, folder, backup, Work(), free=lambda _: 1000)
    work = Work(lambda done, _total: work.stop() if done > 150_000 else None)
    with pytest.raises(Stopped):
        stage_restore(paths, folder, backup, work)
    assert not is_restore_staged(paths)
    assert not (paths.home / "restoring").exists()
