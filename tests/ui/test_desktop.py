"""Overlay, menu bar, sounds and quitting hang together, whatever of them a system has."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.dictation import Stage
from app.macos.dock import FakeDock
from app.macos.panel import FakePanels
from app.macos.status_item import FakeStatusItem, OnChosen, OnFiles, StatusItem
from app.ui.desktop import Desktop, DesktopParts
from app.ui.main_window import MainWindow
from app.ui.sounds import Cue
from tests.helpers.ui_fakes import World


class Silent:
    """A player that only counts."""

    def __init__(self) -> None:
        self.heard: list[Cue] = []

    def prepare(self) -> None: ...

    def play(self, cue: Cue) -> None:
        self.heard.append(cue)


class Scene:
    """A window with everything around it."""

    def __init__(self, world: World, *, has_tray: bool = True) -> None:
        self.world = world
        self.ends = 0
        self.player = Silent()
        self.dock = FakeDock()
        self.item: FakeStatusItem | None = None
        self.has_tray = has_tray
        self.window = MainWindow(world.ports)
        self.desktop = Desktop(
            self.window,
            world.ports,
            lambda: world.commands.settings,
            DesktopParts(self._make, FakePanels(), self.dock, self.player, self._end),
        )

    def _make(self, on_chosen: OnChosen, on_files: OnFiles) -> StatusItem | None:
        if not self.has_tray:
            return None
        self.item = FakeStatusItem(on_chosen, on_files)
        return self.item

    def _end(self) -> None:
        self.ends += 1


@pytest.fixture
def scenes(qtbot: QtBot) -> Iterator[list[Scene]]:
    before = QApplication.quitOnLastWindowClosed()
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.desktop.close()
        scene.window.close()
        scene.window.deleteLater()
    QApplication.setQuitOnLastWindowClosed(before)


def test_a_take_is_seen_heard_and_in_the_menu_bar(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World()))
    scene.world.dictation.tell(Stage.RECORDING)
    assert scene.desktop.overlay is not None
    assert scene.desktop.overlay.is_shown
    assert scene.player.heard == [Cue.START]
    assert scene.item is not None
    assert scene.item.icon is not None
    assert scene.item.icon.stem == "recording"


def test_settings_are_followed_at_once(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World()))
    scene.world.commands.change_settings(shows_overlay=False, sounds=False, shows_dock_icon=False)
    scene.desktop.refresh()
    scene.world.dictation.tell(Stage.RECORDING)
    assert scene.desktop.overlay is not None
    assert not scene.desktop.overlay.is_shown
    assert scene.player.heard == []
    assert not scene.dock.is_shown


def test_the_menu_bar_opens_window_and_settings_and_takes_files(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World()))
    assert scene.item is not None
    scene.item.choose("settings")
    assert scene.window.isVisible()
    settings = scene.window._settings_window
    assert settings is not None
    assert settings.isVisible()
    settings.close()
    scene.item.drop([scene.world.commands.sample_path])
    assert scene.world.commands.names()[-1] == "add_files"
    scene.item.choose("quit")
    assert scene.ends == 1


def test_without_a_menu_bar_the_last_window_ends_the_app(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World(), has_tray=False))
    assert QApplication.quitOnLastWindowClosed()
    assert scene.dock.is_shown
    scene.desktop.refresh()


def test_without_dictation_there_is_no_overlay(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World(has_dictation=False)))
    assert scene.desktop.overlay is None
    scene.desktop.refresh()


def test_closing_takes_everything_off_the_screen(scenes: list[Scene]) -> None:
    scenes.append(scene := Scene(World()))
    scene.world.dictation.tell(Stage.RECORDING)
    scene.desktop.close()
    assert scene.item is not None
    assert not scene.item.is_open
    scene.world.dictation.tell(Stage.IDLE)
    scene.desktop.close()
