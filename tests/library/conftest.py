from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config.paths import Paths
from tests.library.builders import Library
from tests.library.full_library import make_library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "home" / "library.sqlite")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The folders of a library with something of everything in it."""
    made = Paths(tmp_path / "home")
    make_library(made, tmp_path / "elsewhere.mp3")
    return made


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where backups go."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder
