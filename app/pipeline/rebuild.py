"""`undertone library rebuild`: the library made again from the recordings' own folders.

A damaged file is moved aside, never deleted; rows that are there are not touched.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths
from app.core.errors import AppError, LibraryDamaged
from app.core.events import Event, Failed, LibraryChanged
from app.library.lock import LibraryLock, Owner, is_used_by_another
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.recover import rebuild_library, recover_takes


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it.

    Attributes:
        titles: of the recordings that were brought back, oldest first.
        set_aside: where a damaged library now lies.
        problems: what could not be brought back, and why.
    """

    titles: tuple[str, ...]
    set_aside: Path | None
    problems: tuple[AppError, ...]


def rebuild(paths: Paths) -> Rebuilt:
    """Bring back everything that lies in the folders and is not in the library.

    Raises:
        LibraryError, DiskFull: the library cannot be written; a damaged one only when another
            Undertone has it open.
    """
    lock = LibraryLock.take(paths.library_lock)
    try:
        writer, set_aside = _open(paths, lock)
        with writer, Owner.take(paths) as owner:
            return _rebuild(paths, writer, owner, set_aside)
    finally:
        if lock is not None:
            lock.release()


def _open(paths: Paths, lock: LibraryLock | None) -> tuple[LibraryWriter, Path | None]:
    try:
        return LibraryWriter(paths.library, _nobody, lock=lock, watch_s=None), None
    except LibraryDamaged:
        if lock is None or is_used_by_another(paths):
            raise
    aside = paths.library.with_name(
        f"{paths.library.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    )
    for ending in ("-wal", "-shm", ""):
        file = paths.library.with_name(paths.library.name + ending)
        if file.exists():
            file.rename(aside.with_name(aside.name + ending))
    return LibraryWriter(paths.library, _nobody, lock=lock, watch_s=None), aside


def _rebuild(paths: Paths, writer: LibraryWriter, owner: Owner, aside: Path | None) -> Rebuilt:
    problems: list[AppError] = []

    def tell(event: Event) -> None:
        if isinstance(event, Failed):
            problems.append(event.error)

    reader = LibraryReader(paths.library)
    try:
        before = {found.recording_id for found in reader.recordings(limit=_ALL)}
        recover_takes(paths, writer, reader, owner, tell)
        rebuild_library(paths, writer, reader, owner)
        after = reader.recordings(limit=_ALL)
        new = [found.title for found in reversed(after) if found.recording_id not in before]
        return Rebuilt(tuple(new), aside, tuple(problems))
    finally:
        reader.close()


_ALL = 10_000_000


def _nobody(_change: LibraryChanged) -> None:
    """Nobody listens."""
