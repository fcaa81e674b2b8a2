"""Paints one row of the list: title, first line or snippet, and one line of facts.

All rows are equally high. Texts of people are drawn, never interpreted.
"""

import time
from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.config.translate import tr
from app.core.job import Job, JobStatus
from app.core.recording import Recording, RecordingStatus
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.library.model import Row, RowRole
from app.ui.ports import FindMatches
from app.ui.units import all_units
from app.ui.widgets.progress import draw_progress
from app.ui.wording import (
    day_label,
    day_of,
    full_date,
    job_progress,
    length,
    recording_line,
    recording_state,
    title_of,
)

_SIDE = 14  # px, from the edge of the row to its text
_TOP = 9
_STAR = 12
_BAR = 72  # px, how long a row's progress bar is
_GAP = 3
_INSET = 6  # px, from the edge of the list to a selection's frame


class RowDelegate(QStyledItemDelegate):
    """Paints rows; `query` is what is searched for."""

    def __init__(self, board: JobBoard, find_matches: FindMatches, parent: QObject) -> None:
        super().__init__(parent)
        self._board = board
        self._find_matches = find_matches
        self.query = ""
        self.refresh_fonts()

    def refresh_fonts(self) -> None:
        """Measure the fonts again; call it when the system's font changed."""
        self.title_font, self.small_font = theme.font(is_bold=True), theme.font(0.92)
        self._title_height = QFontMetrics(self.title_font).height()
        self._small_metrics = QFontMetrics(self.small_font)
        self._small_height = self._small_metrics.height()
        self.row_height = 2 * _TOP + self._title_height + 2 * (self._small_height + _GAP)
        self.header_height = self._small_height + 2 * theme.SPACE

    def sizeHint(self, option: QStyleOptionViewItem, _index: object) -> QSize:
        return QSize(option.rect.width(), self.row_height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row = index.data(RowRole)
        if not isinstance(row, Row):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_active = bool(option.state & QStyle.StateFlag.State_Active)
        ink = _Ink(is_selected and is_active)
        self._paint_ground(painter, option, is_selected, is_active)
        self._paint_texts(painter, option.rect.adjusted(_SIDE, _TOP, -_SIDE, 0), row, ink)
        painter.restore()

    def paint_header(self, painter: QPainter, rect: QRect, day: date) -> None:
        """Paint the name of a day above its first row."""
        painter.setFont(theme.font(0.92, is_bold=True))
        painter.setPen(theme.color("secondary"))
        painter.drawText(
            rect.adjusted(_SIDE, 0, -_SIDE, -3),
            Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignBottom,
            day_label(day, day_of(time.time())),
        )

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, is_selected: bool, is_active: bool
    ) -> None:
        frame = option.rect.adjusted(_INSET, 1, -_INSET, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_selected:
            painter.setBrush(_selection(is_active))
            painter.drawRoundedRect(frame, 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(frame, 6, 6)
        if option.state & QStyle.StateFlag.State_HasFocus and not is_selected:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 6, 6)

    def _paint_texts(self, painter: QPainter, rect: QRect, row: Row, ink: "_Ink") -> None:
        recording = row.recording
        job = self._board.job_of(recording.recording_id)
        title = title_of(recording)
        found = self._find_matches(title, self.query) if self.query else ()
        title_height, small_height = self._title_height, self._small_height
        line = QRect(rect.left(), rect.top(), rect.width(), title_height)
        if recording.is_favourite:
            line.adjust(0, 0, -_STAR - 6, 0)
            tint = (ink.secondary if ink.is_on_accent else theme.color("tint")).name()
            top = line.center().y() - _STAR // 2
            painter.drawPixmap(rect.right() - _STAR, top, theme.pixmap("star_full", tint, _STAR))
        draw_line(painter, line, title, self.title_font, ink.text, found)
        line = QRect(rect.left(), line.bottom() + 1 + _GAP, rect.width(), small_height)
        is_open = job is not None and not job.status.is_over
        if row.snippet:
            width = rect.width()
            text, found = scrolled(row.snippet, row.matches, self._small_metrics, width)
            draw_line(painter, line, text, self.small_font, ink.secondary, found)
        elif job is not None and is_open and not recording.first_line:
            draw_line(painter, line, job_progress(job), self.small_font, ink.secondary)
        else:
            text, color = _second_line(recording, ink)
            draw_line(painter, line, text, self.small_font, color)
        line = QRect(rect.left(), line.bottom() + 1 + _GAP, rect.width(), small_height)
        self._paint_facts(painter, line, row, job, ink)

    def _paint_facts(
        self, painter: QPainter, line: QRect, row: Row, job: Job | None, ink: "_Ink"
    ) -> None:
        recording = row.recording
        facts = recording_line(recording)
        if row.snippet or self.query:
            parts = [full_date(recording.created_at), length(recording.duration_s)]
            facts = " · ".join(part for part in parts if part)
        if job is not None and not job.status.is_over:
            bar = QRect(line.right() - _BAR, line.center().y() - 1, _BAR, 4)
            draw_progress(painter, bar, job.fraction or 0.0, ink.text if ink.is_on_accent else None)
            line = line.adjusted(0, 0, -_BAR - 12, 0)
            text = job_progress(job) if recording.first_line else facts
            draw_line(painter, line, text, self.small_font, ink.secondary)
            return
        failed = recording.status is RecordingStatus.FAILED or (
            job is not None and job.status is JobStatus.FAILED
        )
        state = recording_state(recording)
        if failed:
            side = 14
            tint = ink.secondary.name() if ink.is_on_accent else theme.color("error").name()
            top = line.center().y() - side // 2
            painter.drawPixmap(line.left(), top, theme.pixmap("warning", tint, side))
            line = line.adjusted(side + 5, 0, 0, 0)
        text = " · ".join(part for part in (facts, state) if part)
        draw_line(painter, line, text, self.small_font, ink.secondary)


class _Ink:
    """The colours of texts on a row."""

    def __init__(self, is_on_accent: bool) -> None:
        self.is_on_accent = is_on_accent
        self.text = theme.color("accent_text" if is_on_accent else "text")
        self.secondary = theme.color("accent_secondary" if is_on_accent else "secondary")
        self.error = self.secondary if is_on_accent else theme.color("error")


def _selection(is_active: bool) -> QColor:
    return theme.color("accent" if is_active else "selected_idle")


def _second_line(recording: Recording, ink: _Ink) -> tuple[str, QColor]:
    if recording.status is RecordingStatus.FAILED and recording.error:
        return tr(recording.error), ink.error
    return recording.first_line, ink.secondary


def scrolled(
    text: str, matches: Sequence[tuple[int, int]], metrics: QFontMetrics, width: int
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Cut the beginning of `text` where its first match would not be seen in `width`."""
    if not matches or metrics.horizontalAdvance(text[: matches[0][1]]) < width * 0.8:
        return text, tuple(matches)
    cut = matches[0][0]
    while cut > 0 and metrics.horizontalAdvance(text[cut - 1 : matches[0][0]]) < width * 0.3:
        cut -= 1
    space = text.find(" ", cut, matches[0][0])
    cut = space + 1 if space >= 0 else cut
    return "…" + text[cut:], tuple((start - cut + 1, end - cut + 1) for start, end in matches)


def draw_line(
    painter: QPainter,
    rect: QRect,
    text: str,
    font: QFont,
    color: QColor,
    matches: Sequence[tuple[int, int]] = (),
) -> None:
    """Draw one line of plain text, elided, with `matches` marked."""
    metrics = QFontMetrics(font)
    text = " ".join(text.split()) if not matches else text
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.setFont(font)
    painter.setPen(color)
    if not matches:
        flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, int(flags) | int(Qt.TextFlag.TextSingleLine), shown)
        return
    kept = len(shown) if shown == text else len(shown) - 1
    layout = QTextLayout(shown, font)
    layout.setFormats(marked(shown, [(at, min(end, kept)) for at, end in matches if at < kept]))
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(rect.width() + 4)
    layout.endLayout()
    layout.draw(painter, QPointF(rect.left(), rect.top()))


def marked(text: str, matches: Sequence[tuple[int, int]]) -> list[QTextLayout.FormatRange]:
    """Return the look of `matches` in a line, as Qt counts."""
    look = QTextCharFormat()
    look.setBackground(theme.color("match"))
    look.setForeground(theme.color("match_text"))
    found = []
    for match in matches:
        start, end = all_units(text, match)
        part = QTextLayout.FormatRange()
        part.start, part.length, part.format = start, end - start, look
        found.append(part)
    return found
