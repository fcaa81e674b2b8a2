"""Everything can be reached by keyboard, has a name for a screen reader, and follows the looks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.job import JobStatus
from app.core.recording import RecordingStatus
from app.core.transcript import Segment, Transcript
from app.ui import theme
from app.ui.about import AboutBox
from app.ui.export_dialog import ExportDialog
from app.ui.keeping.erase_dialog import EraseDialog
from app.ui.library.sidebar import Place
from app.ui.main_window import MainWindow
from app.ui.settings.window import SettingsWindow
from tests.helpers.ui_fakes import World, job, recording, running, world_of
from tests.ui.conftest import OpenWindow

HOSTILE = "<h1>Big</h1> &amp; <a href='x'>click</a><img src='file:///x'>"


def focusable(root: QWidget) -> list[QWidget]:
    return [
        widget
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and not is_pop_up(widget)
        and not widget.objectName().startswith("qt_")
        and isinstance(widget, QAbstractButton | QAbstractItemView | QComboBox | QLineEdit)
    ]


def is_pop_up(widget: QWidget) -> bool:
    """Whether it is the list of a box, which has the name for both."""
    parent = widget.parent()
    return parent is not None and parent.inherits("QComboBoxPrivateContainer")


def working_world() -> World:
    world = world_of(5)
    world.library.put(recording(0, HOSTILE, status=RecordingStatus.WORKING, first_line=HOSTILE))
    world.library.transcripts["r000000"] = Transcript((Segment(0, 1, HOSTILE, speaker="<i>"),))
    failed = recording(1, HOSTILE, status=RecordingStatus.FAILED, error=HOSTILE, hint=HOSTILE)
    world.library.put(failed)
    world.commands.jobs = [
        running(0, HOSTILE),
        job(1, HOSTILE, status=JobStatus.FAILED, error=HOSTILE, hint=HOSTILE),
    ]
    return world


@pytest.mark.parametrize("make", [World, lambda: world_of(5), working_world])
def test_every_control_has_a_name(open_window: OpenWindow, make: Callable[[], World]) -> None:
    window = open_window(make())
    controls = focusable(window)
    assert len(controls) > 8
    for control in controls:
        interface = QAccessible.queryAccessibleInterface(control)
        assert interface is not None, control
        assert interface.text(QAccessible.Text.Name), control


def test_every_control_of_the_dialogs_has_a_name(qtbot: QtBot, tmp_path: Path) -> None:
    world = World()
    for dialog in (
        ExportDialog(["A"], str(tmp_path)),
        SettingsWindow(world.ports, world.commands.change_settings),
        AboutBox("1.0"),
        EraseDialog(3, "1 GB", lambda _has_models: None),
    ):
        qtbot.addWidget(dialog)
        for control in focusable(dialog):
            interface = QAccessible.queryAccessibleInterface(control)
            assert interface.text(QAccessible.Text.Name), (dialog, control)


def test_rows_are_read_out(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    role = Qt.ItemDataRole.AccessibleTextRole
    spoken = window.parts.library.model.index(1).data(role)
    assert spoken.startswith("Recording 1, This is the first line of recording 1.")
    assert "1:02" in spoken


def test_tab_reaches_every_part(open_window: OpenWindow, qtbot: QtBot) -> None:
    window = open_window(world_of(5))
    parts = window.parts
    parts.toolbar.import_button.setFocus()
    seen: list[QWidget | None] = []
    for _step in range(40):
        seen.append(QApplication.focusWidget())
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is parts.toolbar.import_button:
            break
    order = (
        parts.toolbar.import_button,
        parts.toolbar.model_box,
        parts.toolbar.language_box,
        parts.toolbar.export_button,
        parts.toolbar.search_field,
        parts.sidebar,
        parts.library.list,
        parts.transcript.export_button,
        parts.transcript.more_button,
        parts.transcript.text,
    )
    places = [seen.index(widget) for widget in order]
    assert places == sorted(places)
    assert QApplication.focusWidget() is parts.toolbar.import_button  # and around again


def test_the_main_job_by_keys_alone(open_window: OpenWindow, qtbot: QtBot, tmp_path: Path) -> None:
    world = world_of(5)
    world.commands.change_settings(export_folder=str(tmp_path))
    window = open_window(world)
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(window, Qt.Key.Key_F, control)
    assert window.parts.toolbar.search_field.hasFocus()
    QTest.keyClicks(window.parts.toolbar.search_field, "quickly")
    QTest.keyClick(window.parts.toolbar.search_field, Qt.Key.Key_Return)
    assert window.parts.library.list.hasFocus()
    qtbot.waitUntil(lambda: bool(window.parts.transcript.text.extraSelections()), timeout=10_000)
    QTest.keyClick(window.parts.library.list, Qt.Key.Key_Return)
    assert window.parts.transcript.text.hasFocus()
    QTest.keyClick(window.parts.transcript.text, Qt.Key.Key_A, control)
    QTest.keyClick(window.parts.transcript.text, Qt.Key.Key_C, control)
    assert "nobody expected" in QGuiApplication.clipboard().text()
    qtbot.waitUntil(window.menus.export.isEnabled, timeout=10_000)
    QTest.keyClick(window, Qt.Key.Key_E, control)
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert world.commands.calls[-1][0] == "export"
    QTest.keyClick(window, Qt.Key.Key_2, control)
    assert window.parts.queue.isVisible()
    QTest.keyClick(window, Qt.Key.Key_1, control)
    assert window.parts.library.list.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_Comma, control)
    settings = window.findChild(SettingsWindow)
    assert settings is not None
    qtbot.waitUntil(settings.isActiveWindow, timeout=10_000)
    QTest.keyClick(settings, Qt.Key.Key_Escape)
    assert not settings.isVisible()


def test_actions_that_cannot_act_are_off(open_window: OpenWindow) -> None:
    menus = open_window(World()).menus
    for action in (menus.export, menus.remove, menus.undo, menus.retry, menus.pause, menus.again):
        assert not action.isEnabled(), action.text()
    menus = open_window(working_world()).menus
    assert menus.pause.isEnabled()
    assert menus.cancel.isEnabled()
    assert not menus.resume.isEnabled()
    assert not menus.again.isEnabled()


def test_the_menu_acts_on_the_open_recording(open_window: OpenWindow) -> None:
    world = working_world()
    window = open_window(world)
    window.menus.pause.trigger()
    window.menus.cancel.trigger()
    assert world.commands.calls == [("pause_job", "j000000"), ("cancel_job", "j000000")]


def test_shortcuts_are_unique(open_window: OpenWindow) -> None:
    window = open_window(world_of(1))
    keys = [
        key.toString()
        for action in window.findChildren(type(window.menus.undo))
        for key in action.shortcuts()
        if action.parent() is window
    ]
    assert len(keys) == len(set(keys))


# Texts of people are never markup


def test_hostile_texts_are_shown_as_they_are(open_window: OpenWindow) -> None:
    window = open_window(working_world())
    window.parts.library.list.grab()
    window.parts.library.select_row(1)
    QApplication.processEvents()
    window.parts.library.select_row(0)
    QApplication.processEvents()
    window.remove_selected()
    window.parts.sidebar.choose(Place.QUEUE)
    window.parts.queue.list.grab()
    assert window.parts.transcript.title_label.text() == " ".join(HOSTILE.split())
    for label in window.findChildren(QLabel):
        shows_text = bool(label.text()) and label.pixmap().isNull()
        if shows_text and not label.objectName().startswith("qt_"):
            assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
    for widget in window.findChildren(QWidget):
        assert "<h1>" not in widget.toolTip()


# Light and dark


def colors_of(window: MainWindow) -> tuple[str, str, str]:
    image = window.grab().toImage()
    sidebar = window.parts.sidebar.mapTo(window, window.parts.sidebar.rect().bottomLeft())
    text = window.parts.transcript.text
    page = text.mapTo(window, text.rect().bottomLeft())
    row = window.parts.library.list
    place = row.mapTo(window, row.rect().bottomLeft())
    return (
        image.pixelColor(sidebar.x() + 3, sidebar.y() - 3).name(),
        image.pixelColor(page.x() + 3, page.y() - 3).name(),
        image.pixelColor(place.x() + 2, place.y() - 2).name(),
    )


def test_the_menu_switches_light_and_dark_live(open_window: OpenWindow) -> None:
    world = world_of(2)
    window = open_window(world)
    title = window.parts.transcript.title_label.font()
    window.menus.appearances["dark"].trigger()
    QApplication.processEvents()
    dark = theme.DARK
    assert colors_of(window) == (dark.window, dark.base, dark.base)
    assert window.parts.transcript.title_label.font() == title
    assert world.commands.settings.appearance == "dark"
    window.menus.appearances["light"].trigger()
    QApplication.processEvents()
    light = theme.LIGHT
    assert colors_of(window) == (light.window, light.base, light.base)


def test_the_system_is_followed_live(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(world_of(2))
    assert colors_of(window)[1] == theme.LIGHT.base
    # Offscreen has no desktop that could turn dark; its signal is all the window may rely on.
    monkeypatch.setattr(theme, "system_is_dark", lambda: True)
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    QApplication.processEvents()
    assert colors_of(window) == (theme.DARK.window, theme.DARK.base, theme.DARK.base)


def test_the_settings_window_follows_too(open_window: OpenWindow) -> None:
    window = open_window(world_of(2))
    window.show_settings()
    settings = window.findChild(SettingsWindow)
    assert settings is not None
    settings.general.appearance_box.setCurrentIndex(
        settings.general.appearance_box.findData("dark")
    )
    QApplication.processEvents()
    image = settings.grab().toImage()
    assert image.pixelColor(4, image.height() - 4).name() == theme.DARK.window
    assert window.menus.appearances["dark"].isChecked()
    settings.close()
