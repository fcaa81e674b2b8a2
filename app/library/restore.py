"""Bringing a backup back: all of it is checked first, then put in place by renames alone.

Everything is copied into a folder of its own in the library's home and held against its check sums
there; a mark says when all of it is right. Only then, before the library is opened, does the
present library move into a folder beside (nothing of it is deleted) and the checked one into its
place. A kill at any instant is taken up where it was.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths, make_private_folder
from app.core.errors import AppError, BackupDamaged, LibraryError
from app.library.backing_up import free_bytes
from app.library.backup import sync_file, sync_folder
from app.library.backup_errors import (
    backup_damaged,
    backup_too_new,
    in_use,
    no_room,
    not_there,
    sounds_damaged,
)
from app.library.backup_state import (
    STATE_NAME,
    BackupState,
    load_state,
    new_library_id,
    write_state,
)
from app.library.backups import (
    DAMAGED,
    DATABASE,
    FILES,
    IMPORTED,
    SETTINGS,
    Backup,
    BackupFolder,
    SoundFile,
    read_files,
    remove_tree,
    shown_name,
    told_of_the_disk,
)
from app.library.connection import checkpoint
from app.library.errors import told_plainly
from app.library.lock import LibraryLock, is_used_by_another
from app.library.relocate import relocate
from app.library.schema import SCHEMA_VERSION, check_schema, version
from app.library.sounds import imported_back, point_to_own
from app.library.unarchive import finish_take_in
from app.library.work import Content, Work, copy_unpacked, read_checked, write_whole

_STAGED = "restoring"
_ASIDE = "library before"
_READY = "ready.json"
_PLACING = "placing"  # there from the first rename on: no way back
_LIBRARY = "library.sqlite"
_ITEMS = (SETTINGS, STATE_NAME, "recordings", _LIBRARY)
# What no backup holds and a library still needs: it goes aside with the library it belongs to.
_BELONGINGS = ("sound-bin", "retention.json")
_SPARE_BYTES = 256 << 20  # left free on the disk of the library
# What is this machine's own and not the library's.
_OWN_SETTINGS = frozenset(
    {
        "window_place", "microphone", "export_folder", "has_met", "updates_checked_at",
        "backup_folder",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a backup is not what was put into it.

    Attributes:
        part: a file all of the backup depends on; empty when those are whole.
        sounds: the sound files, as paths in the library's home.
    """

    part: str = ""
    sounds: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.part or self.sounds)


def check_backup(folder: BackupFolder, backup: Backup, work: Work) -> Damage:
    """Read all of a backup and return what is damaged in it.

    A damaged sound file is set aside, so that the next backup puts it there anew; until then it is
    kept, as it may be the only one.

    Raises:
        BackupFailed, BackupMissing: it could not be looked at to the end.
        Stopped: the person stopped it.

    Thread: io.
    """
    store_id = folder.store_id()
    with told_of_the_disk(folder.root):
        part = _damaged_part(backup, work)
        files = read_files(backup)
        if part or files is None:
            _look_there(folder, store_id)
            return Damage(part or FILES)
        work.begin(sum(file.size_bytes for file in files))
        bad = []
        for file in files:
            stored = folder.sound(file)
            if not read_checked(stored, file.content, work, is_packed=file.is_packed):
                _look_there(folder, store_id)
                bad.append(file.path)
                with contextlib.suppress(OSError):
                    stored.rename(stored.with_name(f"{stored.name}{DAMAGED}"))
    return Damage(sounds=tuple(bad))


def _look_there(folder: BackupFolder, store_id: str) -> None:
    """See whether the disk is still there: what went away with it is not damaged.

    Raises:
        BackupMissing: it is gone.
    """
    if folder.store_id() != store_id:
        raise not_there(folder.root)


def newest_whole(
    folder: BackupFolder, before: float, work: Work, library_id: str = ""
) -> Backup | None:
    """Return the newest backup from before a time that is whole; of one library where it is named.

    Thread: io.
    """
    for backup in folder.backups():
        is_ours = not library_id or backup.library_id == library_id
        if backup.made_at < before and is_ours and not check_backup(folder, backup, work):
            return backup
    return None


