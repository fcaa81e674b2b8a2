"""The queue: one row a job, with everything a person can do about it.

Every act is reachable by pointer, key and menu; what it does to a job comes back as an event.
"""

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.job import Job, JobStatus
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.queue.delegate import Act, JobDelegate, act_name, acts_of, buttons_of
from app.ui.queue.model import QueueModel
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.labels import PlainLabel
from app.ui.wording import time_left

_KEYS = {
    Qt.Key.Key_Space: (Act.PAUSE, Act.RESUME),
    Qt.Key.Key_Backspace: (Act.CANCEL,),
    Qt.Key.Key_Delete: (Act.CANCEL,),
    Qt.Key.Key_Return: (Act.RETRY,),
    Qt.Key.Key_Enter: (Act.RETRY,),
}


class JobList(QListView):
    """The rows."""

    act_requested = Signal(object, object)  # Act, Job

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = model
        self._painter_of_rows = JobDelegate(self)
        self.setModel(model)
        self.setItemDelegate(self._painter_of_rows)
        self.setAccessibleName(tr("Queue"))
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)

    def selected_jobs(self) -> list[Job]:
        """Return the selected jobs, in order."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [job for row in rows if (job := self._jobs.job(row)) is not None]

    def request(self, *acts: Act) -> None:
        """Ask for the first of `acts` that each selected job allows."""
        for job in self.selected_jobs():
            for act in acts:
                if act in acts_of(job):
                    self.act_requested.emit(act, job)
                    break

    def keyPressEvent(self, event: QKeyEvent) -> None:
        acts = _KEYS.get(Qt.Key(event.key()))
        if acts:
            self.request(*acts)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._act_at(event.position().toPoint())
        if found and event.button() is Qt.MouseButton.LeftButton:
            self.act_requested.emit(*found)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._painter_of_rows.pointer = event.position().toPoint()
        self.viewport().update()
        super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Leave:
            self._painter_of_rows.pointer = QPoint(-1, -1)
            self.viewport().update()
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            found = self._act_at(event.pos())
            QToolTip.showText(event.globalPos(), act_name(found[0]) if found else "")
            return True
        return super().viewportEvent(event)

    def _act_at(self, point: QPoint) -> tuple[Act, Job] | None:
        index: QModelIndex = self.indexAt(point)
        job = self._jobs.job(index.row()) if index.isValid() else None
        if job is None:
            return None
        for button in buttons_of(job, self.visualRect(index)):
            if button.rect.contains(point):
                return button.act, job
        return None

    def _show_menu(self, point: QPoint) -> None:
        jobs = self.selected_jobs()
        menu = QMenu(self)
        for act in Act:
            if any(act in acts_of(job) for job in jobs):
                menu.addAction(act_name(act)).triggered.connect(
                    lambda _checked=False, act=act: self.request(act)
                )
        if not menu.isEmpty():
            menu.popup(self.viewport().mapToGlobal(point))
        menu.aboutToHide.connect(menu.deleteLater)


class QueueView(QWidget):
    """The queue with its summary and what can be done to all of it."""

    pause_requested = Signal(str)  # job id
    resume_requested = Signal(str)
    cancel_requested = Signal(str)
    retry_requested = Signal(str)  # recording id
    import_requested = Signal()
    selection_changed = Signal()

    def __init__(self, board: JobBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._board = board
        self._model = QueueModel(board, self)
        self.list = JobList(self._model, self)
        self.list.act_requested.connect(self._on_act)
        self.list.selectionModel().selectionChanged.connect(
            lambda *_: self.selection_changed.emit()
        )
        self.summary = PlainLabel("", self)
        self.summary.setFont(theme.font(1.15, is_bold=True))
        self.pause_all_button = QPushButton(tr("Pause All"), self)
        self.pause_all_button.setAccessibleName(tr("Pause All"))
        self.pause_all_button.clicked.connect(self._on_pause_all)
        self.empty = EmptyState(self)
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 12, 12, 10)
        bar.addWidget(self.summary, 1)
        bar.addWidget(self.pause_all_button)
        self._page = QWidget(self)
        column = QVBoxLayout(self._page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.list, 1)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._page)
        self._stack.addWidget(self.empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
        board.changed.connect(self._render)
        self._render()
        self.refresh_colors()

    @property
    def jobs(self) -> list[Job]:
        """The jobs that have a row."""
        return self._model.jobs

    def refresh_colors(self) -> None:
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("base"))
        self.setPalette(palette)
        self.empty.refresh_colors()
        self.list.viewport().update()

    def _render(self, _recordings: object = None) -> None:
        jobs = self._board.open_jobs
        failed = len(self._board.jobs) - len(jobs)
        if not self._board.jobs:
            self.empty.show_state(
                tr("Nothing is waiting"),
                [tr("Files you import are worked on here, one after the other.")],
                icon="queue",
                actions=[(tr("Import…"), self.import_requested.emit)],
            )
            self._stack.setCurrentWidget(self.empty)
            return
        self._stack.setCurrentWidget(self._page)
        parts = []
        if jobs:
            parts.append(tr_plural("{count} recording", "{count} recordings", len(jobs)))
        left_s = self._left_s(jobs)
        if left_s is not None:
            parts.append(time_left(left_s))
        if failed:
            parts.append(tr_plural("{count} failed", "{count} failed", failed))
        self.summary.setText(" · ".join(parts))
        self.pause_all_button.setVisible(bool(jobs))
        name = tr("Resume All") if self._are_all_paused(jobs) else tr("Pause All")
        self.pause_all_button.setText(name)
        self.pause_all_button.setAccessibleName(name)

    def _left_s(self, jobs: list[Job]) -> float | None:
        """Return about how long all of `jobs` take, at the pace of the one that runs."""
        running = self._board.running
        left_s = self._board.left_s(running) if running else None
        if running is None or left_s is None or any(job.total_s is None for job in jobs):
            return None
        rest_s = running.rest_s
        waiting_s = sum(job.rest_s for job in jobs if job.status is JobStatus.QUEUED)
        return left_s + waiting_s * left_s / rest_s if rest_s > 0 else left_s

    def _are_all_paused(self, jobs: list[Job]) -> bool:
        return all(job.status is JobStatus.PAUSED for job in jobs)

    def _on_pause_all(self) -> None:
        jobs = self._board.open_jobs
        if self._are_all_paused(jobs):
            for job in jobs:
                self.resume_requested.emit(job.job_id)
            return
        for job in jobs:
            if job.status is not JobStatus.PAUSED:
                self.pause_requested.emit(job.job_id)

    def _on_act(self, act: Act, job: Job) -> None:
        if act is Act.PAUSE:
            self.pause_requested.emit(job.job_id)
        elif act is Act.RESUME:
            self.resume_requested.emit(job.job_id)
        elif act is Act.CANCEL:
            self.cancel_requested.emit(job.job_id)
        else:
            self.retry_requested.emit(job.recording_id)
