"""Paints the lines of the sidebar: headings, places, counts, and where a drop would go."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui import theme

PlaceRole = int(Qt.ItemDataRole.UserRole) + 1
CountRole = PlaceRole + 1
TargetRole = PlaceRole + 2  # whether what is dragged would go here
_WARNS = "failed"
_INSET = 8  # px, from the edge to a selection's frame


class PlaceDelegate(QStyledItemDelegate):
    """Paints headings and places with their counts."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)

    def sizeHint(
        self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        height = QFontMetrics(theme.font()).height()
        return QSize(120, max(theme.TARGET, height + 10) if index.data(PlaceRole) else height + 18)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(PlaceRole):
            self._paint_place(painter, option, index)
        else:
            painter.setFont(theme.font(0.85, is_bold=True))
            painter.setPen(theme.color("secondary"))
            rect = option.rect.adjusted(_INSET + 8, 0, -_INSET, -4)
            flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignBottom
            painter.drawText(rect, flags, str(index.data()))
            if index.data(Qt.ItemDataRole.DecorationRole):
                self._paint_button(painter, option)
        painter.restore()

    def _paint_button(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """Draw the plus that makes a new folder."""
        is_over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        side = theme.ICON - 2
        place = option.rect.adjusted(0, 0, -_INSET - 8, -3)
        tint = theme.color("tint" if is_over else "secondary").name()
        at = QPoint(place.right() - side, place.bottom() - side)
        painter.drawPixmap(at, theme.pixmap("add", tint, side))

    def _paint_place(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        state = QStyle.StateFlag
        is_selected = bool(option.state & state.State_Selected)
        widget = option.widget
        is_active = is_selected and widget is not None and widget.hasFocus()
        frame = option.rect.adjusted(_INSET, 1, -_INSET, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_selected or option.state & state.State_MouseOver:
            name = "accent" if is_active else "selected_idle" if is_selected else "hover"
            painter.setBrush(theme.color(name))
            painter.drawRoundedRect(frame, 6, 6)
        if index.data(TargetRole):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("tint"), 2))
            painter.drawRoundedRect(frame, 6, 6)
        ink = theme.color("accent_text" if is_active else "text")
        quiet = theme.color("accent_secondary" if is_active else "secondary")
        side = theme.ICON
        tint = ink if is_active else theme.color("tint")
        if index.data(PlaceRole) == _WARNS and not is_active:
            tint = theme.color("warning")
        icon = theme.pixmap(str(index.data(Qt.ItemDataRole.DecorationRole)), tint.name(), side)
        painter.drawPixmap(frame.left() + 8, frame.center().y() - side // 2 + 1, icon)
        count = index.data(CountRole) or 0
        text = frame.adjusted(8 + side + 8, 0, -10, 0)
        if count:
            text = self._paint_count(painter, text, count, quiet)
        painter.setFont(theme.font())
        painter.setPen(ink)
        title = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, text.width()
        )
        flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, flags, title)

    def _paint_count(self, painter: QPainter, text: QRect, count: int, color: QColor) -> QRect:
        painter.setFont(theme.font(0.92))
        painter.setPen(color)
        flags = Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, flags, str(count))
        return text.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(str(count)) - 6, 0)
