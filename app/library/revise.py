"""What an edit leaves in the library: changed segments, and the texts there were before.

An edit replaces a run of segments in one transaction, numbers stay without gaps, and the first one
of all keeps what the engine wrote as a revision. A revision never changes.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from enum import StrEnum

from app.core.doubt import count_doubtful
from app.core.ids import new_id
from app.core.recording import RecordingStatus
from app.core.transcript import Segment, Word
from app.library import index
from app.library.changes import (
    insert_segments,
    number_of,
    remove,
    set_first_line,
    update_recording,
)
from app.library.rows import segment_from
from app.library.transaction import Transaction

SEGMENT_COLUMNS = "s.start_s, s.end_s, s.text, s.confidence, s.speaker, s.raw, w.texts, w.numbers"
# Whether the text a recording came with is a version already, or gone with an earlier edit.
_IS_KEPT = (
    "SELECT 1 FROM recordings r LEFT JOIN revisions v ON v.recording = r.number "
    "WHERE r.number = ? AND (r.edited_at IS NOT NULL OR v.kind IN ('raw', 'edited'))"
)
_SELECT = f"SELECT {SEGMENT_COLUMNS} FROM segments s LEFT JOIN words w USING (recording, seq) "


class RevisionKind(StrEnum):
    """How a text came to be."""

    RAW = "raw"  # as the engine wrote it
    EDITED = "edited"  # as a person left it
    RERUN = "rerun"  # transcribed once more


@dataclass(frozen=True, slots=True)
class Revision:
    """One kept text of a recording; its segments are read with `reader.revision_segments`."""

    revision_id: str
    kind: RevisionKind
    created_at: float
    language: str | None
    model_id: str | None
    segment_count: int


def splice_segments(
    change: Transaction,
    recording_id: str,
    first: int,
    removed: int | None,
    segments: tuple[Segment, ...],
    at: float,
) -> bool:
    """Put `segments` in place of `removed` ones from place `first` on; `False` when it is gone.

    `removed` is `None` for all that follow.

    Raises:
        ValueError: there are no such places.
    """
    number = number_of(change, recording_id)
    if number is None:
        return False
    total = _count(change, number)
    removed = total - first if removed is None else removed
    if not 0 <= first <= first + removed <= total:
        raise ValueError(f"segments {first}…{first + removed} of {total} cannot be replaced")
    if total and not change.one(_IS_KEPT, number):
        keep_revision(change, recording_id, RevisionKind.RAW, at)
    last = first + removed
    leaving = _doubt_of(change, number, first, last)
    change.run(
        "DELETE FROM segments WHERE recording = ? AND seq >= ? AND seq < ?", number, first, last
    )
    _move(change, number, last, len(segments) - removed)
    insert_segments(change, number, segments, first)
    index.splice(change, number, first, removed, [segment.text for segment in segments])
    if first == 0:
        opening = change.rows(f"{_SELECT} WHERE s.recording = ? ORDER BY s.seq LIMIT 8", number)
        set_first_line(change, number, (segment_from(row) for row in opening))
    change.run(
        "UPDATE recordings SET edited_at = ?, doubt = MAX(0, doubt + ?) WHERE number = ?",
        at,
        count_doubtful(segments) - leaving,
        number,
    )
    change.changed("segments", recording_id)
    change.changed("recordings", recording_id)
    return True


def keep_revision(
    change: Transaction, recording_id: str, kind: RevisionKind, at: float
) -> Revision | None:
    """Keep the text as it now stands; `None` when the recording is gone."""
    number = number_of(change, recording_id)
    if number is None:
        return None
    rows = change.rows(f"{_SELECT} WHERE s.recording = ? ORDER BY s.seq", number)
    about = change.one("SELECT language, model_id FROM recordings WHERE number = ?", number)
    language, model_id = about or (None, None)
    return add_revision(
        change,
        recording_id,
        kind,
        tuple(segment_from(row) for row in rows),
        at,
        None if language is None else str(language),
        None if model_id is None else str(model_id),
    )


def add_revision(
    change: Transaction,
    recording_id: str,
    kind: RevisionKind,
    segments: tuple[Segment, ...],
    at: float,
    language: str | None = None,
    model_id: str | None = None,
) -> Revision | None:
    """Keep `segments` as a revision of a recording; `None` when that is gone."""
    number = number_of(change, recording_id)
    if number is None:
        return None
    revision = Revision(new_id(), kind, at, language, model_id, len(segments))
    change.database.table("revisions").insert(
        {
            "revision_id": revision.revision_id,
            "recording": number,
            "kind": str(kind),
            "created_at": at,
            "language": language,
            "model_id": model_id,
            "segment_count": len(segments),
            "content": pack_segments(segments),
        },
        pk="number",
    )
    change.changed("revisions", recording_id)
    return revision


def settle_rerun(
    change: Transaction, rerun_id: str, segments: tuple[Segment, ...], at: float
) -> Revision | None:
    """Keep what was transcribed once more as a version of its recording, and end it.

    `segments` is the whole text it would make; without any, nothing is kept.
    """
    row = change.one(
        "SELECT rerun_of, language, model_id FROM recordings WHERE recording_id = ?", rerun_id
    )
    if row is None or row[0] is None:
        return None
    kept = None
    if segments:
        language, model_id = (None if each is None else str(each) for each in row[1:])
        kept = add_revision(
            change, str(row[0]), RevisionKind.RERUN, segments, at, language, model_id
        )
    remove(change, (rerun_id,))
    change.changed("recordings", str(row[0]))
    return kept


def use_rerun(
    change: Transaction,
    rerun_id: str,
    segments: tuple[Segment, ...],
    at: float,
    *,
    is_whole: bool,
) -> bool:
    """Let `segments`, made of what was transcribed once more, take the place of the text; end it.

    What a person has changed in the text that goes is kept as a version, however late it came.
    With `is_whole` the recording is from now on what the new transcription says of it. `False` when
    either is gone.
    """
    row = change.one(
        "SELECT again.language, again.model_id, r.recording_id, r.edited_at FROM recordings again "
        "JOIN recordings r ON r.recording_id = again.rerun_of WHERE again.recording_id = ?",
        rerun_id,
    )
    if row is None:
        return False
    language, model_id, recording_id, edited_at = row
    if edited_at is not None:
        keep_revision(change, str(recording_id), RevisionKind.EDITED, at)
    splice_segments(change, str(recording_id), 0, None, segments, at)
    if is_whole:
        fields = {"language": language, "model_id": model_id, "error": None, "hint": None}
        update_recording(change, str(recording_id), {"status": RecordingStatus.DONE, **fields})
    settle_rerun(change, rerun_id, segments, at)
    return True


def remove_revision(change: Transaction, revision_id: str) -> bool:
    change.changed("revisions")
    return bool(change.run("DELETE FROM revisions WHERE revision_id = ?", revision_id))


def revision_from(row: tuple[object, ...]) -> Revision:
    """Return the revision of a row of its columns, in their order."""
    name, kind, at, language, model_id, count = row
    return Revision(
        str(name),
        RevisionKind(str(kind)),
        float(str(at)),
        None if language is None else str(language),
        None if model_id is None else str(model_id),
        int(str(count)),
    )


def pack_segments(segments: tuple[Segment, ...]) -> bytes:
    """Return segments with their words, small."""
    plain = [
        {**asdict(segment), "words": [[*asdict(word).values()] for word in segment.words]}
        for segment in segments
    ]
    content = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(content.encode("utf-8", "replace"), 6)


def unpack_segments(content: bytes) -> tuple[Segment, ...]:
    """Return what `pack_segments` packed.

    Raises:
        ValueError: it is damaged.
    """
    try:
        plain = json.loads(zlib.decompress(content))
        return tuple(
            Segment(**{**held, "words": tuple(Word(*word) for word in held["words"])})
            for held in plain
        )
    except (zlib.error, TypeError, KeyError) as error:
        raise ValueError("a revision is damaged") from error


def _count(change: Transaction, number: int) -> int:
    row = change.one("SELECT COUNT(*) FROM segments WHERE recording = ?", number)
    return int(str(row[0])) if row else 0


def _move(change: Transaction, number: int, first: int, by: int) -> None:
    """Renumber the segments from `first` on, and their words with them."""
    if by == 0:
        return
    change.connection.execute("PRAGMA defer_foreign_keys = ON")
    for table in ("segments", "words"):  # by way of negative numbers, where nothing is in the way
        change.run(
            f"UPDATE {table} SET seq = -1 - seq WHERE recording = ? AND seq >= ?", number, first
        )
        change.run(
            f"UPDATE {table} SET seq = -1 - seq + ? WHERE recording = ? AND seq < 0", by, number
        )


def _doubt_of(change: Transaction, number: int, first: int, last: int) -> int:
    rows = change.rows(
        f"{_SELECT} WHERE s.recording = ? AND s.seq >= ? AND s.seq < ?", number, first, last
    )
    return count_doubtful([segment_from(row) for row in rows])
