"""The way into the queue: files and folders are checked and become recordings with a job each.

A transcript made elsewhere becomes the text of the sound it belongs to. What cannot be taken comes
back with one sentence why, and the rest goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.errors import AlreadyInLibrary, AppError, ImportFailed, mark
from app.core.events import FilesChecked
from app.core.ids import new_id
from app.core.job import Job
from app.core.recording import Recording
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.importing import Checked, copy_into, find_files, not_readable, recording_of
from app.pipeline.transcripts import import_transcript, is_transcript, sound_of


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for with some files."""

    paths: tuple[Path, ...]
    model_id: str
    language: str
    wants_words: bool
    again: bool  # take files the library already has


class Intake:
    """Takes files in. Thread: io."""

    def __init__(
        self,
        writer: LibraryWriter,
        reader: LibraryReader,
        owner: Owner,
        paths: Paths,
        check_file: Callable[[Path], Checked],
        settings: Callable[[], Settings],
        queue: Callable[[Job], None],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._owner = owner
        self._paths = paths
        self._check_file = check_file
        self._settings = settings
        self._queue = queue

    def take_in(self, request: Request) -> FilesChecked:
        """Check what was asked for and queue what can be transcribed."""
        added: list[Job] = []
        rejected: list[tuple[Path, AppError]] = []
        files = list(find_files(request.paths))
        sounds: dict[Path, Path] = {}  # of the transcripts among them
        for file in filter(is_transcript, files):
            try:
                sounds[file] = sound_of(file, files)
                import_transcript(file, sounds[file], self._check_file, self._writer)
            except (AppError, OSError) as error:
                rejected.append((file, _in_words(file, error)))
        with_text = set(sounds.values())
        for file in files:
            if is_transcript(file) or file in with_text:
                continue
            try:
                added.append(self._add(self._check_file(file), request))
            except (AppError, OSError) as error:
                rejected.append((file, _in_words(file, error)))
        if not files:
            rejected.extend((path, _nothing_in(path)) for path in request.paths)
        return FilesChecked(tuple(added), tuple(rejected))

    def _add(self, checked: Checked, request: Request) -> Job:
        if not request.again:
            known = self._reader.find_fingerprint(checked.fingerprint)
            if known is not None:
                raise _already_there(known)
        recording = recording_of(checked)
        if self._settings().imported_files == "copy":
            copy = copy_into(self._paths.recordings, recording.recording_id, checked.file)
            recording = replace(recording, audio_path=copy, is_copy=True)
        job = Job(
            job_id=new_id(),
            recording_id=recording.recording_id,
            title=recording.title,
            model_id=request.model_id,
            language=request.language,
            total_s=recording.duration_s,
            wants_words=request.wants_words,
        )
        self._writer.add_recording(
            recording, job=job, fingerprint=checked.fingerprint, owner=self._owner
        ).result()
        self._queue(job)
        return job


def _in_words(file: Path, error: AppError | OSError) -> AppError:
    return not_readable(file, error) if isinstance(error, OSError) else error


def _already_there(known: Recording) -> AlreadyInLibrary:
    return AlreadyInLibrary(
        mark("“{title}” is already in the library."),
        mark("Open it there, or choose Transcribe Again from its menu."),
        title=known.title,
        recording_id=known.recording_id,
    )


def _nothing_in(path: Path) -> ImportFailed:
    return ImportFailed(
        mark("There is no audio or video file in “{name}”."),
        mark("Choose a folder with audio or video files in it."),
        name=path.name,
    )
