"""Rows that do not fit together made to fit, without losing a word.

Used by the check of a library in use and by the salvage of a damaged one. What a recording's own
folder knows better is taken from there; what nothing knows is kept as it is and told.
"""

import os
import sqlite3
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.core.doubt import count_doubtful
from app.core.errors import mark
from app.core.ids import new_id, time_of_id
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment
from app.library import changes, index, revise
from app.library.errors import means_damage
from app.library.revise import SEGMENT_COLUMNS
from app.library.rows import (
    PackedWords,
    first_line_of,
    recording_row,
    segment_crc,
    segment_from,
    title_from,
)
from app.library.transaction import Transaction

_A_DAY_S = 86_400.0
_UNFINISHED = ("pending", "working")
_CHECKED = (
    f"SELECT s.seq, s.crc, {SEGMENT_COLUMNS} FROM segments s LEFT JOIN words w "
    "USING (recording, seq) WHERE s.recording = ? ORDER BY s.seq"
)


class Folders(Protocol):
    """What lies in the recordings' own folders."""

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        """Return what the engine wrote of a take; empty when its folder has nothing."""

    def owner(self, texts: tuple[str, ...], known: frozenset[str]) -> Recording | None:
        """Return the take, none of `known`, whose folder holds most of `texts`."""


@dataclass(slots=True)
class Mended:
    """What was mended.

    Attributes:
        found_again: recordings whose row was lost and whose text was not.
        completed: titles of those to which their folder gave what was lost.
        incomplete: titles of those that lack text now.
        unsure: titles of those whose text could not be held against its check sum.
    """

    found_again: int = 0
    completed: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def adopt_orphans(connection: sqlite3.Connection, folders: Folders, result: Mended) -> None:
    """Give text whose recording's row was lost a row again."""
    orphans = connection.execute(
        "SELECT DISTINCT recording FROM segments EXCEPT SELECT number FROM recordings"
    ).fetchall()
    for (number,) in orphans:
        texts = tuple(
            str(row[0])
            for row in connection.execute(
                "SELECT text FROM segments WHERE recording = ? ORDER BY seq", (number,)
            ).fetchall()
        )
        known = frozenset(
            str(row[0]) for row in connection.execute("SELECT recording_id FROM recordings")
        )
        recording = folders.owner(texts, known) or _unknown(texts)
        row = {**recording_row(recording), "number": number}
        named, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO recordings ({named}) VALUES ({marks})", tuple(row.values())
        )
        result.found_again += 1


