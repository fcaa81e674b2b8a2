"""Transcripts are shown as plain text, grow in place and stay fluid when long."""

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.transcript import Segment
from app.library.search import matches
from app.ui.transcript.text import TranscriptText
from tests.helpers.ui_fakes import segments


def text_of(qtbot: QtBot, *parts: Segment) -> TranscriptText:
    view = TranscriptText(matches)
    qtbot.addWidget(view)
    view.resize(560, 500)
    view.show_segments(parts)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_markup_is_text(qtbot: QtBot) -> None:
    hostile = "<b>bold</b> <img src=x> &amp; <script>alert(1)</script>"
    view = text_of(qtbot, Segment(0, 1, hostile, speaker="<i>Eve</i>"))
    view.grab()
    assert view.toPlainText() == hostile


def test_segments_are_appended_without_moving_the_view(qtbot: QtBot) -> None:
    parts = segments(200)
    view = text_of(qtbot, *parts[:100])
    bar = view.verticalScrollBar()
    bar.setValue(300)
    cursor = view.textCursor()
    cursor.setPosition(5)
    cursor.setPosition(25, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    bar.setValue(300)
    chosen = cursor.selectedText()
    view.show_segments(parts)
    qtbot.waitUntil(lambda: view.document().blockCount() == 200, timeout=10_000)
    assert bar.value() == 300
    assert view.textCursor().selectedText() == chosen


def test_a_changed_beginning_shows_everything_anew(qtbot: QtBot) -> None:
    view = text_of(qtbot, Segment(0, 1, "One."), Segment(1, 2, "Two."))
    view.show_segments([Segment(0, 1, "Uno."), Segment(1, 2, "Dos."), Segment(2, 3, "Tres.")])
    assert view.toPlainText() == "Uno.\nDos.\nTres."


def test_a_new_speaker_makes_room_in_the_margin(qtbot: QtBot) -> None:
    view = text_of(qtbot, Segment(0, 1, "One."))
    before = view.document().firstBlock().blockFormat().leftMargin()
    view.append_segments([Segment(1, 2, "Two.", speaker="Ada")])
    assert view.document().firstBlock().blockFormat().leftMargin() > before
    assert view.toPlainText() == "One.\nTwo."


def test_copying_gives_the_words_only(qtbot: QtBot) -> None:
    view = text_of(qtbot, Segment(0, 1, "One <b>."), Segment(61, 62, "Two.", speaker="Ada"))
    view.selectAll()
    data = view.createMimeDataFromSelection()
    assert data.text() == "One <b>.\nTwo."
    assert data.formats() == ["text/plain"]


def test_keys_select_and_copy(qtbot: QtBot) -> None:
    view = text_of(qtbot, Segment(0, 1, "One."), Segment(1, 2, "Two."))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "One.\nTwo."
    QTest.keyClicks(view, "nothing is typed")
    assert view.toPlainText() == "One.\nTwo."


def test_matches_are_marked_also_in_what_comes_later(qtbot: QtBot) -> None:
    view = text_of(qtbot, Segment(0, 1, "A river, a River."))
    view.set_query("river")
    assert [mark.cursor.selectedText() for mark in view.extraSelections()] == ["river", "River"]
    view.append_segments([Segment(1, 2, "More rivers.")])
    assert len(view.extraSelections()) == 3
    view.set_query("")
    assert view.extraSelections() == []


def test_going_to_a_time_shows_its_segment(qtbot: QtBot) -> None:
    view = text_of(qtbot, *segments(300))
    view.go_to(1002.0)
    qtbot.waitUntil(lambda: view.textCursor().block().blockNumber() == 200, timeout=10_000)
    top = view.cursorRect().top()
    assert 0 <= top < view.viewport().height()


def test_twenty_thousand_words_stay_fluid(qtbot: QtBot) -> None:
    view = text_of(qtbot)
    started = time.thread_time()
    view.show_segments(segments(1700, 12, ("Ada", "Ben")))
    qtbot.waitUntil(lambda: view.document().blockCount() == 1700, timeout=20_000)
    shown_s = time.thread_time() - started
    steps = []
    for value in range(0, 20_000, 1000):
        started = time.thread_time()
        view.verticalScrollBar().setValue(value)
        view.grab()
        steps.append(time.thread_time() - started)
    started = time.thread_time()
    view.append_segments([Segment(9000, 9001, "And one more.")])
    appended_s = time.thread_time() - started
    # Wide bounds against something quadratic; the stalls are held in tests/ui/test_stall.py.
    assert shown_s < 1.0
    assert sorted(steps)[len(steps) // 2] < 0.05
    assert appended_s < 0.05
