"""The bin of sounds: what a rule takes from a recording lies here until it is erased or put back.

An entry is a folder with `entry.json`, written first, and the sound. The row changes before the
file moves; a kill in between is made good by `tidy`, which believes the row.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths, make_private_folder, write_private
from app.core.errors import DiskFull, mark
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.waveform import forget_waveform

_ENTRY = "entry.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One sound in the bin: whose, since when, and where it came from."""

    recording_id: str
    at: float
    source: Path
    folder: Path

    @property
    def sound(self) -> Path:
        return self.folder / self.source.name


class SoundBin:
    """Moves sounds in and out. Thread: io, one at a time."""

    def __init__(self, paths: Paths, writer: LibraryWriter, reader: LibraryReader) -> None:
        self._paths = paths
        self._writer = writer
        self._reader = reader

    def entries(self) -> tuple[Entry, ...]:
        """Return what lies in the bin, in the order of the recordings."""
        return tuple(sorted(self._entries(), key=lambda entry: entry.recording_id))

    def put(self, recording_ids: Sequence[str], at: float) -> tuple[str, ...]:
        """Take the sound from recordings; return those that had one of ours.

        Raises:
            DiskFull: nothing could be written; the recordings have their sound.
            LibraryError: the library could not be changed.
        """
        return tuple(key for key in recording_ids if self._put(key, at))

    def restore(self, recording_ids: Sequence[str]) -> tuple[str, ...]:
        """Give sounds back to their recordings; return those that have it again."""
        wanted = set(recording_ids)
        found = [entry for entry in self.entries() if entry.recording_id in wanted]
        return tuple(entry.recording_id for entry in found if self._restore(entry))

    def erase(self, recording_ids: Sequence[str]) -> None:
        """Delete sounds for good."""
        wanted = set(recording_ids)
        for entry in self.entries():
            if entry.recording_id in wanted:
                shutil.rmtree(entry.folder, ignore_errors=True)

    def tidy(self) -> None:
        """Finish what a kill interrupted."""
        for entry in self.entries():
            recording = self._reader.recording(entry.recording_id)
            if recording is None:
                shutil.rmtree(entry.folder, ignore_errors=True)
            elif recording.audio_path is not None:
                if not recording.audio_path.exists() and entry.sound.exists():
                    _move(entry.sound, recording.audio_path)
                shutil.rmtree(entry.folder, ignore_errors=True)
            elif entry.source.exists() and not entry.sound.exists():
                _move(entry.source, entry.sound)

    def _entries(self) -> Iterator[Entry]:
        try:
            folders = [path for path in self._paths.sound_bin.iterdir() if path.is_dir()]
        except OSError:
            return
        for folder in folders:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                held = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
                yield Entry(folder.name, float(held["at"]), Path(str(held["source"])), folder)

    def _put(self, recording_id: str, at: float) -> bool:
        recording = self._reader.recording(recording_id)
        own = self._paths.recordings / recording_id
        if recording is None or recording.audio_path is None or not recording.is_copy:
            return False
        source = recording.audio_path
        if source.parent != own or not source.exists():
            return False  # not ours to take away
        folder = self._paths.sound_bin / recording_id
        shutil.rmtree(folder, ignore_errors=True)
        make_private_folder(folder)
        try:
            content = json.dumps({"at": at, "source": str(source)})
            write_private(folder / _ENTRY, content.encode())
        except OSError as error:
            raise DiskFull(
                mark("There is no room left to move sound into the bin."),
                mark("Free some space; the recordings still have their sound."),
            ) from error
        self._writer.update_recording(recording_id, audio_path=None, is_copy=False).result()
        _move(source, folder / source.name)
        forget_waveform(recording_id, self._paths)
        return True

    def _restore(self, entry: Entry) -> bool:
        if self._reader.recording(entry.recording_id) is None or not entry.sound.exists():
            return False
        make_private_folder(entry.source.parent)
        _move(entry.sound, entry.source)
        self._writer.update_recording(
            entry.recording_id, audio_path=entry.source, is_copy=True
        ).result()
        shutil.rmtree(entry.folder, ignore_errors=True)
        return True


def forget_sound(recording_id: str, paths: Paths) -> None:
    """Delete what the bin of sounds holds of a recording."""
    if recording_id and "/" not in recording_id:
        shutil.rmtree(paths.sound_bin / recording_id, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    make_private_folder(target.parent)
    source.replace(target)
