"""A folder of backups, and how many of them stay.

    <chosen>/Undertone Backups/
        undertone-backups.json       says that this is one, and which
        backups/2026-11-21T161642Z/  one backup: manifest, database, list of sound files, settings
        sounds/ab/ab12…[.gz]         every sound file once, named by the SHA-256 of its content

A backup is its folder's name: it is renamed into place after all it needs is on the disk. A sound
file goes only when no backup that is left names it, and none at all while one cannot be read.
"""

import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.config.paths import Paths, make_private_folder
from app.core.backup import Keeping, kept
from app.core.errors import AppError
from app.library.backup import sync_folder
from app.library.backup_errors import (
    disk_error,
    in_use,
    inside_the_library,
    no_backups,
    not_there,
    not_writable,
)
from app.library.work import PARTIAL, Content, write_whole

VERSION = 1
FOLDER_NAME = "Undertone Backups"
DATABASE = "library.sqlite.gz"
FILES = "files.jsonl.gz"
SETTINGS = "settings.json"
IMPORTED = "imported"  # sound of imported files that stay where they are, by recording
DAMAGED = ".damaged"  # ends the name of a sound that is not whole, kept until it is there whole
_MARK = "undertone-backups.json"
_NOTE = "Read me.txt"
_MANIFEST = "manifest.json"
_NAME = "%Y-%m-%dT%H%M%SZ"
SAFE_PART = re.compile(r"[A-Za-z0-9][^/\\\x00-\x1f]{0,250}\Z")
_NOTE_TEXT = """\
These are backups of an Undertone library.

To bring one back: open Undertone, Settings, Library, Restore; or in a terminal
    undertone library restore --backup FOLDER
"backups" holds the dates, "sounds" every recording once. Please move or rename nothing in here.
"""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """One file under the library's `recordings`, as a backup or an archive names it.

    `path` is relative to the library's home, or `imported/<id>/sound…` for an imported file that
    lies elsewhere; `changed_ns` is when the file had last changed there.
    """

    path: str
    size_bytes: int
    changed_ns: int
    sha256: str
    is_packed: bool

    @property
    def content(self) -> Content:
        return Content(self.size_bytes, self.sha256)

    @property
    def stored_name(self) -> str:
        return f"{self.sha256}.gz" if self.is_packed else self.sha256


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup as its manifest describes it.

    Attributes:
        parts: the SHA-256 of each file in its folder.
        database: what the unpacked database is.
        home: where the library lay.
        left_out: how many sound files could not be read.
    """

    folder: Path
    made_at: float
    library_id: str
    home: str
    recordings: int
    sounds: int
    size_bytes: int
    left_out: int
    parts: dict[str, str]
    database: Content

    @property
    def name(self) -> str:
        return self.folder.name


class BackupFolder:
    """The backups in one folder.

    Raises (every method):
        BackupMissing, BackupFailed, DiskFull: what is wrong with the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.backups_folder = root / "backups"
        self.sounds_folder = root / "sounds"

    def store_id(self) -> str:
        """Return which folder of backups this is; empty when it is none."""
        try:
            found = json.loads((self.root / _MARK).read_text(encoding="utf-8"))
            return str(found["store_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def make(self) -> str:
        """Make the folders where they are not there, and return which one it is."""
        found = self.store_id()
        with told_of_the_disk(self.root):
            for folder in (self.root, self.backups_folder, self.sounds_folder):
                make_private_folder(folder)
            if not found:
                found = secrets.token_hex(8)
                content = json.dumps({"version": VERSION, "store_id": found})
                write_whole(self.root / _NOTE, _NOTE_TEXT.encode())
                write_whole(self.root / _MARK, content.encode())
                sync_folder(self.root)
        return found

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other Undertones out, as far as this file system knows locks."""
        with told_of_the_disk(self.root):
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise in_use(self.root) from error
            except OSError:
                pass  # a network disk without locks
            yield
        finally:
            os.close(descriptor)

    def backups(self) -> tuple[Backup, ...]:
        """Return all that can be read, newest first."""
        found = (read_manifest(folder) for folder in self._folders())
        readable = (backup for backup in found if backup is not None)
        return tuple(sorted(readable, key=lambda backup: backup.made_at, reverse=True))

    def unreadable(self) -> tuple[str, ...]:
        """Return the names of the backups whose manifest is damaged."""
        return tuple(f.name for f in self._folders() if not (read_manifest(f) or is_newer(f)))

    def newer(self) -> tuple[str, ...]:
        """Return the names of the backups that a newer Undertone made."""
        return tuple(folder.name for folder in self._folders() if is_newer(folder))

    def sound(self, file: SoundFile) -> Path:
        return self.sounds_folder / file.sha256[:2] / file.stored_name

    def has_sound(self, file: SoundFile) -> bool:
        """Return whether the sound seems to be there; only reading it tells whether it is whole."""
        try:
            size = self.sound(file).stat().st_size
        except OSError:
            return False
        return size > 0 if file.is_packed else size == file.size_bytes

    def sweep(self) -> bool:
        """Remove what a killed backup left behind; return whether there was any. Call it locked."""
        folders = (self.root, self.backups_folder, self.sounds_folder)
        left = [partial for folder in folders for partial in folder.glob(f"{PARTIAL}*")]
        for partial in left:
            remove_tree(partial)
        return bool(left)

    def thin(self, keeping: Keeping, backup: Backup) -> int:
        """Remove what need not be kept of `backup`'s library, and return how many backups that was.

        `backup` itself stays. Call it locked.
        """
        ours = [each for each in self.backups() if each.library_id == backup.library_id]
        moments = {each.name: _local(each.made_at) for each in ours}
        stays = kept(moments.values(), keeping)
        leaving = [b for b in ours if moments[b.name] not in stays and b.name != backup.name]
        for each in leaving:
            gone = self.backups_folder / f"{PARTIAL}{each.name}"
            with told_of_the_disk(self.root):
                each.folder.rename(gone)  # at once, whatever happens while its files go
            remove_tree(gone)
        return len(leaving)

    def remove_unnamed_sounds(self, made: Backup) -> int:
        """Remove sound that no backup names; none while a backup cannot be read. Call it locked.

        `made` is the backup of just now: where not even that is listed, the list is not believed.
        """
        named: set[str] = set()
        folders = self._folders()
        if made.name not in {folder.name for folder in folders}:
            return 0
        for folder in folders:
            backup = read_manifest(folder)
            files = read_files(backup) if backup is not None else None
            if files is None:
                return 0
            named.update(file.stored_name for file in files)
        count = 0
        for stored in self.sounds_folder.glob("??/*"):
            whole = stored.with_name(stored.name.removesuffix(DAMAGED))
            is_needed = stored == whole or not whole.exists()  # a damaged one may be the only one
            if whole.name not in named or not is_needed:
                with contextlib.suppress(OSError):
                    stored.unlink()
                    count += 1
        return count

    def _folders(self) -> list[Path]:
        with told_of_the_disk(self.root):
            try:
                with os.scandir(self.backups_folder) as entries:
                    names = [entry.name for entry in entries if entry.is_dir()]
            except FileNotFoundError:
                return []  # a folder that was never finished
        return [self.backups_folder / name for name in sorted(names) if not name.startswith(".")]


def backup_folder(chosen: Path, paths: Paths) -> BackupFolder:
    """Return the folder of backups in the folder a person chose.

    Raises:
        BackupMissing: it is not there.
        BackupFailed: it lies inside the library, or cannot be written.
    """
    if not chosen.is_dir():
        raise not_there(chosen)
    found = BackupFolder(chosen)
    if not found.store_id():
        found = BackupFolder(chosen / FOLDER_NAME)
    if lies_in(found.root, paths.home):
        raise inside_the_library(chosen)
    writable = found.root if found.root.exists() else chosen
    if not os.access(writable, os.W_OK | os.X_OK):
        raise not_writable(chosen)
    return found


def lies_in(folder: Path, home: Path) -> bool:
    """Return whether `folder` is or will be inside `home`, in whatever case it is written."""
    resolved = folder.resolve()
    place = home.stat()
    for each in (resolved, *resolved.parents):
        with contextlib.suppress(OSError):
            if os.path.samestat(each.stat(), place):
                return True
    return False


def existing_backups(chosen: Path) -> BackupFolder:
    """Return the folder of backups in `chosen`, to read.

    Raises:
        BackupMissing: there is none.
    """
    for root in (chosen, chosen / FOLDER_NAME, chosen.parent, chosen.parent.parent):
        if (root / _MARK).is_file():
            return BackupFolder(root)
    raise no_backups(chosen) if chosen.is_dir() else not_there(chosen)


def name_for(made_at: float, folder: BackupFolder) -> str:
    """Return a free name for a backup made then."""
    name = datetime.fromtimestamp(made_at, UTC).strftime(_NAME)
    free, number = name, 1
    while (folder.backups_folder / free).exists():
        number += 1
        free = f"{name}-{number}"
    return free


def shown_name(made_at: float) -> str:
    """Return when a backup was made, for a sentence."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(made_at))


def write_manifest(backup: Backup, folder: Path, *, version: int = VERSION) -> None:
    """Describe `backup` in `folder`, with a check sum over the description itself."""
    described: dict[str, Any] = {
        "version": version,
        **{name: value for name, value in asdict(backup).items() if name != "folder"},
    }
    described["check"] = _check_of(described)
    write_whole(folder / _MANIFEST, json.dumps(described, indent=1).encode())


def read_manifest(folder: Path) -> Backup | None:
    """Return the backup in `folder`; `None` when its manifest is damaged or not understood."""
    described = _described(folder)
    try:
        if described.pop("version") > VERSION:
            return None
        described["database"] = Content(**described["database"])
        return Backup(folder=folder, **described)
    except (KeyError, TypeError):
        return None


def is_newer(folder: Path) -> bool:
    """Return whether a newer Undertone made the backup in `folder`."""
    found = _described(folder).get("version")
    return isinstance(found, int) and found > VERSION


def _described(folder: Path) -> dict[str, Any]:
    """Return what a manifest says; nothing when it is damaged."""
    try:
        described: dict[str, Any] = json.loads((folder / _MANIFEST).read_bytes())
        is_whole = described.pop("check") == _check_of(described)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return described if is_whole else {}


def files_content(files: Iterable[SoundFile]) -> bytes:
    """Return the list of sound files as a backup keeps it."""
    lines = (json.dumps(asdict(file)) for file in files)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), 6, mtime=0)