def stage_restore(
    paths: Paths,
    folder: BackupFolder,
    backup: Backup,
    work: Work,
    *,
    without_damaged: bool = False,
    free: Callable[[Path], int] = free_bytes,
) -> int:
    """Copy a backup beside the library and check all of it; `finish_restore` puts it in place.

    With `without_damaged`, sound files that are not whole are left out instead of refused; returns
    how many those were.

    Raises:
        BackupDamaged: something is not what was put in; the library is as before.
        BackupFailed: a newer Undertone made it.
        BackupMissing: its disk is not connected any more.
        DiskFull: no room for it beside the present library.
        Stopped: the person stopped it.

    Thread: io.
    """
    with told_of_the_disk(paths.home):
        make_private_folder(paths.home)
        if (paths.home / _STAGED / _PLACING).exists():
            finish_restore(paths)
        if not _discard_staged(paths):
            raise in_use(paths.home)
        needed = backup.size_bytes + _SPARE_BYTES
        available = free(paths.home)
        if available < needed:
            raise no_room(paths.home, needed, available)
        staged = make_private_folder(paths.home / _STAGED)
        lock = LibraryLock.take(staged / ".lock")
        if lock is None:
            raise in_use(paths.home)
        store_id = folder.store_id()
        with lock:
            try:
                bad = _stage_all(staged, paths, folder, backup, work)
                if bad:
                    _look_there(folder, store_id)
                    if not without_damaged:
                        raise sounds_damaged(shown_name(backup.made_at), len(bad), bad[0])
                aside = time.strftime(f"{_ASIDE} %Y-%m-%d %H.%M.%S")
                sync_folder(staged)
                write_whole(staged / _READY, json.dumps({"aside": aside}).encode())
                sync_folder(staged)
            except BaseException as error:
                remove_tree(staged)
                if isinstance(error, BackupDamaged):
                    _look_there(folder, store_id)
                raise
    return len(bad)


def _stage_all(
    staged: Path, paths: Paths, folder: BackupFolder, backup: Backup, work: Work
) -> list[str]:
    """Copy all of a backup into `staged`; return the sound files that are not whole."""
    files = read_files(backup)
    if files is None:
        raise backup_damaged(shown_name(backup.made_at), FILES)
    make_private_folder(staged / "recordings")
    work.begin(backup.size_bytes)
    places = _stage_database(staged, backup, files, paths, work)
    wanted = [file for file in files if file.path in places]
    bad = [
        file.path for file in wanted if not _stage(staged / places[file.path], folder, file, work)
    ]
    _stage_settings(staged, backup, paths)
    write_state(staged / STATE_NAME, _state_after(backup, paths))
    return bad


def _state_after(backup: Backup, paths: Paths) -> BackupState:
    """Return what the restored library remembers of its backups.

    It goes on with the series only where that is this library's own already: the library it was
    made of may live on elsewhere, and two in one series would push each other's backups out.
    """
    state = load_state(paths)
    if state.library_id == backup.library_id:
        return state
    return BackupState(
        new_library_id(), folder=state.folder, store_id=state.store_id, stores=state.stores
    )


def libraries_before(home: Path) -> tuple[Path, ...]:
    """Return where libraries lie that a restore put aside, oldest first."""
    return tuple(sorted(home.glob(f"{_ASIDE} *")))


def is_restore_staged(paths: Paths) -> bool:
    """Return whether a checked backup waits to be put in place."""
    return (paths.home / _STAGED / _READY).is_file()


def finish_restore(paths: Paths, lock: LibraryLock | None = None) -> Path | None:
    """Put a checked backup in place, or sweep what a killed restore left; quick when there is none.

    Call it before anything of the library is opened. Returns where the library of before now lies.
    `lock` is the library's where this process holds it; else it is taken meanwhile, and nothing
    happens while another process has it.

    Raises:
        LibraryError, DiskFull: it could not be put in place; it is tried again the next time.
    """
    staged = paths.home / _STAGED
    if not staged.is_dir():
        return None
    own = None
    if lock is None:
        own = lock = LibraryLock.take(paths.library_lock)
    if lock is None:
        return None
    try:
        with told_plainly(paths.library):
            if is_restore_staged(paths):
                return None if is_used_by_another(paths) else _put_in_place(paths)
            _discard_staged(paths)
    finally:
        if own is not None:
            own.release()
    return None


