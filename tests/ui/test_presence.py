"""The app lives on without a window, and ends without losing a take."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.dictation import Stage
from app.macos.dock import FakeDock
from app.ui.presence import Presence
from tests.helpers.ui_fakes import World

ROOT = Path(__file__).resolve().parents[2]


class Scene:
    """A window that is watched."""

    def __init__(self, qtbot: QtBot, *, patience_ms: int = 60_000) -> None:
        self.world = World()
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.dock = FakeDock()
        self.has_tray = True
        self.wants_icon = True
        self.ends = 0
        self.presence = Presence(
            self.window,
            self.world.dictation,
            self.world.bus,
            self.dock,
            has_tray=lambda: self.has_tray,
            wants_dock_icon=lambda: self.wants_icon,
            end=self._end,
            patience_ms=patience_ms,
        )

    def _end(self) -> None:
        self.ends += 1


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[Scene]:
    before = QApplication.quitOnLastWindowClosed()
    yield Scene(qtbot)
    QApplication.setQuitOnLastWindowClosed(before)


def test_it_lives_on_without_a_window_only_when_it_can_be_reached(scene: Scene) -> None:
    assert not QApplication.quitOnLastWindowClosed()
    scene.has_tray = False
    scene.presence.refresh()
    assert QApplication.quitOnLastWindowClosed()


def test_the_dock_icon_is_there_with_a_window_or_when_wanted(scene: Scene) -> None:
    shown = [scene.dock.is_shown]
    scene.wants_icon = False
    scene.presence.refresh()
    shown.append(scene.dock.is_shown)
    scene.presence.open_window()
    shown.append(scene.dock.is_shown)
    scene.window.close()
    shown.append(scene.dock.is_shown)
    scene.has_tray = False
    scene.presence.refresh()
    shown.append(scene.dock.is_shown)
    assert shown == [True, False, True, False, True]


def test_without_a_take_it_ends_at_once(scene: Scene) -> None:
    scene.presence.quit()
    assert scene.ends == 1
    assert scene.world.dictation.calls == []


def test_a_running_take_is_finished_first(scene: Scene) -> None:
    scene.window.show()
    scene.world.dictation.tell(Stage.RECORDING)
    scene.presence.quit()
    assert scene.world.dictation.names() == ["stop"]
    assert (scene.ends, scene.window.isVisible()) == (0, False)
    scene.world.dictation.tell(Stage.FINISHING)
    assert scene.ends == 0
    scene.world.dictation.tell(Stage.IDLE)
    assert scene.ends == 1


def test_words_that_do_not_come_are_not_waited_for_for_ever(qtbot: QtBot) -> None:
    scene = Scene(qtbot, patience_ms=20)
    scene.world.dictation.tell(Stage.RECORDING)
    scene.presence.quit()
    qtbot.waitUntil(lambda: scene.ends == 1)


def test_who_asks_twice_need_not_wait(scene: Scene) -> None:
    scene.world.dictation.tell(Stage.RECORDING)
    scene.presence.quit()
    scene.presence.quit()
    assert scene.ends == 1


def test_the_systems_wish_to_quit_waits_too(scene: Scene) -> None:
    scene.world.dictation.tell(Stage.RECORDING)
    assert scene.presence.refuses_to_quit()
    assert scene.world.dictation.names() == ["stop"]
    scene.world.dictation.tell(Stage.IDLE)
    assert scene.ends == 1
    assert not scene.presence.refuses_to_quit()


def test_without_a_take_the_systems_wish_is_followed(scene: Scene) -> None:
    assert not scene.presence.refuses_to_quit()
    assert scene.ends == 0


def test_it_comes_back_when_it_is_called_and_shows_nothing(scene: Scene) -> None:
    scene.presence.come_back()
    assert scene.window.isVisible()
    scene.window.close()
    scene.presence.quit()
    scene.presence.come_back()
    assert not scene.window.isVisible()


ASKED = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
from app.core.dictation import Stage
from app.macos.dock import FakeDock
from app.ui.presence import Application, Presence
from tests.helpers.ui_fakes import World

app, world, window = Application([]), World(), QWidget()
window.show()
presence = Presence(
    window, world.dictation, world.bus, FakeDock(),
    has_tray=lambda: True, wants_dock_icon=lambda: True,
)
world.dictation.tell(Stage.RECORDING)
QTimer.singleShot(20, app.quit)
QTimer.singleShot(80, lambda: world.dictation.tell(Stage.IDLE))
app.exec()
print(*world.dictation.names(), world.dictation.now.stage)
"""


def test_a_real_quit_waits_for_the_take() -> None:
    """In a process of its own: there is one application in each."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["stop", "idle"]), done.stderr
