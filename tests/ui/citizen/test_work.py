"""The Dock and the notifications tell how the queue goes; the machine stays awake for it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.core.events import JobChanged
from app.core.job import Job, JobStatus
from app.macos.awake import FakeAwake, Need
from app.macos.dock import FakeDock
from app.macos.notify import FakeNotifier, NoNotifier, OnChosen
from app.ui.citizen.dock import DockProgress, batch_progress
from app.ui.citizen.guards import JobsAwake
from app.ui.citizen.notes import WorkNotes, note_of
from app.ui.job_board import JobBoard
from tests.helpers.ui_fakes import job, running


def tell(qtbot: QtBot, board: JobBoard, *jobs: Job) -> None:
    """Let the board hear of jobs and tell its listeners."""
    with qtbot.waitSignal(board.changed, timeout=5_000):
        for one in jobs:
            board.take(JobChanged(one))


def over(at: int, status: JobStatus = JobStatus.DONE, title: str = "") -> Job:
    return job(at, title, status=status, done_s=600.0)


def test_progress_counts_the_whole_batch() -> None:
    half = running(0, done_s=300.0)
    assert batch_progress([half], 1) == pytest.approx(0.5)
    assert batch_progress([half, job(1)], 4) == pytest.approx(2.5 / 4)
    assert batch_progress([], 3) == pytest.approx(1.0)


def test_the_dock_shows_progress_and_takes_it_away(qtbot: QtBot) -> None:
    board, shown = JobBoard(), FakeDock()
    progress = DockProgress(shown, board)
    tell(qtbot, board, running(0, done_s=300.0), job(1))
    assert shown.progress == pytest.approx(0.25)
    tell(qtbot, board, over(0))
    assert shown.progress == pytest.approx(0.5)
    tell(qtbot, board, over(1))
    assert shown.progress is None
    assert progress.parent() is None


def test_a_paused_file_is_not_waited_for(qtbot: QtBot) -> None:
    board, shown = JobBoard(), FakeDock()
    keep = DockProgress(shown, board)
    tell(qtbot, board, running(0, done_s=300.0), job(1))
    tell(qtbot, board, job(1, status=JobStatus.PAUSED))
    assert shown.progress == pytest.approx(0.5)
    del keep


@pytest.mark.parametrize(("is_away", "badge"), [(True, "2"), (False, "")])
def test_failures_nobody_saw_are_counted_on_the_icon(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, is_away: bool, badge: str
) -> None:
    state = Qt.ApplicationState
    now = state.ApplicationInactive if is_away else state.ApplicationActive
    monkeypatch.setattr(QGuiApplication, "applicationState", staticmethod(lambda: now))
    board, shown = JobBoard(), FakeDock()
    progress = DockProgress(shown, board)
    tell(qtbot, board, running(0), running(1), running(2))
    with qtbot.waitSignal(board.ended, timeout=5_000):
        for at, status in enumerate((JobStatus.FAILED, JobStatus.FAILED, JobStatus.DONE)):
            board.take(JobChanged(over(at, status)))
    assert shown.badge == badge
    progress._on_state(state.ApplicationActive)
    assert shown.badge == ""


# Notifications


class Watched:
    """Notes with a clock and a person that a test moves."""

    def __init__(self, *, is_away: bool = True, is_allowed: bool = True) -> None:
        self.now = 0.0
        self.is_away = is_away
        self.asked = 0
        self.board = JobBoard()
        self.notifier: FakeNotifier | None = None

        def make(on_chosen: OnChosen) -> FakeNotifier:
            self.notifier = FakeNotifier(on_chosen, is_allowed)
            ask = self.notifier.request_permission

            def counted(answer: Callable[[bool], None]) -> None:
                self.asked += 1
                ask(answer)

            self.notifier.request_permission = counted  # type: ignore[method-assign,assignment]
            return self.notifier

        self.notes = WorkNotes(make, self.board, is_away=lambda: self.is_away, now=lambda: self.now)

    def work(self, qtbot: QtBot, *ends: Job, took_s: float = 60.0) -> None:
        tell(qtbot, self.board, *(running(int(end.job_id[1:])) for end in ends))
        self.now += took_s
        tell(qtbot, self.board, *ends)

    @property
    def titles(self) -> list[str]:
        assert self.notifier is not None
        return [note.title for note in self.notifier.shown.values()]


def test_long_work_that_nobody_watched_is_told(qtbot: QtBot) -> None:
    watched = Watched()
    watched.work(qtbot, over(0, title="Interview"))
    qtbot.waitUntil(lambda: watched.titles == ["“Interview” is transcribed"], timeout=5_000)
    assert watched.notifier is not None
    with qtbot.waitSignal(watched.notes.recording_chosen, timeout=5_000) as chosen:
        watched.notifier.choose("work:r000000")
    assert chosen.args == ["r000000"]


@pytest.mark.parametrize(("took_s", "is_away"), [(3.0, True), (60.0, False)])
def test_quick_or_watched_work_is_no_news(qtbot: QtBot, took_s: float, is_away: bool) -> None:
    watched = Watched(is_away=is_away)
    watched.work(qtbot, over(0), took_s=took_s)
    assert watched.asked == 0
    assert watched.titles == []


def test_the_person_is_asked_once_and_a_no_is_kept(qtbot: QtBot) -> None:
    watched = Watched(is_allowed=False)
    watched.work(qtbot, over(0))
    qtbot.waitUntil(lambda: watched.notes._may is False, timeout=5_000)
    watched.work(qtbot, over(1))
    assert watched.asked == 1
    assert watched.titles == []


def test_new_work_takes_the_old_note_away(qtbot: QtBot) -> None:
    watched = Watched()
    watched.work(qtbot, over(0), over(1))
    qtbot.waitUntil(lambda: watched.titles == ["2 files are transcribed"], timeout=5_000)
    tell(qtbot, watched.board, running(2))
    assert watched.titles == []


def test_without_notifications_nothing_happens(qtbot: QtBot) -> None:
    board = JobBoard()
    notes = WorkNotes(lambda _chosen: NoNotifier(), board, is_away=lambda: True, now=lambda: 0.0)
    tell(qtbot, board, running(0))
    tell(qtbot, board, over(0))
    assert notes._may is None


@pytest.mark.parametrize(
    ("done", "title", "body"),
    [
        ([over(0, JobStatus.FAILED, "A")], "“A” could not be transcribed", "The transcription"),
        ([over(0), over(1), over(2, JobStatus.FAILED)], "2 files are transcribed", "1 file failed"),
        ([over(0, JobStatus.FAILED), over(1, JobStatus.FAILED)], "No file could", "2 files failed"),
    ],
)
def test_notes_say_what_came_of_it(done: list[Job], title: str, body: str) -> None:
    note = note_of(done)
    assert note.title.startswith(title)
    assert note.body.startswith(body)


# Staying awake


def test_the_machine_stays_awake_while_files_are_worked_on(qtbot: QtBot) -> None:
    board, awake = JobBoard(), FakeAwake()
    guard = JobsAwake(awake, board)
    tell(qtbot, board, running(0), job(1))
    assert [need for need, _reason in awake.holds] == [Need.JOB]
    tell(qtbot, board, over(0), job(1, status=JobStatus.PAUSED))
    assert awake.holds == []
    tell(qtbot, board, running(1))
    assert len(awake.holds) == 1
    guard.close()
    assert awake.holds == []
