"""Backups: everything in them, once, whole or not at all, and no more of them than wanted."""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config.paths import Paths
from app.core.backup import Keeping
from app.core.errors import AppError, BackupFailed, BackupMissing, DiskFull
from app.library.archive import write_archive
from app.library.backing_up import make_backup
from app.library.backup_state import forget_store, load_state
from app.library.backups import BackupFolder, existing_backups, read_files, sound_file_from
from app.library.work import Stopped, Work
from tests.library.full_library import (
    DAY,
    NOON,
    TAKE,
    all_private,
    back_up,
    make_library,
    noise,
    put_sound,
    sounds_of,
)


def stored(disk: Path) -> dict[str, int]:
    """Return the stored sounds and when each was written."""
    found = existing_backups(disk).sounds_folder.glob("??/*")
    return {file.name: file.stat().st_mtime_ns for file in found}


def partials(folder: Path) -> Iterator[Path]:
    return (each for each in folder.rglob("*") if ".partial" in each.name)


def test_a_backup_names_every_file_of_the_library_once(paths: Paths, disk: Path) -> None:
    put_sound(paths, TAKE, "again.flac", noise("take", 90_000))  # the same content twice
    backup = back_up(paths, disk)
    files = read_files(backup)
    assert files is not None
    assert {file.path: file.sha256 for file in files} == sounds_of(paths)
    assert backup.recordings == 4
    assert len(stored(disk)) == len(files) - 1
    packed = {file.path.split("/")[-1]: file.is_packed for file in files}
    assert not packed["audio.flac"]
    assert packed["audio.wav"]
    assert packed["audio.journal"]
    assert load_state(paths).last_at == NOON
    assert not list(partials(disk))
    assert not (paths.home / ".backing-up").exists()


