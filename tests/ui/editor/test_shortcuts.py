"""Keys that a menu wants too do what they mean where somebody types."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit
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


def fields(window: MainWindow) -> list[QLineEdit | QPlainTextEdit]:
    """Return every field of the window that a person types into, open."""
    editor, header = editor_of(window), window.parts.transcript.header
    editor.open_find(replaces=True)
    header.notes_button.setChecked(True)
    header.tag_button.click()
    header.rename()
    return [
        window.parts.toolbar.search_field,
        editor.find_bar.find_edit,
        editor.find_bar.replace_edit,
        header.notes,
        header.tag_edit,
        header.title_edit,
    ]


def in_bin(world: World) -> list[str]:
    return [item.recording_id for item in world.library.items if item.deleted_at is not None]


def test_deleting_a_word_never_deletes_a_recording(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    for field in fields(window):
        field.show()
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, "abc def")
        press(window, KEY.Key_Backspace, CONTROL)
        text = field.text() if isinstance(field, QLineEdit) else field.toPlainText()
        assert text == "abc ", field.accessibleName()
    editor = editor_of(window)
    editor.set_editing(True)
    put_cursor(editor, 0, 7)
    press(window, KEY.Key_Backspace, CONTROL)
    assert shown(editor)[0] == "one  three"
    assert in_bin(world) == []
    editor.set_editing(False)
    press(window, KEY.Key_Backspace, CONTROL)
    qtbot.waitUntil(lambda: in_bin(world) == ["r000000"])


def test_on_a_mac_it_deletes_to_the_beginning_of_the_line(window: MainWindow, world: World) -> None:
    window.typing_keys.takes_line = True
    for field in fields(window):
        field.show()
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, "abc def")
        QTest.keyClick(field, KEY.Key_Left)
        press(window, KEY.Key_Backspace, CONTROL)
        text = field.text() if isinstance(field, QLineEdit) else field.toPlainText()
        assert text == "f", field.accessibleName()
    editor = editor_of(window)
    editor.set_editing(True)
    put_cursor(editor, 1, 5)
    press(window, KEY.Key_Backspace, CONTROL)
    assert shown(editor) == ["one two three", "five six"]
    press(window, KEY.Key_Backspace, CONTROL)
    editor.session.flush()
    segments = world.library.transcripts["r000000"].segments
    assert shown(editor) == [each.text for each in segments] == ["one two three five six"]
    put_cursor(editor, 0, 4, (0, 8))
    press(window, KEY.Key_Backspace, CONTROL)
    assert shown(editor) == ["one three five six"]
    assert in_bin(world) == []


def test_a_sheets_field_keeps_it_too(window: MainWindow, qtbot: QtBot) -> None:
    editor = editor_of(window)
    editor.ask_speaker(0, 1)
    assert editor.question is not None
    field = editor.question.findChild(QLineEdit)
    assert field is not None
    editor.question.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    wish = QKeyEvent(QKeyEvent.Type.ShortcutOverride, KEY.Key_Backspace, CONTROL)
    wish.ignore()
    QApplication.sendEvent(field, wish)
    assert wish.isAccepted()
    editor.question.reject()
