"""Taking another library's rows into ours, in one transaction: nothing lost, nothing twice.

What is not here is added as it was. What is here keeps its place, title and text; what the other
one has beside it (a text that differs, tags, notes, versions, its sound) is added to it. So taking
in the same library twice changes nothing the second time.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.backup import Merged
from app.core.ids import names_a_folder
from app.core.transcript import Segment
from app.library import index, organise, revise
from app.library.relocate import own_path
from app.library.reorder import put_in_order
from app.library.revise import SEGMENT_COLUMNS, RevisionKind
from app.library.rows import RECORDING_COLUMNS, Value, recording_from, recording_value, segment_from
from app.library.transaction import Transaction

_OWN_COLUMNS = {"number", "indexed_segments"}
_SEGMENTS = (
    f"SELECT {SEGMENT_COLUMNS} FROM segments s LEFT JOIN words w USING (recording, seq) "
    "WHERE s.recording = ? ORDER BY s.seq"
)
_NO_DATE = "NOT BETWEEN -2208988800 AND 253402214400"  # seconds since 1970: from 1900 to 9999
# What our own code never writes, and what reading it would stumble over.
_ODD = {
    "recordings": f"created_at {_NO_DATE} OR edited_at {_NO_DATE} OR deleted_at {_NO_DATE} "
    "OR duration_s NOT BETWEEN 0 AND 1e9",
    "revisions": f"created_at {_NO_DATE}",
    "segments": "typeof(start_s) <> 'real' OR typeof(end_s) <> 'real' OR typeof(text) <> 'text' "
    "OR typeof(confidence) NOT IN ('real', 'null') OR typeof(speaker) NOT IN ('text', 'null') "
    "OR typeof(raw) NOT IN ('text', 'null') OR typeof(seq) <> 'integer'",
    "words": "typeof(texts) <> 'text' OR typeof(numbers) <> 'blob' OR NOT json_valid(texts) "
    "OR json_array_length(texts) * 24 <> length(numbers)",
    "documents": "typeof(title) <> 'text' OR typeof(body) <> 'text'",
}
_Row = dict[str, Any]
_Text = tuple[tuple[float, float, str, str | None], ...]


@dataclass(slots=True)
class Incoming:
    """The library that is taken in: an open copy of it, checked and on our schema.

    Raises (every method):
        ValueError, sqlite3.Error: it holds what our own code never writes.
    """

    connection: sqlite3.Connection
    home: Path

    def rows(self, sql: str, *values: Value) -> list[_Row]:
        cursor = self.connection.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def recordings(self) -> list[_Row]:
        """Return all rows in the order of making, everything held against what it can be."""
        for table, is_odd in _ODD.items():
            if self.connection.execute(f"SELECT 1 FROM {table} WHERE {is_odd} LIMIT 1").fetchone():
                raise ValueError(f"{table} of no kind of ours")
        for row in self.connection.execute(f"SELECT {RECORDING_COLUMNS} FROM recordings"):
            recording = recording_from(row)
            texts = (recording.recording_id, recording.title, recording.notes, recording.first_line)
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("a recording of no kind of ours")
            if not names_a_folder(recording.recording_id):  # its sound lies under that name
                raise ValueError("a recording of no kind of ours")
            float(recording.created_at)
        return self.rows("SELECT * FROM recordings ORDER BY number")

    def segments(self, number: int) -> tuple[Segment, ...]:
        return tuple(segment_from(row) for row in self.connection.execute(_SEGMENTS, (number,)))

    def tags(self, number: int) -> list[str]:
        return [
            str(row["name"])
            for row in self.rows(
                "SELECT name FROM tags JOIN tagged ON tag = tags.number WHERE recording = ?", number
            )
        ]

    def revisions(self, number: int) -> list[_Row]:
        return self.rows("SELECT * FROM revisions WHERE recording = ? ORDER BY number", number)


@dataclass(slots=True)
class _Count:
    """What came of it, counted as it goes."""

    added: list[str] = field(default_factory=list)
    completed: int = 0
    unchanged: int = 0
    conflicts: int = 0


def merge(change: Transaction, incoming: Incoming, home: Path) -> Merged:
    """Take all of `incoming` in; its copies of sound are put below `home` by the caller."""
    count = _Count()
    folders = _merge_folders(change, incoming)
    for row in incoming.rows("SELECT name FROM tags ORDER BY number"):
        change.run("INSERT OR IGNORE INTO tags (name) VALUES (?)", str(row["name"]))
    for row in incoming.recordings():
        here = twin(change.database.conn, incoming, row)
        if here is None:
            _add(change, incoming, row, folders, home)
            count.added.append(str(row["recording_id"]))
        else:
            _complete(change, incoming, row, here, folders, home, count)
    put_in_order(change, count.added)
    for kind in ("recordings", "segments", "jobs", "folders", "tags", "revisions"):
        change.changed(kind)
    return Merged(len(count.added), count.completed, count.unchanged, count.conflicts)


def twin(own: sqlite3.Connection, incoming: Incoming, row: _Row) -> str | None:
    """Return the id of our recording that is the same: by its id, or by its sound and text."""
    found = own.execute(
        "SELECT recording_id FROM recordings WHERE recording_id = ?", (row["recording_id"],)
    ).fetchone()
    if found is not None:
        return str(found[0])
    if row["fingerprint"] is None or row["rerun_of"] is not None:
        return None
    wanted: _Text | None = None
    for number, recording_id in own.execute(
        "SELECT number, recording_id FROM recordings WHERE fingerprint = ? AND rerun_of IS NULL",
        (row["fingerprint"],),
    ).fetchall():
        if wanted is None:
            wanted = _text(incoming.segments(int(row["number"])))
        if _text_of(own, int(number)) == wanted:
            return str(recording_id)
    return None


def _merge_folders(change: Transaction, incoming: Incoming) -> dict[str, str]:
    """Make the folders that are not here; return where each of theirs is here."""
    here = {
        str(name).casefold(): str(key)
        for key, name in change.database.execute("SELECT folder_id, name FROM folders").fetchall()
    }
    ids = set(here.values())
    places: dict[str, str] = {}
    for row in incoming.rows("SELECT folder_id, name FROM folders ORDER BY number"):
        key, name = str(row["folder_id"]), str(row["name"])
        if key not in ids and name.casefold() in here:
            places[key] = here[name.casefold()]
            continue
        if key not in ids:
            change.run("INSERT INTO folders (folder_id, name) VALUES (?, ?)", key, name)
        places[key] = key
    return places


def _add(
    change: Transaction, incoming: Incoming, row: _Row, folders: dict[str, str], home: Path
) -> None:
    """Add a recording with all that hangs on it."""
    theirs = int(row["number"])
    own = {name: value for name, value in row.items() if name not in _OWN_COLUMNS}
    own.update(_sound(row, incoming.home, home))
    own["folder_id"] = folders.get(str(row["folder_id"]))
    _insert(change, "recordings", own)
    number = _number(change)
    count = _copy_segments(change, incoming, theirs, number)
    _copy_document(change, incoming, row, number, count)
    for revision in incoming.revisions(theirs):
        _insert_revision(change, number, revision)
    organised = incoming.tags(theirs)
    for name in organised:
        organise.tag(change, [str(row["recording_id"])], name)
    for job in incoming.rows(
        "SELECT * FROM jobs WHERE recording_id = ? ORDER BY number", row["recording_id"]
    ):
        if change.one("SELECT 1 FROM jobs WHERE job_id = ?", job["job_id"]) is None:
            _insert(change, "jobs", {**job, "number": None, "owner": None})


def _copy_segments(change: Transaction, incoming: Incoming, theirs: int, number: int) -> int:
    """Copy segments and words as they are, and return how many segments there are."""
    count = 0
    for table in ("segments", "words"):
        rows = incoming.rows(f"SELECT * FROM {table} WHERE recording = ?", theirs)
        if rows:
            names = ", ".join(rows[0])
            places = ", ".join(f":{name}" for name in rows[0])
            change.database.conn.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",
                [{**each, "recording": number} for each in rows],
            )
        count = count or len(rows)
    return count


def _copy_document(
    change: Transaction, incoming: Incoming, row: _Row, number: int, count: int
) -> None:
    """Take the folded text over where it is complete; folding again takes most of the time."""
    theirs = int(row["number"])
    found = incoming.rows("SELECT title, body FROM documents WHERE number = ?", theirs)
    if found and int(row["indexed_segments"]) == str(found[0]["body"]).count("\n") == count:
        index.add_folded(change, number, str(found[0]["title"]), str(found[0]["body"]), count)
        return
    texts = [each.text for each in incoming.segments(theirs)]
    index.add_whole(change, number, str(row["title"]), str(row["notes"]), texts)


def _complete(
    change: Transaction,
    incoming: Incoming,
    row: _Row,
    here: str,
    folders: dict[str, str],
    home: Path,
    count: _Count,
) -> None:
    """Give a recording that is here what only the other library has of it."""
    theirs = int(row["number"])
    ours = _own_row(change, here)
    number = int(ours["number"])
    fields: dict[str, Value] = {}
    if row["is_favourite"] and not ours["is_favourite"]:
        fields["is_favourite"] = 1
    if ours["folder_id"] is None and row["folder_id"] is not None:
        fields["folder_id"] = folders.get(str(row["folder_id"]))
    notes, more = str(ours["notes"]), str(row["notes"])
    if more and more not in notes:
        fields["notes"] = f"{notes}\n\n{more}" if notes else more
    if here == row["recording_id"] and not is_there(ours["audio_path"]):
        sound = _sound(row, incoming.home, home)
        if sound["is_copy"] and sound["audio_path"] != ours["audio_path"]:
            fields.update(sound)
    for name, value in fields.items():
        change.run(f"UPDATE recordings SET {name} = ? WHERE number = ?", value, number)
    if "notes" in fields:
        index.retitle(change, number)
    is_more = bool(fields)
    for name in incoming.tags(theirs):
        is_more |= bool(organise.tag(change, [here], name))
    conflict, got_text = _merge_text(change, incoming, row, here, number)
    if is_more or got_text:
        count.completed += 1
    else:
        count.unchanged += 1
    count.conflicts += conflict


def _merge_text(
    change: Transaction, incoming: Incoming, row: _Row, here: str, number: int
) -> tuple[bool, bool]:
    """Keep the other text where it is another; return whether both are wanted, and if it was new.

    A text that goes on from ours takes its place; one that ours goes on from is an older version.
    """
    theirs = int(row["number"])
    segments = incoming.segments(theirs)
    wanted, own = _text(segments), _text_of(change.database.conn, number)
    their_versions = incoming.revisions(theirs)
    own_versions = _texts_of_versions(
        change.database.execute(
            "SELECT content FROM revisions WHERE recording = ?", (number,)
        ).fetchall()
    )
    their_texts = _texts_of_versions([(each["content"],) for each in their_versions])
    is_new = False
    conflict = False
    at = float(row["edited_at"] or row["created_at"])
    if wanted and wanted != own and wanted not in own_versions:
        is_new = True
        if not own or own in their_texts:
            revise.splice_segments(change, here, 0, None, segments, at)
        else:
            conflict = True
            revise.add_revision(
                change, here, RevisionKind.EDITED, segments, at, row["language"], row["model_id"]
            )
    for version in their_versions:
        is_new |= _insert_revision(change, number, version)
    return conflict, is_new


def _insert_revision(change: Transaction, number: int, revision: _Row) -> bool:
    revise.unpack_segments(bytes(revision["content"]))
    RevisionKind(str(revision["kind"]))
    if change.one("SELECT 1 FROM revisions WHERE revision_id = ?", revision["revision_id"]):
        return False
    _insert(change, "revisions", {**revision, "number": None, "recording": number})
    return True


def _insert(change: Transaction, table: str, row: _Row) -> None:
    """Insert a row; its names are those of our own schema, which both sides are on."""
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    change.database.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", row)


def _number(change: Transaction) -> int:
    row = change.one("SELECT last_insert_rowid()")
    assert row is not None
    return int(str(row[0]))


def _own_row(change: Transaction, recording_id: str) -> _Row:
    cursor = change.database.execute(
        "SELECT * FROM recordings WHERE recording_id = ?", (recording_id,)
    )
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def _sound(row: _Row, old_home: Path, home: Path) -> dict[str, Value]:
    """Return where the sound of a recording is once it is here."""
    if not row["is_copy"]:
        return {"audio_path": row["audio_path"], "is_copy": 0}
    own = own_path(row["audio_path"], str(row["recording_id"]), old_home, home)
    if own is None:
        return {"audio_path": row["audio_path"], "is_copy": 0}
    return {"audio_path": recording_value("audio_path", own), "is_copy": 1}


def is_there(held: object) -> bool:
    """Return whether the sound that a row names can be found."""
    return isinstance(held, str | bytes) and Path(os.fsdecode(held)).exists()


def _text(segments: Sequence[Segment]) -> _Text:
    return tuple((each.start_s, each.end_s, each.text, each.speaker) for each in segments)


def _text_of(connection: sqlite3.Connection, number: int) -> _Text:
    rows = connection.execute(_SEGMENTS, (number,)).fetchall()
    return _text([segment_from(row) for row in rows])


def _texts_of_versions(rows: Sequence[tuple[Any, ...]]) -> list[_Text]:
    return [_text(revise.unpack_segments(bytes(row[0]))) for row in rows]
