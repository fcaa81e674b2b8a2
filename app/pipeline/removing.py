"""What a person removes is gone: the rows first, then our own files of it.

A take's folder goes with its row, or the next start would bring it back.
"""

from collections.abc import Sequence
from pathlib import Path

from app.audio.take_folder import remove_take_folder
from app.library.writer import LibraryWriter


def remove_recordings(
    writer: LibraryWriter, recordings: Path, recording_ids: Sequence[str]
) -> None:
    """Remove recordings for good, with our copies of their sound; imported files stay.

    Raises:
        LibraryError, DiskFull: nothing was removed.

    Thread: io.
    """
    for copy in writer.remove(recording_ids).result():
        copy.unlink(missing_ok=True)
    for recording_id in recording_ids:
        folder = recordings / recording_id
        if recording_id and folder.parent == recordings and folder.is_dir():
            remove_take_folder(folder)
