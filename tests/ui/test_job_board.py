"""The board keeps the last snapshot of each job and tells of it now and then."""

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.events import JobChanged
from app.core.job import JobStage, JobStatus
from app.ui.job_board import JobBoard
from tests.helpers.ui_fakes import job, running


def test_a_thousand_events_are_told_once(qtbot: QtBot, qapp: QApplication) -> None:
    board = JobBoard()
    told: list[frozenset[str]] = []
    board.changed.connect(told.append)
    with qtbot.waitSignal(board.changed):
        for at in range(1000):
            board.take(JobChanged(running(at % 4, done_s=float(at % 600))))
    assert told == [frozenset({"r000000", "r000001", "r000002", "r000003"})]
    assert len(board.jobs) == 4


def test_a_finished_job_leaves_and_a_failed_one_stays(qtbot: QtBot, qapp: QApplication) -> None:
    board = JobBoard([job(1), job(2)])
    ended: list[str] = []
    board.ended.connect(lambda one: ended.append(one.job_id))
    with qtbot.waitSignals([board.ended, board.ended]):
        board.take(JobChanged(job(1, status=JobStatus.DONE)))
        board.take(JobChanged(job(2, status=JobStatus.FAILED)))
    assert ended == ["j000001", "j000002"]
    assert [one.job_id for one in board.jobs] == ["j000002"]
    assert board.open_jobs == []


def test_a_retry_takes_the_place_of_the_failed_job(qapp: QApplication) -> None:
    board = JobBoard([job(1, status=JobStatus.FAILED)])
    again = job(1, job_id="again")
    board.take(JobChanged(again))
    assert board.jobs == [again]
    assert board.job_of("r000001") == again


def test_finished_jobs_of_the_past_are_not_shown(qapp: QApplication) -> None:
    board = JobBoard([job(1, status=JobStatus.DONE), job(2, status=JobStatus.CANCELLED)])
    assert board.jobs == []


def test_the_time_left_follows_the_pace(qapp: QApplication) -> None:
    now = [0.0]
    board = JobBoard(now=lambda: now[0])
    board.take(JobChanged(running(1, done_s=0.0)))
    now[0] = 1.0
    at_once = running(1, done_s=10.0)
    board.take(JobChanged(at_once))
    assert board.left_s(at_once) is None  # too early to say
    now[0] = 10.0
    later = running(1, done_s=100.0)
    board.take(JobChanged(later))
    assert board.left_s(later) == 50.0


def test_a_pause_starts_the_pace_anew(qapp: QApplication) -> None:
    now = [0.0]
    board = JobBoard(now=lambda: now[0])
    board.take(JobChanged(running(1, done_s=0.0)))
    now[0] = 5.0
    paused = job(1, status=JobStatus.PAUSED, stage=JobStage.TRANSCRIBING, done_s=50.0)
    board.take(JobChanged(paused))
    assert board.left_s(paused) is None
    now[0] = 1000.0
    board.take(JobChanged(running(1, done_s=50.0)))
    now[0] = 1010.0
    resumed = running(1, done_s=150.0)
    board.take(JobChanged(resumed))
    assert board.left_s(resumed) == 45.0