def read_files(backup: Backup) -> tuple[SoundFile, ...] | None:
    """Return the sound files of a backup; `None` when their list is damaged."""
    try:
        packed = (backup.folder / FILES).read_bytes()
        if hashlib.sha256(packed).hexdigest() != backup.parts.get(FILES):
            return None
        lines = gzip.decompress(packed).decode().splitlines()
        return tuple(sound_file_from(json.loads(line)) for line in lines)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def sound_file_from(described: dict[str, Any]) -> SoundFile:
    """Return a sound file as it was described.

    Raises:
        ValueError, TypeError: it is no description of one, or leads out of `recordings`.
    """
    file = SoundFile(**described)
    parts = file.path.split("/")
    if len(parts) != 3 or parts[0] not in ("recordings", IMPORTED) or "\\" in file.path:
        raise ValueError("no sound file of a library")
    if not all(SAFE_PART.match(part) for part in parts):
        raise ValueError("no name of ours")
    if not re.fullmatch(r"[0-9a-f]{64}", file.sha256) or file.size_bytes < 0:
        raise ValueError("no content")
    return file


def remove_tree(place: Path) -> None:
    """Remove a file or a folder with all that is in it; what cannot be removed stays."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)


@contextlib.contextmanager
def told_of_the_disk(folder: Path) -> Iterator[None]:
    """Turn what the disk says into a sentence."""
    try:
        yield
    except AppError:
        raise
    except OSError as error:
        raise disk_error(error, folder) from error


def _check_of(described: dict[str, Any]) -> str:
    plain = json.dumps(described, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _local(made_at: float) -> datetime:
    return datetime.fromtimestamp(made_at)
