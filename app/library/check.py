"""Everything that can be wrong with a library, found without changing it.

Only where the search index is wrong a note is left, so that the next writer makes it anew. Each
finding has a stable kind, a sentence and a way out; a library without findings is whole, on a disk
with room, and for this user's eyes alone.
"""

import os
import re
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from app.config.paths import Paths
from app.core.errors import (
    AppError,
    LibraryDamaged,
    LibraryLocked,
    LibraryReadOnly,
    Phrase,
    mark,
)
from app.core.finding import Finding, Severity
from app.library.connection import mend_file, open_readonly
from app.library.errors import damaged, told_plainly
from app.library.rows import PackedWords, segment_crc
from app.library.schema import SEARCH_TABLE

_GIB = 1024**3
_WARN_BYTES = 5 * _GIB
_REFUSE_BYTES = 2 * _GIB
_NAMED = 3  # how many examples a sentence names

# Where cloud services keep their folders: syncing a live SQLite file can damage it.
_CLOUDS = (
    ("iCloud Drive", re.compile(r"/Library/Mobile Documents(/|$)|/iCloud Drive(/|$)")),
    ("Dropbox", re.compile(r"/Dropbox( \([^/]*\))?(/|$)|/CloudStorage/Dropbox")),
    ("OneDrive", re.compile(r"/OneDrive( ?- ?[^/]*)?(/|$)|/CloudStorage/OneDrive")),
    ("Google Drive", re.compile(r"/(Google Drive|GoogleDrive|My Drive)(/|$)|/CloudStorage/Google")),
    ("a cloud folder", re.compile(r"/Library/CloudStorage/")),
)


def check_library(paths: Paths) -> list[Finding]:
    """Return what is wrong with the library under `paths`; empty when all is well.

    A library that does not exist yet is well. May take seconds for a large one.
    """
    found = [*look_at_place(paths), *_permissions(paths)]
    if paths.library.exists():
        found += _file(paths.library)
    return found


def look_at_place(paths: Paths) -> list[Finding]:
    """Return what is wrong with where the library lies: rights, room, a cloud that copies it."""
    return [*_folder(paths), *_disk(paths), *_cloud(paths)]


def cloud_of(folder: Path) -> str | None:
    """Return the cloud service that syncs `folder`, as far as its path tells."""
    path = str(folder)
    return next((name for name, pattern in _CLOUDS if pattern.search(path)), None)


def _folder(paths: Paths) -> Iterator[Finding]:
    folder = _nearest(paths.home)
    if not os.access(folder, os.W_OK | os.X_OK) or _is_on_a_closed_disk(folder):
        yield Finding(
            "folder_not_writable",
            Severity.ERROR,
            Phrase(mark("Undertone may not write to its folder “{folder}”."), {"folder": folder}),
            Phrase(mark("Give yourself the right to write there, or move the library.")),
        )
    if paths.library.exists() and not os.access(paths.library, os.W_OK):
        yield Finding(
            "file_not_writable",
            Severity.ERROR,
            Phrase(
                mark("The library file “{file}” can be read but not changed."),
                {"file": paths.library},
            ),
            Phrase(mark("Give yourself the right to write to it.")),
        )


def _disk(paths: Paths) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(_nearest(paths.home)).free
    except OSError:
        return
    if free >= _WARN_BYTES:
        return
    yield Finding(
        "disk_low",
        Severity.ERROR if free < _REFUSE_BYTES else Severity.WARNING,
        Phrase(
            mark("Only {free} GB are free on the disk that holds the library."),
            {"free": f"{free / _GIB:.1f}"},
        ),
        Phrase(mark("Free some space: recordings and models need it.")),
    )


def _cloud(paths: Paths) -> Iterator[Finding]:
    name = cloud_of(paths.home.absolute()) or cloud_of(_resolved(paths.home))
    if name is not None:
        yield Finding(
            "cloud_folder",
            Severity.WARNING,
            Phrase(
                mark("The library lies in a folder that {service} copies: “{folder}”."),
                {"service": name, "folder": paths.home},
            ),
            Phrase(mark("Move it elsewhere: copying a library in use can damage it. Use backups.")),
        )


def _permissions(paths: Paths) -> Iterator[Finding]:
    files = [
        paths.home,
        paths.library,
        *(paths.library.with_name(f"{paths.library.name}{end}") for end in ("-wal", "-shm")),
        paths.recordings,
        paths.settings,
    ]
    is_open = []
    for file in files:
        try:
            if file.stat().st_mode & 0o077:
                is_open.append(file)
        except OSError:
            continue
    if is_open:
        yield Finding(
            "too_open",
            Severity.WARNING,
            Phrase(
                mark("Other people on this computer can open {files}."),
                {"files": _few([f"“{file}”" for file in is_open])},
            ),
            Phrase(
                mark("Close it to them with: {command}"),
                {"command": f"chmod -R go-rwx '{paths.home}'"},
            ),
        )


