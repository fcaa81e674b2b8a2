"""The rules run when nothing else does, say what they did, and a damaged library is repaired."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.errors import DiskFull, mark
from app.core.retention import Due
from app.pipeline.retention import Ran
from app.ui.keeping.tidying import Tidying, told_ran
from app.ui.library.sidebar import Place
from app.ui.main_window import MainWindow
from app.ui.settings.window import SettingsWindow
from tests.helpers.keeping_fakes import DAMAGED
from tests.helpers.ui_fakes import World, world_of
from tests.ui.conftest import OpenWindow

MOVED = Due(("r000001", "r000002"), ("r000003",))


def banner_text(window: MainWindow, name: str) -> str:
    banner = window.parts.banners.banner(name)
    return banner.message if banner is not None else ""


def test_what_the_rules_did_is_said_and_taken_back(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(5)
    world.keeping.ran = Ran(MOVED, 4)
    window = open_window(world)
    window.keeping.run_rules()
    qtbot.waitUntil(lambda: bool(banner_text(window, "tidied")))
    assert banner_text(window, "tidied") == (
        "2 recordings moved to the bin. The sound of 1 recording moved to the bin; its text "
        "stays. 4 were erased from the bin."
    )
    banner = window.parts.banners.banner("tidied")
    assert banner is not None
    banner.buttons[0].click()
    assert world.keeping.calls == [("run", True), ("undo", MOVED)]
    assert window.parts.banners.banner("tidied") is None
    assert window.menus.redo.isEnabled()


def test_it_stands_in_the_one_undo(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(5)
    world.keeping.ran = Ran(MOVED)
    window = open_window(world)
    window.keeping.run_rules()
    qtbot.waitUntil(window.menus.undo.isEnabled)
    window.menus.undo.trigger()
    assert world.keeping.calls[-1] == ("undo", MOVED)


def test_after_a_leap_of_the_clock_it_asks(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(2)
    world.keeping.ran = Ran(waiting=Due(("r000001",)), waiting_bin=2)
    window = open_window(world)
    assert window.keeping.tidying is not None
    window.keeping.tidying.look()
    qtbot.waitUntil(lambda: bool(banner_text(window, "tidied")))
    assert "clock of this computer leapt" in banner_text(window, "tidied")
    assert not window.menus.undo.isEnabled()
    world.keeping.ran = Ran(erased=2)
    banner = window.parts.banners.banner("tidied")
    assert banner is not None
    banner.buttons[0].click()
    qtbot.waitUntil(lambda: "2 were erased" in banner_text(window, "tidied"))
    assert world.keeping.calls == [("run", False), ("run", True)]


@pytest.mark.parametrize(("is_busy", "is_today"), [(True, True), (False, False)])
def test_it_waits_for_its_time(qtbot: QtBot, is_busy: bool, is_today: bool) -> None:
    world = World()
    world.keeping.is_busy, world.keeping.is_today = is_busy, is_today
    tidying = Tidying(world.keeping.ports)
    tidying.begin()
    assert tidying.timer.isActive()
    tidying.look()
    assert world.keeping.calls == []
    assert tidying.timer.isActive()  # it looks again
    tidying.close()
    assert not tidying.timer.isActive()


def test_what_is_turned_on_during_a_run_comes_after_it(qtbot: QtBot) -> None:
    world = World()
    world.keeping.waits = True
    world.keeping.ran = Ran(erased=1)
    tidying = Tidying(world.keeping.ports)
    told: list[Ran] = []
    tidying.ran.connect(told.append)
    tidying.look()
    tidying.run_now()
    world.keeping.answer()
    qtbot.waitUntil(lambda: bool(world.keeping.waiting))
    world.keeping.answer()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert world.keeping.calls == [("run", False), ("run", True)]


def test_a_run_that_did_nothing_says_nothing() -> None:
    assert Ran().is_nothing
    assert told_ran(Ran()) == ""


def test_the_bin_says_when_it_is_emptied(open_window: OpenWindow) -> None:
    world = world_of(2)
    window = open_window(world)
    window.parts.sidebar.choose(Place.BIN)
    assert window.parts.status_label.text() == "What lies in the bin is erased after 1 month."
    window.parts.sidebar.choose(Place.ALL)
    assert window.parts.status_label.text() == "2 recordings"


# A damaged library


def test_a_library_that_does_not_open_is_repaired(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = World(problem=DAMAGED)
    window = open_window(world)
    trouble = window.parts.trouble
    assert window.parts.pages.currentWidget() is trouble
    assert trouble.title_label.text() == "The library file “library.sqlite” is damaged."
    assert [button.text() for button in trouble.buttons] == [
        "Repair Library",
        "Restore a Backup…",
        "Show Folder",
    ]
    trouble.buttons[1].click()
    settings = window.findChild(SettingsWindow)
    assert settings is not None
    assert settings.pages.currentWidget() is settings.backups
    settings.close()
    said: list[str] = []
    window.announcer.announced.connect(said.append)
    trouble.buttons[0].click()
    assert trouble.busy.isVisible()
    qtbot.waitUntil(lambda: trouble.title_label.text().startswith("2 recordings are in"))
    assert [line.text() for line in trouble.line_labels] == [
        "2 of them came from their own folders.",
        "The damaged file is kept as “library.sqlite.damaged-20261121-101500”.",
    ]
    assert said[0] == "Repairing the library …"
    assert said[-1].startswith("2 recordings")
    trouble.buttons[0].click()
    assert world.commands.calls[-1] == ("relaunch",)


def test_a_repair_can_be_stopped_and_tried_again(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = World(problem=DAMAGED)
    window = open_window(world)
    trouble = window.parts.trouble
    world.keeping.waits = True
    trouble.buttons[0].click()
    trouble.buttons[0].click()  # Stop
    world.keeping.answer()
    qtbot.waitUntil(lambda: trouble.buttons[0].text() == "Repair Library")
    world.keeping.refusal = DiskFull(mark("No room."), mark("Free some."))
    trouble.buttons[0].click()
    world.keeping.answer()
    qtbot.waitUntil(lambda: trouble.title_label.text() == "No room.")
    assert trouble.buttons[0].text() == "Try Again"


def test_a_repair_that_was_asked_for_begins_by_itself(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = World(problem=DAMAGED)
    world.keeping.is_repair_wanted = True
    window = open_window(world)
    qtbot.waitUntil(lambda: world.keeping.calls == [("salvage",)])
    qtbot.waitUntil(lambda: "are in the library" in window.parts.trouble.title_label.text())


def test_damage_found_in_use_offers_a_new_start(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(2)
    window = open_window(world)
    assert window.keeping.rescue is not None
    window.keeping.rescue.look()
    QApplication.processEvents()
    assert not banner_text(window, "damaged")
    world.keeping.is_file_damaged = True
    window.keeping.rescue.look()
    qtbot.waitUntil(lambda: bool(banner_text(window, "damaged")))
    banner = window.parts.banners.banner("damaged")
    assert banner is not None
    banner.buttons[0].click()
    assert world.keeping.calls == [("begin_repair",)]
    window.keeping.end()
