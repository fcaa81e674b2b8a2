"""Taking an archive in: its sound beside the library first, then all rows at once, then the sound.

The rows of an archive are one transaction. What a kill leaves is finished at the next opening where
that transaction is in the library, and swept where it is not.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from app.config.paths import Paths, make_private_folder
from app.core.backup import Merged
from app.library.archive import Contents, opened_archive, unpack_database, unpack_sound
from app.library.backing_up import free_bytes
from app.library.backup import sync_folder
from app.library.backup_errors import archive_damaged, in_use, no_room
from app.library.backups import IMPORTED, remove_tree, told_of_the_disk
from app.library.connection import open_readonly
from app.library.lock import LibraryLock
from app.library.merge import Incoming, is_there, twin
from app.library.reader import LibraryReader
from app.library.sounds import imported_back, point_to_own
from app.library.work import Work, write_whole
from app.library.writer import LibraryWriter

_STAGED = "taking-in"
_DATABASE = "library.sqlite"
_PLAN = "plan.json"
_SPARE_BYTES = 256 << 20  # left free on the disk of the library


@dataclass(frozen=True, slots=True)
class _Compared:
    """An archive beside our library, by recording ids.

    Attributes:
        added: what is new here, in order.
        doubles: what is here by another id.
        silent: what has no sound here.
    """

    added: list[str]
    doubles: set[str]
    silent: set[str]


def take_in_archive(
    paths: Paths,
    file: Path,
    writer: LibraryWriter,
    work: Work,
    *,
    free: Callable[[Path], int] = free_bytes,
) -> Merged:
    """Take everything of an archive into the library, whatever the library holds already.

    Raises:
        BackupDamaged, BackupFailed, BackupMissing: the archive does not do; nothing was taken in.
        DiskFull: no room.
        LibraryError: the library could not be written.
        Stopped: the person stopped it; nothing was taken in.

    Thread: io.
    """
    with told_of_the_disk(paths.home), opened_archive(file) as (zipped, contents):
        staged = paths.home / _STAGED
        make_private_folder(staged)
        lock = LibraryLock.take(staged / ".lock")
        if lock is None:
            raise in_use(paths.home)
        with lock:
            _empty(staged)
            make_private_folder(staged / "recordings")
            try:
                return _take_in(paths, file, zipped, contents, writer, work, free)
            finally:
                remove_tree(staged)


def finish_take_in(paths: Paths) -> None:
    """Finish or sweep what a killed process left; quick when there is nothing.

    Call it once the library can be read. Thread: any.
    """
    staged = paths.home / _STAGED
    if not staged.is_dir():
        return
    lock = LibraryLock.take(staged / ".lock")
    if lock is None:
        return  # somebody is at it
    with lock, told_of_the_disk(paths.home):
        try:
            added = json.loads((staged / _PLAN).read_bytes())["added"]
        except (OSError, ValueError, KeyError, TypeError):
            added = None
        if added is not None and _is_in(paths, added):
            _move_sounds(paths, staged)
        remove_tree(staged)


def _is_in(paths: Paths, added: list[str]) -> bool:
    """Return whether the rows are in the library: all of them are, or none."""
    with LibraryReader(paths.library) as reader:
        return not added or reader.recording(added[0]) is not None


def _take_in(
    paths: Paths,
    file: Path,
    zipped: ZipFile,
    contents: Contents,
    writer: LibraryWriter,
    work: Work,
    free: Callable[[Path], int],
) -> Merged:
    staged = paths.home / _STAGED
    needed = contents.database.size_bytes + sum(each.size_bytes for each in contents.files)
    if (available := free(paths.home)) < needed + _SPARE_BYTES:
        raise no_room(paths.home, needed + _SPARE_BYTES, available)
    work.begin(needed)
    unpack_database(zipped, contents, file, staged / _DATABASE, work)
    try:
        with closing(_opened(staged / _DATABASE)) as connection:
            found = _compare(paths, Incoming(connection, contents.home))
        places = _places(staged / _DATABASE, contents, found)
        for held in contents.files:
            place = places.get(held.path)
            if place is None or (paths.home / place).exists():
                work.did(held.size_bytes)
            else:
                unpack_sound(zipped, held, file, staged / place, work)
        _sync_folders(staged)
        write_whole(staged / _PLAN, json.dumps({"added": found.added}).encode())
        sync_folder(staged)
        with closing(_opened(staged / _DATABASE)) as connection:
            merged = writer.merge(Incoming(connection, contents.home), paths.home).result()
    except (ValueError, TypeError, sqlite3.Error) as error:
        raise archive_damaged(file, _DATABASE) from error
    _move_sounds(paths, staged)
    return merged


def _opened(database: Path) -> sqlite3.Connection:
    uri = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _compare(paths: Paths, incoming: Incoming) -> _Compared:
    compared = _Compared([], set(), set())
    opened = open_readonly(paths.library)
    with closing(opened.connection) as own:
        for row in incoming.recordings():
            key = str(row["recording_id"])
            found = twin(own, incoming, row)
            if found is None:
                compared.added.append(key)
                compared.silent.add(key)
            elif found != key:
                compared.doubles.add(key)
            elif not is_there(
                own.execute(
                    "SELECT audio_path FROM recordings WHERE recording_id = ?", (key,)
                ).fetchone()[0]
            ):
                compared.silent.add(key)
    return compared


def _places(database: Path, contents: Contents, found: _Compared) -> dict[str, str]:
    """Return where in the home each sound file goes that is wanted here."""
    places = {
        each.path: each.path
        for each in contents.files
        if not each.path.startswith(IMPORTED) and each.path.split("/")[1] not in found.doubles
    }
    connection = sqlite3.connect(database, isolation_level=None)
    with closing(connection):
        wanted = [each for each in contents.files if each.path.split("/")[1] in found.silent]
        back = imported_back(connection, wanted)
        point_to_own(connection, back, contents.home)
    return {**places, **{path: place for path, (_id, place) in back.items()}}


def _sync_folders(staged: Path) -> None:
    for folder in (staged / "recordings").iterdir():
        sync_folder(folder)


def _move_sounds(paths: Paths, staged: Path) -> None:
    """Move what is not here yet into the recordings' own folders."""
    for source in sorted(staged.glob("recordings/*/*")):
        make_private_folder(paths.recordings)
        target = make_private_folder(paths.recordings / source.parent.name) / source.name
        if not target.exists():
            source.rename(target)
            sync_folder(target.parent)
    if paths.recordings.is_dir():
        sync_folder(paths.recordings)


def _empty(staged: Path) -> None:
    for each in staged.iterdir():
        if each.name != ".lock":
            remove_tree(each)
