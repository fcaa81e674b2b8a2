"""What a person removes is gone: the rows first, then our own files of it.

A take's folder goes with its row, or the next start would bring it back. Copies of the library from
before it was brought up to a newer version go too, for they hold the text as well.
"""

from collections.abc import Sequence

from app.audio.take_folder import remove_take_folder
from app.config.paths import Paths
from app.library.connection import old_copies
from app.library.writer import LibraryWriter
from app.pipeline.sound_bin import forget_sound


def remove_recordings(writer: LibraryWriter, paths: Paths, recording_ids: Sequence[str]) -> None:
    """Remove recordings for good, with our copies of their sound; imported files stay.

    Raises:
        LibraryError, DiskFull: nothing was removed.

    Thread: io.
    """
    for copy in writer.remove(recording_ids).result():
        copy.unlink(missing_ok=True)
    for recording_id in recording_ids:
        folder = paths.recordings / recording_id
        if recording_id and folder.parent == paths.recordings and folder.is_dir():
            remove_take_folder(folder)
        forget_sound(recording_id, paths)
    for copy in old_copies(paths.library):
        copy.unlink(missing_ok=True)
