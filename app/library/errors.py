"""What SQLite and the disk say, turned into a sentence a person can act on.

Nothing else in the app sees a `sqlite3.Error`, except one that means a bug of ours (a broken
constraint, a misused call): that stays what it is.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import (
    AppError,
    DiskFull,
    LibraryDamaged,
    LibraryError,
    LibraryLocked,
    LibraryReadOnly,
    LibraryTooNew,
    Stopped,
    mark,
)

_NEARLY_NOTHING_BYTES = 4 * 1024 * 1024  # below this a failed write is a full disk
_NAMED = 3  # how many files a sentence names
_OUR_BUGS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOST = {errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ENOTCONN}  # of a disk pulled out
# What SQLite says where the disk, the memory or somebody's patience failed, and not the file.
_NOT_THE_FILE = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOMEM", "SQLITE_INTERRUPT")
_THE_FILE = ("SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")


def disk_full(file: Path) -> DiskFull:
    return DiskFull(
        mark("There is no room left on the disk that holds “{folder}”."),
        mark("Free some space and try again. Everything saved so far is safe."),
        folder=str(file.parent),
    )


def damaged(file: Path) -> LibraryDamaged:
    return LibraryDamaged(
        mark("The library file “{file}” is damaged."),
        mark("Repair it: undertone library salvage, or restore a backup."),
        file=str(file),
    )


def failing_disk(file: Path, reason: str) -> LibraryError:
    return LibraryError(
        mark("The disk cannot give all of the library “{file}”: {reason}."),
        mark("Check the disk. Then: undertone library salvage --force, or restore a backup."),
        file=str(file),
        reason=reason,
    )


def foreign_parts(file: Path, part: str) -> LibraryDamaged:
    return LibraryDamaged(
        mark("The library file “{file}” holds something Undertone did not write: “{part}”."),
        mark("Restore a backup, or move the file away and start a new library."),
        file=str(file),
        part=part,
    )


def not_a_library(file: Path) -> LibraryDamaged:
    return LibraryDamaged(
        mark("“{file}” is not an Undertone library."),
        mark("Move the file away; Undertone then starts a new library in its place."),
        file=str(file),
    )


def moved_away(file: Path) -> LibraryError:
    return LibraryError(
        mark("The library file “{file}” was moved or deleted while Undertone was using it."),
        mark("Put it back, or connect its disk, and start Undertone again."),
        file=str(file),
    )


def out_of_reach(file: Path, reason: str) -> LibraryError:
    return LibraryError(
        mark("The library “{file}” cannot be used at the moment: {reason}."),
        mark("Try again. If that does not help, check its disk, then restore a backup."),
        file=str(file),
        reason=reason,
    )


def read_only(file: Path) -> LibraryReadOnly:
    return LibraryReadOnly(
        mark("The library in “{folder}” can be read but not changed."),
        mark("Allow writing to that folder, or choose another place for the library."),
        folder=str(file.parent),
    )


def too_new(file: Path) -> LibraryTooNew:
    return LibraryTooNew(
        mark("The library “{file}” was written by a newer Undertone."),
        mark("Update Undertone. Until then the library can be read and exported, not changed."),
        file=str(file),
    )


def locked(file: Path) -> LibraryLocked:
    return LibraryLocked(
        mark("Another program is using the library “{file}”."),
        mark("Close the other program, or wait a moment and try again."),
        file=str(file),
    )


def not_deleted(files: Sequence[Path]) -> LibraryError:
    return LibraryError(
        mark("What was removed is gone except {files}, which could not be deleted."),
        mark("Unlock it and delete it yourself; otherwise it may come back to the list."),
        files=", ".join(f"“{file}”" for file in files[:_NAMED]) + (" …" * (len(files) > _NAMED)),
    )


def stopped() -> Stopped:
    return Stopped(mark("Stopped. Nothing was changed."), mark("You can begin again at any time."))


def library_error(error: sqlite3.Error | OSError, file: Path) -> AppError:
    """Return the sentence for `error`, met while using the library `file`."""
    if isinstance(error, OSError):
        return _disk_error(error, file)
    name = _name_of(error)
    if name.startswith("SQLITE_FULL"):
        return disk_full(file)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return locked(file)
    if name == "SQLITE_READONLY_DBMOVED":
        return moved_away(file)
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return read_only(file)
    if means_damage(error):
        return damaged(file)
    if _is_gone(file):
        return moved_away(file)
    if name.startswith("SQLITE_CANTOPEN") and file.is_dir():
        return not_a_library(file)
    if name.startswith("SQLITE_CANTOPEN") and _is_kept_from_writing(file):
        return read_only(file)
    if name.startswith("SQLITE_IOERR"):
        return disk_full(file) if _is_nearly_full(file) else failing_disk(file, str(error))
    return out_of_reach(file, str(error))


def means_damage(error: sqlite3.Error) -> bool:
    """Whether `error` says that the file itself is wrong, not that it could not be had just now."""
    name = _name_of(error)
    passing = ("SQLITE_BUSY", "SQLITE_LOCKED", *_NOT_THE_FILE)
    return name.startswith(_THE_FILE) or not name.startswith(passing)


def _name_of(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or ""


def _disk_error(error: OSError, file: Path) -> AppError:
    if error.errno in _FULL:
        return disk_full(file)
    if error.errno in _DENIED:
        return read_only(file)
    if error.errno in _LOST or (error.errno == errno.ENOENT and _is_gone(file)):
        return moved_away(file)
    return out_of_reach(file, error.strerror or str(error))


@contextmanager
def told_plainly(file: Path) -> Iterator[None]:
    """Turn every SQLite or disk error inside into the sentence for it."""
    try:
        yield
    except _OUR_BUGS:
        raise
    except (sqlite3.Error, OSError) as error:
        raise library_error(error, file) from error


def _is_gone(file: Path) -> bool:
    try:
        file.stat()
    except OSError as error:
        return error.errno in {errno.ENOENT, errno.ENOTDIR, *_LOST}
    return False


def _is_kept_from_writing(file: Path) -> bool:
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK | os.X_OK):
        return True
    return file.exists() and not os.access(file, os.W_OK)


def _is_nearly_full(file: Path) -> bool:
    try:
        return shutil.disk_usage(file.parent).free < _NEARLY_NOTHING_BYTES
    except OSError:
        return False
