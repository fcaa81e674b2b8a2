"""Whatever signs a text has and whatever is done to it: what is seen is what is kept.

Qt counts an emoji and a rare Chinese sign as two, Python as one.
"""

import random
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core import edit
from app.core.spans import tidy
from app.core.transcript import Segment
from app.ui.editor.choice import ChoiceDialog
from app.ui.editor.text_menu import fill_text_menu
from app.ui.units import line_of, position_of
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


SIGNS = ("a", "é", " ", "😀", "𠮷", "明日", "👩🏽‍🚀", "word ", " x y ", "مرحبا", "\n", "\ufdd0", "")


def doings(dice: random.Random, desk: Desk) -> list[Callable[[], object]]:
    """Return what a person may do next."""
    text, editor, segments = desk.text, desk.editor, desk.editor.session.segments

    def place(least: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        at = dice.randint(least[0], min(least[0] + 1, len(segments) - 1))
        low = least[1] if at == least[0] else 0
        return at, dice.randint(low, max(low, len(text.block_at(at).text())))

    start = place((dice.randrange(len(segments)), 0))
    end = place(start) if dice.random() < 0.5 else start
    desk.choose(start, end)
    sign = dice.choice(SIGNS)

    def paste() -> None:
        QGuiApplication.clipboard().setText(sign)
        editor.keys.paste()

    def compose() -> None:
        QApplication.sendEvent(text, QInputMethodEvent("か", []))
        QApplication.sendEvent(text, QInputMethodEvent("かな", []))
        desk.type(sign)

    def replace(every: bool) -> None:
        editor.open_find(replaces=True)
        editor.find_bar.find_edit.setText(dice.choice("ae😀𠮷日"))
        editor.find_bar.replace_edit.setText(sign)
        (editor.find_bar.all_button if every else editor.find_bar.replace_button).click()
        editor.find_bar.leave()

    return [
        lambda: desk.type(sign),
        lambda: desk.type(sign),
        lambda: QTest.keyClick(text, KEY.Key_Return),
        lambda: QTest.keyClick(text, KEY.Key_Backspace),
        lambda: QTest.keyClick(text, KEY.Key_Delete),
        lambda: QTest.keyClick(text, KEY.Key_Backspace, CONTROL),
        lambda: QTest.keyClick(text, KEY.Key_Delete, CONTROL),
        lambda: QTest.keyClick(text, KEY.Key_X, CONTROL),
        lambda: QTest.keyClick(text, KEY.Key_Left),
        lambda: text.textCursor().removeSelectedText(),
        lambda: editor.do(edit.merge(segments, start[0])),
        lambda: editor.do(edit.split(segments, start[0], start[1])),
        lambda: replace(every=False),
        lambda: replace(every=True),
        paste,
        compose,
        editor.undo,
        editor.redo,
        text.selectAll,
    ]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32))
def test_what_is_seen_is_what_is_kept(desk: Desk, seed: int) -> None:
    dice = random.Random(seed)
    desk.open(LINES)
    before: tuple[Segment, ...] = tuple(desk.editor.session.segments)
    for _ in range(40):
        dice.choice(doings(dice, desk))()
        segments = desk.editor.session.segments
        seen = [line_of(line) for line in shown(desk.editor)]
        assert seen == [line_of(each.text) for each in segments]
        assert desk.text.segments == segments
    desk.editor.set_editing(False)
    assert shown(desk.editor) == [line_of(line) for line in desk.kept()]
    assert list(desk.editor.session.segments) == list(
        desk.world.library.transcripts["r000000"].segments
    )
    while desk.editor.session.can_undo:
        desk.editor.undo()
    assert tuple(desk.editor.session.segments) == before
    assert shown(desk.editor) == desk.kept() == list(LINES)


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
