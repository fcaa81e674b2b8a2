"""Every change the library knows, each a function that runs inside one open transaction.

A change says whose rows it touched through `Transaction.changed`; the writer commits and then tells
the listeners. `jobs.done_s` and the segments before it are only ever written together.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from app.core.doubt import count_doubtful
from app.core.job import Job, JobStatus
from app.core.recording import Recording
from app.core.transcript import Segment
from app.library import index
from app.library.lock import Owner
from app.library.rows import (
    JOB_COLUMNS,
    RECORDING_COLUMNS,
    clean,
    first_line_of,
    job_from,
    job_row,
    pack_words,
    recording_from,
    recording_row,
    recording_value,
    segment_crc,
    title_from,
)
from app.library.transaction import Transaction

_CHANGEABLE = {
    "kind", "title", "created_at", "status", "duration_s", "audio_path", "is_copy", "language",
    "model_id", "error", "hint", "first_line", "is_favourite", "notes", "folder_id", "app_name",
}  # fmt: skip


def add_recording(
    change: Transaction, recording: Recording, job: Job | None, fingerprint: str | None
) -> Recording:
    row = {**recording_row(recording), "fingerprint": fingerprint}
    table = change.database.table("recordings")
    table.insert(row, pk="number")
    number = number_of(change, recording.recording_id)
    assert number is not None
    index.add(change, number, recording.title, recording.notes)
    change.changed("recordings", recording.recording_id)
    if job is not None:
        save_job(change, job, None)
        change.run("UPDATE jobs SET done_s = ? WHERE job_id = ?", job.done_s, job.job_id)
    return recording


def update_recording(
    change: Transaction, recording_id: str, changes: dict[str, object]
) -> Recording | None:
    """Change fields of a recording; return it as it now is, `None` when it is gone."""
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise TypeError(f"a recording has no changeable {', '.join(sorted(unknown))}")
    number = number_of(change, recording_id)
    if number is None:
        return None
    if changes:
        row = {name: recording_value(name, value) for name, value in changes.items()}
        change.database.table("recordings").update(number, row)
        change.changed("recordings", recording_id)
    if "title" in changes or "notes" in changes:
        index.retitle(change, number)
    if "status" in changes:
        index.add_new_segments(change, number, may_wait=False)
    return _recording(change, recording_id)


def save_job(change: Transaction, job: Job, owner: str | None) -> None:
    """Insert or update a job, all but its `done_s`; a job that is over has no owner."""
    row = job_row(job)
    if change.one("SELECT 1 FROM jobs WHERE job_id = ?", job.job_id) is None:
        if change.one("SELECT 1 FROM recordings WHERE recording_id = ?", job.recording_id) is None:
            return  # its recording was removed meanwhile, and the job with it
        change.database.table("jobs").insert({**row, "owner": owner}, pk="number")
    else:
        names = ", ".join(f"{name} = :{name}" for name in row)
        change.connection.execute(f"UPDATE jobs SET {names} WHERE job_id = :job_id", row)
        if owner is not None:
            change.run("UPDATE jobs SET owner = ? WHERE job_id = ?", owner, job.job_id)
    if job.status.is_over:
        change.run("UPDATE jobs SET owner = NULL WHERE job_id = ?", job.job_id)
        number = number_of(change, job.recording_id)
        if number is not None:
            index.add_new_segments(change, number, may_wait=False)
    change.changed("jobs", job.job_id, job.recording_id)


def claim_job(
    change: Transaction, job_id: str, owner: Owner, *, may_be_over: bool = False
) -> Job | None:
    """Make `owner` the job's owner and return it; `None` when another lives, or it is over.

    With `may_be_over` one that is over is queued again instead.
    """
    row = change.one(f"SELECT owner, {JOB_COLUMNS} FROM jobs WHERE job_id = ?", job_id)
    if row is None:
        return None
    held, job = row[0], job_from(row[1:])
    if job.status.is_over:
        if not may_be_over:
            return None
        job = replace(job, status=JobStatus.QUEUED, error=None, hint=None)
        save_job(change, job, owner.token)
        return job
    if held is not None and held != owner.token and owner.is_alive(str(held)):
        return None
    if held != owner.token:
        change.run("UPDATE jobs SET owner = ? WHERE job_id = ?", owner.token, job_id)
        change.changed("jobs", job_id, job.recording_id)
    return job


def release_owned(change: Transaction, token: str) -> None:
    rows = change.rows("SELECT job_id, recording_id FROM jobs WHERE owner = ?", token)
    if rows:
        change.run("UPDATE jobs SET owner = NULL WHERE owner = ?", token)
        change.changed("jobs", *(name for row in rows for name in row))


def append_segments(
    change: Transaction,
    job_id: str,
    recording_id: str,
    segments: tuple[Segment, ...],
    done_s: float,
    language: str | None,
    after_s: float | None = None,
) -> bool:
    """Add what the engine finished; return whether it was new and fits on.

    A call whose `done_s` is not beyond the stored one came before, so it changes nothing. Nor does
    one that goes on after `after_s` when the stored one has not come that far: what lies between
    could not be kept, and to go on behind it would lose it for good.
    """
    if not math.isfinite(done_s):
        raise ValueError("done_s must be a time")
    row = change.one(
        "SELECT jobs.done_s, recordings.number, recordings.first_line FROM jobs JOIN recordings "
        "USING (recording_id) WHERE jobs.job_id = ? AND jobs.recording_id = ?",
        job_id,
        recording_id,
    )
    if row is None or done_s <= float(str(row[0])):
        return False
    if after_s is not None and float(str(row[0])) < after_s:
        return False
    number = int(str(row[1]))
    change.run("UPDATE jobs SET done_s = ? WHERE job_id = ?", done_s, job_id)
    if language:
        change.run("UPDATE recordings SET language = ? WHERE number = ?", language, number)
    if segments:
        place = change.one(
            "SELECT COALESCE(MAX(seq) + 1, 0) FROM segments WHERE recording = ?", number
        )
        insert_segments(change, number, segments, int(str(place[0])) if place else 0)
        if not row[2]:
            set_first_line(change, number, segments)
        count_doubt(change, number, segments, is_more=True)
        index.add_new_segments(change, number, may_wait=True)
        change.changed("segments", recording_id)
    change.changed("jobs", job_id, recording_id)
    change.changed("recordings", recording_id)
    return True


def replace_transcript(
    change: Transaction, recording_id: str, segments: tuple[Segment, ...], language: str | None
) -> bool:
    """Put `segments` in place of all a recording has; its jobs begin anew."""
    number = number_of(change, recording_id)
    if number is None:
        return False
    if change.run("DELETE FROM segments WHERE recording = ?", number):
        change.leaves_traces = True
    index.clear(change, number)
    change.run(
        "UPDATE recordings SET first_line = '', doubt = 0, language = ? WHERE number = ?",
        language,
        number,
    )
    change.run("UPDATE jobs SET done_s = 0 WHERE recording_id = ?", recording_id)
    if segments:
        insert_segments(change, number, segments, 0)
        set_first_line(change, number, segments)
        count_doubt(change, number, segments)
        index.add_new_segments(change, number, may_wait=False)
    change.changed("recordings", recording_id)
    change.changed("segments", recording_id)
    change.changed("jobs", recording_id)
    return True


def remove(change: Transaction, recording_ids: tuple[str, ...]) -> list[Path]:
    """Remove recordings and all that hangs on them; return the audio copies to delete."""
    copies = []
    for recording_id in _with_reruns(change, recording_ids):
        recording = _recording(change, recording_id)
        if recording is None:
            continue
        if recording.is_copy and recording.audio_path is not None:
            copies.append(recording.audio_path)
        number = number_of(change, recording_id)
        assert number is not None
        index.remove(change, number)
        change.run("DELETE FROM recordings WHERE number = ?", number)
        if change.run("DELETE FROM tags WHERE number NOT IN (SELECT tag FROM tagged)"):
            change.changed("tags")  # a tag nobody has any more goes, as when it is taken off
        change.leaves_traces = True
        for kind in ("recordings", "segments", "jobs"):
            change.changed(kind, recording_id)
    return copies


def remove_jobs(change: Transaction, job_ids: tuple[str, ...]) -> int:
    """Take jobs out of the queue; recordings and what was transcribed stay."""
    count = 0
    for job_id in job_ids:
        count += change.run("DELETE FROM jobs WHERE job_id = ?", job_id)
        change.changed("jobs", job_id)
    return count


def index_everything(change: Transaction) -> int:
    """Index what a killed process left unindexed; return how many recordings that were."""
    rows = change.rows(
        "SELECT number FROM recordings WHERE indexed_segments < "
        "(SELECT COUNT(*) FROM segments WHERE recording = number)"
    )
    for (number,) in rows:
        index.add_new_segments(change, number, may_wait=False)
    return len(rows)


def rebuild_search(change: Transaction) -> int:
    """Make the whole index anew from recordings and segments; return how many recordings."""
    index.remove_all(change)
    rows = change.rows("SELECT number, title, notes FROM recordings")
    for number, title, notes in rows:
        index.add(change, number, title, notes)
        index.add_new_segments(change, number, may_wait=False)
    change.changed("recordings")
    return len(rows)


def insert_segments(
    change: Transaction, number: int, segments: Iterable[Segment], first: int
) -> None:
    """Add segments from place `first` on, which nobody holds."""
    segment_rows: list[dict[str, object]] = []
    word_rows: list[dict[str, object]] = []
    for seq, given in enumerate(segments, first):
        raw = None if given.raw is None else clean(given.raw)
        segment = replace(given, text=clean(given.text), raw=raw)
        packed = pack_words(segment.words) if segment.words else None
        segment_rows.append(
            {
                "recording": number,
                "seq": seq,
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "text": segment.text,
                "confidence": segment.confidence,
                "speaker": None if segment.speaker is None else clean(segment.speaker),
                "crc": segment_crc(segment.start_s, segment.end_s, segment.text, packed, raw),
                "raw": raw,
            }
        )
        if packed is not None:
            word_rows.append(
                {"recording": number, "seq": seq, "texts": packed.texts, "numbers": packed.numbers}
            )
    if segment_rows:
        change.database.table("segments").insert_all(segment_rows)
    if word_rows:
        change.database.table("words").insert_all(word_rows)


def count_doubt(
    change: Transaction, number: int, segments: Iterable[Segment], is_more: bool = False
) -> None:
    """Keep how many words of `segments` are worth a second look; `is_more` adds to what was."""
    count = count_doubtful(tuple(segments))
    start = "doubt + ?" if is_more else "?"
    change.run(f"UPDATE recordings SET doubt = {start} WHERE number = ?", count, number)


def set_first_line(change: Transaction, number: int, segments: Iterable[Segment]) -> None:
    """Keep the first words for the list, and as the title of what has none."""
    line = first_line_of(tuple(segments))
    change.run("UPDATE recordings SET first_line = ? WHERE number = ?", line, number)
    title = title_from(line)
    if title and change.run(
        "UPDATE recordings SET title = ? WHERE number = ? AND title = ''", title, number
    ):
        index.retitle(change, number)


def number_of(change: Transaction, recording_id: str) -> int | None:
    """Return the row number of a recording; `None` when it is gone."""
    row = change.one("SELECT number FROM recordings WHERE recording_id = ?", recording_id)
    return None if row is None else int(str(row[0]))


def _recording(change: Transaction, recording_id: str) -> Recording | None:
    row = change.one(
        f"SELECT {RECORDING_COLUMNS} FROM recordings WHERE recording_id = ?", recording_id
    )
    return None if row is None else recording_from(row)


def _with_reruns(change: Transaction, recording_ids: tuple[str, ...]) -> list[str]:
    """Return the recordings together with what was transcribed once more of each."""
    found = []
    for recording_id in recording_ids:
        rows = change.rows("SELECT recording_id FROM recordings WHERE rerun_of = ?", recording_id)
        found += [recording_id, *(str(row[0]) for row in rows)]
    return found
