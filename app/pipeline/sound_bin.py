"""The bin of sounds: what a rule takes from a recording lies here until it is erased or put back.

An entry is a folder with `entry.json`, written first and deleted last, and the sound. The row
changes before the file moves; a kill in between is made good by `tidy`, which believes the row. A
lock, held for one entry at a time, keeps others from tidying what is on its way.
"""

import contextlib
import errno
import json
import logging
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.audio.journal import sync_folder
from app.config.medium import flush_to_medium
from app.config.paths import Paths, make_private_folder, write_private
from app.core.errors import AppError, DiskFull, LibraryError, LibraryLocked, mark
from app.core.ids import names_a_folder
from app.library.errors import locked, not_deleted
from app.library.lock import LibraryLock
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.waveform import forget_waveform

_log = logging.getLogger(__name__)
_ENTRY = "entry.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PATIENCE_S = 60.0  # an hour of sound may be on its way to another disk


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
    """Moves sounds in and out. Thread: io; others, here and elsewhere, may do so meanwhile."""

    def __init__(self, paths: Paths, writer: LibraryWriter, reader: LibraryReader) -> None:
        self._paths = paths
        self._writer = writer
        self._reader = reader

    def entries(self) -> tuple[Entry, ...]:
        """Return what lies in the bin, in the order of the recordings."""
        try:
            names = sorted(path.name for path in self._paths.sound_bin.iterdir() if path.is_dir())
        except OSError:
            return ()
        return tuple(entry for name in names if (entry := self._look(name)) is not None)

    def put(self, recording_ids: Sequence[str], at: float) -> tuple[str, ...]:
        """Take the sound from recordings; return those that had one of ours.

        Raises:
            LibraryError, DiskFull: from some it could not be taken, and those have it still; that
                of the others lies in the bin.
        """
        return _each(recording_ids, lambda recording_id: self._put(recording_id, at))

    def restore(self, recording_ids: Sequence[str]) -> tuple[str, ...]:
        """Give sounds back to their recordings; return those that have it again.

        Raises:
            LibraryError, DiskFull: some could not be given back, and lie in the bin as before.
        """
        return _each(sorted(set(recording_ids)), self._restore)

    def erase(self, recording_ids: Sequence[str], before: float = math.inf) -> tuple[str, ...]:
        """Delete sounds for good that came into the bin by `before`; return whose those were.

        Raises:
            LibraryError: some could not be deleted, and lie in the bin as before.
        """
        return _each(recording_ids, lambda recording_id: self._erase(recording_id, before))

    def tidy(self) -> None:
        """Finish what a kill interrupted.

        Sound whose recording has no row stays until its time is over: the row may come back.

        Raises:
            LibraryError: the library could not be read.
        """
        for found in self.entries():
            with _held(self._paths):
                entry = self._look(found.recording_id)
                try:
                    if entry is not None:
                        self._tidy(entry)
                except OSError as error:  # it stays as it is, and the next run tries again
                    _log.warning("sound in the bin was left as it is: %s", type(error).__name__)

    def _tidy(self, entry: Entry) -> None:
        recording = self._reader.recording(entry.recording_id)
        if recording is None:
            return
        if recording.audio_path is not None:
            if not recording.audio_path.exists() and entry.sound.exists():
                _move(entry.sound, recording.audio_path)
            _drop(entry.folder)
        elif entry.source.exists():
            if not entry.sound.exists():
                _move(entry.source, entry.sound)
            elif entry.source.stat().st_size == entry.sound.stat().st_size:
                entry.source.unlink()  # its way to another disk ended before this

    def _look(self, recording_id: str) -> Entry | None:
        folder = self._paths.sound_bin / recording_id
        try:
            held = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
            at, name = float(held["at"]), Path(str(held["source"])).name
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # Only the name is believed: the library may have come here from elsewhere.
        return Entry(recording_id, at, self._paths.recordings / recording_id / name, folder)

    def _erase(self, recording_id: str, before: float) -> bool:
        with _held(self._paths):
            entry = self._look(recording_id)
            if entry is None or entry.at > before:
                return False
            try:
                _drop(entry.folder)
            except OSError as error:
                raise not_deleted([entry.sound]) from error
            return True

    def _put(self, recording_id: str, at: float) -> bool:
        with _held(self._paths):
            recording = self._reader.recording(recording_id)
            own = self._paths.recordings / recording_id
            if recording is None or recording.audio_path is None or not recording.is_copy:
                return False
            source = recording.audio_path
            if source.parent != own or not names_a_folder(recording_id):
                return False  # not ours to take away
            entry = Entry(recording_id, at, source, self._paths.sound_bin / recording_id)
            try:
                if not source.exists():
                    return False
                _begin(entry)
                if not self._set_sound(recording_id, None):
                    _drop(entry.folder)  # the recording was removed meanwhile
                    return False
                _move(source, entry.sound)
            except OSError as error:
                return self._undo_put(entry, error)
            with contextlib.suppress(OSError):
                forget_waveform(recording_id, self._paths)
            return True

    def _undo_put(self, entry: Entry, error: OSError) -> bool:
        """Let the recording have its sound; `False` when it was removed meanwhile."""
        is_there = self._set_sound(entry.recording_id, entry.source)
        with contextlib.suppress(OSError):
            _drop(entry.folder)
        if not is_there:
            return False
        raise _not_moved(entry.source, error) from error

    def _restore(self, recording_id: str) -> bool:
        with _held(self._paths):
            entry = self._look(recording_id)
            if entry is None or self._reader.recording(recording_id) is None:
                return False
            try:
                if not entry.sound.exists():
                    return False
                _move(entry.sound, entry.source)
            except OSError as error:
                raise _not_moved(entry.sound, error) from error
            is_there = self._set_sound(recording_id, entry.source)
            with contextlib.suppress(OSError):
                _drop(entry.folder)
                if not is_there:  # removed meanwhile
                    entry.source.unlink()
            return is_there

    def _set_sound(self, recording_id: str, sound: Path | None) -> bool:
        """Say in the row where the sound lies; `False` when the row is gone."""
        changed = self._writer.update_recording(
            recording_id, audio_path=sound, is_copy=sound is not None
        )
        return changed.result() is not None


