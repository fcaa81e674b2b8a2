"""What the Dock icon tells: how far the queue is, and how much failed while nobody looked."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.job import Job, JobStatus
from app.macos.dock import Dock
from app.ui.job_board import JobBoard

_STEP = 0.01  # how much progress is worth another picture


class DockProgress(QObject):
    """Shows how much of the queue is done, and how many files failed while nobody looked."""

    def __init__(self, dock: Dock, board: JobBoard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dock = dock
        self._board = board
        self._shown: float | None = None
        self._batch: set[str] = set()  # the jobs since the queue was last empty
        self._failed: set[str] = set()
        board.changed.connect(self._on_changed)
        board.ended.connect(self._on_ended)
        application = QApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.applicationStateChanged.connect(self._on_state)

    def _on_changed(self, _ids: object) -> None:
        paused = {job.job_id for job in self._board.open_jobs if job.status is JobStatus.PAUSED}
        open_jobs = [job for job in self._board.open_jobs if job.job_id not in paused]
        self._batch = (self._batch | {job.job_id for job in open_jobs}) - paused
        if not open_jobs:
            self._batch.clear()
            self._show(None)
            return
        self._show(batch_progress(open_jobs, len(self._batch)))

    def _on_ended(self, job: Job) -> None:
        is_away = QGuiApplication.applicationState() is not Qt.ApplicationState.ApplicationActive
        if job.status is JobStatus.FAILED and is_away:
            self._failed.add(job.job_id)
            self._dock.set_badge(str(len(self._failed)))

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive and self._failed:
            self._failed.clear()
            self._dock.set_badge("")

    def _show(self, fraction: float | None) -> None:
        before = self._shown
        if fraction == before:
            return
        if fraction is not None and before is not None and abs(fraction - before) < _STEP:
            return
        self._shown = fraction
        self._dock.set_progress(fraction)


def batch_progress(open_jobs: Sequence[Job], total: int) -> float:
    """Return how much of `total` files is done when `open_jobs` of them are not finished."""
    done = total - len(open_jobs)
    return (done + sum(job.fraction or 0.0 for job in open_jobs)) / max(1, total)
