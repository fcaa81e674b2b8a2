"""Notes that were typed stay, however slow the library is to answer."""

from dataclasses import replace

import pytest
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.recording import Recording
from app.ui.transcript.header import TranscriptHeader
from tests.helpers.ui_fakes import recording


class Shelf:
    """A header, and a library that answers when it is told to."""

    def __init__(self, qtbot: QtBot) -> None:
        self.header = TranscriptHeader(())
        qtbot.addWidget(self.header)
        self.told: list[tuple[str, str, str]] = []
        self.header.notes_edited.connect(lambda *said: self.told.append(said))
        self.item = recording(0, notes="old")
        self.show(self.item)
        self.header.show()

    def show(self, item: Recording) -> None:
        self.header.show_recording(item, ())

    def answer(self, notes: str) -> None:
        self.item = replace(self.item, notes=notes)
        self.show(self.item)

    def type(self, text: str) -> None:
        self.header.notes.moveCursor(QTextCursor.MoveOperation.End)
        QTest.keyClicks(self.header.notes, text)
        self.header.flush()

    @property
    def shown(self) -> str:
        return self.header.notes.toPlainText()


@pytest.fixture
def shelf(qtbot: QtBot) -> Shelf:
    return Shelf(qtbot)


def test_an_older_answer_takes_nothing_away(shelf: Shelf) -> None:
    shelf.type(" a")
    shelf.show(shelf.item)  # of a job, of a tag: the library has not read the notes again
    assert shelf.shown == "old a"
    shelf.type("b")
    shelf.answer("old a")
    assert shelf.shown == "old ab"
    shelf.type("!")
    shelf.answer("old ab")
    shelf.answer("old ab!")
    assert shelf.shown == "old ab!"
    assert shelf.told == [
        ("r000000", "old", "old a"),
        ("r000000", "old a", "old ab"),
        ("r000000", "old ab", "old ab!"),
    ]


def test_what_is_taken_away_before_the_answer_is_told(shelf: Shelf) -> None:
    shelf.type("!")
    shelf.header.notes.setPlainText("old")
    shelf.header.flush()
    assert [new for _key, _old, new in shelf.told] == ["old!", "old"]
    shelf.answer("old!")
    assert shelf.shown == "old"


def test_what_somebody_else_wrote_is_shown(shelf: Shelf) -> None:
    shelf.type("er")
    shelf.answer("older")
    shelf.answer("taken back")
    assert shelf.shown == "taken back"
    shelf.header.flush()
    assert len(shelf.told) == 1
    shelf.type("!")
    assert shelf.told[-1][1:] == ("taken back", "taken back!")


def test_what_is_being_typed_comes_after_what_somebody_else_wrote(shelf: Shelf) -> None:
    QTest.keyClicks(shelf.header.notes, "my ")
    shelf.answer("theirs")
    shelf.header.flush()
    shelf.answer("theirs")
    assert shelf.shown == "my old"
    assert shelf.told == [("r000000", "theirs", "my old")]


def test_another_recording_has_its_own_notes(shelf: Shelf) -> None:
    shelf.header.notes.setPlainText("typed and left")
    shelf.show(recording(1, notes="its own"))
    assert shelf.told == [("r000000", "old", "typed and left")]
    assert shelf.shown == "its own"
    shelf.show(shelf.item)
    assert shelf.shown == "old"
    shelf.show(recording(2, notes="old"))
    assert shelf.shown == "old"
    assert len(shelf.told) == 1