def test_everything_is_for_this_user_alone(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    assert all_private(disk)
    assert all_private(paths.home)


def test_the_next_backup_writes_only_what_is_new(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    before = stored(disk)
    put_sound(paths, "0190a000-0000-7000-8000-00000000000a", "audio.flac", noise("new", 5_000))
    seen: list[tuple[int, int]] = []
    make_backup(
        paths, disk, Keeping(), Work(lambda *done: seen.append(done)), now=lambda: NOON + DAY
    )
    after = stored(disk)
    assert len(after) == len(before) + 1
    assert {name: after[name] for name in before} == before
    assert seen[-1][0] == seen[-1][1] == paths.library.stat().st_size + 5_000
    assert len(existing_backups(disk).backups()) == 2


def test_old_backups_go_with_the_sound_that_only_they_had(paths: Paths, disk: Path) -> None:
    extra = put_sound(paths, TAKE, "old.flac", noise("old", 5_000))
    first = read_files(back_up(paths, disk))
    assert first is not None
    old = next(file for file in first if file.path.endswith("old.flac"))
    extra.unlink()
    keeping = Keeping(2, 0, 0)
    back_up(paths, disk, NOON + DAY, keeping)
    assert old.stored_name in stored(disk)  # the first backup is still kept
    back_up(paths, disk, NOON + 2 * DAY, keeping)
    kept = existing_backups(disk).backups()
    assert [backup.made_at for backup in kept] == [NOON + 2 * DAY, NOON + DAY]
    assert old.stored_name not in stored(disk)
    for backup in kept:
        files = read_files(backup)
        assert files is not None
        assert {file.stored_name for file in files} <= stored(disk).keys()


def test_no_sound_goes_while_a_backup_cannot_be_read(paths: Paths, disk: Path) -> None:
    extra = put_sound(paths, TAKE, "old.flac", noise("old", 5_000))
    first = back_up(paths, disk)
    extra.unlink()
    manifest = first.folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"recordings": 4', b'"recordings": 5'))
    before = stored(disk)
    back_up(paths, disk, NOON + DAY, Keeping(1, 0, 0))
    back_up(paths, disk, NOON + 2 * DAY, Keeping(1, 0, 0))
    folder = existing_backups(disk)
    assert folder.unreadable() == (first.name,)
    assert [backup.made_at for backup in folder.backups()] == [NOON + 2 * DAY]
    assert before.keys() <= stored(disk).keys()


def test_a_disk_that_does_not_list_its_backups_keeps_all_sound(
    paths: Paths, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(paths, disk)
    folder, before = existing_backups(disk), stored(disk)
    listed = os.scandir

    def failing(place: Path) -> Any:
        if place == folder.backups_folder:
            raise OSError(errno.ESTALE, "Stale file handle")
        return listed(place)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(BackupMissing):
        folder.remove_unnamed_sounds(backup)
    with pytest.raises(BackupMissing):
        folder.backups()
    monkeypatch.undo()
    assert stored(disk) == before


def test_no_sound_goes_where_the_new_backup_is_not_listed(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    before = stored(disk)
    folder = existing_backups(disk)
    backup.folder.rename(disk / "elsewhere")
    assert folder.remove_unnamed_sounds(backup) == 0
    assert stored(disk) == before


def test_damaged_sound_stays_until_it_is_there_whole(paths: Paths, disk: Path) -> None:
    extra = put_sound(paths, TAKE, "old.flac", noise("old", 5_000))
    backup = back_up(paths, disk)
    files = read_files(backup)
    assert files is not None
    folder = existing_backups(disk)
    file = folder.sound(next(file for file in files if file.path.endswith("old.flac")))
    damaged = file.with_name(f"{file.name}.damaged")
    file.rename(damaged)
    content = extra.read_bytes()
    extra.unlink()
    folder.remove_unnamed_sounds(back_up(paths, disk, NOON + DAY))
    assert damaged.exists()  # the only copy there is
    extra.write_bytes(content)
    folder.remove_unnamed_sounds(back_up(paths, disk, NOON + 2 * DAY))
    assert file.exists()
    assert not damaged.exists()


def test_two_libraries_in_one_folder_leave_each_other_alone(
    paths: Paths, disk: Path, tmp_path: Path
) -> None:
    other = Paths(tmp_path / "other")
    make_library(other, tmp_path / "x.mp3")
    theirs = back_up(other, disk, NOON)
    keeping = Keeping(1, 0, 0)
    back_up(paths, disk, NOON + 60, keeping)
    back_up(paths, disk, NOON + DAY, keeping)
    names = {backup.name for backup in existing_backups(disk).backups()}
    assert theirs.name in names
    assert len(names) == 2


def test_a_disk_that_is_not_there_is_one_sentence(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(BackupMissing, match="not there"):
        back_up(paths, tmp_path / "Volumes" / "Disk")
    assert not (tmp_path / "Volumes").exists()


def test_the_empty_place_of_a_disk_is_not_taken_for_it(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    disk.rename(disk.with_name("unplugged"))
    disk.mkdir()
    with pytest.raises(BackupMissing, match="not there"):
        back_up(paths, disk)
    assert list(disk.iterdir()) == []


def test_the_empty_place_of_a_disk_is_known_after_a_backup_elsewhere(
    paths: Paths, disk: Path, tmp_path: Path
) -> None:
    back_up(paths, disk)
    other = tmp_path / "other"
    other.mkdir()
    back_up(paths, other, NOON + 60)
    disk.rename(disk.with_name("unplugged"))
    disk.mkdir()
    with pytest.raises(BackupMissing, match="not there"):
        back_up(paths, disk, NOON + DAY)
    assert list(disk.iterdir()) == []
    forget_store(paths, disk)  # the person chose it anew
    assert back_up(paths, disk, NOON + DAY).recordings == 4


def test_a_folder_in_the_library_is_refused_in_any_case(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shouted = tmp_path / "HOME" / "mine"  # where the file system does not tell cases apart
    shouted.mkdir(parents=True)
    same = os.path.samestat
    homes = {each.stat().st_ino for each in (paths.home, shouted.parent)}

    def samestat(one: os.stat_result, other: os.stat_result) -> bool:
        return {one.st_ino, other.st_ino} <= homes or same(one, other)

    monkeypatch.setattr(os.path, "samestat", samestat)
    with pytest.raises(BackupFailed, match="inside the library"):
        back_up(paths, shouted)
    with pytest.raises(BackupFailed, match="inside the library"):
        write_archive(paths, shouted / "x.zip", Work())


def test_a_folder_in_the_library_is_refused(paths: Paths) -> None:
    inside = paths.home / "mine"
    inside.mkdir()
    with pytest.raises(BackupFailed, match="inside the library"):
        back_up(paths, inside)
    link = paths.home.parent / "link"
    link.symlink_to(inside)
    with pytest.raises(BackupFailed, match="inside the library"):
        back_up(paths, link)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(paths: Paths, disk: Path) -> None:
    with pytest.raises(DiskFull, match="no room"):
        make_backup(paths, disk, Keeping(), Work(), free=lambda _: 1000)

    assert existing_backups(disk).backups() == ()


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, DiskFull, "is full"),
        (errno.EROFS, BackupFailed, "Nothing can be written"),
        (errno.EACCES, BackupFailed, "Nothing can be written"),
        (errno.EIO, BackupMissing, "is not there"),  # unplugged while it is written to
    ],
)
def test_what_the_disk_says_is_one_sentence_and_leaves_nothing(
    paths: Paths, disk: Path, number: int, kind: type[AppError], said: str
) -> None:
    def fail(_done: int, _total: int) -> None:
        raise OSError(number, "said by the disk")

    with pytest.raises(kind, match=said):
        make_backup(paths, disk, Keeping(), Work(fail))
    assert existing_backups(disk).backups() == ()
    assert not list(partials(disk))


def test_a_stopped_backup_leaves_nothing(paths: Paths, disk: Path) -> None:
    work = Work(lambda done, _total: work.stop() if done > 100_000 else None)
    with pytest.raises(Stopped):
        make_backup(paths, disk, Keeping(), work)
    assert existing_backups(disk).backups() == ()
    assert not list(partials(disk))
    assert not (paths.home / ".backing-up").exists()


def test_what_a_killed_backup_left_is_swept(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    root = existing_backups(disk).root
    (root / "backups" / ".partial-x").mkdir()
    (root / "backups" / ".partial-x" / "library.sqlite.gz").write_bytes(b"half")
    (root / "sounds" / ".partial-y").write_bytes(b"half")
    whole = root / "sounds" / "ab" / f"ab{'0' * 62}"  # of a backup that was never finished
    whole.parent.mkdir(exist_ok=True)
    whole.write_bytes(b"whole")
    back_up(paths, disk, NOON + DAY)
    assert not list(partials(disk))
    assert not whole.exists()


def test_a_damaged_library_pushes_no_good_backup_out(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    content = bytearray(paths.library.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    paths.library.write_bytes(content)
    with pytest.raises(BackupFailed, match="damaged"):
        back_up(paths, disk, NOON + DAY, Keeping(1, 0, 0))
    assert [backup.made_at for backup in existing_backups(disk).backups()] == [NOON]


def test_one_backup_at_a_time(paths: Paths, disk: Path) -> None:
    back_up(paths, disk)
    with existing_backups(disk).locked(), pytest.raises(BackupFailed, match="Another Undertone"):
        back_up(paths, disk)


@pytest.mark.parametrize(
    "path",
    [
        "../x", "recordings/../../x", "recordings/a/b/c", "/etc/passwd", "recordings/a/.b", "",
        "recordings//a/b", "recordings/a/b/", "recordings/a/b\n", "recordings/./a",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_library(path: str) -> None:
    described = {"path": path, "size_bytes": 1, "changed_ns": 1, "sha256": "0" * 64}
    with pytest.raises(ValueError, match="no"):
        sound_file_from({**described, "is_packed": False})


def test_any_changed_byte_of_a_manifest_is_noticed(paths: Paths, disk: Path) -> None:
    backup = back_up(paths, disk)
    manifest = backup.folder / "manifest.json"
    held = json.loads(manifest.read_text())
    for key in held:
        manifest.write_text(json.dumps({**held, key: "other"}))
        assert BackupFolder(existing_backups(disk).root).backups() == (), key


def test_stop_ends_work_that_is_told_to_wait_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work()
    clear = work._may_go_on.clear

    def stopped_meanwhile() -> None:
        work.stop()
        clear()

    monkeypatch.setattr(work._may_go_on, "clear", stopped_meanwhile)
    work.hold()
    assert work._may_go_on.is_set()
    with pytest.raises(Stopped):
        work.did(1)
