"""Whatever signs a text has and whatever is done to it: what is seen is what is kept.

Qt counts an emoji and a rare Chinese sign as two, Python as one.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core import edit
from app.core.spans import tidy
from app.ui.editor.choice import ChoiceDialog
from app.ui.editor.text_menu import fill_text_menu
from app.ui.units import position_of
from tests.ui.editor.conftest import LINES, Desk
from tests.ui.editor.test_editor import shown, told

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def test_dividing_behind_an_emoji(desk: Desk) -> None:
    desk.choose((0, len("hello 😀😀 brave")))
    QTest.keyClick(desk.text, KEY.Key_Return)
    assert desk.kept()[:2] == ["hello 😀😀 brave", "new world"]
    assert shown(desk.editor) == desk.kept()


def test_undo_shows_what_is_kept(desk: Desk) -> None:
    session = desk.editor.session
    desk.editor.do(edit.retext(session.segments, 0, "hello 😀😀 brave old world"))
    assert shown(desk.editor)[0] == "hello 😀😀 brave old world"
    desk.editor.undo()
    assert shown(desk.editor) == list(LINES)


def test_deleting_over_segments_takes_what_was_selected(desk: Desk) -> None:
    desk.choose((0, len("hello 😀😀")), (1, len("𠮷野 家 and 👩🏽‍🚀 ")))
    QTest.keyClick(desk.text, KEY.Key_Backspace)
    assert desk.kept()[0] == "hello 😀😀 the river"
    desk.type("x")
    assert desk.kept()[0] == "hello 😀😀x the river"


def test_what_is_found_is_marked_and_selected(desk: Desk) -> None:
    desk.editor.open_find()
    desk.editor.find_bar.find_edit.setText("brave")
    assert desk.text.textCursor().selectedText() == "brave"
    assert [mark.cursor.selectedText() for mark in desk.text.extraSelections()] == ["brave"]
    desk.text.set_hits([])
    desk.choose((1, len("𠮷野 家 and 👩🏽‍🚀")))
    desk.editor.find_bar.find_edit.setText("e")
    assert desk.text.textCursor().selectionStart() > position_of(desk.text.block_at(1), 14)


def test_words_are_where_they_are_seen(desk: Desk) -> None:
    desk.text.window().show()
    marks = desk.editor.marks
    menu_words = []
    for word, said in enumerate(LINES[1].split()):
        place = marks.rects(1, word)[0].center().toPoint()
        at = desk.text.cursorForPosition(place)
        at.select(QTextCursor.SelectionType.WordUnderCursor)
        menu_words.append((said, at.selectedText()))
        menu = fill_text_menu(desk.editor, desk.text, place)
        listen = next(each for each in menu.actions() if each.text() == "Listen from Here")
        listen.trigger()
        assert desk.world.player.position_s == 30.0 + word
    assert [pair for pair in menu_words if pair[0].isascii() and pair[0] != pair[1]] == []


def test_differences_are_marked_in_both_texts(qtbot: QtBot) -> None:
    mine = [told("😀😀 one two", 0.0), told("𠮷 three four", 10.0)]
    new = [told("😀😀 one too", 0.0), told("𠮷 three for", 10.0)]
    dialog = ChoiceDialog(mine, new)
    qtbot.addWidget(dialog)
    side, found = dialog.mine_text, []
    for start, end in zip(side._starts, side._ends, strict=True):
        cursor = QTextCursor(side.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        found.append(cursor.selectedText())
    assert [word for word in found if word.isascii()] == ["one", "two", "three", "four"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text("a é😀𠮷明", max_size=9), st.text("b 👩🏽‍🚀", max_size=5), st.data())
def test_what_is_typed_stands_where_it_was_typed(
    desk: Desk, line: str, typed: str, data: st.DataObject
) -> None:
    desk.open((f"x{line}", "another 😀"))
    text = tidy(f"x{line}")
    left = data.draw(st.integers(0, len(text)))
    right = data.draw(st.integers(left, len(text)))
    desk.choose((0, left), (0, right))
    desk.type(typed)
    assert desk.kept()[0] == tidy(text[:left] + (typed + text[right:] if typed else text[left:]))
