"""The rows of the queue: jobs that run, wait, are paused or failed.

Follows the board; rows that stay are updated in place so that selection and focus stay too.
"""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.core.job import Job
from app.ui.job_board import JobBoard
from app.ui.wording import job_progress

JobRole = int(Qt.ItemDataRole.UserRole) + 1
LeftRole = JobRole + 1
Index = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    """The board's jobs as rows."""

    def __init__(self, board: JobBoard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._jobs: list[Job] = board.jobs
        board.changed.connect(self._on_board_changed)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._jobs)

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs)

    def job(self, row: int) -> Job | None:
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self.job(index.row())
        if job is None:
            return None
        if role == JobRole:
            return job
        if role == LeftRole:
            return self._board.left_s(job)
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(job.title.split())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = [" ".join(job.title.split()), job_progress(job, self._board.left_s(job))]
            parts += [job.error or "", job.hint or ""]
            return ", ".join(part for part in parts if part)
        return None

    def _on_board_changed(self, _recordings: object) -> None:
        new = self._board.jobs
        self._remove_gone({job.job_id for job in new})
        old = self._jobs
        if [job.job_id for job in new[: len(old)]] != [job.job_id for job in old]:
            self.beginResetModel()
            self._jobs = new
            self.endResetModel()
            return
        changed = [at for at, job in enumerate(old) if job is not new[at]]
        if len(new) > len(old):
            self.beginInsertRows(QModelIndex(), len(old), len(new) - 1)
            self._jobs = new
            self.endInsertRows()
        self._jobs = new
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def _remove_gone(self, ids: set[str]) -> None:
        gone = [at for at, job in enumerate(self._jobs) if job.job_id not in ids]
        if len(gone) > 50:
            self.beginResetModel()
            self._jobs = [job for job in self._jobs if job.job_id in ids]
            self.endResetModel()
            return
        for at in reversed(gone):
            self.beginRemoveRows(QModelIndex(), at, at)
            del self._jobs[at]
            self.endRemoveRows()
