"""Files, links, the Services menu and notes reach the window."""

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from pytestqt.qtbot import QtBot

from app.core.dictation import Dictation, Stage, StageChanged
from app.core.recording import RecordingKind
from app.macos.notify import FakeNotifier, OnChosen
from app.macos.services import FakeServices
from app.ui.citizen.application import OpenRequests
from app.ui.citizen.citizen import Citizen
from app.ui.citizen.system import SystemParts
from app.ui.main_window import MainWindow
from tests.helpers.ui_fakes import World, world_of
from tests.ui.conftest import OpenWindow


class Recorder:
    """Writes down what is asked of live recording."""

    def __init__(self) -> None:
        self.now = StageChanged(Stage.IDLE)
        self.asked: list[str] = []

    def start(self, kind: RecordingKind) -> None:
        self.asked.append(f"start {kind}")

    def stop(self) -> None:
        self.asked.append("stop")


class Town:
    """A window with a citizen around it."""

    def __init__(self, window: MainWindow, world: World) -> None:
        self.window = window
        self.world = world
        self.requests = OpenRequests()
        self.services = FakeServices()
        self.recorder = Recorder()
        self.notifiers: list[FakeNotifier] = []

        def notifier(on_chosen: OnChosen) -> FakeNotifier:
            self.notifiers.append(FakeNotifier(on_chosen))
            return self.notifiers[-1]

        parts = SystemParts(services=self.services, make_notifier=notifier)
        self.citizen = Citizen(
            window, self.requests, parts, cast("Dictation", self.recorder), lambda: None, window
        )
        self.citizen.begin()

    def open(self, text: str) -> None:
        url = QUrl(text) if "://" in text else QUrl.fromLocalFile(text)
        self.requests.take(QFileOpenEvent(url))

    @property
    def added(self) -> list[object]:
        return [call[1] for call in self.world.commands.calls if call[0] == "add_files"]


@pytest.fixture
def town(open_window: OpenWindow) -> Town:
    world = world_of(3)
    return Town(open_window(world), world)


def test_open_with_queues_the_files(qtbot: QtBot, town: Town) -> None:
    town.window.hide()
    town.open("/tmp/a.wav")
    town.open("/tmp/b.mp4")
    qtbot.waitUntil(lambda: town.added == [(Path("/tmp/a.wav"), Path("/tmp/b.mp4"))], timeout=5_000)
    assert town.window.isVisible()


def test_the_services_menu_queues_files(qtbot: QtBot, town: Town) -> None:
    assert town.services.choose is not None
    town.services.choose([Path("/tmp/c.wav")])
    qtbot.waitUntil(lambda: town.added == [(Path("/tmp/c.wav"),)], timeout=5_000)


def test_links_do_what_they_say(qtbot: QtBot, town: Town) -> None:
    town.open("undertone://record?kind=dictation")
    town.open("undertone://stop")
    qtbot.waitUntil(lambda: town.recorder.asked == ["start dictation", "stop"], timeout=5_000)
    town.open("undertone://transcribe?file=/tmp/d.wav")
    qtbot.waitUntil(lambda: town.added == [(Path("/tmp/d.wav"),)], timeout=5_000)
    town.open("undertone://search?q=river")
    field = town.window.parts.toolbar.search_field
    qtbot.waitUntil(lambda: field.query == "river", timeout=5_000)


def test_a_link_that_makes_no_sense_is_told(qtbot: QtBot, town: Town) -> None:
    town.open("undertone://nonsense")
    banners = town.window.parts.banners
    qtbot.waitUntil(lambda: banners.banner("link") is not None, timeout=5_000)


def test_a_clicked_note_opens_its_recording(qtbot: QtBot, town: Town) -> None:
    town.notifiers[0].choose("work:r000002")
    qtbot.waitUntil(lambda: town.window.browser.opened_id == "r000002", timeout=5_000)
