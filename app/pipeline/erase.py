"""Erases everything Undertone ever wrote down, so that the next start is the first.

Only what is ours by name goes: a home folder that holds other things keeps them. A note is left
first and removed last, so that a kill in between is made good at the next start.
"""

import contextlib
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.config.identity import BUNDLE_ID, NAME
from app.config.paths import Paths, write_private
from app.core.errors import AppError, DiskFull, LibraryLocked, mark
from app.library.lock import LibraryLock, is_used_by_another
from app.library.reader import LibraryReader
from app.library.search import ListQuery

_log = logging.getLogger(__name__)
# What we write into the home folder, the models and the note aside.
_OURS = (
    "library.*",
    "recordings",
    "sound-bin",
    "peaks",
    "drags",  # on their way to another program
    "settings.json",
    "settings.*",
    ".settings-*",
    "retention.json*",
    "logs",
    "owners",
    ".once-*",
    "library before *",  # what a restore put aside, and what it and an import leave half done
    "restoring",
    "taking-in",
    "backups.json*",
    ".backing-up",
)
_IN_CACHES = ("Caches", "HTTPStorages", "WebKit")


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and what could not be."""

    files: int = 0
    size_bytes: int = 0
    left: tuple[Path, ...] = ()


def count_recordings(paths: Paths) -> int:
    """Return how many recordings there are to lose, the bin included; 0 where nobody can tell."""
    try:
        with LibraryReader(paths.library) as reader:
            return reader.count() + reader.count(ListQuery(is_binned=True))
    except AppError:
        return 0


def plan_erasing(paths: Paths, *, has_models: bool) -> None:
    """Leave the note; from here on the next start erases, whatever happens.

    Raises:
        DiskFull: there is no room even for that; nothing was erased.
    """
    try:
        write_private(paths.erasing, json.dumps({"models": has_models}).encode())
    except OSError as error:
        raise DiskFull(
            mark("Nothing was erased: {reason}."),
            mark("Free some disk space and try again."),
            reason=error.strerror or str(error),
        ) from error


def finish_erasing(paths: Paths) -> Erased | None:
    """Erase what was planned; `None` when nothing was, or another Undertone still runs."""
    try:
        planned = json.loads(paths.erasing.read_text(encoding="utf-8"))
        has_models = bool(planned["models"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        has_models = False
    try:
        return erase_everything(paths, has_models=has_models)
    except LibraryLocked:
        return None


def erase_everything(paths: Paths, *, has_models: bool) -> Erased:
    """Erase library, recordings, settings, logs and whatever else is ours; nothing may be open.

    Args:
        paths: where things lie.
        has_models: erase the models as well.

    Raises:
        LibraryLocked: an Undertone is running; nothing was erased.
    """
    lock = LibraryLock.take(paths.library_lock)
    try:
        if lock is None or is_used_by_another(paths):
            raise LibraryLocked(
                mark("Undertone is running, so nothing was erased."),
                mark("Quit it first, or erase everything in its settings under Privacy."),
            )
        plan_erasing(paths, has_models=has_models)
        erased = _erase([*own_files(paths, has_models=has_models), *_traces(), paths.erasing])
    finally:
        if lock is not None:
            lock.release()
    with contextlib.suppress(OSError):  # something of somebody else lies there
        paths.home.rmdir()
    return erased


def _erase(found: list[Path]) -> Erased:
    files = size = 0
    for path in found:
        for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
            with contextlib.suppress(OSError):
                if file.is_file() and not file.is_symlink():
                    files, size = files + 1, size + file.stat().st_size
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return Erased(files, size, tuple(path for path in found if path.exists()))


def own_files(paths: Paths, *, has_models: bool) -> Iterator[Path]:
    """Yield the files and folders in the home folder that are ours by name."""
    for pattern in _OURS:
        yield from sorted(paths.home.glob(pattern))
    if has_models and paths.models.exists():
        yield paths.models


def _traces() -> Iterator[Path]:
    """Yield what the system and Qt keep of the app, and what a killed self-test left."""
    yield from Path(tempfile.gettempdir()).glob("undertone-self-test-*")
    cache = Path(platformdirs.user_cache_dir(NAME, appauthor=False))
    if cache.is_dir():
        yield cache
    if sys.platform == "darwin":
        yield from _mac_traces(Path.home() / "Library")


def _mac_traces(library: Path) -> Iterator[Path]:
    for folder in _IN_CACHES:
        yield from library.glob(f"{folder}/{BUNDLE_ID}*")
    yield from library.glob(f"Saved Application State/{BUNDLE_ID}.savedState")
    yield from library.glob(f"Preferences/{BUNDLE_ID}*.plist")
    yield from library.glob(f"Logs/DiagnosticReports/{NAME}-*")
