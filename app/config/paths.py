"""Where things lie on disk.

Everything a person owns lies under one home folder, which `UNDERTONE_HOME` moves. Folders are made
with mode 0700 by whoever writes to them first.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.config.medium import flush_to_medium

HOME_VARIABLE = "UNDERTONE_HOME"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files under one home folder."""

    home: Path

    @property
    def library(self) -> Path:
        return self.home / "library.sqlite"

    @property
    def library_lock(self) -> Path:
        return self.home / "library.lock"

    @property
    def owners(self) -> Path:
        """One locked file for every living process that runs jobs."""
        return self.home / "owners"

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def settings(self) -> Path:
        return self.home / "settings.json"

    @property
    def drags(self) -> Path:
        """What is on its way to another program; emptied at every start and end."""
        return self.home / "drags"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def peaks(self) -> Path:
        """Waveforms of imported files, which have no folder of their own."""
        return self.home / "peaks"

    @property
    def sound_bin(self) -> Path:
        """Sound that a retention rule took from its recording, until the bin is emptied."""
        return self.home / "sound-bin"

    @property
    def retention(self) -> Path:
        """When the retention rules last ran, and what they must leave alone."""
        return self.home / "retention.json"

    @property
    def erasing(self) -> Path:
        """There while everything is being erased, so that a kill in between is made good."""
        return self.home / "erasing.json"


def default_paths() -> Paths:
    """Return the paths of this user, or those under `UNDERTONE_HOME` where it is set."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Paths(Path(chosen).expanduser().absolute())
    return Paths(Path(platformdirs.user_data_dir("Undertone", appauthor=False)))


def make_private_folder(folder: Path) -> Path:
    """Make `folder` and its parents so that only this user can look inside, and return it."""
    if not folder.is_dir():
        if not folder.parent.exists():
            make_private_folder(folder.parent)  # `parents=True` would leave them open to all
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(file: Path, content: bytes) -> None:
    """Put `content` into `file` for this user only: afterwards it holds all of it, or the old."""
    make_private_folder(file.parent)
    part = file.with_name(f"{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        flush_to_medium(out.fileno())
    part.replace(file)


def sample_recording() -> Path:
    """Return the short recording that ships with the app, to see it work."""
    return resources() / "sample" / "A short talk.flac"


def resources() -> Path:
    """Return the folder of the files that ship with the app."""
    beside_the_package = Path(__file__).resolve().parents[2] / "resources"
    if beside_the_package.is_dir():
        return beside_the_package
    return Path(__file__).resolve().parents[1] / "_resources"
