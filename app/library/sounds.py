"""The sound of a library: its own files, and those it only refers to.

An imported file that stays where it is has no name of ours, so a copy of the library names it by
its recording. Back in a library it lies in the recording's own folder, unless the file still stands
where it was.
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths
from app.library.backups import IMPORTED, SAFE_PART, SoundFile
from app.library.rows import recording_value

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}\Z")


@dataclass(frozen=True, slots=True)
class Sound:
    """A file that is to be copied: under which name, where it is, and how it was just now.

    `size_bytes` is -1 for an imported file that cannot be found now.
    """

    path: str
    file: Path
    size_bytes: int
    changed_ns: int


def own_sounds(paths: Paths) -> Iterator[Sound]:
    """Yield every file of the recordings' own folders, in order."""
    for folder in _entries(paths.recordings):
        if not folder.is_dir(follow_symlinks=False) or not SAFE_PART.match(folder.name):
            continue
        for entry in _entries(Path(folder.path)):
            is_ours = SAFE_PART.match(entry.name) and not entry.name.endswith(".part")
            if is_ours and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    path = f"recordings/{folder.name}/{entry.name}"
                    yield Sound(path, Path(entry.path), status.st_size, status.st_mtime_ns)


def imported_sounds(database: Path) -> Iterator[Sound]:
    """Yield every imported file that stays where it is, as the rows of `database` name them."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        rows = connection.execute(
            "SELECT recording_id, audio_path FROM recordings "
            "WHERE NOT is_copy AND audio_path IS NOT NULL AND rerun_of IS NULL ORDER BY number"
        ).fetchall()
    finally:
        connection.close()
    for recording_id, held in rows:
        if not SAFE_PART.match(str(recording_id)):
            continue
        file = Path(os.fsdecode(held))
        path = f"{IMPORTED}/{recording_id}/sound{_suffix(file)}"
        try:
            status = file.stat()
        except OSError:
            yield Sound(path, file, -1, 0)
            continue
        if file.is_file():
            yield Sound(path, file, status.st_size, status.st_mtime_ns)


def imported_back(
    connection: sqlite3.Connection, files: Iterable[SoundFile]
) -> dict[str, tuple[str, str]]:
    """Return which imported files are to be put into the library, as their files moved away.

    By the path of the stored file: the recording, and the path it gets in the home.
    """
    back: dict[str, tuple[str, str]] = {}
    for file in files:
        top, recording_id, name = file.path.split("/")
        if top != IMPORTED:
            continue
        row = connection.execute(
            "SELECT audio_path FROM recordings WHERE recording_id = ?", (recording_id,)
        ).fetchone()
        if row is None or not isinstance(row[0], str | bytes):
            continue
        if not _is_still_there(Path(os.fsdecode(row[0])), file.size_bytes):
            own = f"recordings/{recording_id}/audio{Path(name).suffix}"
            back[file.path] = (recording_id, own)
    return back


def point_to_own(
    connection: sqlite3.Connection, back: dict[str, tuple[str, str]], home: Path
) -> None:
    """Let rows point to the imported files that were put into the library in `home`."""
    connection.execute("BEGIN IMMEDIATE")
    for recording_id, own in back.values():
        value = recording_value("audio_path", home / own)
        connection.execute(  # what is transcribed once more shares the sound, and does not own it
            "UPDATE recordings SET audio_path = ? WHERE rerun_of = ?", (value, recording_id)
        )
        connection.execute(
            "UPDATE recordings SET audio_path = ?, is_copy = 1 WHERE recording_id = ?",
            (value, recording_id),
        )
    connection.execute("COMMIT")


def _is_still_there(file: Path, size_bytes: int) -> bool:
    try:
        return file.is_file() and file.stat().st_size == size_bytes
    except OSError:
        return False


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    return suffix if _SUFFIX.match(suffix) else ""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
