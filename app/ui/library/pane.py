"""The middle of the window: the list, or why there is nothing in it."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.config.translate import tr, tr_plural
from app.library.search import ListQuery
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.library.delegate import RowDelegate
from app.ui.library.model import RecordingModel
from app.ui.library.view import RecordingList
from app.ui.ports import FindMatches, LibraryReader
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.labels import QuietLabel


class LibraryPane(QWidget):
    """Shows a place of the library or the results of a search."""

    selection_changed = Signal()
    clear_search_requested = Signal()

    def __init__(
        self,
        library: LibraryReader,
        board: JobBoard,
        find_matches: FindMatches,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = RecordingModel(library, board, self)
        self._delegate = RowDelegate(board, find_matches, self)
        self.list = RecordingList(self.model, self._delegate, self)
        self.results = QuietLabel("", self)
        self.results.setContentsMargins(14, 8, 14, 4)
        self.results.hide()
        self.empty = EmptyState(self)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.results)
        column.addWidget(self._stack, 1)
        self.setMinimumWidth(210)
        self.setAutoFillBackground(True)
        self._tell_later = QTimer(self)
        self._tell_later.setSingleShot(True)
        self._tell_later.setInterval(0)
        self._tell_later.timeout.connect(self.selection_changed)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._tell_later.start())
        for signal in (self.model.modelReset, self.model.rowsInserted, self.model.rowsRemoved):
            signal.connect(self._render)
        self.refresh_colors()

    # What is shown

    def show_query(self, query: ListQuery) -> None:
        """Show a place."""
        self._delegate.query = ""
        self.model.show_query(query)
        self.list.scrollToTop()

    def show_search(self, text: str) -> None:
        """Show what matches."""
        self._delegate.query = text
        self.model.show_search(text)
        self.list.scrollToTop()

    def keeping_selection(self, change: Callable[[], None]) -> None:
        """Run `change`, which may reset the list, and select again what was selected."""
        was = set(self.selected_ids())
        top = self.list.verticalScrollBar().value()
        change()
        if was and not self.list.selectionModel().hasSelection():
            self.list.verticalScrollBar().setValue(top)
            self.select(was)

    def selected_ids(self) -> list[str]:
        """Return the selected recordings, in the order of the list."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        return [found for row in rows if (found := self.model.recording_id(row)) is not None]

    def selected_count(self) -> int:
        """Return how many recordings are selected."""
        selection = self.list.selectionModel().selection()
        return sum(selection.at(at).height() for at in range(selection.size()))

    def first_selected_row(self) -> int:
        """Return the topmost selected row; 0 when there is none."""
        selection = self.list.selectionModel().selection()
        return min((selection.at(at).top() for at in range(selection.size())), default=0)

    def selected_start_s(self) -> float | None:
        """Return where in the selected recording the search matches."""
        index = self.list.currentIndex()
        row = self.model.row(index.row()) if index.isValid() else None
        return row.start_s if row else None

    def select(self, ids: set[str]) -> bool:
        """Select recordings whose rows are known; whether there was one."""
        rows = sorted(row for found in ids if (row := self.model.row_of(found)) is not None)
        if not rows:
            return False
        selection = self.list.selectionModel()
        flag = QItemSelectionModel.SelectionFlag
        selection.setCurrentIndex(self.model.index(rows[0]), flag.ClearAndSelect)
        for row in rows[1:]:
            selection.select(self.model.index(row), flag.Select)
        return True

    def select_row(self, row: int) -> None:
        """Select one row, or the nearest there is."""
        if self.model.rowCount():
            index = self.model.index(min(max(row, 0), self.model.rowCount() - 1))
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flag)

    def refresh_colors(self) -> None:
        self.results.refresh_colors()
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("base"))
        self.setPalette(palette)
        self.empty.refresh_colors()
        self.list.viewport().update()

    # Rendering

    def _render(self) -> None:
        count = self.model.rowCount()
        text = self.model.search_text
        self.results.setVisible(bool(text and count))
        if text and count:
            more = self.model.canFetchMore(self.list.rootIndex())
            self.results.setText(
                tr("More than {count} results", count=count)
                if more
                else tr_plural("{count} result", "{count} results", count)
            )
        if count:
            self._stack.setCurrentWidget(self.list)
            return
        if text:
            self.empty.show_state(
                tr("Nothing found"),
                [tr("No title and no transcript contains “{text}”.", text=text[:60])],
                icon="search",
                actions=[(tr("Clear Search"), self.clear_search_requested.emit)],
            )
        else:
            self.empty.show_state(tr("Nothing here"), icon="file")
        self._stack.setCurrentWidget(self.empty)
