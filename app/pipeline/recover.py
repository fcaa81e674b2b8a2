"""Takes on disk that the library does not know, or does not know the end of, come back.

Nothing is overwritten and no sound is deleted: a journal goes only after its FLAC was read back
equal and the library knows it. A take that another living process still records is left alone. What
has no text yet is offered, not begun: a recording that brought a model down must not do so at every
start.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.audio.journal import JournalScan, scan
from app.audio.take_folder import TakeFolder, read_segments, remove_take_folder, take_folders
from app.config.paths import Paths
from app.core.errors import AppError
from app.core.events import Event, Failed, TakesRecovered
from app.core.ids import time_of_id
from app.core.job import Job, JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.importing import MEDIA_SUFFIXES
from app.pipeline.problems import ended_without_text
from app.pipeline.spoken_text import joined, title_of
from app.pipeline.take import label_of, pack_take

_log = logging.getLogger(__name__)
_NO_SOUND_BYTES = 4096  # a journal of header and markers only
_OVER = {RecordingStatus.DONE, RecordingStatus.EMPTY, RecordingStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class _Found:
    """A journal that was left behind."""

    folder: TakeFolder
    scanned: JournalScan


def recover_takes(
    paths: Paths,
    writer: LibraryWriter,
    reader: LibraryReader,
    owner: Owner,
    emit: Callable[[Event], None],
) -> tuple[str, ...]:
    """Bring back every take that was left behind; return their ids, oldest first.

    First all of them appear in the library, which takes a second even for hours of sound; then they
    are packed, one after the other. Thread: io.
    """
    if not reader.count():  # the library was deleted; the recordings were not
        rebuild_library(paths, writer, reader, owner)
    found = []
    for folder in take_folders(paths.recordings):
        if not folder.journal.exists() or _is_under_way(folder, owner):
            continue
        try:
            scanned = scan(folder.journal)
            if _is_without_sound(folder, scanned):
                _forget(folder, writer, reader)
                continue
            _show(folder, scanned, writer, reader)
        except AppError as error:
            emit(Failed(error))
            continue
        found.append(_Found(folder, scanned))
    recovered = tuple(one.folder.take_id for one in found if _finish(one, writer, reader, emit))
    if recovered:
        emit(TakesRecovered(recovered))
    return recovered


def rebuild_library(
    paths: Paths,
    writer: LibraryWriter,
    reader: LibraryReader,
    owner: Owner,
    settled_s: float = 0.0,
) -> tuple[str, ...]:
    """Add to the library every recording that lies in its own folder and has no row.

    A folder without sound still has its text.

    Rows that are there are not touched, nor are takes under way, nor copies that came within the
    last `settled_s`: their import may be about to add them. Returns the ids of what was added,
    oldest first.

    Raises:
        LibraryError, DiskFull: the library could not be written.
    """
    added = []
    for folder in take_folders(paths.recordings):
        is_new = reader.recording(folder.take_id) is None and not _is_under_way(folder, owner)
        is_silent = (
            folder.segments.exists() and not folder.journal.exists()
        )  # its sound was put away
        if is_new and (folder.flac.exists() or is_silent):  # a journal is recovered instead
            _add(folder, writer, None)
            added.append(folder.take_id)
    added += _add_copies(paths, writer, reader, settled_s)
    return tuple(sorted(added))


def _is_under_way(folder: TakeFolder, owner: Owner) -> bool:
    details = folder.details() or {}
    return owner.is_alive(str(details.get("owner", "")))


def _is_without_sound(folder: TakeFolder, scanned: JournalScan) -> bool:
    """Whether not a single sample was recorded, so that there is nothing to bring back."""
    is_small = folder.journal.stat().st_size <= _NO_SOUND_BYTES
    return is_small and scanned.duration_s == 0 and not folder.flac.exists()


def _forget(folder: TakeFolder, writer: LibraryWriter, reader: LibraryReader) -> None:
    if reader.recording(folder.take_id) is not None:
        writer.remove([folder.take_id]).result()
    remove_take_folder(folder.folder)


def _show(
    folder: TakeFolder, scanned: JournalScan, writer: LibraryWriter, reader: LibraryReader
) -> None:
    """Put the take into the library, or bring its row up to what the folder holds."""
    recording = reader.recording(folder.take_id)
    if recording is None:
        _add(folder, writer, scanned)
        return
    job = reader.job(folder.take_id)
    if job is None:
        job = _job(recording)
        writer.save_job(job).result()
    if recording.edited_at is None:
        _add_rest(folder, job, writer, reader)
    if recording.status not in _OVER:
        writer.update_recording(
            folder.take_id, status=RecordingStatus.PENDING, duration_s=scanned.duration_s
        ).result()


def _add_rest(folder: TakeFolder, job: Job, writer: LibraryWriter, reader: LibraryReader) -> None:
    """Add the finals that lie behind all the library has; what stands there is not touched."""
    known = reader.transcript(folder.take_id).segments
    until_s = max(job.done_s, known[-1].end_s if known else 0.0)
    rest = [
        final
        for final in read_segments(folder.segments)
        if (final.start_s + final.end_s) / 2 > until_s  # its edges may be a little inside
    ]
    if rest:
        language = _text((folder.details() or {}).get("language"))
        done_s = max(rest[-1].end_s, 0.001)
        writer.append_segments(job.job_id, folder.take_id, rest, done_s, language).result()
        writer.index_everything().result()  # nothing comes after them for which they could wait


def _finish(
    found: _Found,
    writer: LibraryWriter,
    reader: LibraryReader,
    emit: Callable[[Event], None],
) -> bool:
    """Pack one take and offer its text; return whether it is news to the person."""
    take_id = found.folder.take_id
    problem: AppError | None = ended_without_text()
    try:
        pack_take(found.folder, writer)
        found.folder.journal.unlink(missing_ok=True)
    except AppError as error:
        problem = error
        emit(Failed(error))
    recording = reader.recording(take_id)
    if recording is None or recording.status in _OVER:
        return False
    assert problem is not None
    writer.update_recording(
        take_id,
        status=RecordingStatus.FAILED,
        error=str(problem.message),
        hint=str(problem.hint),
    ).result()
    return True


def _add(folder: TakeFolder, writer: LibraryWriter, scanned: JournalScan | None) -> None:
    """Make the row of a take again from what lies in its folder."""
    details = folder.details() or {}
    segments = read_segments(folder.segments)
    recording = _recording(folder, details, scanned, bool(segments))
    job = _job(recording)
    writer.add_recording(recording, job).result()
    if recording.status is RecordingStatus.CANCELLED:
        writer.move_to_bin([recording.recording_id]).result()
    if segments:
        writer.append_segments(
            job.job_id,
            recording.recording_id,
            segments,
            max(segments[-1].end_s, 0.001),
            recording.language,
        ).result()


def recording_of_folder(folder: TakeFolder) -> Recording:
    """Return the row of a packed take as its folder tells it."""
    has_text = bool(read_segments(folder.segments))
    return _recording(folder, folder.details() or {}, None, has_text)


def _recording(
    folder: TakeFolder, details: dict[str, Any], scanned: JournalScan | None, has_text: bool
) -> Recording:
    created_at = float(
        details.get("created_at")
        or (scanned.wall_s if scanned else 0.0)
        or time_of_id(folder.take_id)
    )
    text = str(details.get("text") or "")
    if not text and has_text:
        text = joined([segment.text for segment in read_segments(folder.segments)])
    status = _status(details, is_journal=scanned is not None)
    problem = ended_without_text() if status is RecordingStatus.FAILED else None
    has_flac = folder.flac.exists()
    return Recording(
        recording_id=folder.take_id,
        kind=_kind(details),
        title=str(details.get("title") or "") or title_of(text) or label_of(created_at),
        created_at=created_at,
        status=status,
        duration_s=scanned.duration_s if scanned else _number(details.get("duration_s")),
        audio_path=folder.flac if has_flac else None,
        is_copy=has_flac,
        language=_text(details.get("language")),
        model_id=_text(details.get("model_id")),
        app_name=_app_name(details),
        error=_text(details.get("error")) or (str(problem.message) if problem else None),
        hint=_text(details.get("hint")) or (str(problem.hint) if problem else None),
    )


def _app_name(details: dict[str, Any]) -> str | None:
    app = details.get("front_app")
    return _text(app.get("name")) if isinstance(app, dict) and "name" in app else None


def _kind(details: dict[str, Any]) -> RecordingKind:
    try:
        return RecordingKind(str(details.get("kind")))
    except ValueError:
        return RecordingKind.QUICK


def _status(details: dict[str, Any], *, is_journal: bool) -> RecordingStatus:
    try:
        status = RecordingStatus(str(details.get("status")))
    except ValueError:
        status = RecordingStatus.FAILED
    if status in _OVER:
        return status
    return RecordingStatus.PENDING if is_journal else RecordingStatus.FAILED


def _job(recording: Recording) -> Job:
    """Return the job by which the person may ask for the text; over until then."""
    return Job(
        job_id=recording.recording_id,
        recording_id=recording.recording_id,
        title=recording.title,
        model_id="auto",
        language="auto",
        status=JobStatus.CANCELLED,
        total_s=recording.duration_s,
    )


def _add_copies(
    paths: Paths, writer: LibraryWriter, reader: LibraryReader, settled_s: float
) -> list[str]:
    """Add imported files of which the library had kept a copy."""
    added: list[str] = []
    known = {folder.take_id for folder in take_folders(paths.recordings)}
    if not paths.recordings.is_dir():
        return added
    for folder in sorted(paths.recordings.iterdir()):
        copies = [file for file in folder.glob("audio.*") if file.suffix in MEDIA_SUFFIXES]
        if folder.name in known or len(copies) != 1 or reader.recording(folder.name) is not None:
            continue
        if time.time() - folder.stat().st_mtime < settled_s:
            continue
        created_at = time_of_id(folder.name)
        recording = Recording(
            recording_id=folder.name,
            kind=RecordingKind.FILE,
            title=label_of(created_at),
            created_at=created_at,
            status=RecordingStatus.FAILED,
            audio_path=copies[0],
            is_copy=True,
            error=str(ended_without_text().message),
            hint=str(ended_without_text().hint),
        )
        writer.add_recording(recording, replace(_job(recording), total_s=None)).result()
        added.append(folder.name)
    return added


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