def _unknown(texts: tuple[str, ...]) -> Recording:
    line = first_line_of(tuple(Segment(0.0, 0.0, text) for text in texts))
    made = new_id()
    return Recording(
        recording_id=made,
        kind=RecordingKind.FILE,
        title=title_from(line),
        created_at=time_of_id(made),
        status=RecordingStatus.DONE,
        first_line=line,
    )


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether every page of the file is as it should be. Reads all of it.

    Raises:
        sqlite3.Error: it could not be read just now, which says nothing about the file.
    """
    try:
        rows = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        if not means_damage(error):
            raise
        return False
    # Newer SQLite looks into the search index as well, which can be made anew.
    faults = [str(row[0]) for row in rows if row != ("ok",)]
    return all("inverted index" in fault for fault in faults)


def loose_rows(connection: sqlite3.Connection) -> int:
    """Return how many rows belong to rows that are gone."""
    return len(connection.execute("PRAGMA foreign_key_check").fetchall())


def mend_loose_rows(change: Transaction, folders: Folders, result: Mended) -> None:
    """Give lost text a recording again, and drop what then still belongs to nothing."""
    connection = change.database.conn
    adopt_orphans(connection, folders, result)
    drop_loose_ends(connection)
    change.changed("recordings")


@dataclass(frozen=True, slots=True)
class RowFaults:
    """What is wrong with one recording's rows.

    Attributes:
        has_bad_text: segments are missing, or not what was saved.
        has_bad_counts: what the list shows of the text is not what the text says.
        is_stuck: said to be in work, and no job works on it.
        is_ahead: made in the future.
    """

    number: int
    recording_id: str
    title: str
    has_bad_text: bool = False
    has_bad_counts: bool = False
    is_stuck: bool = False
    is_ahead: bool = False


def examine(
    connection: sqlite3.Connection,
    after: int,
    limit: int,
    now_s: float,
) -> tuple[list[RowFaults], int | None]:
    """Look at the next `limit` recordings behind number `after`.

    Returns:
        The faults, and where to go on; `None` at the end.
    """
    rows = connection.execute(
        "SELECT number, recording_id, title, indexed_segments, status, created_at, first_line, "
        "doubt, EXISTS "
        "(SELECT 1 FROM jobs j WHERE j.recording_id = r.recording_id AND j.status IN "
        "('queued', 'running', 'paused')) FROM recordings r WHERE number > ? "
        "ORDER BY number LIMIT ?",
        (after, limit),
    ).fetchall()
    found = []
    for number, key, title, expected, status, created_at, first_line, doubt, has_job in rows:
        segments = [
            (row[0], *checked(row[1], row[2:]))
            for row in connection.execute(_CHECKED, (number,)).fetchall()
        ]
        is_in_work = bool(has_job) or status in _UNFINISHED
        texts = tuple(segment for _seq, segment, _is_whole in segments)
        faults = RowFaults(
            number,
            key,
            title,
            has_bad_text=len(segments) < expected
            or any(seq != at or not ok for at, (seq, _text, ok) in enumerate(segments)),
            has_bad_counts=not is_in_work
            and (
                doubt != count_doubtful(texts)
                or (not first_line and bool(first_line_of(tuple(texts))))
            ),
            is_stuck=status == "working" and not has_job,
            is_ahead=created_at > now_s + _A_DAY_S,
        )
        if any((faults.has_bad_text, faults.has_bad_counts, faults.is_stuck, faults.is_ahead)):
            found.append(faults)
    return found, rows[-1][0] if len(rows) == limit else None


def mend_rows(
    change: Transaction, faults: RowFaults, folders: Folders, result: Mended, now_s: float
) -> None:
    """Mend one recording's rows; its text as it was is kept as a version."""
    number = faults.number
    row = change.one("SELECT recording_id, status FROM recordings WHERE number = ?", number)
    if row is None:
        return
    recording_id = str(row[0])
    if faults.has_bad_text:
        _keep_as_it_was(change, recording_id, number, now_s)
        complete(change, number, folders, result)
        index.clear(change, number)
        index.add_new_segments(change, number, may_wait=False)
        change.changed("segments", recording_id)
    if faults.has_bad_text or faults.has_bad_counts:
        segments = _texts(change, number)
        changes.count_doubt(change, number, segments)
        changes.set_first_line(change, number, segments)
    if faults.is_stuck:
        change.run(
            "UPDATE recordings SET status = 'failed', error = ?, hint = ? WHERE number = ? "
            "AND status = 'working'",
            mark("Undertone ended before this recording was transcribed. Its sound is kept."),
            mark("Choose “Retry” to transcribe it."),
            number,
        )
    if faults.is_ahead:
        made_s = time_of_id(recording_id)
        at = made_s if 0 < made_s <= now_s else now_s
        change.run("UPDATE recordings SET created_at = ? WHERE number = ?", at, number)
    change.changed("recordings", recording_id)


def _keep_as_it_was(change: Transaction, recording_id: str, number: int, now_s: float) -> None:
    segments = _texts(change, number)
    if segments:
        revise.add_revision(change, recording_id, revise.RevisionKind.EDITED, segments, now_s)


def _texts(change: Transaction, number: int) -> tuple[Segment, ...]:
    """Return a recording's segments, those that are torn without their words."""
    rows = change.database.execute(_CHECKED, (number,)).fetchall()
    return tuple(checked(row[1], row[2:])[0] for row in rows)


