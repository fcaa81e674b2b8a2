"""The one way this process changes the library.

A thread of its own owns the process's only read-write connection; every method hands it one
transaction and returns a future. When the future has its result the change is on the disk and the
listener has been told. A failure stays on its future; the thread lives on.
"""

import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from app.core.backup import Merged
from app.core.errors import AppError
from app.core.events import LibraryChanged
from app.core.job import Job
from app.core.recording import Folder, Recording
from app.core.transcript import Segment
from app.library import changes, organise, revise
from app.library.connection import checkpoint, mend_file, open_writable
from app.library.errors import library_error, moved_away, told_plainly
from app.library.lock import LibraryLock, Owner
from app.library.merge import Incoming, merge
from app.library.revise import Revision, RevisionKind
from app.library.schema import SEARCH_TABLE
from app.library.transaction import Transaction

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_GIVE_UP_BUSY_S = 30.0
_BUSY_PAUSE_S = 0.05

ELSEWHERE = "elsewhere"  # origin of what another process changed
_ALL_KINDS = frozenset({"recordings", "segments", "jobs", "folders", "tags", "revisions"})


class LibraryWriter:
    """Owns the writing connection of this process.

    Args:
        file: the library; made, with its folder, when it is not there.
        on_change: called on the writer thread after each commit, before its future is done; and,
            with the origin `ELSEWHERE`, when another process has committed.
        lock: the library's lock where this process holds it.
        origin: put into every `LibraryChanged` of ours.
        watch_s: how often to look for other processes' commits; `None` never looks.

    Raises:
        LibraryTooNew, LibraryDamaged, LibraryReadOnly, LibraryLocked, DiskFull: it cannot be
            opened for writing.
    """

    def __init__(
        self,
        file: Path,
        on_change: Callable[[LibraryChanged], None],
        *,
        lock: LibraryLock | None = None,
        origin: str = "",
        watch_s: float | None = 1.0,
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
            self._thread.join()
            raise

    # What can be done; each runs as one transaction.

    def add_recording(
        self,
        recording: Recording,
        job: Job | None = None,
        fingerprint: str | None = None,
        owner: Owner | None = None,
    ) -> Future[Recording]:
        """Add a recording and, in the same breath, the job that transcribes it, as `owner`'s."""

        def add(change: Transaction) -> Recording:
            added = changes.add_recording(change, recording, job, fingerprint)
            if job is not None and owner is not None:
                changes.save_job(change, job, owner.token)
            return added

        return self._submit(add)

    def add_finished(
        self, recording: Recording, segments: Sequence[Segment], fingerprint: str | None = None
    ) -> Future[Recording]:
        """Add a recording together with its whole transcript."""
        kept = tuple(segments)

        def add(change: Transaction) -> Recording:
            changes.add_recording(change, recording, None, fingerprint)
            changes.replace_transcript(change, recording.recording_id, kept, recording.language)
            return recording

        return self._submit(add)

    def update_recording(self, recording_id: str, **fields: object) -> Future[Recording | None]:
        """Change fields of a recording; `None` when it is gone."""
        return self._submit(lambda t: changes.update_recording(t, recording_id, fields))

    def save_job(self, job: Job, owner: Owner | None = None) -> Future[None]:
        """Insert or update a job, all but its `done_s`, which only `append_segments` moves.

        `owner` becomes its owner; `None` leaves the one it has. A job that is over loses it.
        """
        token = None if owner is None else owner.token
        return self._submit(lambda t: changes.save_job(t, job, token))

    def claim_job(self, job_id: str, owner: Owner) -> Future[Job | None]:
        """Take a job that nobody alive owns; `None` when somebody does, or it is over or gone."""
        return self._submit(lambda t: changes.claim_job(t, job_id, owner))

    def release_owned(self, owner: Owner) -> Future[None]:
        """Leave all jobs of `owner` to whoever claims them."""
        token = owner.token
        return self._submit(lambda t: changes.release_owned(t, token))

    def append_segments(
        self,
        job_id: str,
        recording_id: str,
        segments: Sequence[Segment],
        done_s: float,
        language: str | None = None,
        after_s: float | None = None,
    ) -> Future[bool]:
        """Keep what the engine finished between `after_s` and `done_s`.

        `False` when it was kept before, its job is gone, or what comes before it was not kept.
        """
        kept = tuple(segments)
        return self._submit(
            lambda t: changes.append_segments(
                t, job_id, recording_id, kept, done_s, language, after_s
            )
        )

    def replace_transcript(
        self, recording_id: str, segments: Sequence[Segment] = (), language: str | None = None
    ) -> Future[bool]:
        """Put `segments` in place of the transcript and set `done_s` of its jobs to 0 (a retry)."""
        kept = tuple(segments)
        return self._submit(lambda t: changes.replace_transcript(t, recording_id, kept, language))

    def merge(self, incoming: Incoming, home: Path) -> Future[Merged]:
        """Take another library's rows in, all of them or none. `home` is where ours lies."""
        return self._submit(lambda t: merge(t, incoming, home))

    def remove(self, recording_ids: Sequence[str]) -> Future[list[Path]]:
        """Remove recordings for good; the result is the audio copies the caller deletes next."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: changes.remove(t, ids))

    # Order: the bin, favourites, folders, tags.

    def move_to_bin(
        self, recording_ids: Sequence[str], at: float | None = None
    ) -> Future[tuple[str, ...]]:
        """Put recordings into the bin, out of every list; the result is those that were not there.

        Nothing of them is lost: `restore` brings them back as they were. `at` is the wall clock.
        """
        ids, when = tuple(recording_ids), time.time() if at is None else at
        return self._submit(lambda t: organise.move_to_bin(t, ids, when))

    def restore(self, recording_ids: Sequence[str]) -> Future[tuple[str, ...]]:
        """Take recordings out of the bin; the result is those that were in it."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: organise.restore(t, ids))

    def set_favourite(
        self, recording_ids: Sequence[str], is_favourite: bool
    ) -> Future[tuple[str, ...]]:
        """Mark recordings as favourites or no longer; the result is those it changed."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: organise.set_favourite(t, ids, is_favourite))

    def add_folder(self, name: str) -> Future[Folder]:
        """Make a folder; one of that name is returned instead."""
        return self._submit(lambda t: organise.add_folder(t, name))

    def rename_folder(self, folder_id: str, name: str) -> Future[bool]:
        return self._submit(lambda t: organise.rename_folder(t, folder_id, name))

    def remove_folder(self, folder_id: str) -> Future[tuple[str, ...]]:
        """Remove a folder; the result is what lay in it, which stays."""
        return self._submit(lambda t: organise.remove_folder(t, folder_id))

    def move_to_folder(
        self, recording_ids: Sequence[str], folder_id: str | None
    ) -> Future[dict[str, str | None]]:
        """Put recordings into a folder; the result is where those that moved lay before."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: organise.move_to_folder(t, ids, folder_id))

    def tag(self, recording_ids: Sequence[str], name: str) -> Future[tuple[str, ...]]:
        """Give recordings a tag; the result is those that did not have it."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: organise.tag(t, ids, name))

    def untag(self, recording_ids: Sequence[str], name: str) -> Future[tuple[str, ...]]:
        """Take a tag from recordings; the result is those that had it."""
        ids = tuple(recording_ids)
        return self._submit(lambda t: organise.untag(t, ids, name))

    def rename_tag(self, name: str, new_name: str) -> Future[bool]:
        return self._submit(lambda t: organise.rename_tag(t, name, new_name))

    def remove_tag(self, name: str) -> Future[tuple[str, ...]]:
        """Remove a tag; the result is the recordings that had it."""
        return self._submit(lambda t: organise.remove_tag(t, name))

    # The text.

    def splice_segments(
        self,
        recording_id: str,
        first: int,
        removed: int | None,
        segments: Sequence[Segment] = (),
        at: float | None = None,
    ) -> Future[bool]:
        """Put `segments` in place of `removed` ones from place `first` on; `False` when gone.

        `removed` is `None` for all that follow.
        Before the first edit of all, the text is kept as a revision.
        """
        kept, when = tuple(segments), time.time() if at is None else at
        return self._submit(
            lambda t: revise.splice_segments(t, recording_id, first, removed, kept, when)
        )

    def keep_revision(
        self, recording_id: str, kind: RevisionKind = RevisionKind.EDITED, at: float | None = None
    ) -> Future[Revision | None]:
        """Keep the text as it now stands."""
        when = time.time() if at is None else at
        return self._submit(lambda t: revise.keep_revision(t, recording_id, kind, when))

    def add_revision(
        self,
        recording_id: str,
        kind: RevisionKind,
        segments: Sequence[Segment],
        language: str | None = None,
        model_id: str | None = None,
        at: float | None = None,
    ) -> Future[Revision | None]:
        """Keep another text of a recording beside its own."""
        kept, when = tuple(segments), time.time() if at is None else at
        return self._submit(
            lambda t: revise.add_revision(t, recording_id, kind, kept, when, language, model_id)
        )

    def settle_rerun(
        self, rerun_id: str, segments: Sequence[Segment] = (), at: float | None = None
    ) -> Future[Revision | None]:
        """End what was transcribed once more: the text it makes stays as a version.

        `segments` is that whole text; without any, nothing is kept.
        """
        kept, when = tuple(segments), time.time() if at is None else at
        return self._submit(lambda t: revise.settle_rerun(t, rerun_id, kept, when))

    def remove_revision(self, revision_id: str) -> Future[bool]:
        return self._submit(lambda t: revise.remove_revision(t, revision_id))

    def remove_jobs(self, job_ids: Sequence[str]) -> Future[int]:
        """Take jobs out of the queue; their recordings stay."""
        ids = tuple(job_ids)
        return self._submit(lambda t: changes.remove_jobs(t, ids))

    def index_everything(self) -> Future[int]:
        """Index what a killed process left unindexed; the result is how many recordings."""
        return self._submit(changes.index_everything)

    def rebuild_search(self) -> Future[int]:
        """Make the whole index anew; the result is how many recordings it holds. Slow."""
        return self._submit(changes.rebuild_search)

    def mend(self, work: Callable[[Transaction], _T]) -> Future[_T]:
        """Run a repair (`library.mend`) as one transaction."""
        return self._submit(work)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # How it is done; all below runs on the writer thread but the first two.

    def _submit(self, work: Callable[[Transaction], _T]) -> Future[_T]:
        return self._enqueue(lambda: self._transact(work))

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
            self._begin(connection)
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

    def _begin(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _GIVE_UP_BUSY_S
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                is_busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= deadline:
                    raise
                time.sleep(_BUSY_PAUSE_S)

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
