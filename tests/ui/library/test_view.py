"""The list finds every place by arithmetic, and everything in it by keyboard."""

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.library.search import ListQuery, matches
from app.ui.job_board import JobBoard
from app.ui.library.delegate import RowDelegate, marked, scrolled
from app.ui.library.model import PAGE, RecordingModel
from app.ui.library.view import RecordingList
from tests.helpers.ui_fakes import FakeLibrary, world_of
from tests.helpers.ui_signals import FakeDesk


def list_of(qtbot: QtBot, library: FakeLibrary) -> RecordingList:
    board = JobBoard()
    model = RecordingModel(library, FakeDesk(), board)
    view = RecordingList(model, RowDelegate(board, matches, model))
    board.setParent(view)
    model.setParent(view)
    qtbot.addWidget(view)
    model.show_query(ListQuery())
    view.resize(320, 600)
    view.show()
    qtbot.waitExposed(view)
    view.grab()
    return view


def test_rows_and_headers_do_not_overlap(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(60).library)
    bottom = -1
    for row in range(60):
        rect = view.visualRect(view.model().index(row, 0))
        assert rect.top() > bottom
        assert view.indexAt(rect.center()).row() == row
        assert view.indexAt(QPoint(5, rect.top())).row() == row
        assert view.indexAt(QPoint(5, rect.bottom())).row() == row
        bottom = rect.bottom()
    assert view.verticalScrollBar().maximum() == bottom + 1 + 8 - view.viewport().height()


def test_a_header_is_no_row(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(3).library)
    assert not view.indexAt(QPoint(5, 2)).isValid()


def test_the_first_paint_reads_a_page_or_two(qtbot: QtBot) -> None:
    library = world_of(100_000).library
    list_of(qtbot, library)
    assert 0 < library.rows_read <= 2 * PAGE


def test_the_end_of_a_long_list_is_one_key_away(qtbot: QtBot) -> None:
    library = world_of(100_000).library
    view = list_of(qtbot, library)
    view.setFocus()
    view.setCurrentIndex(view.model().index(0, 0))
    before = library.rows_read
    QTest.keyClick(view, Qt.Key.Key_End)
    view.grab()
    assert view.currentIndex().row() == 99_999
    assert view.visible_rows()[1] == 99_999
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()))
    assert library.rows_read - before <= 3 * PAGE + 3


def test_headers_that_become_known_do_not_move_the_view(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(5_000).library)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    view.grab()
    first, _last = view.visible_rows()
    bar.setValue(bar.value() - 20 * view.viewport().height())
    view.grab()
    bar.setValue(bar.value() + 20 * view.viewport().height())
    view.grab()
    assert abs(view.visible_rows()[0] - first) <= 60  # headers between take some rows' place


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Down, 11),
        (Qt.Key.Key_Up, 9),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_End, 59),
    ],
)
def test_keys_move(qtbot: QtBot, key: Qt.Key, expected: int) -> None:
    view = list_of(qtbot, world_of(60).library)
    view.setCurrentIndex(view.model().index(10, 0))
    QTest.keyClick(view, key)
    assert view.currentIndex().row() == expected
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()))


def test_pages_move(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(60).library)
    view.setCurrentIndex(view.model().index(10, 0))
    QTest.keyClick(view, Qt.Key.Key_PageDown)
    down = view.currentIndex().row()
    assert 14 <= down <= 20
    QTest.keyClick(view, Qt.Key.Key_PageUp)
    assert view.currentIndex().row() == 10


def test_return_opens_and_delete_removes(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(6).library)
    view.setCurrentIndex(view.model().index(1, 0))
    with qtbot.waitSignal(view.open_requested, timeout=5_000):
        QTest.keyClick(view, Qt.Key.Key_Return)
    with qtbot.waitSignal(view.remove_requested, timeout=5_000):
        QTest.keyClick(view, Qt.Key.Key_Delete)
    with qtbot.waitSignal(view.remove_requested, timeout=5_000):
        QTest.keyClick(view, Qt.Key.Key_Backspace)


def test_shift_selects_a_range(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(60).library)
    view.setCurrentIndex(view.model().index(2, 0))
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert [index.row() for index in view.selectionModel().selectedRows()] == [2, 3, 4]


def test_a_click_selects_its_row(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(60).library)
    center = view.visualRect(view.model().index(3, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=center)
    assert view.currentIndex().row() == 3
    flag = Qt.KeyboardModifier.ShiftModifier
    center = view.visualRect(view.model().index(5, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, flag, center)
    assert len(view.selectionModel().selectedRows()) == 3


def test_selecting_everything_in_a_long_list_is_quick(qtbot: QtBot) -> None:
    library = world_of(100_000).library
    view = list_of(qtbot, library)
    view.selectAll()
    assert view.selectionModel().selection().at(0).height() == 100_000
    assert library.rows_read <= 2 * PAGE


def test_a_match_beyond_the_edge_is_scrolled_into_view(qtbot: QtBot) -> None:
    view = list_of(qtbot, world_of(1).library)
    text = "word " * 40 + "river and more"
    at = text.index("river")
    shown, found = scrolled(text, [(at, at + 5)], view.fontMetrics(), 250)
    assert shown.startswith("…")
    assert [shown[start:end] for start, end in found] == ["river"]
    assert view.fontMetrics().horizontalAdvance(shown[: found[0][1]]) < 250
    assert scrolled("a river", [(2, 7)], view.fontMetrics(), 250) == ("a river", ((2, 7),))


def test_typing_letters_does_not_read_the_library(qtbot: QtBot) -> None:
    library = world_of(100_000).library
    view = list_of(qtbot, library)
    view.selectionModel().setCurrentIndex(
        view.model().index(0, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    before = library.rows_read
    QTest.keyClicks(view, "zz")
    assert library.rows_read == before


def test_matches_behind_an_emoji_are_marked_where_they_are() -> None:
    parts = marked("😀😀 the river 𠮷", [(3, 6), (13, 14)])
    assert [(part.start, part.length) for part in parts] == [(5, 3), (15, 2)]
