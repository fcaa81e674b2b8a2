"""The middle of the window: the list, or why there is nothing in it."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.config.translate import tr, tr_plural
from app.core.errors import mark
from app.library.search import ListQuery
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.library.delegate import RowDelegate
from app.ui.library.filters import FilterBar, ModelTitle
from app.ui.library.model import RecordingModel
from app.ui.library.view import RecordingList
from app.ui.ports import FindMatches, LibraryReader
from app.ui.widgets.empty_state import EmptyState


class LibraryPane(QWidget):
    """Shows a place of the library or the results of a search."""

    selection_changed = Signal()
    clear_search_requested = Signal()

    def __init__(
        self,
        library: LibraryReader,
        board: JobBoard,
        find_matches: FindMatches,
        model_title: ModelTitle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._asked = ListQuery()  # by the place and the search field, without the filters
        self.model = RecordingModel(library, board, self)
        self._delegate = RowDelegate(board, find_matches, self)
        self.list = RecordingList(self.model, self._delegate, self)
        self.filters = FilterBar(library, model_title, self)
        self.filters.changed.connect(self._on_filters_changed)
        self.results = self.filters.summary
        self.empty = EmptyState(self)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.filters)
        column.addWidget(self._stack, 1)
        self.setMinimumWidth(210)
        self.setAutoFillBackground(True)
        self._tell_later = QTimer(self)
        self._tell_later.setSingleShot(True)
        self._tell_later.setInterval(0)
        self._tell_later.timeout.connect(self.selection_changed)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._tell_later.start())
        self._next_row: int | None = None
        self.model.modelReset.connect(self._render)
        self.model.rowsInserted.connect(self._render)
        self.refresh_colors()

    # What is shown

    def show_query(self, query: ListQuery) -> None:
        """Show a place, or what matches in it, narrowed down by the filters."""
        self._asked = query
        self._delegate.query = query.text
        self.model.show_query(self.filters.narrowed(query))
        self.list.scrollToTop()

    def keeping_selection(self, change: Callable[[], None]) -> None:
        """Run `change`, which may reset the list, and select again what was selected."""
        is_all = self.selected_count() == self.model.rowCount() > _FEW
        was = set() if is_all else set(self.selected_ids())
        top = self.list.verticalScrollBar().value()
        change()
        if is_all:
            self.list.verticalScrollBar().setValue(top)
            self.list.selectAll()
        elif was and not self.list.selectionModel().hasSelection():
            self.list.verticalScrollBar().setValue(top)
            if not self.select(was) and self._next_row is not None:
                row, self._next_row = self._next_row, None
                self.select_row(row)

    def selected_ids(self) -> list[str]:
        """Return the selected recordings, in the order of the list."""
        selection = self.list.selectionModel().selection()
        ranges = (selection.at(at) for at in range(selection.size()))
        rows = sorted(row for part in ranges for row in range(part.top(), part.bottom() + 1))
        return self.model.ids(rows)

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

    def select_row_later(self, row: int) -> None:
        """Select `row` when the list has next changed, or the nearest there is then."""
        self._next_row = row

    def refresh_colors(self) -> None:
        self.filters.refresh_colors()
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("base"))
        self.setPalette(palette)
        self.empty.refresh_colors()
        self.list.viewport().update()

    # Rendering

    def _render(self) -> None:
        count = self.model.rowCount()
        self.results.setText(self._summary(count))
        if count:
            self._stack.setCurrentWidget(self.list)
            return
        text = self.model.search_text
        if text:
            self.empty.show_state(
                tr("Nothing found"),
                [tr("No title, note or transcript contains “{text}”.", text=text[:60])],
                icon="search",
                actions=[(tr("Clear Search"), self.clear_search_requested.emit)],
            )
        elif self.filters.is_filtering:
            self.empty.show_state(
                tr("Nothing fits these filters"),
                icon="filter",
                actions=[(tr("Remove All Filters"), self.filters.clear)],
            )
        else:
            title, line, icon = _EMPTY.get(self._place_of(), _NOTHING)
            self.empty.show_state(tr(title), [tr(line)] if line else [], icon=icon)
        self._stack.setCurrentWidget(self.empty)

    def _summary(self, count: int) -> str:
        """Return how much is shown."""
        if not self.model.search_text:
            return tr_plural("{count} recording", "{count} recordings", count) if count else ""
        if count and self.model.canFetchMore(self.list.rootIndex()):
            return tr("More than {count} results", count=count)
        return tr_plural("{count} result", "{count} results", count) if count else ""

    def _place_of(self) -> str:
        query = self._asked
        if query.is_binned:
            return "bin"
        if query.is_favourite:
            return "favourites"
        return str(query.kind or ("folder" if query.folder_id else ""))

    def _on_filters_changed(self) -> None:
        self.model.show_query(self.filters.narrowed(self._asked))
        self.list.scrollToTop()


_FEW = 1_000  # selected recordings that are looked for one by one after a change
_NOTHING = (mark("Nothing here"), "", "file")
_EMPTY = {
    "bin": (
        mark("The bin is empty"),
        mark("What you remove stays here until you empty the bin."),
        "remove",
    ),
    "favourites": (
        mark("No favourites yet"),
        mark("Mark a recording with the star beside its title."),
        "star",
    ),
    "folder": (
        mark("This folder is empty"),
        mark("Drag recordings from the list onto its name."),
        "folder",
    ),
    "dictation": (mark("No dictations yet"), "", "dictation"),
    "quick": (mark("No quick records yet"), "", "microphone"),
}
