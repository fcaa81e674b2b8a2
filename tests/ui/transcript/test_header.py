"""A title that is being typed belongs to its recording, whatever happens meanwhile."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.transcript.header import TranscriptHeader
from tests.helpers.ui_fakes import recording


@pytest.fixture
def header(qtbot: QtBot) -> TranscriptHeader:
    header = TranscriptHeader([])
    qtbot.addWidget(header)
    header.show_recording(recording(1, "One"), [])
    header.show()
    header.activateWindow()
    qtbot.waitUntil(header.isActiveWindow)
    header.rename()
    header.title_edit.setText("The flood")
    return header


def told_by(header: TranscriptHeader) -> list[tuple[str, str, str]]:
    told: list[tuple[str, str, str]] = []
    header.renamed.connect(lambda *renamed: told.append(renamed))
    return told


@pytest.mark.parametrize("is_in_front", [True, False], ids=["in front", "behind"])
def test_a_title_being_typed_is_kept_when_another_recording_opens(
    qtbot: QtBot, header: TranscriptHeader, is_in_front: bool
) -> None:
    told = told_by(header)
    other = QWidget()
    qtbot.addWidget(other)
    if not is_in_front:
        other.show()
        other.activateWindow()
        qtbot.waitUntil(lambda: not header.isActiveWindow())
    header.show_recording(recording(2, "Two"), [])
    assert told == [("r000001", "One", "The flood")]
    assert header.title_label.text() == "Two"
    assert not header.title_edit.isVisible()


def test_a_title_being_typed_is_kept_when_the_window_closes(header: TranscriptHeader) -> None:
    told = told_by(header)
    header.close()
    header.flush()
    assert told == [("r000001", "One", "The flood")]


def test_a_title_being_typed_stays_while_the_library_changes(header: TranscriptHeader) -> None:
    told = told_by(header)
    header.show_recording(recording(1, "One", is_favourite=True), [])
    assert header.title_edit.isVisible()
    assert header.title_edit.text() == "The flood"
    assert told == []


def test_a_title_that_is_given_up_is_not_told(header: TranscriptHeader) -> None:
    told = told_by(header)
    QTest.keyClick(header.title_edit, Qt.Key.Key_Escape)
    header.show_recording(recording(2, "Two"), [])
    header.flush()
    assert told == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_a_title_that_is_finished_is_told_once(header: TranscriptHeader, key: Qt.Key) -> None:
    told = told_by(header)
    QTest.keyClick(header.title_edit, key)
    header.show_recording(recording(2, "Two"), [])
    assert told == [("r000001", "One", "The flood")]
