"""Recordings are dragged to other programs as files."""

import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from pytestqt.qtbot import QtBot

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.errors import DiskFull
from app.core.events import Event
from app.library.reader import LibraryReader
from app.ui.commands import WindowCommands
from app.ui.library.mime import RECORDINGS, DraggedRecordings, carried
from tests.helpers.ui_fakes import World, world_of
from tests.library.builders import Library
from tests.ui.conftest import OpenWindow


@dataclass
class Desk:
    """A library with two recordings, and a window's commands on it."""

    home: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        paths = Paths(self.home)
        library = Library(paths.library)
        library.add("a", "../One: <b>", "first words")
        library.add("b", "Two", "other words")
        library.close()
        self.reader = LibraryReader(paths.library)
        self.pool = ThreadPoolExecutor(1)
        self.commands = WindowCommands(
            queue=None,
            reader=self.reader,
            pool=self.pool,
            paths=paths,
            settings=Settings(export_format="srt", export_names="{number} {title}"),
            emit=self.events.append,
            on_settings=lambda _settings: None,
        )

        self.commands.drag_lasts_ms = 150

    def close(self) -> None:
        self.pool.shutdown()
        self.reader.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "home")
    yield desk
    desk.close()


def paths_of(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls()]


def test_files_are_written_when_they_are_asked_for(desk: Desk) -> None:
    data = DraggedRecordings(["a", "b"], desk.commands.write_for_drag)
    assert data.hasUrls()
    assert carried(data) == ["a", "b"]
    assert set(data.formats()) == {RECORDINGS, "text/uri-list"}
    drags = Paths(desk.home).drags
    assert not drags.exists()
    files = paths_of(data)
    assert [file.name for file in files] == ["1 ..-One- b.srt", "2 Two.srt"]
    assert all(file.parent.parent == drags for file in files)
    assert stat.S_IMODE(drags.stat().st_mode) == 0o700
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert "first words" in files[0].read_text()
    assert paths_of(data) == files  # written once
    desk.commands.forget_drags()
    assert not drags.exists()


def test_what_was_taken_goes_when_it_was_read(desk: Desk, qtbot: QtBot) -> None:
    data = DraggedRecordings(["a"], desk.commands.write_for_drag)
    (file,) = paths_of(data)
    assert file.exists()
    qtbot.waitUntil(lambda: not file.parent.exists())


def test_what_cannot_be_written_drops_nothing() -> None:
    failed: Future[Sequence[Path]] = Future()
    failed.set_exception(DiskFull("It is full.", "Free some."))
    data = DraggedRecordings(["a"], lambda _ids: failed)
    assert data.urls() == []


def test_the_window_does_not_take_its_own_files_back(open_window: OpenWindow, qtbot: QtBot) -> None:
    world: World = world_of(3)
    window = open_window(world)
    rows = window.parts.library.list
    data = rows.drag_data(["r000000", "r000001"])
    assert data.urls() == [
        QUrl.fromLocalFile("/nowhere/r000000.txt"),
        QUrl.fromLocalFile("/nowhere/r000001.txt"),
    ]
    many = rows.drag_data([f"r{at:06d}" for at in range(101)])
    assert not many.hasUrls()
    assert len(carried(many)) == 101
