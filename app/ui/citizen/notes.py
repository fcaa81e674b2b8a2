"""Notifications: when long work is done or has failed and the person is elsewhere.

One note for a whole batch, in place of the one before; nothing for work that was quick or watched.
The system is asked for its permission at the first note, not before.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from app.config.translate import tr, tr_plural
from app.core.job import Job, JobStatus
from app.macos.notify import Note, Notifier
from app.ui.job_board import JobBoard

LONG_S = 10.0  # work that took less is no news
NOTE_ID = "work"
_SEPARATOR = ":"


def is_person_away() -> bool:
    """Return whether another app is in front."""
    return QGuiApplication.applicationState() is not Qt.ApplicationState.ApplicationActive


class WorkNotes(QObject):
    """Shows a note when the queue has become empty while nobody looked.

    Signals: `recording_chosen(str)` when the person clicks a note, with the recording's id, or ""
    for several. Notes arrive on any thread, the signal in the main thread.

    Args:
        make_notifier: makes the system's notifier, given what hears of clicks.
        board: the jobs.
        is_away: whether the person looks elsewhere.
        now: a clock in seconds.
    """

    recording_chosen = Signal(str)
    _clicked = Signal(str)
    _answered = Signal(bool)

    def __init__(
        self,
        make_notifier: Callable[[Callable[[str], None]], Notifier],
        board: JobBoard,
        parent: QObject | None = None,
        *,
        is_away: Callable[[], bool] = is_person_away,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._board = board
        self._is_away = is_away
        self._now = now
        self._since: float | None = None  # when the queue last began to work
        self._done: list[Job] = []
        self._waiting: Note | None = None
        self._may: bool | None = None  # what the person answered; `None` before being asked
        self._clicked.connect(self._on_clicked, Qt.ConnectionType.QueuedConnection)
        self._answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._on_settled)
        self._notifier = make_notifier(self._clicked.emit)
        board.changed.connect(self._on_changed)
        board.ended.connect(self._on_ended)

    def _on_changed(self, _ids: object) -> None:
        if self._board.open_jobs and self._since is None:
            self._since = self._now()
            self._notifier.withdraw(NOTE_ID)

    def _on_ended(self, job: Job) -> None:
        if job.status in (JobStatus.DONE, JobStatus.FAILED):
            self._done.append(job)
        self._settled.start()

    def _on_settled(self) -> None:
        """Say what came of the batch, when all that ended together has been told."""
        if any(job.status is not JobStatus.PAUSED for job in self._board.open_jobs):
            return
        began, self._since = self._since, None
        done, self._done = self._done, []
        took_s = self._now() - began if began is not None else 0.0
        if done and took_s >= LONG_S and self._is_away() and self._notifier.is_available:
            self._show(note_of(done))

    def _show(self, note: Note) -> None:
        if self._may is None:
            self._waiting = note
            self._notifier.request_permission(self._answered.emit)
        elif self._may:
            self._notifier.show(note)

    def _on_answered(self, is_granted: bool) -> None:
        self._may = is_granted
        waiting, self._waiting = self._waiting, None
        if is_granted and waiting is not None:
            self._notifier.show(waiting)

    def _on_clicked(self, note_id: str) -> None:
        self.recording_chosen.emit(note_id.partition(_SEPARATOR)[2])


def note_of(done: list[Job]) -> Note:
    """Return what is said of jobs that ended."""
    failed = [job for job in done if job.status is JobStatus.FAILED]
    if len(done) == 1:
        title = " ".join(done[0].title.split())
        note_id = f"{NOTE_ID}{_SEPARATOR}{done[0].recording_id}"
        if failed:
            reason = tr(failed[0].error) if failed[0].error else tr("The transcription failed.")
            return Note(note_id, tr("“{title}” could not be transcribed", title=title), reason)
        return Note(note_id, tr("“{title}” is transcribed", title=title))
    fine = len(done) - len(failed)
    body = tr_plural("{count} file failed.", "{count} files failed.", len(failed)) if failed else ""
    said = tr_plural("{count} file is transcribed", "{count} files are transcribed", fine)
    return Note(NOTE_ID, said if fine else tr("No file could be transcribed"), body)
