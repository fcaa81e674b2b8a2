"""The source list: what of the library is shown, and the queue.

Only places that exist and can be reached are listed; counts come from outside.
"""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.recording import RecordingKind, RecordingStatus
from app.library.search import ListQuery
from app.ui import theme


class Place(StrEnum):
    """What can be chosen in the sidebar."""

    ALL = "all"
    FILES = "files"
    FAILED = "failed"
    QUEUE = "queue"


QUERIES = {
    Place.ALL: ListQuery(),
    Place.FILES: ListQuery(kind=RecordingKind.FILE),
    Place.FAILED: ListQuery(status=RecordingStatus.FAILED),
}

_PlaceRole = int(Qt.ItemDataRole.UserRole) + 1
_CountRole = _PlaceRole + 1
_INSET = 8  # px, from the edge to a selection's frame


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Place
    title: str
    icon: str


class Sidebar(QListWidget):
    """Lists the places; tells which one was chosen."""

    place_chosen = Signal(object)  # Place

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Library and queue"))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setItemDelegate(_PlaceDelegate(self))
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(172)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._items: dict[Place, QListWidgetItem] = {}
        self._add_heading(tr("Library"))
        for entry in (
            _Entry(Place.ALL, tr("All"), "all"),
            _Entry(Place.FILES, tr("Files"), "file"),
            _Entry(Place.FAILED, tr("Needs attention"), "warning"),
        ):
            self._add(entry)
        self._add_heading(tr("Work"))
        self._add(_Entry(Place.QUEUE, tr("Queue"), "queue"))
        self.set_count(Place.FAILED, 0)
        self.choose(Place.ALL)
        self.currentItemChanged.connect(self._on_current_changed)
        self.refresh_colors()

    @property
    def place(self) -> Place:
        """The chosen place."""
        item = self.currentItem()
        return Place(item.data(_PlaceRole)) if item else Place.ALL

    def choose(self, place: Place) -> None:
        """Choose a place as if the person had."""
        self.setCurrentItem(self._items[place])

    def choose_quietly(self, place: Place) -> None:
        """Choose a place without telling."""
        self.blockSignals(True)
        self.choose(place)
        self.blockSignals(False)

    def set_count(self, place: Place, count: int) -> None:
        """Show how many things a place holds; one that needs attention hides when empty."""
        item = self._items[place]
        item.setData(_CountRole, count)
        title = item.text()
        spoken = tr_plural("{title}, {count} item", "{title}, {count} items", count, title=title)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken if count else title)
        if place is Place.FAILED:
            if not count and self.place is Place.FAILED:
                self.choose(Place.ALL)
            item.setHidden(not count)

    def count_of(self, place: Place) -> int:
        """Return the count a place shows."""
        return int(self._items[place].data(_CountRole) or 0)

    def refresh_colors(self) -> None:
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("window"))
        palette.setColor(self.viewport().backgroundRole(), theme.color("window"))
        self.setPalette(palette)
        self.viewport().update()

    def _add_heading(self, title: str) -> None:
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.addItem(item)

    def _add(self, entry: _Entry) -> None:
        item = QListWidgetItem(entry.title)
        item.setData(_PlaceRole, entry.place.value)
        item.setData(Qt.ItemDataRole.DecorationRole, entry.icon)
        self.addItem(item)
        self._items[entry.place] = item

    def _on_current_changed(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(_PlaceRole):
            self.place_chosen.emit(Place(item.data(_PlaceRole)))


class _PlaceDelegate(QStyledItemDelegate):
    """Paints headings and places with their counts."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)

    def sizeHint(
        self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        height = QFontMetrics(theme.font()).height()
        return QSize(120, max(theme.TARGET, height + 10) if index.data(_PlaceRole) else height + 18)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(_PlaceRole):
            self._paint_place(painter, option, index)
        else:
            painter.setFont(theme.font(0.85, is_bold=True))
            painter.setPen(theme.color("secondary"))
            rect = option.rect.adjusted(_INSET + 8, 0, -_INSET, -4)
            flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignBottom
            painter.drawText(rect, flags, str(index.data()))
        painter.restore()

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
        ink = theme.color("accent_text" if is_active else "text")
        quiet = theme.color("accent_secondary" if is_active else "secondary")
        side = theme.ICON
        tint = ink if is_active else theme.color("tint")
        if index.data(_PlaceRole) == Place.FAILED and not is_active:
            tint = theme.color("warning")
        icon = theme.pixmap(str(index.data(Qt.ItemDataRole.DecorationRole)), tint.name(), side)
        painter.drawPixmap(frame.left() + 8, frame.center().y() - side // 2 + 1, icon)
        count = index.data(_CountRole) or 0
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
