"""A damaged library made anew from every row that can still be read.

The damaged file is only read. The new one is written beside it and is whole under its name or not
there. Each segment is held against its check sum; what does not agree keeps its text and loses its
words, unless the recording's own folder has it better.
"""

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils.db import Database

from app.core.ids import time_of_id
from app.core.recording import RecordingKind, RecordingStatus
from app.library import changes
from app.library.backup import sync_file, sync_folder
from app.library.errors import damaged, stopped, told_plainly
from app.library.mend import Folders, Mended, adopt_orphans, complete, drop_loose_ends
from app.library.pages import DamagedFile, Row
from app.library.revise import RevisionKind, unpack_segments
from app.library.rows import (
    Value,
)
from app.library.schema import migrate
from app.library.transaction import Transaction

_PAGES_A_STEP = 256
_KINDS = frozenset(str(kind) for kind in RecordingKind)
_STATES = frozenset(str(status) for status in RecordingStatus)
_VERSIONS = frozenset(str(kind) for kind in RevisionKind)

Progress = Callable[[float], None]


@dataclass(slots=True)
class Salvaged(Mended):
    """What came of it, and how many recordings and segments the new library has."""

    recordings: int = 0
    segments: int = 0


def salvage(
    file: Path,
    target: Path,
    folders: Folders,
    progress: Progress = lambda _fraction: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Salvaged:
    """Write every readable row of the damaged library `file` into the new library `target`.

    Raises:
        LibraryError, DiskFull: it could not be read or written; there is no `target` then.
        Stopped: `is_stopped` said so.
    """
    partial = target.with_name(f"{target.name}.partial")
    with told_plainly(target):
        _clear(partial)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with told_plainly(file):
            pages = DamagedFile(file)
        with told_plainly(target):
            connection = sqlite3.connect(partial, isolation_level=None)
            try:
                result = _fill(connection, file, pages, folders, progress, is_stopped)
            finally:
                connection.close()
            sync_file(partial)
            partial.replace(target)
            sync_folder(target.parent)
    except BaseException:
        _clear(partial)
        raise
    return result


def _clear(partial: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            partial.with_name(partial.name + ending).unlink(missing_ok=True)


def _fill(
    connection: sqlite3.Connection,
    file: Path,
    pages: DamagedFile,
    folders: Folders,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> Salvaged:
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    migrate(connection)
    connection.execute("BEGIN")
    shelf = _Shelf(connection)
    for page in range(1, pages.page_count + 1):
        for row in pages.rows(page):
            shelf.take(row)
        if page % _PAGES_A_STEP == 0:
            if is_stopped():
                raise stopped()
            progress(0.7 * page / pages.page_count)
    _take_tags(connection, file)
    result = Salvaged()
    adopt_orphans(connection, folders, result)
    numbers = [row[0] for row in connection.execute("SELECT number FROM recordings").fetchall()]
    if not numbers:
        raise damaged(file)
    change = Transaction(Database(connection, execute_plugins=False))
    for count, number in enumerate(numbers):
        complete(change, number, folders, result)
        if count % 256 == 0:
            if is_stopped():
                raise stopped()
            progress(0.7 + 0.2 * count / len(numbers))
    drop_loose_ends(connection)
    changes.rebuild_search(change)
    connection.execute("COMMIT")
    result.recordings = len(numbers)
    result.segments = int(connection.execute("SELECT COUNT(*) FROM segments").fetchone()[0])
    progress(1.0)
    return result


class _Shelf:
    """Puts each row that was read into the table it must have come from."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]
            for table in _SHAPES
        }

    def take(self, row: Row) -> None:
        for table, (least, fits) in _SHAPES.items():
            names = self._columns[table]
            if least <= len(row.columns) <= len(names) and fits(row.columns):
                self._insert(table, names, row)
                return

    def _insert(self, table: str, names: list[str], row: Row) -> None:
        columns = list(row.columns)
        if names[0] == "number":
            columns[0] = row.number  # the alias of the row's number is stored as nothing
        named = ", ".join(names[: len(columns)])
        marks = ", ".join("?" * len(columns))
        with contextlib.suppress(sqlite3.IntegrityError, OverflowError):
            self._connection.execute(
                f"INSERT OR IGNORE INTO {table} ({named}) VALUES ({marks})", columns
            )


def _is_recording(row: tuple[Value, ...]) -> bool:
    return (
        row[0] is None
        and isinstance(row[1], str)
        and row[2] in _KINDS
        and isinstance(row[3], str)
        and isinstance(row[4], int | float)
        and row[5] in _STATES
    )


def _is_segment(row: tuple[Value, ...]) -> bool:
    return (
        all(isinstance(value, int) and value >= 0 for value in (row[0], row[1], row[7]))
        and all(isinstance(value, int | float) for value in row[2:4])
        and isinstance(row[4], str)
        and (row[6] is None or isinstance(row[6], str))
    )


def _is_words(row: tuple[Value, ...]) -> bool:
    is_placed = isinstance(row[0], int) and isinstance(row[1], int)
    return is_placed and isinstance(row[2], str) and isinstance(row[3], bytes)


def _is_job(row: tuple[Value, ...]) -> bool:
    return row[0] is None and all(isinstance(value, str) for value in row[1:9])


def _is_folder(row: tuple[Value, ...]) -> bool:
    # `documents` has the same shape; a folder's id is a name of ours.
    is_named = isinstance(row[1], str) and isinstance(row[2], str)
    return row[0] is None and is_named and time_of_id(str(row[1])) > 0


def _is_tag(row: tuple[Value, ...]) -> bool:
    return row[0] is None and isinstance(row[1], str)


def _is_revision(row: tuple[Value, ...]) -> bool:
    if row[0] is not None or row[3] not in _VERSIONS or not isinstance(row[8], bytes):
        return False
    try:
        return bool(unpack_segments(row[8])) or row[7] == 0
    except (ValueError, zlib.error, TypeError, KeyError):
        return False


# The least number of columns that a row had in any version, and what else is sure of it.
_SHAPES: dict[str, tuple[int, Callable[[tuple[Value, ...]], bool]]] = {
    "recordings": (16, _is_recording),
    "segments": (8, _is_segment),
    "words": (4, _is_words),
    "jobs": (15, _is_job),
    "revisions": (9, _is_revision),
    "folders": (3, _is_folder),
    "tags": (2, _is_tag),
}


def _take_tags(connection: sqlite3.Connection, file: Path) -> None:
    """Read who wears which tag, through SQLite: two indices hold it, one may be whole."""
    for index in ("", "INDEXED BY tagged_by_recording"):
        with contextlib.suppress(sqlite3.Error), _reading(file) as old:
            for pair in _while_readable(
                old.execute(f"SELECT tag, recording FROM tagged {index} ORDER BY 1, 2")
            ):
                connection.execute("INSERT OR IGNORE INTO tagged VALUES (?, ?)", pair)


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    old = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        old.execute("PRAGMA trusted_schema = OFF")
        yield old
    finally:
        old.close()


def _while_readable(rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while True:
        try:
            row = rows.fetchone()
        except sqlite3.Error:
            return
        if row is None:
            return
        yield row
