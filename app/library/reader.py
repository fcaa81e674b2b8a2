"""Reading the library, from any thread.

Each thread that reads has its own read-only connection; every method is one short read and returns
frozen values. A file that is not there reads as an empty library. A long read would keep the log
from being emptied, so nothing here stays open between calls.
"""

import os
import sqlite3
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from app.core.errors import AppError
from app.core.job import Job
from app.core.recording import Folder, Recording, Tag
from app.core.transcript import Segment, Transcript
from app.library import listing
from app.library.connection import Opened, empty_library, has_moved_on, open_readonly
from app.library.errors import damaged, library_error, too_new
from app.library.revise import SEGMENT_COLUMNS, Revision, revision_from, unpack_segments
from app.library.rows import JOB_COLUMNS, RECORDING_COLUMNS, job_from, recording_from, segment_from
from app.library.search import (
    ListQuery,
    Piece,
    SearchHit,
    Term,
    best_line,
    parse,
    snippet,
)

_SEGMENTS = (
    f"SELECT {SEGMENT_COLUMNS} FROM segments s LEFT JOIN words w USING (recording, seq) "
    "WHERE s.recording = (SELECT number FROM recordings WHERE recording_id = ?) "
)
_UNFINISHED = "('queued', 'running', 'paused')"

Value = str | int | float | None


