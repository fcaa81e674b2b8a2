"""Making one backup: the database by SQLite's own copy, every sound file once.

The database is copied first and the sound after it, so every row finds its sound. What was not
changed since the last backup is not read again. Until the very last rename there is no backup, and
what a kill leaves behind is swept by the next one.
"""

import contextlib
import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths, make_private_folder
from app.core.backup import Keeping
from app.library import backups
from app.library.backup import copy_database, hand_over, sync_folder
from app.library.backup_errors import (
    disk_error,
    in_use,
    library_not_whole,
    no_library,
    no_room,
    not_there,
)
from app.library.backup_state import load_state, save_state
from app.library.backups import (
    DATABASE,
    FILES,
    SETTINGS,
    Backup,
    BackupFolder,
    SoundFile,
    backup_folder,
    name_for,
    read_files,
    remove_tree,
    shown_name,
    told_of_the_disk,
)
from app.library.connection import open_readonly
from app.library.errors import told_plainly
from app.library.lock import LibraryLock
from app.library.sounds import Sound, imported_sounds, own_sounds
from app.library.work import (
    BLOCK_BYTES,
    PARTIAL,
    Content,
    Work,
    copy_packed,
    partial_beside,
    shrinks,
    write_whole,
)

_SPARE_BYTES = 64 << 20  # left free on the disk of the backups
_COPY_FOLDER = ".backing-up"
_SHARE_OF_DATABASE = 0.5  # of its size is what it takes packed, at most in practice


@dataclass(frozen=True, slots=True)
class CopiedLibrary:
    """The library as it is backed up: a copy of its database, and its recordings."""

    paths: Paths
    database: Path
    recordings: int


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def make_backup(
    paths: Paths,
    chosen: Path,
    keeping: Keeping,
    work: Work,
    *,
    with_imported: bool = False,
    now: Callable[[], float] = time.time,
    free: Callable[[Path], int] = free_bytes,
) -> Backup:
    """Back the library up into the folder a person chose, then thin out older backups.

    `with_imported` takes the sound of imported files along that stay where they are.

    Raises:
        BackupMissing: the disk is not connected.
        BackupFailed: the folder does not do, another Undertone is at it, or the library is damaged.
        DiskFull: no room.
        Stopped: the person stopped it; the folder is as before.

    Thread: io.
    """
    if not paths.library.exists():
        raise no_library(paths.home)
    folder = backup_folder(chosen, paths)
    state = load_state(paths)
    if (known := state.store_of(chosen)) and folder.store_id() != known:
        raise not_there(chosen)  # the empty place where the disk is usually mounted
    store_id = folder.make()
    with folder.locked(), told_of_the_disk(chosen):
        has_swept = folder.sweep()
        last = next((shown_name(each.made_at) for each in folder.backups()), "–")
        with copied_database(paths, last) as source:
            found = list(own_sounds(paths))
            found += imported_sounds(source.database) if with_imported else ()
            making = _Making(folder, source, work, free)
            backup = making.make(found, state.library_id, now())
        save_state(
            paths,
            state.changed(
                folder=str(chosen),
                store_id=store_id,
                last_at=backup.made_at,
                recordings=backup.recordings,
                size_bytes=backup.size_bytes,
                left_out=backup.left_out,
                stores={**state.stores, str(chosen): store_id},
            ),
        )
        if folder.thin(keeping, backup) or has_swept:
            folder.remove_unnamed_sounds(backup)
    return backup


@contextlib.contextmanager
def copied_database(paths: Paths, last: str = "–") -> Iterator[CopiedLibrary]:
    """Copy the database beside the library, look whether it is whole, and remove it afterwards.

    `last` is when the last backup was made, to be said when the library is damaged.
    """
    place = make_private_folder(paths.home / _COPY_FOLDER)
    lock = LibraryLock.take(place / "lock")
    if lock is None:
        raise in_use(paths.home)
    with lock:
        try:
            copy = place / "library.sqlite"
            opened = open_readonly(paths.library)
            try:
                with told_plainly(paths.library):
                    copy_database(opened.connection, copy)
            finally:
                opened.connection.close()
            yield CopiedLibrary(paths, copy, _look_at(copy, last))
        finally:
            remove_tree(place)


def _look_at(copy: Path, last: str) -> int:
    """Return how many recordings the copied database holds.

    Raises:
        BackupFailed: it is damaged: no such backup may push out a good one.
    """
    connection = sqlite3.connect(copy, isolation_level=None)
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]:
            return int(connection.execute("SELECT COUNT(*) FROM recordings").fetchone()[0])
    except sqlite3.Error:
        pass  # said below
    finally:
        connection.close()
    raise library_not_whole(last)