def complete(change: Transaction, number: int, folders: Folders, result: Mended) -> None:
    """Check one recording's text, and fill what is lost from its folder."""
    connection = change.database.conn
    about = connection.execute(
        "SELECT recording_id, title, indexed_segments, status FROM recordings WHERE number = ?",
        (number,),
    ).fetchone()
    recording_id, title, expected, status = about
    rows = connection.execute(_CHECKED, (number,)).fetchall()
    lacks = len(rows) < expected or any(row[0] != at for at, row in enumerate(rows))
    if not lacks and all(_is_as_saved(row[1], row[2:]) for row in rows):
        return
    found = [checked(row[1], row[2:]) for row in rows]
    own = folders.segments(recording_id)
    segments, is_better = _merged(found, own)
    connection.execute("DELETE FROM words WHERE recording = ?", (number,))
    connection.execute("DELETE FROM segments WHERE recording = ?", (number,))
    changes.insert_segments(change, number, segments, 0)
    changes.count_doubt(change, number, segments)
    if is_better and len(segments) >= expected:
        result.completed.append(title)
    elif not lacks:
        result.unsure.append(title)
    else:
        result.incomplete.append(title)
        if status in (RecordingStatus.DONE, RecordingStatus.EMPTY):
            connection.execute(
                "UPDATE recordings SET status = 'failed', error = ?, hint = ? WHERE number = ?",
                (
                    mark("Some of this text was lost when the library file was damaged."),
                    mark("Transcribe it again, or compare it with the sound."),
                    number,
                ),
            )


def _is_as_saved(crc: int, columns: tuple[Any, ...]) -> bool:
    """Whether a stored segment agrees with its check sum."""
    start_s, end_s, text, _confidence, _speaker, raw, texts, numbers = columns
    packed = PackedWords(texts, numbers) if texts is not None else None
    try:
        return segment_crc(start_s, end_s, text, packed, raw) == crc
    except (AttributeError, TypeError, struct.error):  # columns of another type
        return False


def checked(crc: int, columns: tuple[Any, ...]) -> tuple[Segment, bool]:
    """Return a stored segment and whether it is as it was saved; a torn one without its words."""
    if _is_as_saved(crc, columns):
        try:
            return segment_from(columns), True
        except (TypeError, ValueError):
            pass
    start_s, end_s, text, confidence, speaker, raw, _texts, _numbers = columns
    times = (value if isinstance(value, int | float) else 0.0 for value in (start_s, end_s))
    return segment_from((*times, text, confidence, speaker, raw, None, None)), False


def _merged(
    found: list[tuple[Segment, bool]], own: tuple[Segment, ...]
) -> tuple[list[Segment], bool]:
    """Return the segments with what the folder has better, and whether it had."""
    by_time = {(segment.start_s, segment.end_s): segment for segment in own}
    merged, is_better = [], False
    for segment, is_whole in found:
        better = None if is_whole else by_time.get((segment.start_s, segment.end_s))
        is_better |= better is not None
        merged.append(better or segment)
    for segment in own:
        if not any(_overlap(segment, other) for other in merged):
            merged.append(segment)
            is_better = True
    return sorted(merged, key=lambda segment: (segment.start_s, segment.end_s)), is_better


def _overlap(one: Segment, other: Segment) -> bool:
    if one.start_s == other.start_s:
        return True
    return one.start_s < other.end_s and other.start_s < one.end_s


def drop_loose_ends(connection: sqlite3.Connection) -> None:
    """Leave nothing that belongs to rows that are gone."""
    for statement in (
        "DELETE FROM words WHERE NOT EXISTS (SELECT 1 FROM segments s "
        "WHERE s.recording = words.recording AND s.seq = words.seq)",
        "DELETE FROM documents WHERE number NOT IN (SELECT number FROM recordings)",
        "DELETE FROM jobs WHERE recording_id NOT IN (SELECT recording_id FROM recordings)",
        "DELETE FROM revisions WHERE recording NOT IN (SELECT number FROM recordings)",
        "DELETE FROM tagged WHERE recording NOT IN (SELECT number FROM recordings) "
        "OR tag NOT IN (SELECT number FROM tags)",
        "UPDATE recordings SET folder_id = NULL WHERE folder_id NOT IN "
        "(SELECT folder_id FROM folders)",
        "UPDATE jobs SET owner = NULL",
    ):
        connection.execute(statement)


def sounds(connection: sqlite3.Connection) -> list[tuple[str, str, Path | None]]:
    """Return id, title and where the sound is said to lie, of every recording."""
    rows = connection.execute("SELECT recording_id, title, audio_path FROM recordings").fetchall()
    return [
        (key, title, None if path is None else Path(os.fsdecode(path))) for key, title, path in rows
    ]
