"""Opening the library file, for writing and for reading.

A connection for writing is always on the newest schema and on a file only this user can read; one
for reading never changes the file, whatever its state.
"""

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import make_private_folder
from app.core.errors import AppError, LibraryTooNew
from app.library import schema
from app.library.backup import copy_database
from app.library.errors import locked, told_plainly, too_new
from app.library.lock import LibraryLock
from app.library.schema import SEARCH_TABLE, check_schema, migrate, version

BUSY_S = 5.0
_BUSY_PAUSE_S = 0.02
LOCK_WAIT_S = 10.0  # a migration of another process takes about this long at most
_CHECKPOINT_BUSY_MS = 100
_LOCK_FILE = "library.lock"
_JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024


def open_writable(file: Path, lock: LibraryLock | None = None) -> sqlite3.Connection:
    """Open `file` for writing, making or migrating it where needed.

    Args:
        file: the library; made, with its folder, when it is not there.
        lock: the library's lock where this process holds it; without it, it is taken for as long
            as a migration lasts.

    Raises:
        LibraryTooNew: a newer Undertone wrote it.
        LibraryDamaged: it is no library or holds foreign parts.
        LibraryReadOnly: it cannot be written.
        LibraryLocked: another process holds it.
        DiskFull: no room.
    """
    with told_plainly(file):
        _make_private_file(file)
        connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
    try:
        with told_plainly(file):
            connection.execute("PRAGMA trusted_schema = OFF")
            if version(connection) > schema.SCHEMA_VERSION:
                raise too_new(file)
            check_schema(connection, file)
            _set_up(connection)
            if version(connection) < schema.SCHEMA_VERSION:
                with _holding(lock, file):
                    _migrate(connection, file)
            _use_secure_search(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private_file(file: Path) -> None:
    make_private_folder(file.parent)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(descriptor)


def wait_until_free(act: Callable[[], object], patience_s: float) -> None:
    """Do `act`, again and again while others use the file, for `patience_s` at most."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            act()
            return
        except sqlite3.OperationalError as error:
            is_busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
        time.sleep(_BUSY_PAUSE_S)


def _set_up(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for another writer here, whatever the timeout.
    wait_until_free(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchall(), BUSY_S)
    for pragma in (
        "synchronous = FULL",  # NORMAL loses acknowledged rows when the power goes (measured)
        "foreign_keys = ON",
        "secure_delete = ON",
        f"journal_size_limit = {_JOURNAL_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")


def _migrate(connection: sqlite3.Connection, file: Path) -> None:
    old = version(connection)
    if 0 < old < schema.SCHEMA_VERSION:
        copy_database(
            connection, file.with_name(f"{file.stem}.before-v{schema.SCHEMA_VERSION}.sqlite")
        )
    migrate(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextlib.contextmanager
def _holding(lock: LibraryLock | None, file: Path) -> Iterator[None]:
    if lock is not None:
        yield
        return
    taken = LibraryLock.wait(file.with_name(_LOCK_FILE), timeout_s=LOCK_WAIT_S)
    if taken is None:
        raise locked(file)
    with taken:
        yield


def _use_secure_search(connection: sqlite3.Connection) -> None:
    """Have the index overwrite deleted words, where this SQLite (3.42 on) knows how."""
    if sqlite3.sqlite_version_info < (3, 42):
        return
    row = connection.execute(
        f"SELECT v FROM {SEARCH_TABLE}_config WHERE k = 'secure-delete'"
    ).fetchone()
    if row is None or int(row[0]) != 1:
        connection.execute(
            f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}, rank) VALUES ('secure-delete', 1)"
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection for reading and what the file is.

    Attributes:
        is_frozen: the folder cannot be written, so the file is read as if nobody changed it.
        is_too_new: a newer Undertone wrote it; it can be read as far as we know its tables.
        is_unborn: whoever made the file has not come as far as its tables, or was killed there.
        copied_ns: of a file with an older schema, which is read through a copy in memory brought to
            ours: when the file had last changed; else `None`.
    """

    connection: sqlite3.Connection
    identity: tuple[int, int]
    is_frozen: bool = False
    is_too_new: bool = False
    is_unborn: bool = False
    copied_ns: int | None = None


def has_moved_on(opened: Opened, file: Path) -> bool:
    """Whether `file` has changed since its copy was taken; what is no copy never lags."""
    return opened.copied_ns is not None and file.stat().st_mtime_ns != opened.copied_ns


def open_readonly(file: Path) -> Opened:
    """Open `file` for reading only; it may be closed from any thread.

    Raises:
        LibraryDamaged: it is no library or holds foreign parts.
        LibraryReadOnly: this user may not even read it.
        LibraryError: it is out of reach just now.
    """
    with told_plainly(file):
        status = file.stat()
    identity = (status.st_dev, status.st_ino)
    try:
        return _open_readonly(file, identity, is_frozen=False)
    except AppError as error:
        is_closed = not os.access(file.parent, os.W_OK | os.X_OK)
        if not (is_closed and isinstance(error.__cause__, sqlite3.OperationalError)):
            raise  # what is read as frozen lacks the log, so nothing else is a reason
        # A WAL file in a folder that cannot be written only opens as a file nobody changes.
        return _open_readonly(file, identity, is_frozen=True)


def _open_readonly(file: Path, identity: tuple[int, int], is_frozen: bool) -> Opened:
    uri = f"{file.absolute().as_uri()}?mode=ro" + ("&immutable=1" if is_frozen else "")
    with told_plainly(file):
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
    is_too_new = False
    try:
        with told_plainly(file):
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            try:
                check_schema(connection, file)
            except LibraryTooNew:
                is_too_new = True
            is_unborn = version(connection) == 0
            copied_ns = None
            if not is_unborn and version(connection) < schema.SCHEMA_VERSION:
                copied_ns = file.stat().st_mtime_ns
                connection = _copy_brought_up(connection)
    except BaseException:
        connection.close()
        raise
    return Opened(connection, identity, is_frozen, is_too_new, is_unborn, copied_ns)


def _copy_brought_up(old: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of an older library in memory, on our schema; closes `old`."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        old.backup(copy)
        migrate(copy)
        copy.execute("PRAGMA query_only = ON")
    except BaseException:
        copy.close()
        raise
    old.close()
    return copy


def old_copies(file: Path) -> list[Path]:
    """Return the copies of the library that were made before it was brought up to a newer shape."""
    return sorted(file.parent.glob(f"{file.stem}.before-v*.sqlite"))


def mend_file(file: Path) -> Path:
    """Return the note that asks the next holder of the lock to make the search index anew."""
    return file.with_name(f"{file.stem}.mend")


def empty_library() -> sqlite3.Connection:
    """Return a library in memory that holds nothing, for a file that is not there yet."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection)
    return connection


def checkpoint(connection: sqlite3.Connection, file: Path) -> bool:
    """Move the log into the file and empty it; return whether no reader was in the way."""
    with told_plainly(file):
        # A reader in the way is not waited for: the writer has other things to do.
        connection.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_BUSY_MS}").fetchall()
        try:
            row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}").fetchall()
    return int(row[0]) == 0
