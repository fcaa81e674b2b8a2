"""Whatever Qt itself does to the text, what is seen stays what is kept."""

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core import edit
from app.core.spans import tidy
from tests.ui.editor.conftest import Desk
from tests.ui.editor.test_editor import shown

KEY = Qt.Key
LINES = ("one two three", "four five six", "seven eight nine")


@pytest.fixture
def plain(desk: Desk) -> Desk:
    desk.open(LINES)
    return desk


def compose(desk: Desk, *steps: str) -> None:
    for step in steps:
        QApplication.sendEvent(desk.text, QInputMethodEvent(step, []))


def assert_goes_on(desk: Desk, at: int = 1) -> None:
    """What is typed from now on is seen and kept."""
    desk.choose((at, 0))
    QTest.keyClicks(desk.text, "later ")
    assert desk.kept()[at].startswith("later ")
    assert [tidy(line) for line in shown(desk.editor)] == desk.kept()


def test_composing_over_two_segments_replaces_what_was_selected(plain: Desk) -> None:
    plain.choose((0, 4), (1, 5))
    compose(plain, "k", "か", "かn")
    plain.type("日本")
    QTest.keyClicks(plain.text, "zz")
    assert plain.kept() == ["one 日本zzfive six", "seven eight nine"]
    assert_goes_on(plain)


def test_composing_that_is_given_up_leaves_one_whole_text(plain: Desk) -> None:
    plain.choose((0, 4), (2, 5))
    compose(plain, "k", "か", "")
    assert shown(plain.editor) == plain.kept() == ["one eight nine"]
    plain.editor.undo()
    assert shown(plain.editor) == plain.kept() == list(LINES)


def test_an_input_method_may_replace_across_a_border(plain: Desk) -> None:
    plain.choose((1, 0))
    event = QInputMethodEvent()
    event.setCommitString("X", -2, 2)
    QApplication.sendEvent(plain.text, event)
    assert shown(plain.editor) == plain.kept()
    assert_goes_on(plain)


def test_lines_that_are_committed_stay_one_segment(plain: Desk) -> None:
    plain.choose((1, 5))
    plain.type("a\nb\u2029")
    assert plain.kept() == ["one two three", "four a b five six", "seven eight nine"]
    assert_goes_on(plain)


@pytest.mark.parametrize("to", [(0, 7), (1, 4), (2, 16)])
def test_what_qt_takes_out_over_segments_comes_back(plain: Desk, to: tuple[int, int]) -> None:
    plain.choose((0, 4), to)
    plain.text.textCursor().removeSelectedText()  # as a drag that moves does
    assert [tidy(line) for line in shown(plain.editor)] == plain.kept()
    assert (plain.kept() == list(LINES)) == (to[0] > 0)
    assert_goes_on(plain, at=0)


@pytest.mark.parametrize(
    "standard",
    [
        QKeySequence.StandardKey.Delete,
        QKeySequence.StandardKey.Backspace,
        QKeySequence.StandardKey.DeleteEndOfWord,
        QKeySequence.StandardKey.DeleteStartOfWord,
        QKeySequence.StandardKey.DeleteEndOfLine,
    ],
)
def test_every_key_that_deletes_deletes_over_segments(
    plain: Desk, standard: QKeySequence.StandardKey
) -> None:
    class Press(QKeyEvent):
        """A key that means this, as ⌃D, ⌃H and ⌃K do on a Mac."""

        def __init__(self) -> None:
            super().__init__(self.Type.KeyPress, KEY.Key_F30, Qt.KeyboardModifier.NoModifier)

        def matches(self, key: QKeySequence.StandardKey) -> bool:
            return key == standard

    plain.choose((0, 3), (2, 5))
    assert plain.editor.keys.eventFilter(plain.text, Press())
    assert shown(plain.editor) == plain.kept() == ["one eight nine"]
    if standard in (QKeySequence.StandardKey.Delete, QKeySequence.StandardKey.Backspace):
        plain.editor.undo()
        is_forward = standard is QKeySequence.StandardKey.Delete
        plain.choose((0, 13) if is_forward else (1, 0))
        assert plain.editor.keys.eventFilter(plain.text, Press())
        assert plain.kept() == ["one two three four five six", "seven eight nine"]
        assert plain.text.textCursor().position() == 13


