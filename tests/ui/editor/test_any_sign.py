"""Whatever signs a text has and whatever is done to it: what is seen is what is kept.

Qt counts an emoji and a rare Chinese sign as two, Python as one.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core import edit
from app.core.spans import tidy
from app.core.transcript import Transcript
from app.library.search import matches
from app.ui.editor.choice import ChoiceDialog
from app.ui.editor.editor import TranscriptEditor
from app.ui.editor.text_menu import fill_text_menu
from app.ui.transcript.text import TranscriptText
from app.ui.units import position_of
from tests.helpers.ui_fakes import World, recording, world_of
from tests.ui.editor.test_editor import shown, texts, told

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
LINES = ("hello 😀😀 brave new world", "𠮷野 家 and 👩🏽‍🚀 the river", "third one 😀")


class Desk:
    """An editor over a library in memory."""

    def __init__(self, world: World, parent: QWidget) -> None:
        self.world = world
        self.text = TranscriptText(matches, parent)
        self.text.resize(400, 300)
        self.editor = TranscriptEditor(self.text, world.organiser, world.player, None, parent)
        self.open(LINES)

    def open(self, lines: tuple[str, ...]) -> None:
        segments = tuple(told(line, 30.0 * at) for at, line in enumerate(lines))
        self.world.library.transcripts["r000000"] = Transcript(segments, "en")
        self.editor.close()
        self.editor.open(recording(0), segments)
        self.editor.set_editing(True)

    def choose(self, start: tuple[int, int], end: tuple[int, int] | None = None) -> None:
        """Select from one (segment, character) to another."""
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(position_of(self.text.block_at(start[0]), start[1]))
        if end is not None:
            there = position_of(self.text.block_at(end[0]), end[1])
            cursor.setPosition(there, QTextCursor.MoveMode.KeepAnchor)
        self.text.setTextCursor(cursor)

    def type(self, text: str) -> None:
        """Commit a text, as an input method or the emoji window does."""
        said = QInputMethodEvent()
        said.setCommitString(text)
        QApplication.sendEvent(self.text, said)

    def kept(self) -> list[str]:
        self.editor.session.flush()
        return texts(self.world)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    parent = QWidget()
    qtbot.addWidget(parent)
    return Desk(world_of(1), parent)


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