class LibraryReader:
    """Reads the library in `file`.

    Raises (every method):
        LibraryDamaged: the file is no library, or damaged.
        LibraryReadOnly: this user may not read it.
        LibraryTooNew: a newer Undertone wrote it and what was asked for is not to be understood.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._gate = threading.Lock()
        self._opened: dict[threading.Thread, Opened] = {}

    # The list.

    def recordings(
        self,
        query: ListQuery = ListQuery(),  # noqa: B008  # frozen
        offset: int = 0,
        limit: int = 100,
        before: str | None = None,
    ) -> list[Recording]:
        """Return a page of the list, newest first.

        `before` pages on from that recording id, which is quicker than a large `offset`.
        """
        with self._connection() as connection:
            rows = listing.page(connection, query, before, offset, limit)
        return [recording_from(row[1:]) for row in rows]

    def count(self, query: ListQuery = ListQuery()) -> int:  # noqa: B008  # frozen
        """Return how many recordings the list has."""
        with self._connection() as connection:
            return listing.count(connection, query)

    def ids(self, query: ListQuery = ListQuery()) -> list[str]:  # noqa: B008  # frozen
        """Return the ids of the whole list, in its order; for what is done to all of it."""
        with self._connection() as connection:
            return listing.ids(connection, query)

    def numbers(self, query: ListQuery = ListQuery(), limit: int = -1) -> "array[int]":  # noqa: B008
        """Return the rows of the list by their numbers, in its order; the first `limit`, or all.

        This is how a long list is held: `recordings_at` reads of it what is looked at.
        """
        with self._connection() as connection:
            return listing.numbers(connection, query, limit)

    def mark(self, query: ListQuery = ListQuery()) -> tuple[int, int]:  # noqa: B008  # frozen
        """Return the count of a list and the sum of its rows' numbers: a quick way to compare."""
        with self._connection() as connection:
            return listing.mark(connection, query)

    def recordings_at(self, numbers: Sequence[int]) -> dict[int, Recording]:
        """Return the recordings of some rows by their numbers; what is gone is left out."""
        with self._connection() as connection:
            rows = listing.rows_at(connection, numbers)
        return {int(str(row[0])): recording_from(row[1:]) for row in rows}

    def hits_at(self, numbers: Sequence[int], text: str) -> dict[int, SearchHit]:
        """Return why rows are found by a search for `text`; what is gone is left out."""
        terms = parse(text)
        with self._connection() as connection:
            rows = listing.rows_at(connection, numbers)
            return {int(str(row[0])): _hit(connection, row, terms, text) for row in rows}

    def ids_at(self, numbers: Sequence[int]) -> list[str]:
        """Return the recordings' ids of some rows, in that order; what is gone is left out."""
        with self._connection() as connection:
            return listing.ids_at(connection, numbers)

    def number_of(self, recording_id: str) -> int | None:
        """Return the number of a recording's row."""
        rows = self._all("SELECT number FROM recordings WHERE recording_id = ?", recording_id)
        return int(str(rows[0][0])) if rows else None

    def overview(self) -> listing.Overview:
        """Return how much there is, the folders and tags, and what can be filtered by."""
        with self._connection() as connection:
            return listing.overview(connection)

    def folders(self) -> list[Folder]:
        """Return the folders by name, with how many recordings lie in each, the bin left out."""
        with self._connection() as connection:
            return list(listing.folders(connection))

    def tags(self) -> list[Tag]:
        """Return the tags by name, with how many recordings carry each, the bin left out."""
        with self._connection() as connection:
            return list(listing.tags(connection))

    def tags_of(self, recording_id: str) -> tuple[str, ...]:
        """Return the tags of a recording, by name."""
        rows = self._all(
            "SELECT t.name FROM recordings r JOIN tagged ON tagged.recording = r.number "
            "JOIN tags t ON t.number = tagged.tag WHERE r.recording_id = ? "
            "ORDER BY t.name COLLATE NOCASE",
            recording_id,
        )
        return tuple(str(row[0]) for row in rows)

    def values_of(self, column: str) -> list[str]:
        """Return what there is to filter by: `kind`, `language`, `model_id`, `app_name`.

        Raises:
            ValueError: it is none of these.
        """
        with self._connection() as connection:
            return listing.values_of(connection, column)

    def search(self, query: ListQuery, offset: int = 0, limit: int = 50) -> list[SearchHit]:
        """Return a page of hits with the place in each that shows why, newest first.

        With `query.ranked`, the best of the newest come first. Without any letter or digit in the
        query it is the plain list with no snippets.
        """
        terms = parse(query.text)
        if not terms:
            return [SearchHit(found) for found in self.recordings(query, offset, limit)]
        with self._connection() as connection:
            rows = listing.page(connection, query, None, offset, limit)
            return [_hit(connection, row, terms, query.text) for row in rows]

    # One recording.

    def recording(self, recording_id: str) -> Recording | None:
        rows = self._all(
            f"SELECT {RECORDING_COLUMNS} FROM recordings WHERE recording_id = ?", recording_id
        )
        return recording_from(rows[0]) if rows else None

    def transcript(self, recording_id: str) -> Transcript:
        """Return all that was said, with words; empty when there is no such recording."""
        with self._connection() as connection:
            about = connection.execute(
                "SELECT language, model_id FROM recordings WHERE recording_id = ?", (recording_id,)
            ).fetchone()
            rows = connection.execute(f"{_SEGMENTS} ORDER BY s.seq", (recording_id,)).fetchall()
        language, model_id = about or (None, None)
        return Transcript(self._segments_from(rows), language, model_id)

    def segments(self, recording_id: str, offset: int = 0, limit: int = 200) -> tuple[Segment, ...]:
        """Return some segments, with words; segment `seq` stands at offset `seq`."""
        sql = f"{_SEGMENTS} ORDER BY s.seq LIMIT ? OFFSET ?"
        return self._segments_from(self._all(sql, recording_id, limit, offset))

    def segment_count(self, recording_id: str) -> int:
        sql = (
            "SELECT COUNT(*) FROM segments WHERE recording = "
            "(SELECT number FROM recordings WHERE recording_id = ?)"
        )
        return int(str(self._all(sql, recording_id)[0][0]))

    def find_fingerprint(self, fingerprint: str) -> Recording | None:
        """Return the newest recording made from the same file, the bin left out."""
        rows = self._all(
            f"SELECT {RECORDING_COLUMNS} FROM recordings WHERE fingerprint = ? "
            "AND deleted_at IS NULL AND rerun_of IS NULL ORDER BY number DESC LIMIT 1",
            fingerprint,
        )
        return recording_from(rows[0]) if rows else None

    def reruns_of(self, recording_id: str) -> list[Recording]:
        """Return what was transcribed once more of a recording, and not yet chosen or refused."""
        rows = self._all(
            f"SELECT {RECORDING_COLUMNS} FROM recordings WHERE rerun_of = ? ORDER BY number",
            recording_id,
        )
        return [recording_from(row) for row in rows]

    def revisions(self, recording_id: str) -> list[Revision]:
        """Return the kept texts of a recording, the newest first."""
        rows = self._all(
            "SELECT revision_id, v.kind, v.created_at, v.language, v.model_id, segment_count "
            "FROM revisions v JOIN recordings r ON r.number = v.recording "
            "WHERE r.recording_id = ? ORDER BY v.number DESC",
            recording_id,
        )
        return [revision_from(row) for row in rows]

    def revision_segments(self, revision_id: str) -> tuple[Segment, ...]:
        """Return the text a revision keeps; empty when there is no such revision."""
        rows = self._all("SELECT content FROM revisions WHERE revision_id = ?", revision_id)
        try:
            return unpack_segments(bytes(rows[0][0])) if rows else ()  # type: ignore[call-overload]
        except ValueError as error:
            raise damaged(self._file) from error

    # The queue.

    def jobs(self) -> list[Job]:
        """Return every job, in the order of the queue."""
        return [
            job_from(row) for row in self._all(f"SELECT {JOB_COLUMNS} FROM jobs ORDER BY number")
        ]

    def job(self, job_id: str) -> Job | None:
        rows = self._all(f"SELECT {JOB_COLUMNS} FROM jobs WHERE job_id = ?", job_id)
        return job_from(rows[0]) if rows else None

    def job_of(self, recording_id: str) -> Job | None:
        """Return the latest job of a recording."""
        sql = f"SELECT {JOB_COLUMNS} FROM jobs WHERE recording_id = ? ORDER BY number DESC LIMIT 1"
        rows = self._all(sql, recording_id)
        return job_from(rows[0]) if rows else None

    def unfinished_jobs(self) -> list[Job]:
        """Return the jobs that are not over, in the order of the queue."""
        sql = f"SELECT {JOB_COLUMNS} FROM jobs WHERE status IN {_UNFINISHED} ORDER BY number"
        return [job_from(row) for row in self._all(sql)]

    # The file.

    def data_version(self) -> int:
        """Return a number that changes, for this thread, whenever another connection commits."""
        return int(str(self._all("PRAGMA data_version")[0][0]))

    @property
    def is_frozen(self) -> bool:
        """Whether the folder cannot be written, so that the file is read as it stood."""
        with self._connection():
            opened = self._opened.get(threading.current_thread())
            return opened is not None and opened.is_frozen

    @property
    def is_too_new(self) -> bool:
        """Whether a newer Undertone wrote the file."""
        with self._connection():
            opened = self._opened.get(threading.current_thread())
            return opened is not None and opened.is_too_new

    def interrupt(self, thread: threading.Thread) -> None:
        """Break off what `thread` is reading: its call raises. Thread: any."""
        with self._gate:
            opened = self._opened.get(thread)
            if opened is not None:
                opened.connection.interrupt()

    def close(self) -> None:
        """Close every thread's connection; reading afterwards opens it again."""
        with self._gate:
            leaving = list(self._opened.values())
            self._opened.clear()
        for opened in leaving:
            opened.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _all(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        with self._connection() as connection:
            return connection.execute(sql, values).fetchall()

    def _segments_from(self, rows: list[tuple[object, ...]]) -> tuple[Segment, ...]:
        try:
            return tuple(segment_from(row) for row in rows)
        except (ValueError, TypeError) as error:
            raise damaged(self._file) from error

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            status = os.stat(self._file)  # noqa: PTH116  # on every read: no Path in between
            opened = self._opened_here((status.st_dev, status.st_ino))
        except FileNotFoundError:
            with closing(empty_library()) as nothing:
                yield nothing
            return
        except OSError as error:
            raise library_error(error, self._file) from error
        try:
            yield opened.connection
        except sqlite3.Error as error:
            raise self._plain(error, opened) from error

    def _plain(self, error: sqlite3.Error, opened: Opened) -> AppError:
        if opened.is_too_new and getattr(error, "sqlite_errorname", "") == "SQLITE_ERROR":
            return too_new(self._file)
        return library_error(error, self._file)

    def _opened_here(self, identity: tuple[int, int]) -> Opened:
        thread = threading.current_thread()
        opened = self._opened.get(thread)
        is_current = opened is not None and opened.identity == identity
        if opened is not None and is_current and not has_moved_on(opened, self._file):
            return opened
        fresh = open_readonly(self._file)
        if fresh.is_unborn:
            fresh.connection.close()
            raise FileNotFoundError(self._file)
        with self._gate:
            gone = [other for other in self._opened if not other.is_alive()]
            leaving = [self._opened.pop(other) for other in gone]
            if opened is not None and self._opened.get(thread) is opened:
                leaving.append(opened)  # the file was replaced, as by a restored backup
            self._opened[thread] = fresh
        for old in leaving:
            old.connection.close()
        return fresh


def _hit(
    connection: sqlite3.Connection, row: tuple[object, ...], terms: tuple[Term, ...], text: str
) -> SearchHit:
    number, recording = row[0], recording_from(row[1:])
    document = connection.execute(
        "SELECT body FROM documents WHERE number = ?", (number,)
    ).fetchone()
    seq = best_line(document[0], terms) if document else None
    if seq is not None:
        segment = connection.execute(
            "SELECT text, start_s FROM segments WHERE recording = ? AND seq = ?", (number, seq)
        ).fetchone()
        if segment is not None:
            return SearchHit(recording, seq, float(segment[1]), snippet(segment[0], text))
    opening = (Piece(recording.first_line),) if recording.first_line else ()
    return SearchHit(recording, snippet=opening)