def test_a_command_with_a_letter_deletes_nothing(plain: Desk) -> None:
    plain.choose((0, 4), (1, 4))
    control = Qt.KeyboardModifier.ControlModifier
    QApplication.sendEvent(plain.text, QKeyEvent(QKeyEvent.Type.KeyPress, KEY.Key_C, control, "c"))
    assert plain.kept() == list(LINES)
    assert QGuiApplication.clipboard().text() == "two three\nfour"


def test_what_qt_pastes_is_plain_and_one_segment(plain: Desk) -> None:
    data = QMimeData()
    data.setHtml("<b>bold</b><p>more")
    data.setText("bold\nmore ")
    plain.choose((0, 4), (1, 5))
    plain.text.insertFromMimeData(data)  # as the middle button does
    assert plain.kept() == ["one bold morefive six", "seven eight nine"]
    plain.editor.set_editing(False)
    plain.text.insertFromMimeData(data)
    assert shown(plain.editor) == plain.kept() == ["one bold morefive six", "seven eight nine"]


def test_typing_into_nothing_is_refused(plain: Desk) -> None:
    plain.editor.open(plain.editor._recording, ())  # type: ignore[arg-type]
    plain.editor.set_editing(True)
    QTest.keyClicks(plain.text, "lost?")
    assert plain.text.toPlainText() == ""


@pytest.mark.parametrize("text", ["a whole new text", "x"])
def test_all_is_selected_and_typed_over(plain: Desk, text: str) -> None:
    plain.text.selectAll()
    QTest.keyClicks(plain.text, text)
    assert shown(plain.editor) == plain.kept() == [text]
    assert len(plain.editor.session.segments[0].words) == len(text.split())
    while plain.editor.session.can_undo:
        plain.editor.undo()
    assert shown(plain.editor) == plain.kept() == list(LINES)


@pytest.mark.parametrize("key", [KEY.Key_Delete, KEY.Key_Backspace])
def test_all_is_deleted_and_something_else_typed_or_pasted(plain: Desk, key: Qt.Key) -> None:
    plain.text.selectAll()
    QTest.keyClick(plain.text, key)
    assert plain.kept() == [""]
    QTest.keyClick(plain.text, key)
    QTest.keyClicks(plain.text, "typed")
    assert shown(plain.editor) == plain.kept() == ["typed"]
    plain.text.selectAll()
    QTest.keyClick(plain.text, key)
    QGuiApplication.clipboard().setText("pasted words")
    plain.editor.keys.paste()
    assert shown(plain.editor) == plain.kept() == ["pasted words"]


def test_all_segments_are_deleted_by_the_menu(plain: Desk) -> None:
    session = plain.editor.session
    plain.editor.do(edit.delete(session.segments, 0, 3))
    assert plain.kept() == [""]
    QTest.keyClicks(plain.text, "typed")
    assert shown(plain.editor) == plain.kept() == ["typed"]


def drag(desk: Desk, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press on what is selected and pull."""
    desk.text.window().show()
    desk.choose(start, end)
    cursor = QTextCursor(desk.text.textCursor())
    cursor.setPosition(cursor.selectionStart() + 2)
    place = desk.text.cursorRect(cursor).center()
    viewport = desk.text.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place)
    for step in (4, 30, 60):
        moved = place + type(place)(step, step)
        QTest.mouseMove(viewport, moved)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place)


def test_what_is_dragged_out_is_copied(plain: Desk) -> None:
    carried: list[tuple[str, Qt.DropAction]] = []
    plain.editor.keys.carry = lambda _source, data, action: carried.append((data.text(), action))
    drag(plain, (0, 4), (1, 4))
    assert carried == [("two three\nfour", Qt.DropAction.CopyAction)]
    assert shown(plain.editor) == plain.kept() == list(LINES)
    assert_goes_on(plain)