def _file(file: Path) -> list[Finding]:
    try:
        with told_plainly(file):
            opened = open_readonly(file)
    except AppError as error:
        return [_of(error)]
    try:
        if opened.is_unborn:
            return []
        if opened.is_too_new:
            return [
                Finding(
                    "library_too_new",
                    Severity.ERROR,
                    Phrase(mark("The library was written by a newer Undertone.")),
                    Phrase(mark("Update Undertone. Until then it can only be read.")),
                )
            ]
        with told_plainly(file):
            whole = list(_integrity(opened.connection, file))
            if whole:
                return whole
            return [
                *_segments(opened.connection),
                *look_at_index(opened.connection, file, is_frozen=opened.is_frozen),
                *_audio(opened.connection),
            ]
    except AppError as error:
        return [_of(error)]
    finally:
        opened.connection.close()


def _of(error: AppError) -> Finding:
    for sort, kind in (
        (LibraryReadOnly, "library_read_only"),
        (LibraryDamaged, "library_damaged"),
        (LibraryLocked, "library_locked"),
    ):
        if isinstance(error, sort):
            return Finding(kind, Severity.ERROR, error.message, error.hint)
    return Finding("library_out_of_reach", Severity.ERROR, error.message, error.hint)


def _integrity(connection: sqlite3.Connection, file: Path) -> Iterator[Finding]:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        error = damaged(file)
        yield Finding("library_damaged", Severity.ERROR, error.message, error.hint)
        return
    orphans = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    if orphans:
        yield Finding(
            "orphans",
            Severity.ERROR,
            Phrase(mark("{count} entries belong to recordings that are gone."), {"count": orphans}),
            Phrase(mark("Repair it with: undertone library check.")),
        )


def _segments(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Compare every segment with the check sum it was stored with."""
    bad: dict[str, None] = {}
    for title, crc, start_s, end_s, text, raw, texts, numbers in connection.execute(
        "SELECT r.title, s.crc, s.start_s, s.end_s, s.text, s.raw, w.texts, w.numbers "
        "FROM segments s JOIN recordings r ON r.number = s.recording "
        "LEFT JOIN words w ON w.recording = s.recording AND w.seq = s.seq"
    ):
        packed = None if texts is None else PackedWords(texts, numbers)
        try:
            is_whole = segment_crc(start_s, end_s, text, packed, raw) == crc
        except (AttributeError, TypeError, struct.error):  # columns of another type
            is_whole = False
        if not is_whole:
            bad[title] = None
    if bad:
        yield Finding(
            "segments_damaged",
            Severity.ERROR,
            Phrase(
                mark("Text of {count} recordings is not what was saved: {titles}."),
                {"count": len(bad), "titles": _few([f"“{title}”" for title in bad])},
            ),
            Phrase(mark("Transcribe them again, or restore a backup of the library.")),
        )


def look_at_index(connection: sqlite3.Connection, file: Path, is_frozen: bool) -> Iterator[Finding]:
    """Yield what is wrong with the search index, and note it for the next writer."""
    unindexed = connection.execute(
        "SELECT COUNT(*) FROM recordings r LEFT JOIN documents d USING (number) "
        "WHERE d.number IS NULL OR (indexed_segments < "
        "(SELECT COUNT(*) FROM segments WHERE recording = r.number) AND r.status <> 'working')"
    ).fetchone()[0]
    drifted = False
    if not is_frozen and os.access(file, os.W_OK):
        # FTS5 checks itself through an INSERT, so the read-only connection does not serve.
        writing = sqlite3.connect(file, timeout=5.0, isolation_level=None)
        try:
            writing.execute(
                f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.DatabaseError as error:
            if not str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_CORRUPT"):
                raise
            drifted = True
            mend_file(file).touch(mode=0o600)
        finally:
            writing.close()
    if unindexed or drifted:
        yield Finding(
            "search_drift",
            Severity.WARNING,
            Phrase(mark("Search does not find everything in the library.")),
            Phrase(mark("Restart Undertone: it mends its index after it starts.")),
        )


def _audio(connection: sqlite3.Connection) -> Iterator[Finding]:
    missing = []
    for title, path in connection.execute(
        "SELECT title, audio_path FROM recordings WHERE audio_path IS NOT NULL"
    ).fetchall():
        if not Path(os.fsdecode(path)).exists():
            missing.append(f"“{title}”")
    if missing:
        yield Finding(
            "audio_missing",
            Severity.WARNING,
            Phrase(
                mark("The sound of {count} recordings is not where it was: {titles}."),
                {"count": len(missing), "titles": _few(missing)},
            ),
            Phrase(mark("Put the files back. Their transcripts are safe.")),
        )


def _few(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _nearest(folder: Path) -> Path:
    """Return `folder`, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _is_on_a_closed_disk(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder
