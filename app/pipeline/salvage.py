"""`undertone library salvage`, and what the window offers when the library file is damaged.

The damaged file is kept under another name. Each step can be cut short: until the new library is
whole under its name nothing of the old one is touched, and from then on `finish_salvage` only goes
forward.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import Paths, write_private
from app.core.errors import AppError, LibraryDamaged, LibraryError, LibraryLocked, mark
from app.library.backup import sync_folder
from app.library.connection import open_readonly
from app.library.errors import told_plainly, too_new
from app.library.lock import LibraryLock, is_used_by_another
from app.library.mend import is_whole
from app.library.salvage import Salvaged, salvage
from app.pipeline.rebuild import Rebuilt, rebuild
from app.pipeline.take_texts import TakeTexts

_ASIDE = "damaged-"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a salvage brought.

    Attributes:
        salvaged: what was read out of the damaged file; `None` when nothing of it could be.
        rebuilt: what came back from the recordings' folders beyond that.
        set_aside: where the damaged file now lies.
    """

    salvaged: Salvaged | None
    rebuilt: Rebuilt
    set_aside: Path

    @property
    def count(self) -> int:
        """How many recordings the library has now."""
        return (self.salvaged.recordings if self.salvaged else 0) + len(self.rebuilt.titles)


def salvage_library(
    paths: Paths,
    progress: Callable[[float], None] = lambda _fraction: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Make the library anew from what can be read of it and from the recordings' folders.

    Raises:
        LibraryLocked: an Undertone is using it.
        LibraryError, DiskFull, Stopped: nothing was changed.

    Thread: any but the main one; takes a minute for a very large library.
    """
    lock = LibraryLock.take(paths.library_lock)
    if lock is None:
        raise _in_use()
    with lock:
        if is_used_by_another(paths):
            raise _in_use()
        _refuse_newer(paths)
        found: Salvaged | None = None
        if not _made(paths).exists():
            try:
                found = salvage(paths.library, _made(paths), TakeTexts(paths), progress, is_stopped)
            except AppError as error:
                if not _is_lost(error):
                    raise
        aside = _put_in_place(paths)
        forget_plan(paths)
    return Outcome(found, rebuild(paths), aside)


def _in_use() -> LibraryLocked:
    return LibraryLocked(
        mark("Another Undertone is using the library."),
        mark("Quit it, then repair the library."),
    )


def _refuse_newer(paths: Paths) -> None:
    """Leave what a newer Undertone wrote alone: it holds what this one does not know."""
    try:
        opened = open_readonly(paths.library)
    except LibraryLocked:
        raise
    except LibraryError:
        return  # what cannot be opened does not say who wrote it
    opened.connection.close()
    if opened.is_too_new:
        raise too_new(paths.library)


def is_damaged(paths: Paths) -> bool:
    """Whether the library file cannot be opened, or a page of it is not as it should be.

    Raises:
        LibraryError: it is out of reach just now, so nobody can tell.

    Thread: any but the main one; reads the whole file.
    """
    if not paths.library.exists():
        return False
    try:
        opened = open_readonly(paths.library)
    except LibraryDamaged:
        return True
    with told_plainly(paths.library), contextlib.closing(opened.connection):
        return not is_whole(opened.connection)


def plan_salvage(paths: Paths) -> None:
    """Leave a note: the next start repairs before it opens the library."""
    write_private(_note(paths), b"")


def is_planned(paths: Paths) -> bool:
    """Whether the person asked for a repair that has not been done yet."""
    return _note(paths).exists()


def forget_plan(paths: Paths) -> None:
    """The person wants to go on without."""
    _note(paths).unlink(missing_ok=True)


def finish_salvage(paths: Paths) -> None:
    """Put a new library in place that a kill left beside the damaged one. Holder of the lock.

    Nothing happens while another Undertone works on the damaged one.
    """
    if _made(paths).exists() and not is_used_by_another(paths):
        _put_in_place(paths)


def set_aside_files(paths: Paths) -> list[Path]:
    """Return the damaged files that were kept."""
    return sorted(paths.home.glob(f"{paths.library.name}.{_ASIDE}*"))


def _note(paths: Paths) -> Path:
    return paths.library.with_name(f"{paths.library.stem}.salvage")


def _made(paths: Paths) -> Path:
    return paths.library.with_name(f"{paths.library.stem}.salvaged{paths.library.suffix}")


def _is_lost(error: AppError) -> bool:
    """Whether not a single row could be read, so that only the folders are left."""
    return isinstance(error, LibraryDamaged)


def _put_in_place(paths: Paths) -> Path:
    """Keep the damaged file, then let the new one, if there is one, take its name."""
    aside = paths.library.with_name(
        f"{paths.library.name}.{_ASIDE}{time.strftime('%Y%m%d-%H%M%S')}"
    )
    for ending in ("", "-wal"):
        source = paths.library.with_name(paths.library.name + ending)
        target = aside.with_name(aside.name + ending)
        if source.exists() and not target.exists():
            _twin(source, target)
    sync_folder(paths.home)
    # A log beside the new file would be taken for its own.
    for ending in ("-wal", "-shm"):
        paths.library.with_name(paths.library.name + ending).unlink(missing_ok=True)
    if _made(paths).exists():
        _made(paths).replace(paths.library)
    else:
        paths.library.unlink(missing_ok=True)
    sync_folder(paths.home)
    return aside


def _twin(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the disk knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        with contextlib.suppress(OSError):
            target.chmod(0o600)


@dataclass(frozen=True, slots=True)
class LibraryShelter:
    """The library file of `paths`, looked at and repaired from outside. Thread: io."""

    paths: Paths

    def is_damaged(self) -> bool:
        return is_damaged(self.paths)

    def salvage(self, progress: Callable[[float], None], is_stopped: Callable[[], bool]) -> Outcome:
        return salvage_library(self.paths, progress, is_stopped)
