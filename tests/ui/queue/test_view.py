"""Everything in the queue can be done by pointer and by key."""

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from app.core.events import JobChanged
from app.core.job import Job, JobStatus
from app.ui.job_board import JobBoard
from app.ui.queue.delegate import Act, buttons_of
from app.ui.queue.model import JobRole
from app.ui.queue.view import QueueView
from tests.helpers.ui_fakes import job, running


def view_of(qtbot: QtBot, *jobs: Job) -> tuple[QueueView, JobBoard]:
    board = JobBoard(jobs)
    view = QueueView(board)
    board.setParent(view)
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.show()
    qtbot.waitExposed(view)
    return view, board


def choose(view: QueueView, row: int) -> None:
    flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
    index = view.list.model().index(row, 0)
    view.list.selectionModel().setCurrentIndex(index, flag)


FAILED = job(3, status=JobStatus.FAILED, error="It broke.", hint="Mend it.")


def test_an_empty_queue_says_so(qtbot: QtBot) -> None:
    view, _board = view_of(qtbot)
    assert view.empty.isVisible()
    with qtbot.waitSignal(view.import_requested):
        view.empty.buttons[0].click()


def test_the_summary_counts(qtbot: QtBot) -> None:
    view, _board = view_of(qtbot, running(1), job(2), FAILED)
    assert view.summary.text() == "2 recordings · 1 failed"


@pytest.mark.parametrize(
    ("row", "key", "signal", "value"),
    [
        (0, Qt.Key.Key_Space, "pause_requested", "j000001"),
        (1, Qt.Key.Key_Space, "resume_requested", "j000002"),
        (0, Qt.Key.Key_Backspace, "cancel_requested", "j000001"),
        (1, Qt.Key.Key_Delete, "cancel_requested", "j000002"),
        (2, Qt.Key.Key_Return, "retry_requested", "r000003"),
    ],
)
def test_keys_act(qtbot: QtBot, row: int, key: Qt.Key, signal: str, value: str) -> None:
    view, _board = view_of(qtbot, running(1), job(2, status=JobStatus.PAUSED), FAILED)
    choose(view, row)
    with qtbot.waitSignal(getattr(view, signal), timeout=5_000) as told:
        QTest.keyClick(view.list, key)
    assert told.args == [value]


@pytest.mark.parametrize(
    ("row", "act", "signal"),
    [
        (0, Act.PAUSE, "pause_requested"),
        (0, Act.CANCEL, "cancel_requested"),
        (1, Act.RESUME, "resume_requested"),
        (2, Act.RETRY, "retry_requested"),
    ],
)
def test_buttons_act(qtbot: QtBot, row: int, act: Act, signal: str) -> None:
    jobs = (running(1), job(2, status=JobStatus.PAUSED), FAILED)
    view, _board = view_of(qtbot, *jobs)
    rect = view.list.visualRect(view.list.model().index(row, 0))
    button = next(found for found in buttons_of(jobs[row], rect) if found.act is act)
    assert min(button.rect.width(), button.rect.height()) >= 24
    with qtbot.waitSignal(getattr(view, signal), timeout=5_000):
        QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=button.rect.center())


def test_several_rows_act_together(qtbot: QtBot) -> None:
    view, _board = view_of(qtbot, running(1), job(2), FAILED)
    told: list[str] = []
    view.cancel_requested.connect(told.append)
    view.list.selectAll()
    QTest.keyClick(view.list, Qt.Key.Key_Backspace)
    assert told == ["j000001", "j000002"]


def test_pause_all_and_resume_all(qtbot: QtBot) -> None:
    view, board = view_of(qtbot, running(1), job(2))
    told: list[str] = []
    view.pause_requested.connect(told.append)
    view.pause_all_button.click()
    assert told == ["j000001", "j000002"]
    with qtbot.waitSignal(board.changed):
        board.take(JobChanged(job(1, status=JobStatus.PAUSED)))
        board.take(JobChanged(job(2, status=JobStatus.PAUSED)))
    assert view.pause_all_button.text() == "Resume All"
    told.clear()
    view.resume_requested.connect(told.append)
    view.pause_all_button.click()
    assert told == ["j000001", "j000002"]


def test_a_job_that_ends_adds_no_row(qtbot: QtBot) -> None:
    view, board = view_of(qtbot, running(1), job(2), job(3))
    model = view.list.model()
    told: list[tuple[str, int, int]] = []
    model.rowsInserted.connect(lambda _parent, first, last: told.append(("in", first, last)))
    model.rowsRemoved.connect(lambda _parent, first, last: told.append(("out", first, last)))
    model.modelReset.connect(lambda: told.append(("reset", 0, 0)))
    model.dataChanged.connect(lambda first, last: told.append(("changed", first.row(), last.row())))
    with qtbot.waitSignal(board.changed):
        board.take(JobChanged(job(1, status=JobStatus.DONE)))
        board.take(JobChanged(running(2)))
    assert told == [("out", 0, 0), ("changed", 0, 0)]
    assert model.rowCount() == 2
    assert [index.data(JobRole).status for index in (model.index(0, 0), model.index(1, 0))] == [
        JobStatus.RUNNING,
        JobStatus.QUEUED,
    ]
    told.clear()
    with qtbot.waitSignal(board.changed):
        board.take(JobChanged(running(2, done_s=300.0)))
        board.take(JobChanged(job(4)))
    assert told == [("in", 2, 2), ("changed", 0, 0)]


def test_rows_change_in_place_and_leave(qtbot: QtBot) -> None:
    view, board = view_of(qtbot, running(1), job(2), job(3))
    tester = QAbstractItemModelTester(view.list.model())
    choose(view, 1)
    with qtbot.waitSignal(board.changed):
        board.take(JobChanged(running(1, done_s=300.0)))
    assert [found.job_id for found in view.list.selected_jobs()] == ["j000002"]
    with qtbot.waitSignal(board.changed):
        board.take(JobChanged(job(1, status=JobStatus.DONE)))
        board.take(JobChanged(job(4)))
    assert [found.job_id for found in view.list.selected_jobs()] == ["j000002"]
    assert view.list.model().rowCount() == 3
    assert tester.model() is view.list.model()


def test_a_row_is_read_out_with_its_state(qtbot: QtBot) -> None:
    view, _board = view_of(qtbot, running(1, "<b>Talk</b>"), FAILED)
    model = view.list.model()
    role = Qt.ItemDataRole.AccessibleTextRole
    assert model.data(model.index(0, 0), role) == "<b>Talk</b>, Transcribing · 20 %"
    assert model.data(model.index(1, 0), role) == "Recording 3, Failed, It broke., Mend it."


def test_two_thousand_jobs_are_no_burden(qtbot: QtBot) -> None:
    view, board = view_of(qtbot, *(job(at) for at in range(2000)))
    view.grab()
    with qtbot.waitSignal(board.changed):
        for at in range(2000):
            board.take(JobChanged(job(at, status=JobStatus.CANCELLED)))
    assert view.empty.isVisible()