def _put_in_place(paths: Paths) -> Path | None:
    home, staged = paths.home, paths.home / _STAGED
    aside = home / str(json.loads((staged / _READY).read_bytes())["aside"])
    (staged / _PLACING).touch(0o600)
    sync_folder(staged)
    if (staged / _LIBRARY).exists() and paths.library.exists():
        with contextlib.suppress(AppError, OSError, sqlite3.Error):
            finish_take_in(paths)  # while the rows of that archive are there
        with contextlib.suppress(LibraryError, OSError, sqlite3.Error):
            _fold_log(paths.library)
    for name in (*_BELONGINGS, *_ITEMS):
        if name in _ITEMS and not (staged / name).exists():
            continue  # a killed run put it in place
        endings = ("", "-wal", "-shm") if name == _LIBRARY else ("",)
        for present in (home / f"{name}{ending}" for ending in endings):
            if present.exists():
                make_private_folder(aside)
                present.rename(_free_name(aside / present.name))
                sync_folder(aside)
        if name in _ITEMS:
            (staged / name).rename(home / name)
        sync_folder(home)
    remove_tree(staged)
    return aside if aside.is_dir() else None


def _fold_log(library: Path) -> None:
    """Move the log of the library that goes aside into its file, so that the file is all of it."""
    connection = sqlite3.connect(library, isolation_level=None)
    try:
        checkpoint(connection, library)
    finally:
        connection.close()


def _free_name(file: Path) -> Path:
    free, number = file, 1
    while free.exists():
        number += 1
        free = file.with_name(f"{file.name}.{number}")
    return free


def _discard_staged(paths: Paths) -> bool:
    """Remove what an abandoned restore left; `False` when it is in use, or half in place."""
    staged = paths.home / _STAGED
    if not staged.is_dir():
        return True
    lock = LibraryLock.take(staged / ".lock")
    if lock is None:
        return False
    with lock:
        if (staged / _PLACING).exists() and (staged / _READY).exists():
            return False
        (staged / _READY).unlink(missing_ok=True)
        remove_tree(staged)
    return True


def _damaged_part(backup: Backup, work: Work) -> str:
    """Return which file of the backup's own folder is damaged; empty when none is."""
    for part, sha256 in backup.parts.items():
        file = backup.folder / part
        try:
            size = file.stat().st_size
        except OSError:
            return part
        if not read_checked(file, Content(size, sha256), work, is_packed=False):
            return part
    return ""


def _stage_database(
    staged: Path, backup: Backup, files: tuple[SoundFile, ...], paths: Paths, work: Work
) -> dict[str, str]:
    """Put the checked database into `staged`, and return where each sound file goes."""
    name = shown_name(backup.made_at)
    target = staged / _LIBRARY
    packed = backup.folder / DATABASE
    if not copy_unpacked(packed, target, backup.database, work, is_packed=True):
        raise backup_damaged(name, DATABASE)
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if version(connection) > SCHEMA_VERSION:
            raise backup_too_new(name)
        check_schema(connection, target)
        relocate(connection, Path(backup.home), paths.home)
        back = imported_back(connection, files)
        point_to_own(connection, back, paths.home)
    except sqlite3.Error as error:
        raise backup_damaged(name, DATABASE) from error
    finally:
        connection.close()
    sync_file(target)
    own = {file.path: file.path for file in files if not file.path.startswith(IMPORTED)}
    return {**own, **{path: place for path, (_id, place) in back.items()}}


def _stage(target: Path, folder: BackupFolder, file: SoundFile, work: Work) -> bool:
    """Copy a sound file to `target`; `False` when it is damaged or missing."""
    make_private_folder(target.parent)
    is_whole = copy_unpacked(
        folder.sound(file), target, file.content, work, is_packed=file.is_packed
    )
    if is_whole:
        os.utime(target, ns=(file.changed_ns, file.changed_ns))
    else:
        target.unlink(missing_ok=True)
    return is_whole


def _stage_settings(staged: Path, backup: Backup, paths: Paths) -> None:
    """Take over the backup's settings, but for what is this machine's own."""
    name = shown_name(backup.made_at)
    if SETTINGS not in backup.parts:
        return
    file = backup.folder / SETTINGS
    wanted = Content(file.stat().st_size if file.exists() else 0, backup.parts[SETTINGS])
    if not copy_unpacked(file, staged / "taken", wanted, Work(), is_packed=False):
        raise backup_damaged(name, SETTINGS)
    (staged / "taken").rename(staged / SETTINGS)
    with contextlib.suppress(OSError, ValueError):
        present = json.loads(paths.settings.read_bytes())
        taken = json.loads((staged / SETTINGS).read_bytes())
        own = {key: value for key, value in present.items() if key in _OWN_SETTINGS and value}
        write_whole(staged / SETTINGS, json.dumps({**taken, **own}, indent=1).encode())
