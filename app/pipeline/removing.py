"""What a person removes is gone: the rows first, then our own files of it.

A take's folder goes with its row, or the next start would bring it back. Copies of the library from
before it was brought up to a newer version go too, for they hold the text as well. A file that
cannot be deleted keeps no other from going, and is told.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.audio.take_folder import TakeFolder, remove_take_folder
from app.config.paths import Paths
from app.core.ids import names_a_folder
from app.library.connection import old_copies
from app.library.errors import not_deleted
from app.library.writer import LibraryWriter
from app.pipeline.sound_bin import forget_sound
from app.pipeline.waveform import forget_waveform


def remove_recordings(writer: LibraryWriter, paths: Paths, recording_ids: Sequence[str]) -> None:
    """Remove recordings for good, with our copies of their sound; imported files stay.

    Raises:
        LibraryError, DiskFull: nothing was removed; or all is gone but for the files it names.

    Thread: io.
    """
    _delete_files(paths, recording_ids, writer.remove(recording_ids).result())


def remove_expired(
    writer: LibraryWriter, paths: Paths, recording_ids: Sequence[str], before: float
) -> tuple[str, ...]:
    """Remove those of the recordings that have lain in the bin since `before`; return them.

    What was put back, or is a favourite, by the time the rows go stays.

    Raises:
        LibraryError, DiskFull: nothing was removed; or all is gone but for the files it names.

    Thread: io.
    """
    removed, copies = writer.remove_binned(recording_ids, before).result()
    _delete_files(paths, removed, copies)
    return removed


def _delete_files(paths: Paths, recording_ids: Sequence[str], copies: Sequence[Path]) -> None:
    left: list[Path] = []
    for file in copies:
        left += _undeletable(file)
    for recording_id in filter(names_a_folder, recording_ids):
        folder = paths.recordings / recording_id
        try:
            if folder.is_dir():
                remove_take_folder(folder)
                left += _still_there(TakeFolder(folder))
            forget_sound(recording_id, paths)
            forget_waveform(recording_id, paths)
        except OSError as error:
            left.append(Path(error.filename) if error.filename else folder)
    for file in old_copies(paths.library):
        left += _undeletable(file)
    if left:
        raise not_deleted(list(dict.fromkeys(left)))


def _undeletable(file: Path) -> Iterator[Path]:
    """Delete a file; yield it when that could not be."""
    try:
        file.unlink(missing_ok=True)
    except OSError:
        yield file


def _still_there(take: TakeFolder) -> Iterator[Path]:
    for file in (take.journal, take.flac, take.segments, take.take):
        if file.exists():
            yield file