class _Making:
    """One backup on its way."""

    def __init__(
        self, folder: BackupFolder, source: CopiedLibrary, work: Work, free: Callable[[Path], int]
    ) -> None:
        self._folder = folder
        self._source = source
        self._work = work
        self._free = free
        self._left_out = 0

    def make(self, found: list[Sound], library_id: str, made_at: float) -> Backup:
        known = self._known(library_id)
        database_bytes = self._source.database.stat().st_size
        fresh = [
            max(0, sound.size_bytes)
            for sound in found
            if not _is_as_before(known.get(sound.path), sound)
        ]
        self._check_room(database_bytes, sum(fresh))
        self._work.begin(database_bytes + sum(fresh))
        partial = self._folder.backups_folder / f"{PARTIAL}{name_for(made_at, self._folder)}"
        partial.mkdir(mode=0o700)
        try:
            parts, database = self._put_database(partial)
            files = tuple(file for sound in found if (file := self._put_sound(sound, known)))
            parts[FILES] = _put(partial / FILES, backups.files_content(files))
            settings = self._source.paths.settings
            if settings.is_file():
                parts[SETTINGS] = _put(partial / SETTINGS, settings.read_bytes())
            backup = Backup(
                folder=self._folder.backups_folder / partial.name.removeprefix(PARTIAL),
                made_at=made_at,
                library_id=library_id,
                home=str(self._source.paths.home),
                recordings=self._source.recordings,
                sounds=len(files),
                size_bytes=database.size_bytes + sum(file.size_bytes for file in files),
                left_out=self._left_out,
                parts=parts,
                database=database,
            )
            backups.write_manifest(backup, partial)
            sync_folder(partial)
            partial.rename(backup.folder)
            sync_folder(self._folder.backups_folder)
        except BaseException:
            remove_tree(partial)
            raise
        return backup

    def _known(self, library_id: str) -> dict[str, SoundFile]:
        """Return what the last backups hold and is still there, by path.

        The last one of this library counts first. Those of others name the same sound where this
        library was restored from one of them.
        """
        lasts = {each.library_id: each for each in reversed(self._folder.backups())}
        own = lasts.pop(library_id, None)
        found: dict[str, SoundFile] = {}
        for backup in (*lasts.values(), *([own] if own is not None else ())):
            found |= {file.path: file for file in read_files(backup) or ()}
        return {path: file for path, file in found.items() if self._folder.has_sound(file)}

    def _check_room(self, database_bytes: int, sound_bytes: int) -> None:
        needed = int(database_bytes * _SHARE_OF_DATABASE) + sound_bytes + _SPARE_BYTES
        free = self._free(self._folder.root)
        if free < needed:
            raise no_room(self._folder.root, needed, free)

    def _put_database(self, partial: Path) -> tuple[dict[str, str], Content]:
        target = partial / DATABASE
        content = copy_packed(self._source.database, target, self._work, is_packed=True)
        with target.open("rb") as packed:
            return {DATABASE: hashlib.file_digest(packed, "sha256").hexdigest()}, content

    def _put_sound(self, sound: Sound, known: dict[str, SoundFile]) -> SoundFile | None:
        """Put one file into the folder where its content is not there yet."""
        before = known.get(sound.path)
        if sound.size_bytes < 0 or _is_as_before(before, sound):
            return before  # what cannot be found now is kept from before
        source = sound.file
        partial = partial_beside(self._folder.sounds_folder / "sound")
        try:
            with source.open("rb") as reading:
                is_packed = shrinks(reading.read(BLOCK_BYTES))
            content = copy_packed(source, partial, self._work, is_packed=is_packed)
            file = SoundFile(
                sound.path, content.size_bytes, sound.changed_ns, content.sha256, is_packed
            )
            target = self._folder.sound(file)
            if not self._folder.has_sound(file):
                target.parent.mkdir(mode=0o700, exist_ok=True)
                partial.rename(target)
                hand_over(target.parent)
        except OSError as error:
            if source.exists() and _can_be_read(source):
                raise disk_error(error, self._folder.root) from error
            self._left_out += source.exists()  # removed meanwhile, or its disk is bad
            return None
        finally:
            remove_tree(partial)
        return file


def _is_as_before(before: SoundFile | None, sound: Sound) -> bool:
    if before is None:
        return False
    return (before.size_bytes, before.changed_ns) == (sound.size_bytes, sound.changed_ns)


def _can_be_read(file: Path) -> bool:
    try:
        with file.open("rb") as source:
            while source.read(1 << 20):
                pass
    except OSError:
        return False
    return True


def _put(file: Path, content: bytes) -> str:
    write_whole(file, content)
    return hashlib.sha256(content).hexdigest()
