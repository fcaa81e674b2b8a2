"""The whole library as one file, and what an archive from elsewhere is believed.

A zip of the database, every sound file (as it is: FLAC does not shrink), the settings, and a
manifest with the SHA-256 of each. Nothing of an archive is used before it was held against its
manifest, and only names of our own kind are unpacked, into a folder of their own.
"""

import contextlib
import hashlib
import itertools
import json
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.config.paths import Paths, make_private_folder
from app.core.backup import Archived
from app.core.errors import AppError, LibraryTooNew
from app.library.backing_up import CopiedLibrary, copied_database, free_bytes
from app.library.backup import sync_file, sync_folder
from app.library.backup_errors import (
    already_there,
    archive_damaged,
    archive_too_new,
    archive_unreadable,
    inside_the_library,
    no_library,
    no_room,
    not_an_archive,
    not_there,
)
from app.library.backups import (
    SoundFile,
    lies_in,
    remove_tree,
    sound_file_from,
    told_of_the_disk,
)
from app.library.schema import SCHEMA_VERSION, check_schema, migrate, version
from app.library.sounds import Sound, imported_sounds, own_sounds
from app.library.work import (
    BLOCK_BYTES,
    Content,
    Unreadable,
    Work,
    file_blocks,
    new_file,
    partial_beside,
    shrinks,
)

