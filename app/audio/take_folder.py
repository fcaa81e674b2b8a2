"""One folder per take, complete enough that the library can be rebuilt from it.

    recordings/<id>/take.json        what the library's row is made of, written first
                    audio.journal    while and until it is packed
                    audio.flac       the packed, verified sound
                    audio.peaks      its waveform
                    segments.jsonl   finals as they came, one a line

The folder is made fresh for each take and never reused; `take.json` is always whole; a torn last
line of `segments.jsonl` is passed over.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.audio.journal import sync_folder
from app.config.medium import flush_to_medium
from app.config.paths import make_private_folder
from app.core.errors import AudioError, DiskFull, mark
from app.core.transcript import Segment, Word

_VERSION = 1


@dataclass(frozen=True, slots=True)
class TakeFolder:
    """The files of one take."""

    folder: Path

    @property
    def take_id(self) -> str:
        return self.folder.name

    @property
    def journal(self) -> Path:
        return self.folder / "audio.journal"

    @property
    def flac(self) -> Path:
        return self.folder / "audio.flac"

    @property
    def peaks(self) -> Path:
        return self.folder / "audio.peaks"

    @property
    def take(self) -> Path:
        return self.folder / "take.json"

    @property
    def segments(self) -> Path:
        return self.folder / "segments.jsonl"

    def details(self) -> dict[str, Any] | None:
        """Return what `take.json` holds, `None` when it is missing or unreadable."""
        try:
            found = json.loads(self.take.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def save_details(self, details: dict[str, Any]) -> None:
        """Replace `take.json` whole.

        Raises:
            DiskFull: it could not be written; the one before is still there.
        """
        part = self.take.with_name("take.json.part")
        content = json.dumps({"version": _VERSION, **details}, ensure_ascii=False, indent=1)
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(content)
                out.flush()
                flush_to_medium(out.fileno())
            part.replace(self.take)
            sync_folder(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise _not_written(error) from error


def make_take_folder(recordings: Path, take_id: str, details: dict[str, Any]) -> TakeFolder:
    """Make the folder of a new take with its `take.json`.

    Args:
        recordings: where the takes lie.
        take_id: fresh (`core.ids.new_id`).
        details: all that is needed to make the library's row again.

    Raises:
        AudioError: there is such a folder already.
        DiskFull: no room.
    """
    folder = new_take_folder(recordings, take_id)
    folder.save_details(details)
    return folder


def new_take_folder(recordings: Path, take_id: str) -> TakeFolder:
    """Make the empty folder of a new take, so that its journal can begin at once.

    Raises:
        AudioError: there is such a folder already.
        DiskFull: no room.
    """
    folder = TakeFolder(recordings / take_id)
    try:
        make_private_folder(recordings)
        folder.folder.mkdir(mode=0o700)
        sync_folder(recordings)
    except FileExistsError as error:
        raise AudioError(
            mark("There already is a recording with this name."), mark("Start the recording again.")
        ) from error
    except OSError as error:
        raise _not_written(error) from error
    return folder


def remove_take_folder(folder: Path) -> None:
    """Delete a take with all its files; what is not one of them stays, and so does its folder."""
    take = TakeFolder(folder)
    names = (take.journal, take.flac, take.peaks, take.segments, take.take)
    for file in names:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            file.with_name(file.name + ".part").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def take_folders(recordings: Path) -> tuple[TakeFolder, ...]:
    """Return the folders of all takes, oldest first; what is not one of ours is passed over."""
    try:
        found = sorted(path for path in recordings.iterdir() if path.is_dir())
    except OSError:
        return ()
    folders = (TakeFolder(path) for path in found if not path.name.startswith("."))
    return tuple(
        folder
        for folder in folders
        if any(file.exists() for file in (folder.take, folder.journal, folder.flac))
    )


class SegmentLog:
    """Appends finals to `segments.jsonl`, each on the medium when `append` returns.

    Owner: one thread.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, seq: int, segment: Segment) -> None:
        """Keep `segment`; `seq` and the take name it for good, so that twice does no harm.

        Raises:
            DiskFull: it could not be written.
        """
        line = json.dumps({"seq": seq, **asdict(segment)}, ensure_ascii=False)
        view = memoryview(b"\n" + line.encode("utf-8") + b"\n")  # ends a torn line before it
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
            flush_to_medium(self._descriptor)
        except OSError as error:
            raise _not_written(error) from error

    def close(self) -> None:
        """Give the file back; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_segments(file: Path) -> tuple[Segment, ...]:
    """Return the finals in `segments.jsonl` in order; of two with one number the later counts."""
    found: dict[int, Segment] = {}
    for line in _lines(file):
        try:
            content = json.loads(line)
            seq = int(content.pop("seq"))
            words = tuple(Word(**word) for word in content.pop("words", ()))
            found[seq] = Segment(**content, words=words)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue  # torn by a crash, or not ours
    return tuple(found[seq] for seq in sorted(found))


def _lines(file: Path) -> Iterator[str]:
    try:
        content = file.read_bytes()
    except OSError:
        return
    for line in content.split(b"\n"):
        if line.strip():
            yield line.decode("utf-8", "replace")


def _not_written(error: OSError) -> DiskFull:
    return DiskFull(
        mark("A recording could not be written to your disk: {reason}."),
        mark("Free some disk space, then try again."),
        reason=error.strerror or str(error),
    )
