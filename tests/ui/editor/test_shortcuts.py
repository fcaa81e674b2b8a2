"""Keys that a menu wants too do what they mean where somebody types."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.transcript import Transcript
from app.ui.main_window import MainWindow
from tests.helpers.ui_fakes import World, world_of
from tests.ui.conftest import OpenWindow
from tests.ui.editor.test_editor import editor_of, put_cursor, shown, told

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LINES = ("one two three", "four five six")


@pytest.fixture
def world() -> World:
    world = world_of(2)
    segments = tuple(told(line, 10.0 * at) for at, line in enumerate(LINES))
    world.library.transcripts["r000000"] = Transcript(segments, "en")
    return world


@pytest.fixture
def window(world: World, open_window: OpenWindow, qtbot: QtBot) -> MainWindow:
    window = open_window(world)
    qtbot.waitUntil(lambda: bool(window.parts.transcript.text.segments))
    return window


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    """Press a key as the system does, so that menus have their turn."""
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, key, modifiers)


def test_undo_and_redo_by_key_while_editing(window: MainWindow) -> None:
    editor = editor_of(window)
    editor.set_editing(True)
    put_cursor(editor, 0, 0)
    QTest.keyClicks(editor.text, "xx")
    press(window, KEY.Key_Z, CONTROL)
    assert shown(editor) == list(LINES)
    press(window, KEY.Key_Z, CONTROL | SHIFT)
    assert shown(editor)[0] == "xxone two three"
    press(window, KEY.Key_Z, CONTROL)
    assert shown(editor) == list(LINES)
    assert editor.is_editing
