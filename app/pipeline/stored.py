"""What Undertone keeps on this disk, and how much of it: for the person to see."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.config.paths import Paths
from app.library.restore import libraries_before


class Shelf(StrEnum):
    """One kind of thing that is kept."""

    LIBRARY = "library"  # titles, texts, notes, versions and the search index
    SOUND = "sound"  # recordings and copies of imported files
    SOUND_BIN = "sound_bin"  # sound that a rule took away, until the bin is emptied
    SETTINGS = "settings"
    MODELS = "models"
    LOGS = "logs"
    ASIDE = "aside"  # damaged and older library files that were kept


@dataclass(frozen=True, slots=True)
class Stored:
    """How much of one kind there is, and where."""

    shelf: Shelf
    place: Path
    files: int
    size_bytes: int


def look_at_store(paths: Paths) -> tuple[Stored, ...]:
    """Return what is kept, each kind once, also those of which there is nothing.

    Thread: any but the main one; walks every folder.
    """
    main = {paths.library.name + ending for ending in ("", "-wal", "-shm")}
    beside = list(paths.home.glob("library.*")) if paths.home.is_dir() else []
    aside = [file for file in beside if file.name.startswith("library.sqlite.damaged-")]
    aside += [file for file in beside if ".before-v" in file.name]
    aside += libraries_before(paths.home)
    return tuple(
        Stored(shelf, place, *_size(found))
        for shelf, place, found in (
            (Shelf.LIBRARY, paths.library, [f for f in beside if f.name in main]),
            (Shelf.SOUND, paths.recordings, [paths.recordings, paths.peaks]),
            (Shelf.SOUND_BIN, paths.sound_bin, [paths.sound_bin]),
            (Shelf.ASIDE, paths.home, aside),
            (Shelf.MODELS, paths.models, [paths.models]),
            (Shelf.SETTINGS, paths.settings, [paths.settings, paths.retention]),
            (Shelf.LOGS, paths.logs, [paths.logs]),
        )
    )


def _size(found: Iterable[Path]) -> tuple[int, int]:
    count = size = 0
    for path in found:
        for file in _files(path):
            try:
                size += file.stat(follow_symlinks=False).st_size
            except OSError:
                continue
            count += 1
    return count, size


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
        return
    for folder, _folders, names in os.walk(path):
        yield from (Path(folder, name) for name in names)
