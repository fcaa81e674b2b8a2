"""A transcript somebody made elsewhere becomes the transcript of its sound.

The sound lies beside it under the same name, or is named. Text and recording come into the library
together, so a kill between leaves neither.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from app.audio.decode import display_name
from app.core.errors import ImportFailed, mark
from app.core.model import imported
from app.core.recording import Recording, RecordingStatus
from app.export.parse import SUFFIXES, read_transcript
from app.library.writer import LibraryWriter
from app.pipeline.importing import MEDIA_SUFFIXES, Checked, recording_of


def is_transcript(file: Path) -> bool:
    """Whether `file` is named like a transcript we read."""
    return file.suffix.lower() in SUFFIXES


def sound_of(file: Path, among: Iterable[Path] = ()) -> Path:
    """Return the sound a transcript belongs to: of `among`, or beside it, under the same name.

    What lies in its own folder goes first: many folders may each hold a “talk.mp4”.

    Raises:
        ImportFailed: there is none.
    """
    beside = sorted(file.parent.glob("*")) if file.parent.is_dir() else []
    name = _stem(file)
    names = [name, Path(name).stem]  # “talk.en.srt” belongs to “talk.mp4”
    found = [
        other
        for other in (*among, *beside)
        if other != file and other.suffix.lower() in MEDIA_SUFFIXES and _stem(other) in names
    ]
    if found:
        return min(found, key=lambda other: (other.parent != file.parent, _stem(other) != name))
    raise ImportFailed(
        mark("“{name}” has no sound beside it."),
        mark("Put the recording into the same folder under the same name, then add it again."),
        name=file.name,
    )


def _stem(file: Path) -> str:
    """Return the name without suffix, in the one of its spellings in which names are compared."""
    return unicodedata.normalize("NFC", file.stem)


def import_transcript(
    file: Path, sound: Path, check_file: Callable[[Path], Checked], writer: LibraryWriter
) -> Recording:
    """Add `sound` to the library with the transcript in `file`.

    Raises:
        AppError: either cannot be read; says why.
    """
    transcript = read_transcript(file)
    checked = check_file(sound)
    recording = replace(
        recording_of(checked),
        status=RecordingStatus.DONE,
        language=transcript.language,
        model_id=imported(display_name(file)),
    )
    return writer.add_finished(recording, transcript.segments, checked.fingerprint).result()
