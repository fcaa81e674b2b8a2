"""The thread that owns this process's only read-write connection to the library.

It takes one transaction after the other, notices what other processes did to the file, and tells
the listener of both.
"""

import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors import AppError
from app.core.events import LibraryChanged
from app.library import changes
from app.library.connection import checkpoint, mend_file, open_writable, wait_until_free
from app.library.errors import library_error, moved_away, told_plainly
from app.library.lock import LibraryLock
from app.library.schema import SEARCH_TABLE
from app.library.transaction import Transaction

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_PATIENCE_S = 30.0  # with other processes that write

ELSEWHERE = "elsewhere"  # origin of what another process changed
_ALL_KINDS = frozenset({"recordings", "segments", "jobs", "folders", "tags", "revisions"})


class WriterThread:
    """The thread, from the opening of the file to `close`; arguments as of `LibraryWriter`."""

    def __init__(
        self,
        file: Path,
        on_change: Callable[[LibraryChanged], None],
        lock: LibraryLock | None,
        origin: str,
        watch_s: float | None,
    ) -> None:
        self._file = file
        self._on_change = on_change
        self._lock = lock
        self._origin = origin
        self._watch_s = watch_s
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._is_closed = False
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._seen_version = 0
        self._has_traces = False
        self._has_mended = lock is None  # that is for the holder of the lock
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="library-writer")
        self._thread.start()
        try:
            opened.result()
        except BaseException:
            self.close()  # it may have opened all the same: Ctrl-C comes at any moment
            raise

    def submit(self, work: Callable[[Transaction], _T]) -> Future[_T]:
        """Run `work` as one transaction."""
        return self._enqueue(lambda: self._transact(work))

    def checkpoint(self) -> Future[bool]:
        """Move the log into the file; `False` when a reader was in the way."""
        return self._enqueue(self._checkpoint)

    def close(self) -> None:
        """Finish what was handed in, close the file and end the thread; may be called again."""
        with self._gate:
            if not self._is_closed:
                self._is_closed = True
                self._queue.put(None)
        self._thread.join()

    def _enqueue(self, task: Callable[[], _T]) -> Future[_T]:
        future: Future[_T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._gate:
            if self._is_closed:
                future.set_exception(RuntimeError("the library is closed"))
            else:
                self._queue.put(run)
        return future

    # All below runs on the thread.

    def _run(self, opened: Future[None]) -> None:
        try:
            self._open()
        except BaseException as error:  # noqa: BLE001  # it belongs to the constructor's caller
            opened.set_exception(error)
            return
        opened.set_result(None)
        while True:
            try:
                task = self._queue.get(timeout=self._watch_s)
            except queue.Empty:
                self._look_around()
                continue
            if task is None:
                break
            task()
        self._close_file()

    def _open(self) -> sqlite3.Connection:
        connection = open_writable(self._file, self._lock)
        try:
            with told_plainly(self._file):
                status = self._file.stat()
                self._connection = connection
                self._seen_version = self._data_version(self._connection)
        except BaseException:
            connection.close()
            raise
        self._identity = (status.st_dev, status.st_ino)
        return self._connection

    def _close_file(self) -> None:
        if self._connection is None:
            return
        if self._lock is not None or self._has_traces:
            try:
                checkpoint(self._connection, self._file)
            except (AppError, sqlite3.Error):
                _log.warning("the log could not be folded into the library at closing")
        self._connection.close()
        self._connection = None

    def _transact(self, work: Callable[[Transaction], _T]) -> _T:
        self._check_still_there()
        connection = self._connection or self._open()
        change = Transaction(connection)
        try:
            wait_until_free(lambda: connection.execute("BEGIN IMMEDIATE"), _PATIENCE_S)
            result = work(change)
            connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back(connection)
            if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not (
                isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError)
            ):
                raise self._plain(error) from error
            raise
        self._check_still_there()  # a commit into a deleted file is no promise
        if change.leaves_traces:
            self._wipe_traces(connection)
        if change.kinds:
            self._tell(frozenset(change.kinds), frozenset(change.ids), self._origin)
        return result

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # a full disk may have rolled it back already
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                _log.warning("a failed transaction could not be rolled back")
                self._drop_connection()

    def _plain(self, error: sqlite3.Error) -> AppError:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_IOERR"):
            self._drop_connection()  # the next change opens the file anew
        return library_error(error, self._file)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _check_still_there(self) -> None:
        try:
            status = os.stat(self._file)  # noqa: PTH116  # on every change: no Path in between
        except OSError as error:
            raise moved_away(self._file) from error
        if (status.st_dev, status.st_ino) != self._identity:
            raise moved_away(self._file)

    def _wipe_traces(self, connection: sqlite3.Connection) -> None:
        """Take deleted words out of the index and the log as well."""
        self._has_traces = True
        try:
            if sqlite3.sqlite_version_info < (3, 42):  # later ones overwrite them at once
                connection.execute(
                    f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}) VALUES ('optimize')"
                )
            self._checkpoint()
        except (AppError, sqlite3.Error):
            _log.warning("deleted text will be wiped later")

    def _checkpoint(self) -> bool:
        if self._connection is None:
            return False
        is_done = checkpoint(self._connection, self._file)
        if is_done:
            self._has_traces = False
        return is_done

    def _look_around(self) -> None:
        """Notice what other processes did, and wipe what a reader kept us from wiping."""
        if self._connection is None:
            return
        try:
            if not self._has_mended:
                self._has_mended = True
                self._mend()
            if self._has_traces:
                self._checkpoint()
            now = self._data_version(self._connection)
        except (AppError, sqlite3.Error, OSError) as error:
            _log.warning("the library could not be looked at: %s", type(error).__name__)
            return
        if now != self._seen_version:
            self._seen_version = now
            self._tell(_ALL_KINDS, frozenset(), ELSEWHERE)

    def _mend(self) -> None:
        """Complete the search index, or make it anew where a check asked for that."""
        note = mend_file(self._file)
        if note.exists():
            self._transact(changes.rebuild_search)
            note.unlink(missing_ok=True)
        else:
            self._transact(changes.index_everything)

    @staticmethod
    def _data_version(connection: sqlite3.Connection) -> int:
        row: Any = connection.execute("PRAGMA data_version").fetchone()
        return int(row[0])

    def _tell(self, kinds: frozenset[str], ids: frozenset[str], origin: str) -> None:
        try:
            self._on_change(LibraryChanged(kinds, ids, origin))
        except Exception:  # noqa: BLE001  # a listener's bug must not undo or stop the saving
            _log.exception("a listener of the library failed")
