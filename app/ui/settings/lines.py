"""A table of lines of one or two columns, kept as a setting; every edit is stored at once.

A stored line is its cells joined by tabs; a line with an empty first cell is not stored.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.ui import theme
from app.ui.settings.form import push_button
from app.ui.widgets.labels import QuietLabel

_BREAK = "⏎"  # a line break within a cell, as it is shown and typed


class LinesTable(QWidget):
    """Edits the lines of one setting.

    Args:
        title: for a screen reader.
        headers: of the columns, one or two.
        note: what the lines do.
        read: returns the lines that hold.
        store: told of the changed lines.
    """

    def __init__(
        self,
        title: str,
        headers: Sequence[str],
        note: str,
        read: Callable[[], Sequence[str]],
        store: Callable[[tuple[str, ...]], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._read = read
        self._store = store
        self.note = QuietLabel(note, self, wraps=True)
        self.table = _Table(0, len(headers), self)
        self.table.setAccessibleName(title)
        self.table.setHorizontalHeaderLabels(list(headers))
        self.table.horizontalHeader().setVisible(len(headers) > 1)
        self.table.itemChanged.connect(lambda _item: self._save())
        self.table.remove = self.remove_selected
        self.table.paste = self.paste
        self.add_button = push_button(
            tr("Add"), self.add, self, tr("Add to “{title}”", title=title)
        )
        self.remove_button = push_button(
            tr("Remove"), self.remove_selected, self, tr("Remove from “{title}”", title=title)
        )
        self.table.itemSelectionChanged.connect(self._on_selection_changed)
        buttons = QHBoxLayout()
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.remove_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(theme.SPACE)
        column.addWidget(self.note)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self.refresh()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are worth keeping."""
        columns = self.table.columnCount()
        found = []
        for row in range(self.table.rowCount()):
            cells = [self._cell(row, column) for column in range(columns)]
            if cells[0]:
                found.append("\t".join(cells))
        return tuple(found)

    def refresh(self) -> None:
        """Show the lines that hold, unless they are what is shown."""
        wanted = tuple(self._read())
        if wanted == self.lines and self.table.rowCount():
            return
        with QSignalBlocker(self.table):
            self.table.setRowCount(0)
            for line in wanted:
                self._append(line)
        self._on_selection_changed()

    def refresh_colors(self) -> None:
        self.note.refresh_colors()

    def add(self) -> None:
        """Begin a new line."""
        with QSignalBlocker(self.table):
            self._append("")
        row = self.table.rowCount() - 1
        self.table.setCurrentCell(row, 0)
        self.table.scrollToBottom()
        item = self.table.item(row, 0)
        if item is not None:
            self.table.editItem(item)

    def remove_selected(self) -> None:
        """Remove the selected lines."""
        rows = sorted({index.row() for index in self.table.selectedIndexes()}, reverse=True)
        for row in rows:
            self.table.removeRow(row)
        if rows:
            self.table.setCurrentCell(min(rows[-1], self.table.rowCount() - 1), 0)
            self._save()

    def paste(self, text: str) -> None:
        """Add a line for each of `text`, which may come from a spreadsheet."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        known = set(self.lines)
        with QSignalBlocker(self.table):
            for line in lines:
                if line not in known:
                    self._append(line)
        if lines:
            self._save()

    def _append(self, line: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        columns = self.table.columnCount()
        cells = line.split("\t", columns - 1)
        for column in range(columns):
            text = cells[column] if column < len(cells) else ""
            self.table.setItem(row, column, QTableWidgetItem(text.replace("\n", f" {_BREAK} ")))

    def _cell(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        parts = (item.text() if item is not None else "").replace("\t", " ").split(_BREAK)
        return "\n".join(part.strip() for part in parts).strip()

    def _save(self) -> None:
        lines = self.lines
        if lines != tuple(self._read()):
            self._store(lines)

    def _on_selection_changed(self) -> None:
        self.remove_button.setEnabled(bool(self.table.selectedIndexes()))


class _Table(QTableWidget):
    """A table whose keys do what they do in a list: Delete removes, Paste adds lines."""

    def __init__(self, rows: int, columns: int, parent: QWidget) -> None:
        super().__init__(rows, columns, parent)
        self.remove: Callable[[], None] = lambda: None
        self.paste: Callable[[str], None] = lambda _text: None
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(theme.TARGET)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)

    def event(self, event: QEvent) -> bool:
        # Escape ends the editing of a cell before it closes the window.
        is_override = event.type() is QEvent.Type.ShortcutOverride
        is_editing = self.state() is QAbstractItemView.State.EditingState
        if not (is_override and is_editing and isinstance(event, QKeyEvent)):
            return super().event(event)
        if event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste(QApplication.clipboard().text())
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove()
        else:
            super().keyPressEvent(event)