def forget_sound(recording_id: str, paths: Paths) -> None:
    """Delete what the bin of sounds holds of a recording.

    Raises:
        OSError: it could not be deleted.
        LibraryLocked: another has been moving sound for a minute.
    """
    folder = paths.sound_bin / recording_id
    if names_a_folder(recording_id) and folder.is_dir():
        with _held(paths):
            _drop(folder)


@contextlib.contextmanager
def _held(paths: Paths) -> Iterator[None]:
    """Keep all others, in this process and elsewhere, from moving sounds meanwhile."""
    file = paths.home / "library.sounds.lock"
    lock = LibraryLock.wait(file, _PATIENCE_S)
    if lock is None:
        raise locked(paths.library)
    with lock:
        yield


def _begin(entry: Entry) -> None:
    """Make the folder of an entry, which says what will lie in it."""
    shutil.rmtree(entry.folder, ignore_errors=True)
    make_private_folder(entry.folder)
    content = json.dumps({"at": entry.at, "source": str(entry.source)})
    write_private(entry.folder / _ENTRY, content.encode())


def _drop(folder: Path) -> None:
    """Delete an entry, `entry.json` last: what cannot be deleted stays known.

    Raises:
        OSError: the sound could not be deleted.
    """
    for file in folder.iterdir():
        if file.name != _ENTRY:
            file.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Move a file, whatever disks it and its target are on."""
    make_private_folder(target.parent)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f"{target.name}.part")
        try:
            shutil.copyfile(source, part)
            part.chmod(0o600)
            with part.open("rb") as copied:
                flush_to_medium(copied.fileno())
            part.replace(target)
            sync_folder(target.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        source.unlink()


def _each(recording_ids: Iterable[str], act: Callable[[str], bool]) -> tuple[str, ...]:
    """Do `act` to each, whatever becomes of the others; return those that it said yes to."""
    done, problem = [], None
    for recording_id in recording_ids:
        try:
            if act(recording_id):
                done.append(recording_id)
        except LibraryLocked:
            raise  # waited for long enough
        except AppError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return tuple(done)


def _not_moved(file: Path, error: OSError) -> AppError:
    if error.errno in _FULL:
        return DiskFull(
            mark("There is no room left to move the sound “{file}”."),
            mark("Free some space and try again; until then it stays where it is."),
            file=str(file),
        )
    return LibraryError(
        mark("The sound “{file}” could not be moved: {reason}."),
        mark("Allow changes to it and to its folder; until then it stays where it is."),
        file=str(file),
        reason=error.strerror or str(error),
    )
