"""Taking an archive in: its sound beside the library first, then all rows at once, then the sound.

The rows of an archive are one transaction. What a kill leaves is finished at the next opening where
that transaction is in the library, and swept where it is not.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from app.config.paths import Paths, make_private_folder
from app.core.backup import Merged
from app.core.errors import AppError
from app.library.archive import Contents, opened_archive, unpack_database, unpack_sound
from app.library.backing_up import free_bytes
from app.library.backup import hand_over, sync_folder
from app.library.backup_errors import archive_damaged, in_use, no_room, sound_follows
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
            _settle(paths, staged)  # what a killed one left
            taking = _Taking(paths, file, zipped, contents, writer, work)
            try:
                return taking.run(free)
            finally:
                if not taking.is_merging:  # else the next opening looks what became of it
                    with contextlib.suppress(AppError, OSError):
                        _settle(paths, staged)
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
        _settle(paths, staged)
        remove_tree(staged)


def _settle(paths: Paths, staged: Path) -> None:
    """Finish what is in the library, sweep the rest."""
    try:
        added = json.loads((staged / _PLAN).read_bytes())["added"]
    except (OSError, ValueError, KeyError, TypeError):
        added = None
    if added is not None and _is_in(paths, added):
        _move_sounds(paths, staged)
    for each in staged.iterdir():
        if each.name != ".lock":
            remove_tree(each)


def _is_in(paths: Paths, added: list[str]) -> bool:
    """Return whether the rows are in the library: all of them came, or none."""
    with LibraryReader(paths.library) as reader:
        return not added or any(reader.recording(key) is not None for key in added)


class _Taking:
    """One archive on its way into the library."""

    def __init__(
        self,
        paths: Paths,
        file: Path,
        zipped: ZipFile,
        contents: Contents,
        writer: LibraryWriter,
        work: Work,
    ) -> None:
        self._paths = paths
        self._staged = paths.home / _STAGED
        self._file = file
        self._zipped = zipped
        self._contents = contents
        self._writer = writer
        self._work = work
        self._merging: Future[Merged] | None = None

    @property
    def is_merging(self) -> bool:
        """Whether the writer is still at the rows."""
        return self._merging is not None and not self._merging.done()

    def run(self, free: Callable[[Path], int]) -> Merged:
        contents, home = self._contents, self._paths.home
        needed = contents.database.size_bytes + sum(each.size_bytes for each in contents.files)
        if (available := free(home)) < needed + _SPARE_BYTES:
            raise no_room(home, needed + _SPARE_BYTES, available)
        self._work.begin(needed)
        database = self._staged / _DATABASE
        unpack_database(self._zipped, contents, self._file, database, self._work)
        try:
            with closing(_opened(database)) as connection:
                found = _compare(self._paths, Incoming(connection, contents.home))
            self._unpack_sounds(_places(database, contents, found))
            write_whole(self._staged / _PLAN, json.dumps({"added": found.added}).encode())
            sync_folder(self._staged)
            merged = self._merge(database)
        except (ValueError, TypeError, sqlite3.Error) as error:
            raise archive_damaged(self._file, _DATABASE) from error
        try:
            _move_sounds(self._paths, self._staged)
        except OSError as error:
            raise sound_follows(error, self._paths.recordings) from error
        return merged

    def _unpack_sounds(self, places: dict[str, str]) -> None:
        recordings = make_private_folder(self._staged / "recordings")
        for held in self._contents.files:
            place = places.get(held.path)
            if place is None or (self._paths.home / place).exists():
                self._work.did(held.size_bytes)
            else:
                unpack_sound(self._zipped, held, self._file, self._staged / place, self._work)
        for folder in recordings.iterdir():
            hand_over(folder)

    def _merge(self, database: Path) -> Merged:
        """Take the rows in. The writer goes on after Ctrl-C, so it is waited for."""
        connection = _opened(database)
        incoming = Incoming(connection, self._contents.home)
        self._merging = self._writer.merge(incoming, self._paths.home)
        # Never closed while the writer reads from it.
        self._merging.add_done_callback(lambda _merged: connection.close())
        try:
            return self._merging.result()
        except BaseException:
            wait([self._merging])
            raise


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


def _move_sounds(paths: Paths, staged: Path) -> None:
    """Move what is not here yet into the recordings' own folders."""
    for source in sorted(staged.glob("recordings/*/*")):
        make_private_folder(paths.recordings)
        target = make_private_folder(paths.recordings / source.parent.name) / source.name
        if not target.exists():
            source.rename(target)
            hand_over(target.parent)
    if paths.recordings.is_dir():
        sync_folder(paths.recordings)
