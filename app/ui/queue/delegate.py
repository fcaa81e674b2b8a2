"""Paints one row of the queue with its buttons at the right.

The buttons are for the pointer; keys, the context menu and the menu bar do the same.
"""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.config.translate import tr
from app.core.job import Job, JobStatus
from app.ui import theme
from app.ui.library.delegate import draw_line
from app.ui.queue.model import JobRole, LeftRole
from app.ui.widgets.progress import draw_progress
from app.ui.wording import job_progress

_SIDE = 16
_TOP = 10
_BAR = 5


class Act(StrEnum):
    """What can be done to a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


def acts_of(job: Job) -> tuple[Act, ...]:
    """Return what can be done to `job` right now, the likeliest first."""
    return {
        JobStatus.QUEUED: (Act.PAUSE, Act.CANCEL),
        JobStatus.RUNNING: (Act.PAUSE, Act.CANCEL),
        JobStatus.PAUSED: (Act.RESUME, Act.CANCEL),
        JobStatus.FAILED: (Act.RETRY,),
    }.get(job.status, ())


def act_name(act: Act) -> str:
    """Return the name of an act on a menu or a tooltip."""
    return {
        Act.PAUSE: tr("Pause"),
        Act.RESUME: tr("Resume"),
        Act.CANCEL: tr("Cancel"),
        Act.RETRY: tr("Retry"),
    }[act]


@dataclass(frozen=True, slots=True)
class Button:
    """A painted button."""

    act: Act
    rect: QRect


def buttons_of(job: Job, row: QRect) -> list[Button]:
    """Return the buttons of a row and where they are."""
    acts = acts_of(job)
    side = theme.TARGET
    left = row.right() - _SIDE + 5 - side * len(acts)
    top = row.top() + (row.height() - side) // 2
    return [Button(act, QRect(left + at * side, top, side, side)) for at, act in enumerate(acts)]


class JobDelegate(QStyledItemDelegate):
    """Paints jobs; `pointer` is where the mouse is, to lift the button below it."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.pointer = QPoint(-1, -1)

    @property
    def row_height(self) -> int:
        title = QFontMetrics(theme.font(is_bold=True)).height()
        small = QFontMetrics(theme.font(0.92)).height()
        return 2 * _TOP + title + 5 + _BAR + 5 + small

    def sizeHint(self, option: QStyleOptionViewItem, _index: object) -> QSize:
        return QSize(option.rect.width(), self.row_height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        job = index.data(JobRole)
        if not isinstance(job, Job):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        widget = option.widget
        is_active = is_selected and widget is not None and widget.hasFocus()
        painter.setPen(Qt.PenStyle.NoPen)
        if is_selected:
            painter.setBrush(theme.color("accent" if is_active else "selected_idle"))
            painter.drawRoundedRect(option.rect.adjusted(6, 1, -6, -1), 6, 6)
        self._paint_texts(painter, option.rect, job, index.data(LeftRole), is_active)
        for button in buttons_of(job, option.rect):
            self._paint_button(painter, button, is_active)
        painter.restore()

    def _paint_texts(
        self, painter: QPainter, row: QRect, job: Job, left_s: float | None, is_active: bool
    ) -> None:
        text = theme.color("accent_text" if is_active else "text")
        quiet = theme.color("accent_secondary" if is_active else "secondary")
        right = theme.TARGET * 2 + 8
        rect = row.adjusted(_SIDE, _TOP, -_SIDE - right, 0)
        bold, small = theme.font(is_bold=True), theme.font(0.92)
        line = QRect(rect.left(), rect.top(), rect.width(), QFontMetrics(bold).height())
        draw_line(painter, line, job.title, bold, text)
        is_failed = job.status is JobStatus.FAILED
        top = line.bottom() + 5
        if not is_failed:
            bar = QRect(rect.left(), top + 1, rect.width(), _BAR)
            draw_progress(painter, bar, job.fraction or 0.0, text if is_active else None)
            top = bar.bottom() + 5
        line = QRect(rect.left(), top, rect.width(), QFontMetrics(small).height())
        shown = job_progress(job, left_s)
        if is_failed:
            shown = tr(job.error or "Failed")
            quiet = quiet if is_active else theme.color("error")
        draw_line(painter, line, shown, small, quiet)
        if is_failed and job.hint:
            line.translate(0, line.height() + 2)
            hint = theme.color("accent_secondary" if is_active else "secondary")
            draw_line(painter, line, tr(job.hint), small, hint)

    def _paint_button(self, painter: QPainter, button: Button, is_active: bool) -> None:
        if button.rect.contains(self.pointer):
            painter.setPen(Qt.PenStyle.NoPen)
            lift = QColor(theme.color("accent_text" if is_active else "text"))
            lift.setAlphaF(0.15)
            painter.setBrush(lift)
            painter.drawRoundedRect(button.rect.adjusted(1, 1, -1, -1), 5, 5)
        tint = theme.color("accent_text" if is_active else "text").name()
        side = theme.ICON
        at = button.rect.center() - QPoint(side // 2 - 1, side // 2 - 1)
        painter.drawPixmap(at, theme.pixmap(button.act.value, tint, side))
