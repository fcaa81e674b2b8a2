"""From what a person hands over (files, folders) to recordings that can be transcribed.

Nothing is written for a file that cannot be transcribed: it comes back with one sentence why.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.audio.decode import MediaHeader, display_name, probe
from app.config.paths import make_private_folder
from app.core.errors import AppError, DiskFull, ImportFailed, mark
from app.core.ids import new_id
from app.core.recording import Recording, RecordingKind

# Looked for in a folder. A file that is handed over by itself is opened whatever its name.
MEDIA_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".au", ".avi", ".caf", ".flac",
        ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts",
        ".oga", ".ogg", ".opus", ".ts", ".w64", ".wav", ".webm", ".wma", ".wmv",
    }
)  # fmt: skip

_FINGERPRINT_BYTES = 1 << 20  # read from the start, the middle and the end of a file
_SPARE_BYTES = 1 << 30  # what a copy must leave free on the disk


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that can be transcribed."""

    file: Path
    info: MediaHeader
    fingerprint: str


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file, and of each folder the media files in it, in order of their names."""
    for path in paths:
        if not is_folder(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if Path(name).suffix.lower() in MEDIA_SUFFIXES and not name.startswith("."):
                    yield Path(folder) / name


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder we can ask for; what no disk takes for a name is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_file(file: Path) -> Checked:
    """Open `file` far enough to know that it holds sound.

    Raises:
        AppError: it cannot be transcribed; says why.
    """
    file = Path(os.path.abspath(file))  # noqa: PTH100 - keep links and names as they were given
    return Checked(file, probe(file), fingerprint(file))


def fingerprint(file: Path) -> str:
    """Return a name for the content of `file`: its size and a hash of three places in it.

    Raises:
        ImportFailed: it could not be read.
    """
    try:
        size = file.stat().st_size
        digest = hashlib.blake2b(str(size).encode(), digest_size=16)
        with file.open("rb") as source:
            for offset in (0, size // 2, max(0, size - _FINGERPRINT_BYTES)):
                source.seek(offset)
                digest.update(source.read(_FINGERPRINT_BYTES))
    except OSError as error:
        raise not_readable(file, error) from error
    return digest.hexdigest()


def recording_of(checked: Checked) -> Recording:
    """Return the new library row of a checked file."""
    return Recording(
        recording_id=new_id(),
        kind=RecordingKind.FILE,
        title=checked.info.title or checked.file.stem,
        created_at=time.time(),
        duration_s=checked.info.duration_s,
        audio_path=checked.file,
    )


def copy_into(recordings: Path, recording_id: str, file: Path) -> Path:
    """Copy `file` into the recording's own folder and return where it now lies.

    Raises:
        DiskFull: there is no room for it.
        ImportFailed: it could not be copied.
    """
    folder = make_private_folder(recordings / recording_id)
    target = folder / f"audio{file.suffix.lower()}"
    part = target.with_suffix(target.suffix + ".part")
    try:
        if shutil.disk_usage(folder).free < file.stat().st_size + _SPARE_BYTES:
            raise _no_room(file)
        shutil.copyfile(file, part)
        part.chmod(0o600)
        with part.open("rb") as copied:
            os.fsync(copied.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise not_readable(file, error) from error
    except AppError:
        part.unlink(missing_ok=True)
        raise
    return target


def _no_room(file: Path) -> DiskFull:
    return DiskFull(
        mark("There is no room on the disk for a copy of “{name}”."),
        mark("Free some space, or leave imported files where they are (Settings, Library)."),
        name=file.name,
    )


def not_readable(file: Path, error: OSError) -> ImportFailed:
    """Return the sentence for a file that the system would not give us."""
    return ImportFailed(
        mark("“{name}” could not be read: {reason}."),
        mark("Check that the file is still there and that you may open it, then try again."),
        name=display_name(file),
        reason=error.strerror or str(error),
    )