VERSION = 1
_MANIFEST = "undertone-library.json"
_DATABASE = "library.sqlite"
_SETTINGS = "settings.json"
_MANIFEST_BYTES = 512 << 20  # far beyond any library's
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive says it holds."""

    home: Path
    database: Content
    files: tuple[SoundFile, ...]
    recordings: int


def write_archive(
    paths: Paths,
    file: Path,
    work: Work,
    *,
    with_imported: bool = True,
    replaces_any: bool = True,
    free: Callable[[Path], int] = free_bytes,
) -> Archived:
    """Write everything into `file`: afterwards it holds all of it, or what it held before.

    `with_imported` takes the sound of imported files along that stay where they are. Without
    `replaces_any` a file that is no archive of ours is let alone.

    Raises:
        BackupFailed, BackupMissing: the place does not do, or there is no library.
        DiskFull: no room.
        Stopped: the person stopped it.

    Thread: io.
    """
    if not paths.library.exists():
        raise no_library(paths.home)
    file = file.absolute()
    if not file.parent.is_dir():
        raise not_there(file.parent)
    if lies_in(file.parent, paths.home):
        raise inside_the_library(file.parent)
    if not replaces_any and file.exists() and not _is_archive(file):
        raise already_there(file)
    partial = partial_beside(file)
    with told_of_the_disk(file.parent), copied_database(paths) as source:
        found = list(own_sounds(paths))
        found += imported_sounds(source.database) if with_imported else ()
        found = [sound for sound in found if sound.size_bytes >= 0]
        total = source.database.stat().st_size + sum(sound.size_bytes for sound in found)
        if (available := free(file.parent)) < total + _SPARE_BYTES:
            raise no_room(file.parent, total + _SPARE_BYTES, available)
        work.begin(total)
        try:
            with new_file(partial) as out, zipfile.ZipFile(out, "w") as zipped:
                left_out = _write(zipped, paths, source, found, work)
            sync_file(partial)
            partial.replace(file)
            sync_folder(file.parent)
        finally:
            remove_tree(partial)
    return Archived(file.name, source.recordings, left_out)


def _is_archive(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as zipped:
            return _MANIFEST in zipped.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _write(
    zipped: zipfile.ZipFile, paths: Paths, source: CopiedLibrary, found: list[Sound], work: Work
) -> int:
    """Write all members; return how many files could not be read."""
    database = _pack(zipped, _DATABASE, source.database, work)
    files = [held for sound in found if (held := _pack_sound(zipped, sound, work))]
    held_paths = {held.path for held in files}
    left_out = sum(sound.path not in held_paths and sound.file.exists() for sound in found)
    if paths.settings.is_file():
        _pack(zipped, _SETTINGS, paths.settings, work)
    described = {
        "version": VERSION,
        "made_at": time.time(),
        "home": str(paths.home),
        "recordings": source.recordings,
        "database": asdict(database),
        "files": [asdict(each) for each in files],
    }
    zipped.writestr(_MANIFEST, json.dumps(described), zipfile.ZIP_DEFLATED)
    return left_out


def _pack_sound(zipped: zipfile.ZipFile, sound: Sound, work: Work) -> SoundFile | None:
    try:
        content = _pack(zipped, sound.path, sound.file, work)
    except Unreadable:  # removed meanwhile, not ours to read, or its disk is bad
        return None
    return SoundFile(sound.path, content.size_bytes, sound.changed_ns, content.sha256, False)


def _pack(zipped: zipfile.ZipFile, name: str, source: Path, work: Work) -> Content:
    """Put a file into the archive, deflated only where that makes it smaller.

    Raises:
        Unreadable: it could not be read to its end; what was read of it is in the archive.
        OSError: the archive could not be written.
    """
    blocks = file_blocks(source)
    head = next(blocks, b"")
    entry = zipfile.ZipInfo(name, _zip_time())
    entry.compress_type = zipfile.ZIP_DEFLATED if shrinks(head) else zipfile.ZIP_STORED
    entry.external_attr = 0o600 << 16
    digest, size = hashlib.sha256(), 0
    with zipped.open(entry, "w", force_zip64=True) as writing:
        for block in itertools.chain((head,), blocks):
            work.did(len(block))
            digest.update(block)
            size += len(block)
            writing.write(block)
    return Content(size, digest.hexdigest())


def _zip_time() -> tuple[int, int, int, int, int, int]:
    """Return now, in the years that a zip knows."""
    now = time.localtime()
    year = min(max(now.tm_year, 1980), 2107)
    return (year, now.tm_mon, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec)


@contextlib.contextmanager
def opened_archive(file: Path) -> Iterator[tuple[zipfile.ZipFile, Contents]]:
    """Open an archive and read what it holds.

    Raises:
        BackupDamaged: it is no archive of ours, or damaged.
        BackupFailed: a newer Undertone wrote it, or it cannot be read.
        BackupMissing: it is not there.
    """
    if not file.is_file():
        raise not_there(file)
    try:
        with contextlib.ExitStack() as opened:
            try:
                zipped = opened.enter_context(zipfile.ZipFile(file))
                contents = _contents(zipped, file)
            except OSError as error:
                raise archive_unreadable(file) from error
            yield zipped, contents
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise not_an_archive(file) from error


def _contents(zipped: zipfile.ZipFile, file: Path) -> Contents:
    try:
        with zipped.open(_MANIFEST) as reading:
            text = reading.read(_MANIFEST_BYTES)
    except KeyError as error:
        raise not_an_archive(file) from error
    try:
        described: dict[str, Any] = json.loads(text)
        if int(described["version"]) > VERSION:
            raise archive_too_new(file)
        return Contents(
            home=Path(str(described["home"])),
            database=Content(**described["database"]),
            files=tuple(sound_file_from(each) for each in described["files"]),
            recordings=int(described["recordings"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise archive_damaged(file, _MANIFEST) from error


def unpack_database(
    zipped: zipfile.ZipFile, contents: Contents, file: Path, target: Path, work: Work
) -> None:
    """Unpack the archive's database into `target`, checked and on our schema.

    Raises:
        BackupDamaged: it is not what was put in, or no library of ours.
        BackupFailed: a newer Undertone wrote it.
    """
    if not _unpack(zipped, _DATABASE, contents.database, target, work):
        raise _not_whole(file, _DATABASE)
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if version(connection) > SCHEMA_VERSION:
            raise archive_too_new(file)
        check_schema(connection, target)
        migrate(connection)
        if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise archive_damaged(file, _DATABASE)
    except LibraryTooNew as error:
        raise archive_too_new(file) from error
    except sqlite3.Error as error:
        raise archive_damaged(file, _DATABASE) from error
    finally:
        connection.close()


def unpack_sound(
    zipped: zipfile.ZipFile, held: SoundFile, file: Path, target: Path, work: Work
) -> None:
    """Unpack one sound file to `target`.

    Raises:
        BackupDamaged: it is not what was put in.
    """
    make_private_folder(target.parent)
    if not _unpack(zipped, held.path, held.content, target, work):
        raise _not_whole(file, held.path)


def _unpack(zipped: zipfile.ZipFile, name: str, wanted: Content, target: Path, work: Work) -> bool:
    """Unpack a member into a new file; never more of it than it says it is."""
    digest, size = hashlib.sha256(), 0
    try:
        with new_file(target) as writing:
            for block in _member_blocks(zipped, name):
                work.did(len(block))
                size += len(block)
                if size > wanted.size_bytes:
                    return False
                digest.update(block)
                writing.write(block)
    except Unreadable:
        return False
    return size == wanted.size_bytes and digest.hexdigest() == wanted.sha256


def _member_blocks(zipped: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with zipped.open(name) as reading:
            while block := reading.read(BLOCK_BYTES):
                yield block
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unreadable(getattr(error, "errno", None), str(error)) from error


def _not_whole(file: Path, part: str) -> AppError:
    """Return what is wrong with an archive whose `part` is not what was put in."""
    return archive_damaged(file, part) if file.is_file() else not_there(file)
