"""The list with its day headers.

Rows are equally high and headers too, so any place is found by arithmetic: 100,000 rows cost
nothing but the pages that are looked at.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QDrag,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem, QWidget

from app.config.translate import tr, tr_plural
from app.ui import theme
from app.ui.library.delegate import RowDelegate
from app.ui.library.mime import SELECTION, DraggedRecordings, WriteFiles, carry
from app.ui.library.model import RecordingModel

Index = QModelIndex | QPersistentModelIndex
_MOST_FILES = 100  # dragged to another program at once; for more there is Export
_FOOT = theme.SPACE  # px below the last row


class RecordingList(QListView):
    """Shows a `RecordingModel`."""

    open_requested = Signal()
    remove_requested = Signal()

    def __init__(
        self, model: RecordingModel, delegate: RowDelegate, parent: QWidget | None = None
    ) -> None:
        self._rows = model
        self._rows_delegate = delegate
        self._starts: list[int] = []
        self._is_adjusting = False
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(delegate)
        self.setAccessibleName(tr("Recordings"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        self.setDragEnabled(True)
        self.carried_ids: Callable[[], Sequence[str]] = tuple  # what a drag takes along
        self.write_files: WriteFiles | None = None  # for programs that want files
        self.doubleClicked.connect(lambda _index: self.open_requested.emit())
        model.days_changed.connect(self._on_days_changed)

    # Arithmetic

    def _slot_top(self, row: int) -> int:
        """Return the top of a row, its header above it included."""
        height, header = self._rows_delegate.row_height, self._rows_delegate.header_height
        return row * height + bisect_left(self._starts, row) * header

    def _row_top(self, row: int) -> int:
        has_header = self._begins_day(row)
        return self._slot_top(row) + (self._rows_delegate.header_height if has_header else 0)

    def _begins_day(self, row: int) -> bool:
        at = bisect_left(self._starts, row)
        return at < len(self._starts) and self._starts[at] == row

    def _row_at(self, top: int) -> int:
        """Return the row whose slot holds `top`, counted from the top of the list."""
        count = self._rows.rowCount()
        if not count:
            return -1
        return min(max(bisect_right(range(count), top, key=self._slot_top) - 1, 0), count - 1)

    def visible_rows(self) -> tuple[int, int]:
        """Return the first and the last row on the screen; (0, -1) when there is none."""
        if not self._rows.rowCount():
            return 0, -1
        top = self.verticalOffset()
        return self._row_at(top), self._row_at(top + self.viewport().height())

    def place(self) -> tuple[int, int]:
        """Return the row at the upper edge and how many pixels of it are above; (0, 0) at rest."""
        top = self.verticalOffset()
        row = self._row_at(top)
        return (row, top - self._slot_top(row)) if row > 0 or top else (0, 0)

    def go_to_place(self, row: int, above: int) -> None:
        """Scroll to where `place` was."""
        self.updateGeometries()
        self.verticalScrollBar().setValue(self._slot_top(row) + above)

    # QListView, its layout replaced by the arithmetic above

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)
        self._load_visible()

    def dataChanged(self, first: Index, last: Index, _roles: object = None) -> None:
        top, bottom = self.visible_rows()
        for row in range(max(first.row(), top), min(last.row(), bottom) + 1):
            self.viewport().update(
                self.visualRect(self._rows.index(row))
            )  # none changes its height
        self._load_visible()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.FontChange:
            self._rows_delegate.refresh_fonts()
            self.updateGeometries()
        super().changeEvent(event)

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def horizontalOffset(self) -> int:
        return 0

    def visualRect(self, index: Index) -> QRect:
        if not index.isValid():
            return QRect()
        top = self._row_top(index.row()) - self.verticalOffset()
        return QRect(0, top, self.viewport().width(), self._rows_delegate.row_height)

    def rectForIndex(self, index: Index) -> QRect:
        return self.visualRect(index).translated(0, self.verticalOffset())

    def indexAt(self, point: QPoint) -> QModelIndex:
        top = point.y() + self.verticalOffset()
        row = self._row_at(top)
        if row < 0 or not 0 <= top - self._row_top(row) < self._rows_delegate.row_height:
            return QModelIndex()
        return self._rows.index(row)

    def isIndexHidden(self, _index: Index) -> bool:
        return False

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        bar, height = self.verticalScrollBar(), self.viewport().height()
        around = height // self._rows_delegate.row_height + 1
        self._rows.ensure(index.row() - around, index.row() + around)  # headers take room
        top, bottom = self._slot_top(index.row()), self.rectForIndex(index).bottom() + 1 + _FOOT
        if hint is QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue((top + bottom - height) // 2)
        elif top < bar.value() or hint is QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(top)
        elif bottom > bar.value() + height:
            bar.setValue(bottom - height)

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        count = self._rows.rowCount()
        if not count:
            return QModelIndex()
        current = self.currentIndex().row()
        page = max(1, self.viewport().height() // self._rows_delegate.row_height - 1)
        move = QAbstractItemView.CursorAction
        if current < 0:
            return self._rows.index(0)
        target = {
            move.MoveUp: current - 1,
            move.MovePrevious: current - 1,
            move.MoveDown: current + 1,
            move.MoveNext: current + 1,
            move.MovePageUp: current - page,
            move.MovePageDown: current + page,
            move.MoveHome: 0,
            move.MoveEnd: count - 1,
        }.get(action, current)
        return self._rows.index(min(max(target, 0), count - 1))

    def setSelection(self, rect: QRect, flags: QItemSelectionModel.SelectionFlag) -> None:
        top = rect.normalized().top() + self.verticalOffset()
        bottom = rect.normalized().bottom() + self.verticalOffset()
        first, last = self._row_at(top), self._row_at(bottom)
        selection = QItemSelection()
        if first >= 0:
            if top >= self._row_top(first) + self._rows_delegate.row_height:
                first += 1
            if bottom < self._row_top(last):
                last -= 1
            if first <= last:
                selection = QItemSelection(self._rows.index(first), self._rows.index(last))
        self.selectionModel().select(selection, flags)

    def visualRegionForSelection(self, _selection: QItemSelection) -> QRegion:
        return QRegion(self.viewport().rect())  # repainting what is seen costs a dozen rows

    def updateGeometries(self) -> None:
        bar, delegate = self.verticalScrollBar(), self._rows_delegate
        total = self._slot_top(self._rows.rowCount()) + _FOOT if self._rows.rowCount() else 0
        height = self.viewport().height()
        bar.setSingleStep(delegate.row_height // 3)
        bar.setPageStep(height)
        bar.setRange(0, max(0, total - height))
        QAbstractItemView.updateGeometries(self)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self._load_visible()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        QAbstractItemView.resizeEvent(self, event)
        self.updateGeometries()
        self._load_visible()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.color("base"))
        if not self._rows.rowCount():
            return
        offset = self.verticalOffset()
        first = self._row_at(event.rect().top() + offset)
        for row in range(first, self._row_at(event.rect().bottom() + offset) + 1):
            self._paint_row(painter, row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_requested.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)

    def startDrag(self, _actions: Qt.DropAction) -> None:
        """Carry the selection, with how much it is under the pointer."""
        ids = list(self.carried_ids())
        if not ids:
            return
        drag = QDrag(self)
        drag.setMimeData(self.drag_data(ids))
        drag.setPixmap(self._drag_picture(len(ids)))
        drag.setHotSpot(QPoint(-12, -4))
        drag.exec(Qt.DropAction.CopyAction)

    def selectAll(self) -> None:
        """Select everything as one range; Qt's own way asks about each of the rows."""
        if count := self._rows.rowCount():
            everything = QItemSelection(self._rows.index(0), self._rows.index(count - 1))
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().select(everything, flag)

    def drag_data(self, ids: Sequence[str]) -> QMimeData:
        """Return recordings as a drag carries them; as files too while they are not too many."""
        if self.write_files is None or len(ids) > _MOST_FILES or list(ids) == [SELECTION]:
            return carry(QMimeData(), ids)
        return DraggedRecordings(ids, self.write_files)

    def keyboardSearch(self, _search: str) -> None:
        """Do nothing: it would read the whole library; the search field is for that."""

    # Inside

    def _paint_row(self, painter: QPainter, row: int) -> None:
        index = self._rows.index(row)
        rect = self.visualRect(index)
        delegate = self._rows_delegate
        if self._begins_day(row):
            day = self._rows.day(row)
            header = QRect(0, rect.top() - delegate.header_height, rect.width(), 0)
            header.setHeight(delegate.header_height)
            if day is not None:
                delegate.paint_header(painter, header, day)
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = rect
        state = option.state & ~QStyle.StateFlag.State_HasFocus
        state &= ~(QStyle.StateFlag.State_Active | QStyle.StateFlag.State_MouseOver)
        if self.selectionModel().isSelected(index):
            state |= QStyle.StateFlag.State_Selected
        if self.hasFocus() and self.isActiveWindow():
            state |= QStyle.StateFlag.State_Active
            if index == self.currentIndex():
                state |= QStyle.StateFlag.State_HasFocus
        if self.underMouse() and index == self.indexAt(self._pointer()):
            state |= QStyle.StateFlag.State_MouseOver
        option.state = state
        delegate.paint(painter, option, index)

    def _drag_picture(self, count: int) -> QPixmap:
        text = tr_plural("{count} recording", "{count} recordings", count)
        width = self.fontMetrics().horizontalAdvance(text) + 24
        picture = QPixmap(width * 2, 56)
        picture.setDevicePixelRatio(2)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(QRect(0, 0, width, 28), 14, 14)
        painter.setPen(theme.color("accent_text"))
        painter.drawText(QRect(0, 0, width, 28), Qt.AlignmentFlag.AlignCenter, text)
        painter.end()
        return picture

    def _pointer(self) -> QPoint:
        return self.viewport().mapFromGlobal(self.cursor().pos())

    def _load_visible(self) -> None:
        first, last = self.visible_rows()
        if last >= first:
            self._rows.ensure(first, last)

    def _on_days_changed(self) -> None:
        """Take over the new headers without moving what is on the screen."""
        if self._is_adjusting:
            return
        starts = self._rows.day_starts()
        if starts == self._starts:
            return
        bar = self.verticalScrollBar()
        is_at_end = bar.value() > 0 and bar.value() == bar.maximum()
        anchor = self._row_at(bar.value())
        offset = bar.value() - self._slot_top(max(0, anchor))
        self._starts = starts
        self._is_adjusting = True
        self.updateGeometries()
        if is_at_end:
            bar.setValue(bar.maximum())
        elif anchor > 0:
            bar.setValue(self._slot_top(anchor) + offset)
        self._is_adjusting = False
        QTimer.singleShot(0, self.viewport(), self.viewport().update)
