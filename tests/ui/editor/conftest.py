"""An editor without a window around it."""

import pytest
from PySide6.QtGui import QInputMethodEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.transcript import Transcript
from app.library.search import matches
from app.ui.editor.editor import TranscriptEditor
from app.ui.transcript.text import TranscriptText
from app.ui.units import position_of
from tests.helpers.ui_fakes import World, recording, world_of
from tests.ui.editor.test_editor import texts, told

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
