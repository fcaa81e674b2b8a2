"""The sentences for what can go wrong with backups and archives, each said once."""

import errno
from pathlib import Path

from app.core.errors import AppError, BackupDamaged, BackupFailed, BackupMissing, DiskFull, mark

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ESTALE, errno.ENOTCONN}


def not_there(folder: Path) -> BackupMissing:
    return BackupMissing(
        mark("The disk or folder for backups is not there: “{folder}”."),
        mark("Connect the disk; Undertone then goes on by itself. Or choose another folder."),
        folder=str(folder),
    )


def inside_the_library(folder: Path) -> BackupFailed:
    return BackupFailed(
        mark("“{folder}” lies inside the library, and would be lost together with it."),
        mark("Choose a folder elsewhere, best on another disk."),
        folder=str(folder),
    )


def not_writable(folder: Path) -> BackupFailed:
    return BackupFailed(
        mark("Nothing can be written to “{folder}”."),
        mark("Allow writing to that folder, or choose another one for backups."),
        folder=str(folder),
    )


def no_room(folder: Path, needed_bytes: int, free_bytes: int) -> DiskFull:
    return DiskFull(
        mark("There is no room on the disk of “{folder}”: {needed} are needed, {free} are free."),
        mark("Free some space there, or choose another disk."),
        folder=str(folder),
        needed=_size(needed_bytes),
        free=_size(free_bytes),
    )


def filled_up(folder: Path) -> DiskFull:
    return DiskFull(
        mark("The disk of “{folder}” is full."),
        mark("Free some space there, or choose another disk. What was there before is unharmed."),
        folder=str(folder),
    )


def in_use(folder: Path) -> BackupFailed:
    return BackupFailed(
        mark("Another Undertone is working in “{folder}” just now."),
        mark("Wait until it is done, then try again."),
        folder=str(folder),
    )


def no_library(folder: Path) -> BackupFailed:
    return BackupFailed(
        mark("There is no library yet in “{folder}”."),
        mark("Record or transcribe something first."),
        folder=str(folder),
    )


def library_not_whole(last: str) -> BackupFailed:
    return BackupFailed(
        mark("The library is damaged, so no backup was made of it; those from before are kept."),
        mark("Restore the last backup ({last}), or check the library."),
        last=last,
    )


def no_backups(folder: Path) -> BackupMissing:
    return BackupMissing(
        mark("There are no backups in “{folder}”."),
        mark("Choose the folder that you chose for backups."),
        folder=str(folder),
    )


def backup_damaged(name: str, part: str) -> BackupDamaged:
    return BackupDamaged(
        mark("The backup of {name} is damaged: “{part}” is not what was put into it."),
        mark("Restore an older backup."),
        name=name,
        part=part,
    )


def sounds_damaged(name: str, count: int, part: str) -> BackupDamaged:
    return BackupDamaged(
        mark("The backup of {name} is damaged: {count} of its sound files are not whole ({part})."),
        mark("Restore an older backup, or this one without the sound of those recordings."),
        name=name,
        count=count,
        part=part,
    )


def backup_too_new(name: str) -> BackupFailed:
    return BackupFailed(
        mark("The backup of {name} was made by a newer Undertone."),
        mark("Update Undertone, then restore it."),
        name=name,
    )


def already_there(file: Path) -> BackupFailed:
    return BackupFailed(
        mark("“{file}” is there already, and is no archive of a library."),
        mark("Name another file; --force replaces this one."),
        file=str(file),
    )


def not_an_archive(file: Path) -> BackupDamaged:
    return BackupDamaged(
        mark("“{file}” is not an archive of an Undertone library."),
        mark("Choose a file that Undertone wrote with “Export Everything”."),
        file=file.name,
    )


def archive_unreadable(file: Path) -> BackupFailed:
    return BackupFailed(
        mark("The file “{file}” cannot be read."),
        mark("Allow reading it, or use another copy of the archive."),
        file=file.name,
    )


def archive_damaged(file: Path, part: str) -> BackupDamaged:
    return BackupDamaged(
        mark("The archive “{file}” is damaged: “{part}” is not what was put into it."),
        mark("Nothing was taken in. Use another copy of the archive."),
        file=file.name,
        part=part,
    )


def sound_follows(error: OSError, folder: Path) -> AppError:
    is_full = error.errno in _FULL
    return (DiskFull if is_full else BackupFailed)(
        mark("The archive is in the library; some of its sound is not in “{folder}” yet."),
        mark("Free some space there or allow writing to it; the next start puts the sound there."),
        folder=str(folder),
    )


def archive_too_new(file: Path) -> BackupFailed:
    return BackupFailed(
        mark("The archive “{file}” was written by a newer Undertone."),
        mark("Update Undertone, then take it in."),
        file=file.name,
    )


def disk_error(error: OSError, folder: Path) -> AppError:
    """Return the sentence for `error`, met while working in `folder`."""
    if error.errno in _FULL:
        return filled_up(folder)
    if error.errno in _GONE or not folder.exists():
        return not_there(folder)
    return not_writable(folder)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{max(1, round(count / 1e6))} MB"
