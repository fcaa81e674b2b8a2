"""A library for one run, of which nothing stays.

It lies in a folder of its own in the home folder and goes when the run ends. A locked file in it
says that somebody is at work there; what a killed run left goes at the next start.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.config.paths import Paths, make_private_folder
from app.core.errors import AppError
from app.library.lock import LibraryLock

_PREFIX = ".once-"
_ALIVE = "alive.lock"


@contextlib.contextmanager
def once_paths(home: Path) -> Iterator[Paths]:
    """Yield the paths of a library that is gone afterwards; sweeps what others left.

    Raises:
        LibraryError, DiskFull: there can be none.
    """
    make_private_folder(home)
    sweep_once(home)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        lock = LibraryLock.take(folder / _ALIVE)
        if lock is not None:
            break  # else somebody took it for left behind, and sweeps it
    try:
        yield Paths(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def sweep_once(home: Path) -> None:
    """Delete what killed runs left in `home`."""
    for folder in home.glob(f"{_PREFIX}*"):
        if folder.is_symlink():
            continue  # not ours
        with contextlib.suppress(AppError):
            lock = LibraryLock.take(folder / _ALIVE)
            if lock is not None:
                with lock:
                    shutil.rmtree(folder, ignore_errors=True)
